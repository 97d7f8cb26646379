import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  and,
  c32,
  c64,
  cf64,
  clz,
  eq,
  eqz,
  geU,
  gtS,
  gtU,
  load32,
  load64,
  load8U,
  loadV128,
  ltS,
  ltU,
  or,
  select,
  shl,
  shrS,
  shrU,
  sub,
  wrap,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { Head, wideShape } from "../column-state.ts";
import { emitHashSpan, swapBytes } from "./hash-code.ts";
import { emitGather, emitSample } from "./moments-code.ts";
import type { HostFunctions } from "./number-code.ts";
import { countCell } from "./number-code.ts";
import { admitEntry, countAgain, emitPurge, emitSeek, headOf, keyOf, numberIn, seekEntry, setHead, slotCode } from "./table-code.ts";
import { textHasher } from "./text-code.ts";

const shape = wideShape;
const valueBytes = 16;

/** Exports `addWide`: (state, cells, unscaled, rows, rows' end, doubles, scratch), which does what `addSpans` does for decimals. Scratch is 8 bytes a row. */
export function emitWide(m: WasmModule, host: HostFunctions): void {
  const addValue = emitAddValue(m, host);
  const gather = emitGather(m);
  const sample = emitSample(m, shape, host);
  m.func("addWide", [i32, i32, i32, i32, i32, i32, i32], [], (f, [state, cells, unscaled, rows, end, doubles, scratch]) => {
    const [at, row, cell, start, length] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
    const [slot, number, address, seen, streamed] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
    const key = f.local(i64);
    const hashText = textHasher(f);
    f.set(length, c32(valueBytes));
    f.set(streamed, select(headOf(state, Head.streaming), rows, end));
    f.set(at, rows);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(at, end));
        f.set(row, load32(at));
        f.set(at, add(at, c32(4)));
        f.set(cell, load8U(add(cells, row)));
        f.if(cell, () => {
          countCell(f, state, cell, address);
          f.br(again);
        });
        f.set(start, add(unscaled, shl(row, c32(4))));
        f.set(seen, add(seen, c32(1)));
        hashText(key, start, length);
        f.set(slot, slotCode(key, shape));
        f.set(number, numberIn(state, slot, shape));
        f.if(number, () => {
          f.if(eq(keyOf(state, number, shape), key), () => {
            countAgain(f, state, number, shape, address);
            f.br(again);
          });
        });
        f.if(f.call(addValue, state, key, slot, start), () => f.set(streamed, sub(at, c32(4))));
        f.br(again);
      });
    });
    setHead(f, state, Head.values, add(headOf(state, Head.values), seen));
    f.if(ltU(streamed, end), () => {
      f.set(seen, f.call(gather, cells, doubles, c32(0), c32(0), c64(0), streamed, end, cf64(1), cf64(1), scratch));
      f.run(host.moments, state, scratch, seen);
      f.run(sample, state, scratch, seen);
    });
  });
}

/** (state, key, first slot, start): adds a decimal that does not stand in its first slot; 1 if streaming began with it. */
function emitAddValue(m: WasmModule, host: HostFunctions): FunctionRef {
  const hash = m.global("i64");
  const seek = emitSeek(m, shape);
  const purge = emitPurge(m, shape, host.tally);
  const hashSpan = emitHashSpan(m, hash);
  return m.func(null, [i32, i64, i32, i32], [i32], (f, [state, key, slot, start]) => {
    const [found, started, number, full, at] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
    f.set(at, slot);
    seekEntry(f, { state, key, slot: at, found, number, probe: started }, shape);
    f.set(started, c32(0));
    f.if(gtS(found, c32(0)), () => {
      countAgain(f, state, found, shape, number);
      f.return(c32(0));
    });
    hashFewest(f, state, start, host.tally, hashSpan);
    keepExtremes(f, state, start);
    // As many as the table holds always fit the store.
    f.set(full, eq(headOf(state, Head.size), c32(shape.entriesMax)));
    admitEntry(f, { state, key, slot, found, full, started, number }, shape, { seek, purge, start: host.start });
    f.store64(add(state, shl(number, c32(3))), hash, shape.hashes - 8);
    f.set(number, add(state, shl(number, c32(2))));
    f.store32(number, c32(valueBytes), shape.points - 4);
    f.set(at, headOf(state, Head.stored));
    f.store32(number, or(shl(at, c32(16)), c32(valueBytes)), shape.spans - 4);
    f.storeV128(add(state, at), loadV128(start), shape.store);
    setHead(f, state, Head.stored, add(at, c32(valueBytes)));
    f.return(started);
  });
}

/** Hashes the fewest bytes of a value, big endian. The tally is free here: 16 bytes of it hold them all, the fewest at their end. */
function hashFewest(f: FunctionBuilder, state: Local, start: Local, bytes: Global, hashSpan: FunctionRef): void {
  const [low, high, sign] = [f.local(i64), f.local(i64), f.local(i64)];
  const size = f.local(i32);
  f.set(low, load64(start));
  f.set(high, load64(start, 8));
  f.store64(bytes, swapBytes(high));
  f.store64(bytes, swapBytes(low), 8);
  f.set(sign, shrS(high, c64(63)));
  f.set(low, clz(xor(low, sign)));
  f.set(high, xor(high, sign));
  f.set(high, select(eqz(high), add(low, c64(64)), clz(high)));
  f.set(size, add(shrU(sub(c32(128), wrap(high)), c32(3)), c32(1)));
  f.run(hashSpan, state, sub(add(bytes, c32(valueBytes)), size), size);
}

/** Keeps a value that is the first, the least or the greatest. */
function keepExtremes(f: FunctionBuilder, state: Local, start: Local): void {
  const [low, high] = [f.local(i64), f.local(i64)];
  f.set(low, load64(start));
  f.set(high, load64(start, 8));
  const first = eqz(headOf(state, Head.ordered));
  for (const [at, lengthPlace, place, below] of [
    [shape.least, Head.leastLength, Head.least, true],
    [shape.most, Head.mostLength, Head.most, false],
  ] as const) {
    const otherHigh = load64(state, at + 8);
    const otherLow = load64(state, at);
    const beyond: Expr = below
      ? or(ltS(high, otherHigh), and(eq(high, otherHigh), ltU(low, otherLow)))
      : or(gtS(high, otherHigh), and(eq(high, otherHigh), gtU(low, otherLow)));
    f.if(or(first, beyond), () => {
      f.storeV128(state, loadV128(start), at);
      // As in a text's state, where these order it.
      f.store64(state, swapBytes(low), 4 * place);
      setHead(f, state, lengthPlace, c32(valueBytes));
    });
  }
  setHead(f, state, Head.ordered, c32(1));
}
