import {
  add,
  and,
  c32,
  c64,
  clz,
  div,
  cf64,
  eq,
  eqz,
  extendS,
  geS,
  gtS,
  gtU,
  leS,
  leU,
  load64,
  loadF64,
  ltS,
  ltU,
  mul,
  or,
  reinterpretF64,
  shl,
  shrS,
  shrU,
  sub,
  toF64U,
  wrap,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { f64, i32, i64 } from "../../wasm/value-type.ts";
import type { DecoderMemory } from "./decoder-memory.ts";
import { powerMax, powerMin } from "./powers.ts";

/** Bits of the product that rounding looks at: a double's 52, the hidden one, and two more. */
const keptBits = 55n;

/** (a, b): the upper half of the 128-bit product. */
function emitHighProduct(m: WasmModule): FunctionRef {
  return m.func(null, [i64, i64], [i64], (f, [a, b]) => {
    const low = c64(0xffff_ffffn);
    const half = c64(32);
    const middle = f.local(i64);
    const cross = f.local(i64);
    f.set(middle, add(mul(shrU(a, half), and(b, low)), shrU(mul(and(a, low), and(b, low)), half)));
    f.set(cross, add(mul(and(a, low), shrU(b, half)), and(middle, low)));
    f.return(add(add(mul(shrU(a, half), shrU(b, half)), shrU(middle, half)), shrU(cross, half)));
  });
}

/**
 * (mantissa, exponent): the double nearest to mantissa * 10^exponent, ties to even; infinity where it is beyond the largest. W. Clinger's fast path
 * (1990), else the algorithm of Eisel and Lemire (D. Lemire, "Number parsing at a gigabyte per second", 2021), which needs no fallback for
 * mantissas of 64 bits (N. Mushtak and D. Lemire, 2023).
 */
export function emitNearestDouble(
  m: WasmModule,
  memory: DecoderMemory,
): { readonly nearest: FunctionRef; readonly highProduct: FunctionRef } {
  const highProduct = emitHighProduct(m);
  const nearest = m.func("nearest", [i64, i32], [f64], (f, [w, q]) => {
    f.if(eqz(w), () => f.return(cf64(0)));
    f.if(leU(w, c64(1n << 53n)), () => {
      f.if(leU(q, c32(22)), () => f.return(mul(toF64U(w), loadF64(shl(q, c32(3)), memory.exactPowers))));
      f.if(leU(sub(c32(0), q), c32(22)), () => f.return(div(toF64U(w), loadF64(shl(sub(c32(0), q), c32(3)), memory.exactPowers))));
    });
    f.if(ltS(q, c32(powerMin)), () => f.return(cf64(0)));
    f.if(gtS(q, c32(powerMax)), () => f.return(cf64(Infinity)));
    const high = f.local(i64);
    const low = f.local(i64);
    const shift = f.local(i64);
    emitProduct(f, memory, highProduct, { w, q, high, low, shift });
    emitRounding(f, { w, q, high, low, shift });
  });
  return { nearest, highProduct };
}

interface ProductLocals {
  readonly w: Local;
  readonly q: Local;
  readonly high: Local;
  readonly low: Local;
  /** Leading zeros of the mantissa; then the place of the product's bits. */
  readonly shift: Local;
}

/** The normalized mantissa times 5^q, to 128 bits; the table's second word only where the first leaves the rounding open. */
function emitProduct(f: FunctionBuilder, memory: DecoderMemory, highProduct: FunctionRef, { w, q, high, low, shift }: ProductLocals): void {
  const row = f.local(i32);
  const second = f.local(i64);
  f.set(shift, clz(w));
  f.set(w, shl(w, shift));
  f.set(row, shl(sub(q, c32(powerMin)), c32(4)));
  f.set(high, f.call(highProduct, w, load64(row, memory.fives)));
  f.set(low, mul(w, load64(row, memory.fives)));
  const open = c64(0xffff_ffff_ffff_ffffn >> keptBits);
  f.if(eq(and(high, open), open), () => {
    f.set(second, f.call(highProduct, w, load64(row, memory.fives + 8)));
    f.set(low, add(low, second));
    f.if(gtU(second, low), () => f.set(high, add(high, c64(1))));
  });
}

function emitRounding(f: FunctionBuilder, { w, q, high, low, shift }: ProductLocals): void {
  const mantissa = w;
  const upper = f.local(i64);
  const power = f.local(i32);
  f.set(upper, shrU(high, c64(63)));
  // 2^power is near 10^q: 217706 / 2^16 is the logarithm of ten to the base two.
  f.set(power, add(add(shrS(mul(q, c32(217_706)), c32(16)), c32(63 + 1023)), sub(wrap(upper), wrap(shift))));
  f.set(shift, add(upper, c64(64 - 52 - 3)));
  f.set(mantissa, shrU(high, shift));
  f.if(leS(power, c32(0)), () => {
    f.if(gtS(sub(c32(1), power), c32(63)), () => f.return(cf64(0)));
    f.set(mantissa, shrU(mantissa, extendS(sub(c32(1), power))));
    f.set(mantissa, shrU(add(mantissa, and(mantissa, c64(1))), c64(1)));
    // Rounding up to the smallest normal number sets the exponent's bit by itself.
    f.return(reinterpretF64(mantissa));
  });
  // Exactly halfway: only where 5^q divides, or is divided by, a 64-bit number.
  f.if(and(and(leU(low, c64(1)), and(geS(q, c32(-4)), leS(q, c32(23)))), eq(and(mantissa, c64(3)), c64(1))), () => {
    f.if(eq(shl(mantissa, shift), high), () => f.set(mantissa, and(mantissa, c64(~1n))));
  });
  f.set(mantissa, shrU(add(mantissa, and(mantissa, c64(1))), c64(1)));
  f.if(eqz(ltU(mantissa, c64(1n << 53n))), () => {
    f.set(mantissa, c64(1n << 52n));
    f.set(power, add(power, c32(1)));
  });
  f.if(gtS(power, c32(0x7fe)), () => f.return(cf64(Infinity)));
  f.return(reinterpretF64(or(and(mantissa, c64((1n << 52n) - 1n)), shl(extendS(power), c64(52)))));
}
