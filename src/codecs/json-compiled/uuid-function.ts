import { uuidSize } from "../../core/uuid.ts";
import { add, c32, eqz, load32, load8U, loadV128, ne, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i16x8, i8x16, simd, splat8 } from "../../wasm/simd.ts";
import { i32, v128 } from "../../wasm/value-type.ts";
import { cell, type DecoderMemory } from "./decoder-memory.ts";

/** Places of the first 16 digits in the bytes 0 to 31 of the text, and of the last 16 in its bytes 16 to 31 and 20 to 35. */
const firstDigits = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17];
const lastDigits = [3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 28, 29, 30, 31];
const hyphens = [8, 13, 18, 23];
const evenBytes = Array.from({ length: 16 }, (_, i) => 2 * i);

/** Digits as numbers, in 16 lanes; `valid` has zeros where one is no digit. */
function emitDigits(f: FunctionBuilder, letters: Local, valid: Local): Local {
  const decimal = f.local(v128);
  const letter = f.local(v128);
  const isDecimal = f.local(v128);
  f.set(decimal, i8x16.sub(letters, splat8(c32(0x30))));
  f.set(isDecimal, i8x16.ltU(decimal, splat8(c32(10))));
  f.set(letter, i8x16.sub(simd.or(letters, splat8(c32(0x20))), splat8(c32(0x61))));
  f.set(valid, simd.and(valid, simd.or(isDecimal, i8x16.ltU(letter, splat8(c32(6))))));
  f.set(decimal, simd.bitselect(decimal, i8x16.add(letter, splat8(c32(10))), isDecimal));
  return decimal;
}

/** Two digits a byte, the byte in the lower half of each 16-bit lane. */
function pairs(digits: Expr): Expr {
  return simd.or(i16x8.shl(digits, c32(4)), i16x8.shrU(digits, c32(8)));
}

/** Emits (start): the address of the 16 bytes, put at the area's end, that the canonical text of a UUID means, the 36 characters at `start`; 0 where it is none. */
export function emitUuid(m: WasmModule, memory: DecoderMemory): FunctionRef {
  const areaEnd = memory.cells + cell.area;
  return m.func(null, [i32], [i32], (f, [start]) => {
    const [head, middle, tail, letters, valid] = [f.local(v128), f.local(v128), f.local(v128), f.local(v128), f.local(v128)];
    const to = f.local(i32);
    for (const place of hyphens) f.if(ne(load8U(start, place), c32(0x2d)), () => f.return(c32(0)));
    f.set(head, loadV128(start));
    f.set(middle, loadV128(start, 16));
    f.set(tail, loadV128(start, 20));
    f.set(valid, i8x16.eq(head, head));
    f.set(letters, simd.shuffle(head, middle, firstDigits));
    const first = emitDigits(f, letters, valid);
    f.set(letters, simd.shuffle(middle, tail, lastDigits));
    const last = emitDigits(f, letters, valid);
    f.if(eqz(i8x16.allTrue(valid)), () => f.return(c32(0)));
    f.set(to, load32(areaEnd));
    f.storeV128(to, simd.shuffle(pairs(first), pairs(last), evenBytes));
    f.store32(areaEnd, add(to, c32(uuidSize)));
    f.return(to);
  });
}
