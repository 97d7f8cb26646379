import { uuidSize, uuidTextSize } from "../../core/uuid.ts";
import { add, c32, eqz, load32, load8U, loadV128, ne, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i16x8, i8x16, simd, splat8 } from "../../wasm/simd.ts";
import { i32, v128 } from "../../wasm/value-type.ts";

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

/**
 * Emits (start): the address of the 16 bytes, put at the area's end, that the canonical text of a UUID means, the 36 characters at `start`; 0 where it is none.
 * `areaEnd`: where the address of the area's end stands; room there is the caller's to see to.
 */
export function emitUuid(m: WasmModule, areaEnd: number): FunctionRef {
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

/** Places of digits in a UUID's text: in its bytes 0 to 15, 16 to 19 (its hyphen comes later) and 20 to 35; 16 stands for a hyphen in the first and the last. */
const textHead = [0, 1, 2, 3, 4, 5, 6, 7, 16, 8, 9, 10, 11, 16, 12, 13];
const textMiddle = [14, 15, 15, 16, 17, 18, 19, 19, 0, 0, 0, 0, 0, 0, 0, 0];
const textTail = [1, 2, 3, 16, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const upperHalves = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23];
const lowerHalves = upperHalves.map((place) => place + 8);

/** Emits (start): the address of the text of 36 characters, put at the area's end, of the UUID whose 16 bytes stand at `start`; as `emitUuid` otherwise. */
export function emitUuidText(m: WasmModule, areaEnd: number): FunctionRef {
  return m.func(null, [i32], [i32], (f, [start]) => {
    const [bytes, high, low, hyphen] = [f.local(v128), f.local(v128), f.local(v128), f.local(v128)];
    const [first, last] = [f.local(v128), f.local(v128)];
    const to = f.local(i32);
    const letters = (digits: Expr, into: Local): void => {
      f.set(into, digits);
      f.set(into, i8x16.add(into, simd.bitselect(splat8(c32(0x30)), splat8(c32(0x57)), i8x16.ltU(into, splat8(c32(10))))));
    };
    f.set(bytes, loadV128(start));
    f.set(hyphen, splat8(c32(0x2d)));
    letters(simd.and(i16x8.shrU(bytes, c32(4)), splat8(c32(0x0f))), high);
    letters(simd.and(bytes, splat8(c32(0x0f))), low);
    f.set(first, simd.shuffle(high, low, upperHalves));
    f.set(last, simd.shuffle(high, low, lowerHalves));
    f.set(to, load32(areaEnd));
    // The middle first: head and tail write over what is left of it.
    f.storeV128(add(to, c32(16)), simd.shuffle(first, last, textMiddle));
    f.storeV128(to, simd.shuffle(first, hyphen, textHead));
    f.storeV128(add(to, c32(uuidTextSize - 16)), simd.shuffle(last, hyphen, textTail));
    f.store8(add(to, c32(18)), c32(0x2d));
    f.store32(areaEnd, add(to, c32(uuidTextSize)));
    f.return(to);
  });
}
