import {
  add,
  and,
  c128,
  c32,
  ctz,
  eq,
  eqz,
  geU,
  gtU,
  load32,
  load8U,
  loadV128,
  ltU,
  ne,
  or,
  shl,
  shrU,
  sub,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i8x16, simd } from "../../wasm/simd.ts";
import { i32, v128 } from "../../wasm/value-type.ts";
import { cell, type DecoderMemory } from "./decoder-memory.ts";

const all = (byte: number): Expr => c128(new Uint8Array(16).fill(byte));

/** One bit for each of 16 bytes that is a quote, a backslash, a control character or no ASCII; `again` is the same bytes, already computed. */
export function specialBytes(bytes: Expr, again: Expr): Expr {
  // As signed numbers, bytes from 0x80 on lie below 0x20 too.
  return i8x16.bitmask(simd.or(simd.or(i8x16.eq(bytes, all(0x22)), i8x16.eq(again, all(0x5c))), i8x16.ltS(again, all(0x20))));
}

/** The emitted functions on text. Those that answer a position answer 0 where the text is refused. */
export interface TextFunctions {
  /** (p, end): the first position from p on that is no JSON white space. */
  readonly space: FunctionRef;
  /** (p, end): the position behind the well-formed UTF-8 sequence of two to four bytes at p, or 0 (Unicode 17, table 3-7). */
  readonly sequence: FunctionRef;
  /** (p, end): p is behind an opening quote; answers the position behind the closing one. Sets `escaped`. */
  readonly text: FunctionRef;
  readonly escaped: Global;
  /** (start, end): appends the text of a string whose escapes were checked to the area; answers the area's new end. */
  readonly unescape: FunctionRef;
  /** (start, end, to): the bytes that base64 text means (RFC 4648 section 4, padded, canonical), at `to`; answers the end of them, or 0. */
  readonly base64: FunctionRef;
  /** (a, b, length): whether two texts are the same. */
  readonly same: FunctionRef;
}

/** Whether a byte is JSON white space. */
function isSpace(c: Expr): Expr {
  return or(or(eq(c, c32(0x20)), eq(c, c32(0x0a))), or(eq(c, c32(0x0d)), eq(c, c32(0x09))));
}

/** Emits the functions on text. */
export function emitText(m: WasmModule, memory: DecoderMemory): TextFunctions {
  const escaped = m.global("i32");
  const space = m.func(null, [i32, i32], [i32], (f, [p, end]) => {
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(p, end));
        const c = f.local(i32);
        f.set(c, load8U(p));
        f.brIf(out, eqz(isSpace(c)));
        f.set(p, add(p, c32(1)));
        f.br(again);
      });
    });
    f.return(p);
  });
  const sequence = emitSequence(m);
  const escape = emitEscape(m, memory);
  const text = m.func(null, [i32, i32], [i32], (f, [p, end]) => {
    const bytes = f.local(v128);
    const mask = f.local(i32);
    const c = f.local(i32);
    f.setGlobal(escaped, c32(0));
    f.loop((again) => {
      f.if(eqz(f.tee(mask, specialBytes(f.tee(bytes, loadV128(p)), bytes))), () => {
        f.set(p, add(p, c32(16)));
        f.brIf(again, ltU(p, end));
        f.return(c32(0));
      });
      f.set(p, add(p, ctz(mask)));
      f.if(geU(p, end), () => f.return(c32(0)));
      f.set(c, load8U(p));
      f.if(eq(c, c32(0x22)), () => f.return(add(p, c32(1))));
      f.if(eq(c, c32(0x5c)), () => {
        f.setGlobal(escaped, c32(1));
        f.brIf(again, f.tee(p, f.call(escape, p)));
        f.return(c32(0));
      });
      f.if(ltU(c, c32(0x20)), () => f.return(c32(0)));
      emitSequences(f, p, end, sequence);
      f.br(again);
    });
  });
  return { space, sequence, text, escaped, unescape: emitUnescape(m, memory), base64: emitBase64(m, memory), same: emitSame(m) };
}

/** Moves `p` over the sequences of two to four bytes that stand there, the commonest in line; the function ends with 0 where one is not well-formed. */
function emitSequences(f: FunctionBuilder, p: Local, end: Expr, sequence: FunctionRef): void {
  const four = f.local(i32);
  f.loop((more) => {
    f.set(four, load32(p));
    f.block((next) => {
      f.block((odd) => {
        // Two bytes from c2 on.
        f.if(and(eq(and(four, c32(0xc0e0)), c32(0x80c0)), ne(and(four, c32(0x1e)), c32(0))), () => {
          f.set(p, add(p, c32(2)));
          f.br(next);
        });
        f.brIf(odd, ne(and(four, c32(0xc0c0f0)), c32(0x8080e0)));
        // Three bytes: neither e0 with a second byte below a0, nor ed with one from a0 on.
        f.brIf(odd, eqz(and(four, c32(0x200f))));
        f.brIf(odd, eq(and(four, c32(0x200f)), c32(0x200d)));
        f.set(p, add(p, c32(3)));
        f.br(next);
      });
      f.if(eqz(f.tee(p, f.call(sequence, p, end))), () => f.return(c32(0)));
    });
    f.brIf(more, and(ltU(p, end), gtU(load8U(p), c32(0x7f))));
  });
}

function emitSequence(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32], [i32], (f, [p, end]) => {
    const c = f.local(i32);
    const size = f.local(i32);
    const second = f.local(i32);
    const low = f.local(i32);
    const high = f.local(i32);
    f.set(c, load8U(p));
    f.if(gtU(sub(c, c32(0xc2)), c32(0x32)), () => f.return(c32(0)));
    f.set(size, add(c32(2), add(geU(c, c32(0xe0)), geU(c, c32(0xf0)))));
    f.if(gtU(add(p, size), end), () => f.return(c32(0)));
    f.set(low, c32(0x80));
    f.set(high, c32(0xbf));
    f.if(eq(c, c32(0xe0)), () => f.set(low, c32(0xa0)));
    f.if(eq(c, c32(0xf0)), () => f.set(low, c32(0x90)));
    f.if(eq(c, c32(0xed)), () => f.set(high, c32(0x9f)));
    f.if(eq(c, c32(0xf4)), () => f.set(high, c32(0x8f)));
    f.set(second, load8U(p, 1));
    f.if(or(ltU(second, low), gtU(second, high)), () => f.return(c32(0)));
    for (const i of [2, 3])
      f.if(gtU(size, c32(i)), () => {
        f.if(ne(and(load8U(p, i), c32(0xc0)), c32(0x80)), () => f.return(c32(0)));
      });
    f.return(add(p, size));
  });
}

/** Four hex digits at `p`, or a number above 0xffff where they are none. */
function hexQuad(f: FunctionBuilder, memory: DecoderMemory, p: Expr, at: number): Expr {
  const digit = (i: number): Expr => load8U(add(load8U(p, at + i), c32(memory.hex)));
  const [a, b, c, d] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32)] as const;
  for (const [i, each] of [a, b, c, d].entries()) f.set(each, digit(i));
  // The table says 0x80 for what is no digit: shifted far above any unit.
  const wrong = shl(and(or(or(a, b), or(c, d)), c32(0x80)), c32(20));
  return or(or(or(shl(a, c32(12)), shl(b, c32(8))), or(shl(c, c32(4)), d)), wrong);
}

/** (p): p is at a backslash; the position behind the escape, both halves of a surrogate pair together. May look beyond the text. */
function emitEscape(m: WasmModule, memory: DecoderMemory): FunctionRef {
  return m.func(null, [i32], [i32], (f, [p]) => {
    const unit = f.local(i32);
    f.if(ne(load8U(p, 1), c32(0x75)), () => {
      f.if(eqz(load8U(add(load8U(p, 1), c32(memory.escapes)))), () => f.return(c32(0)));
      f.return(add(p, c32(2)));
    });
    f.set(unit, hexQuad(f, memory, p, 2));
    f.if(gtU(unit, c32(0xffff)), () => f.return(c32(0)));
    f.if(gtU(sub(unit, c32(0xd800)), c32(0x7ff)), () => f.return(add(p, c32(6))));
    f.if(gtU(unit, c32(0xdbff)), () => f.return(c32(0)));
    f.if(or(ne(load8U(p, 6), c32(0x5c)), ne(load8U(p, 7), c32(0x75))), () => f.return(c32(0)));
    f.set(unit, hexQuad(f, memory, p, 8));
    f.if(gtU(sub(unit, c32(0xdc00)), c32(0x3ff)), () => f.return(c32(0)));
    f.return(add(p, c32(12)));
  });
}

function emitUnescape(m: WasmModule, memory: DecoderMemory): FunctionRef {
  const areaEnd = memory.cells + cell.area;
  return m.func(null, [i32, i32], [i32], (f, [p, end]) => {
    const out = f.local(i32);
    const mask = f.local(i32);
    const bytes = f.local(v128);
    const c = f.local(i32);
    f.set(out, load32(areaEnd));
    f.block((done) => {
      f.loop((again) => {
        f.brIf(done, geU(p, end));
        f.set(bytes, loadV128(p));
        f.storeV128(out, bytes);
        f.set(mask, i8x16.bitmask(i8x16.eq(bytes, all(0x5c))));
        // A bit beyond the sixteen stands for "none of them".
        f.set(c, ctz(or(mask, c32(0x10000))));
        f.set(p, add(p, c));
        f.set(out, add(out, c));
        f.if(geU(p, end), () => {
          f.set(out, sub(out, sub(p, end)));
          f.br(done);
        });
        f.brIf(again, eqz(mask));
        f.set(c, load8U(p, 1));
        f.if(ne(c, c32(0x75)), () => {
          f.store8(out, load8U(add(c, c32(memory.escapes))));
          f.set(out, add(out, c32(1)));
          f.set(p, add(p, c32(2)));
          f.br(again);
        });
        f.set(c, hexQuad(f, memory, p, 2));
        f.set(p, add(p, c32(6)));
        f.if(eq(and(c, c32(0xfc00)), c32(0xd800)), () => {
          f.set(c, add(add(c32(0x10000), shl(sub(c, c32(0xd800)), c32(10))), sub(hexQuad(f, memory, p, 2), c32(0xdc00))));
          f.set(p, add(p, c32(6)));
        });
        emitCodePoint(f, c, out);
        f.br(again);
      });
    });
    f.store32(areaEnd, out);
    f.return(out);
  });
}

/** Writes a code point as UTF-8 at `out` and moves that on. */
function emitCodePoint(f: FunctionBuilder, c: Local, out: Local): void {
  const put = (value: Expr): void => {
    f.store8(out, value);
    f.set(out, add(out, c32(1)));
  };
  const tail = (shift: number): void => put(or(c32(0x80), and(shrU(c, c32(shift)), c32(0x3f))));
  f.if(
    ltU(c, c32(0x80)),
    () => put(c),
    () => {
      f.if(
        ltU(c, c32(0x800)),
        () => put(or(c32(0xc0), shrU(c, c32(6)))),
        () => {
          f.if(
            ltU(c, c32(0x10000)),
            () => put(or(c32(0xe0), shrU(c, c32(12)))),
            () => {
              put(or(c32(0xf0), shrU(c, c32(18))));
              tail(12);
            },
          );
          tail(6);
        },
      );
      tail(0);
    },
  );
}

function emitBase64(m: WasmModule, memory: DecoderMemory): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [p, end, to]) => {
    const digits = [f.local(i32), f.local(i32), f.local(i32), f.local(i32)] as const;
    const [a, b, c, d] = digits;
    const pads = f.local(i32);
    f.if(and(sub(end, p), c32(3)), () => f.return(c32(0)));
    f.block((done) => {
      f.loop((again) => {
        f.brIf(done, geU(p, end));
        f.set(pads, c32(0));
        f.if(eq(add(p, c32(4)), end), () => {
          f.if(eq(load8U(p, 3), c32(0x3d)), () => f.set(pads, add(c32(1), eq(load8U(p, 2), c32(0x3d)))));
        });
        digits.forEach((digit, i) => f.set(digit, load8U(add(load8U(p, i), c32(memory.base64)))));
        f.if(pads, () => {
          f.set(d, c32(0));
          f.if(eq(pads, c32(2)), () => f.set(c, c32(0)));
        });
        f.if(gtU(or(or(a, b), or(c, d)), c32(63)), () => f.return(c32(0)));
        // Bits that no byte takes must be zero.
        f.if(and(eq(pads, c32(2)), ne(and(b, c32(15)), c32(0))), () => f.return(c32(0)));
        f.if(and(eq(pads, c32(1)), ne(and(c, c32(3)), c32(0))), () => f.return(c32(0)));
        f.store8(to, or(shl(a, c32(2)), shrU(b, c32(4))));
        f.store8(to, or(shl(b, c32(4)), shrU(c, c32(2))), 1);
        f.store8(to, or(shl(c, c32(6)), d), 2);
        f.set(to, add(to, sub(c32(3), pads)));
        f.set(p, add(p, c32(4)));
        f.br(again);
      });
    });
    f.return(to);
  });
}

function emitSame(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [a, b, length]) => {
    const same = f.local(i32);
    f.loop((again) => {
      f.set(same, ctz(or(i8x16.bitmask(i8x16.ne(loadV128(a), loadV128(b))), c32(0x10000))));
      f.if(geU(same, length), () => f.return(c32(1)));
      f.if(ltU(same, c32(16)), () => f.return(c32(0)));
      f.set(a, add(a, c32(16)));
      f.set(b, add(b, c32(16)));
      f.set(length, sub(length, c32(16)));
      f.br(again);
    });
  });
}
