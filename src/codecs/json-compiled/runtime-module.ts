import type { Policies } from "../../core/contract.ts";
import { add, c32, eq, eqz, geU, gtU, load32, load8U, mul, ne, or } from "../../wasm/expression.ts";
import type { FunctionRef } from "../../wasm/function-builder.ts";
import { WasmModule } from "../../wasm/module.ts";
import { i32 } from "../../wasm/value-type.ts";
import { emitCell, emitEmptyCells } from "./cell-functions.ts";
import { emitElements, emitObject } from "./container-functions.ts";
import { cell, keptFieldsMax, type DecoderMemory } from "./decoder-memory.ts";
import { emitFastMoments } from "./fast-moments.ts";
import { emitNumbers } from "./number-functions.ts";
import { emitText, type TextFunctions } from "./text-functions.ts";
import { emitMoment } from "./time-functions.ts";
import { emitUuid } from "../wire/uuid-functions.ts";
import { emitLiteral, emitSkip } from "./value-functions.ts";

/**
 * The module that reads any record of a contract: strictly, in any order and spacing, driven by the column records in the arena. It exports
 * - `root(row, p, end)`: 1 where the record was read into row `row`, 0 where it is the reference's to read;
 * - `cell(record, row, p, end)`: reads one value into a cell; the position behind it, or 0 as above;
 * - `skip(p, end, depth)`: checks a value; the position behind it, or 0;
 * - `empty(record, row, state)`: makes a cell empty;
 * - `keep(row, key, key's end, value, value's end)`: notes an unknown field that is to be kept; 0 where there is no room for the note;
 * - `utf8(p, end)`: whether the bytes are UTF-8.
 */
export function runtimeModule(memory: DecoderMemory, unknownFields: Policies["unknownFields"]): Uint8Array<ArrayBuffer> {
  const m = new WasmModule();
  const text = emitText(m, memory);
  const numbers = emitNumbers(m, memory);
  const literal = emitLiteral(m);
  const skip = emitSkip(m, memory, { text, numbers, literal });
  const cells = emitEmptyCells(m, memory);
  const target = m.declare([i32, i32, i32, i32], [i32], "cell");
  const slowCell = m.declare([i32, i32, i32, i32], [i32]);
  const object = m.declare([i32, i32, i32, i32], [i32]);
  const list = m.declare([i32, i32, i32, i32], [i32]);
  const map = m.declare([i32, i32, i32, i32], [i32]);
  const containers = { text, skip, cells, cell: target, slowCell, nearest: numbers.nearest, keep: emitKeep(m, memory), unknownFields };
  emitObject(m, memory, object, containers);
  emitElements(m, memory, list, { ...containers, map: false });
  emitElements(m, memory, map, { ...containers, map: true });
  emitCell(m, memory, target, slowCell, {
    text,
    numbers,
    moment: emitMoment(m),
    uuid: emitUuid(m, memory.cells + cell.area),
    fast: emitFastMoments(m, memory),
    literal,
    skip,
    cells,
    object,
    list,
    map,
  });
  emitRoot(m, memory, text, object);
  emitUtf8(m, text);
  return m.finish();
}

function emitRoot(m: WasmModule, memory: DecoderMemory, text: TextFunctions, object: FunctionRef): void {
  m.func("root", [i32, i32, i32], [i32], (f, [row, p, end]) => {
    f.store32(memory.cells + cell.rowStamp, add(load32(memory.cells + cell.stamp), c32(1)));
    f.store32(memory.cells + cell.unknownKeys, c32(0));
    f.set(p, f.call(text.space, p, end));
    f.if(or(geU(p, end), ne(load8U(p), c32(0x7b))), () => f.return(c32(0)));
    f.if(eqz(f.tee(p, f.call(object, c32(memory.records.root.address), row, p, end))), () => f.return(c32(0)));
    f.return(eq(f.call(text.space, p, end), end));
  });
}

function emitKeep(m: WasmModule, memory: DecoderMemory): FunctionRef {
  const count = memory.cells + cell.keptCount;
  return m.func("keep", [i32, i32, i32, i32, i32], [i32], (f, [row, key, keyEnd, value, end]) => {
    const at = f.local(i32);
    f.if(geU(load32(count), c32(keptFieldsMax)), () => f.return(c32(0)));
    f.set(at, mul(load32(count), c32(20)));
    f.store32(count, add(load32(count), c32(1)));
    for (const [i, each] of [row, key, keyEnd, value, end].entries()) f.store32(at, each, memory.kept + i * 4);
    f.return(c32(1));
  });
}

function emitUtf8(m: WasmModule, text: TextFunctions): void {
  m.func("utf8", [i32, i32], [i32], (f, [p, end]) => {
    f.loop((again) => {
      f.if(geU(p, end), () => f.return(c32(1)));
      f.if(
        gtU(load8U(p), c32(0x7f)),
        () => f.if(eqz(f.tee(p, f.call(text.sequence, p, end))), () => f.return(c32(0))),
        () => f.set(p, add(p, c32(1))),
      );
      f.br(again);
    });
  });
}
