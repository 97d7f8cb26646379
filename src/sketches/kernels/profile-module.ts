import { add, c32, geU, load32, load8U, shl, shrU, sub } from "../../wasm/expression.ts";
import { WasmModule } from "../../wasm/module.ts";
import { i32 } from "../../wasm/value-type.ts";
import { emitMoments } from "./moments-code.ts";
import { emitNumbers } from "./number-code.ts";
import { emitSort, sortBytes } from "./sort-code.ts";
import { emitTexts } from "./text-code.ts";
import { emitWide } from "./wide-code.ts";

const tallyBytes = 512;
/** Bytes that the kernels work in; nothing in them lasts from one call to the next. */
export const workBytes = tallyBytes + sortBytes;

let compiled: WebAssembly.Module | null = null;

/**
 * The kernels that profile columns of an arena: one module for all contracts, since nothing in it depends on one. It imports `start` and `fold`
 * (`HostFunctions`), both of a state's address, and exports `setWork` (the address of `workBytes`), `elementRows`, `addTexts`, `addWide` and the kernels of numbers.
 */
export function profileModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(emitModule());
  return compiled;
}

function emitModule(): Uint8Array<ArrayBuffer> {
  const m = new WasmModule();
  const start = m.import("start", [i32], []);
  const fold = m.import("fold", [i32], []);
  const tally = m.global("i32");
  const work = m.global("i32");
  m.func("setWork", [i32], [], (f, [address]) => {
    f.setGlobal(tally, address);
    f.setGlobal(work, add(address, c32(tallyBytes)));
  });
  emitElementRows(m);
  const host = { start, fold, tally, moments: emitMoments(m), sort: emitSort(m, work) };
  emitNumbers(m, host);
  emitTexts(m, host);
  emitWide(m, host);
  return m.finish();
}

/** Exports `elementRows`: (cells, offsets, rows, rows' end, out): writes the elements of the rows that have a list; answers how many. */
function emitElementRows(m: WasmModule): void {
  m.func("elementRows", [i32, i32, i32, i32, i32], [i32], (f, [cells, offsets, rows, end, out]) => {
    const [row, element, last, to] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
    f.set(to, out);
    f.block((done) => {
      f.loop((again) => {
        f.brIf(done, geU(rows, end));
        f.set(row, load32(rows));
        f.set(rows, add(rows, c32(4)));
        f.brIf(again, load8U(add(cells, row)));
        f.set(row, add(offsets, shl(row, c32(2))));
        f.set(element, load32(row));
        f.set(last, load32(row, 4));
        f.block((empty) => {
          f.loop((next) => {
            f.brIf(empty, geU(element, last));
            f.store32(to, element);
            f.set(to, add(to, c32(4)));
            f.set(element, add(element, c32(1)));
            f.br(next);
          });
        });
        f.br(again);
      });
    });
    f.return(shrU(sub(to, out), c32(2)));
  });
}
