import {
  add,
  and,
  c32,
  c64,
  ctz,
  eq,
  eqz,
  geU,
  gtU,
  load16U,
  load64,
  load8U,
  loadV128,
  ltU,
  ne,
  or,
  select,
  shl,
  shrU,
  sub,
  xor,
  extendU,
  wrap,
} from "../../wasm/expression.ts";
import type { Expr } from "../../wasm/expression.ts";
import type { FunctionRef, Global } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i8x16 } from "../../wasm/simd.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { emitMoment } from "../json-compiled/time-functions.ts";
import { emitUuid, emitUuidText } from "./uuid-functions.ts";

/** The emitted functions that both binary formats need. */
export interface WireFunctions {
  /** (start, end): 1 where the bytes are well-formed UTF-8 (Unicode 17, table 3-7); reads up to 16 bytes beyond. */
  readonly utf8: FunctionRef;
  /** (p): the position behind the varint at p, whose bits go to `word`, or 0 where it is longer than 10 bytes; reads up to 10 bytes. */
  readonly varint: FunctionRef;
  readonly word: Global;
  /** (a, b, length): 1 where two texts are the same. */
  readonly same: FunctionRef;
  /** (record, row, start, end): reads the text of a date, time or timestamp into its cell, as the record says; 0, or why it is none. */
  readonly moment: FunctionRef;
  /** (start): where the bytes of the UUID are now whose text stands at `start`, or 0; the area has room for them. */
  readonly uuid: FunctionRef;
  /** (start): where the text of the UUID is now whose bytes stand at `start`; the area has room for it. */
  readonly uuidText: FunctionRef;
}

/** Writes them into a module. `areaEnd`: where the address of the area's end stands. */
export function emitWire(m: WasmModule, areaEnd: number): WireFunctions {
  const word = m.global("i64");
  return {
    utf8: emitUtf8(m),
    varint: emitVarint(m, word),
    word,
    same: emitSame(m),
    moment: emitMoment(m),
    uuid: emitUuid(m, areaEnd),
    uuidText: emitUuidText(m, areaEnd),
  };
}

function emitUtf8(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32], [i32], (f, [p, end]) => {
    const mask = f.local(i32);
    const c = f.local(i32);
    const size = f.local(i32);
    const second = f.local(i32);
    const low = f.local(i32);
    const high = f.local(i32);
    f.loop((again) => {
      f.if(geU(p, end), () => f.return(c32(1)));
      f.if(eqz(f.tee(mask, i8x16.bitmask(loadV128(p)))), () => {
        f.set(p, add(p, c32(16)));
        f.br(again);
      });
      f.set(p, add(p, ctz(mask)));
      f.if(geU(p, end), () => f.return(c32(1)));
      f.set(c, load8U(p));
      f.if(gtU(sub(c, c32(0xc2)), c32(0x32)), () => f.return(c32(0)));
      f.set(size, add(c32(2), add(geU(c, c32(0xe0)), geU(c, c32(0xf0)))));
      f.if(gtU(add(p, size), end), () => f.return(c32(0)));
      f.set(low, select(eq(c, c32(0xe0)), c32(0xa0), select(eq(c, c32(0xf0)), c32(0x90), c32(0x80))));
      f.set(high, select(eq(c, c32(0xed)), c32(0x9f), select(eq(c, c32(0xf4)), c32(0x8f), c32(0xbf))));
      f.set(second, load8U(p, 1));
      f.if(or(ltU(second, low), gtU(second, high)), () => f.return(c32(0)));
      for (const i of [2, 3])
        f.if(gtU(size, c32(i)), () => {
          f.if(ne(and(load8U(p, i), c32(0xc0)), c32(0x80)), () => f.return(c32(0)));
        });
      f.set(p, add(p, size));
      f.br(again);
    });
  });
}

const sevens = 0x7f7f_7f7f_7f7f_7f7fn;
const tops = 0x8080_8080_8080_8080n;

/** The 7-bit groups of 8 bytes side by side. */
function packGroups(x: Expr): Expr[] {
  const step = (from: Expr, keep: bigint, move: bigint, by: number): Expr => or(and(from, c64(keep)), shrU(and(from, c64(move)), c64(by)));
  return [
    step(x, 0x007f_007f_007f_007fn, 0x7f00_7f00_7f00_7f00n, 1),
    step(x, 0x0000_3fff_0000_3fffn, 0x3fff_0000_3fff_0000n, 2),
    step(x, 0x0000_0000_0fff_ffffn, 0x0fff_ffff_0000_0000n, 4),
  ];
}

function emitVarint(m: WasmModule, word: Global): FunctionRef {
  return m.func(null, [i32], [i32], (f, [p]) => {
    const bytes = f.local(i64);
    const stops = f.local(i64);
    const value = f.local(i64);
    const tail = f.local(i32);
    f.set(bytes, load64(p));
    f.set(stops, and(xor(bytes, c64(-1n)), c64(tops)));
    // Up to and with the first byte without the top bit.
    f.set(value, and(and(bytes, xor(stops, sub(stops, c64(1)))), c64(sevens)));
    for (const step of packGroups(value)) f.set(value, step);
    f.setGlobal(word, value);
    f.if(eqz(eqz(stops)), () => f.return(add(p, add(c32(1), wrap(shrU(ctz(stops), c64(3)))))));
    f.set(tail, load16U(p, 8));
    f.setGlobal(word, or(value, shl(extendU(and(tail, c32(0x7f))), c64(56))));
    f.if(eqz(and(tail, c32(0x80))), () => f.return(add(p, c32(9))));
    f.if(and(tail, c32(0x8000)), () => f.return(c32(0)));
    f.setGlobal(word, or(word, shl(extendU(shrU(tail, c32(8))), c64(63))));
    // What a tenth byte has beyond the 64th bit is the caller's to judge.
    f.return(add(p, c32(10)));
  });
}

function emitSame(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [a, b, length]) => {
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, eqz(length));
        f.if(ne(load8U(a), load8U(b)), () => f.return(c32(0)));
        f.set(a, add(a, c32(1)));
        f.set(b, add(b, c32(1)));
        f.set(length, sub(length, c32(1)));
        f.br(again);
      });
    });
    f.return(c32(1));
  });
}
