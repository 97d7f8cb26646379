import { add, and, c64, ctz, load64, mul, or, shl, shrU, sub, xor, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";

/** Eight bytes of text as digit values (0 to 9) where they are digits. */
export function digitBytes(address: Expr, offset = 0): Expr {
  return xor(load64(address, offset), c64(0x3030_3030_3030_3030n));
}

/** Eight times the number of leading digits, 64 for eight of them, of what `digitBytes` gave. */
export function digitBits(bytes: Expr, again: Expr): Expr {
  // A byte above 9 carries into its top bit; what it carries into the next one comes too late to matter.
  return and(ctz(and(or(add(bytes, c64(0x7676_7676_7676_7676n)), again), c64(0x8080_8080_8080_8080n))), c64(0x78));
}

/**
 * The number that the first `bits / 8` digits of `bytes` spell, one to eight of them (after D. Lemire, "Quickly parsing eight digits", 2018).
 * `scratch` is overwritten.
 */
export function digitsValue(f: FunctionBuilder, scratch: Local, bytes: Expr, bits: Expr): Expr {
  f.set(scratch, shl(bytes, sub(c64(64), bits)));
  f.set(scratch, and(shrU(mul(scratch, c64(2561)), c64(8)), c64(0x00ff_00ff_00ff_00ffn)));
  f.set(scratch, and(shrU(mul(scratch, c64(6_553_601)), c64(16)), c64(0x0000_ffff_0000_ffffn)));
  return shrU(mul(scratch, c64(42_949_672_960_001n)), c64(32));
}
