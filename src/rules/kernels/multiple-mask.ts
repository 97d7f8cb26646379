import {
  and,
  c32,
  c64,
  eq,
  geU,
  load64,
  ltS,
  ne,
  or,
  remS,
  remU,
  select,
  shl,
  shrS,
  shrU,
  sub,
  xor,
  extendU,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder } from "../../wasm/function-builder.ts";
import { parseExactDecimal } from "../exact-decimal.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { LocatedLayout } from "./located-layout.ts";
import { testedCells, type Mask } from "./mask.ts";
import { loadWide, scaleOf, type Wide } from "./number-mask.ts";

function greatestDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestDivisor(b, a % b);
}

/** Whether a 128-bit number is no multiple of a step below 2^62. */
function wideTest(f: FunctionBuilder, { high, low }: Wide, step: bigint): Expr {
  const rest = f.local("i64");
  const bit = f.local("i32");
  const [upper, lower] = [f.local("i64"), f.local("i64")];
  f.if(
    eq(high, shrS(low, c64(63))),
    () => f.set(rest, remS(low, c64(step))),
    () => {
      // The magnitude, bit after bit.
      f.set(lower, select(ltS(high, c64(0)), sub(c64(0), low), low));
      f.set(upper, select(ltS(high, c64(0)), sub(xor(high, c64(-1)), sub(extendU(ne(low, c64(0))), c64(1))), high));
      f.set(rest, remU(upper, c64(step)));
      f.set(bit, c32(64));
      f.loop((again) => {
        f.set(bit, sub(bit, c32(1)));
        f.set(rest, or(shl(rest, c64(1)), and(shrU(lower, extendU(bit)), c64(1))));
        f.if(geU(rest, c64(step)), () => f.set(rest, sub(rest, c64(step))));
        f.brIf(again, bit);
      });
    },
  );
  return ne(rest, c64(0));
}

/** Whole numbers and decimals that are no multiple of a number; null for floats, whose digits are judged, and for huge steps. */
export function notMultiples(kernels: KernelModule, located: LocatedLayout, of: string): Mask | null {
  const number = parseExactDecimal(of);
  const { column } = located;
  if (number === null || (column.kind !== "integer" && column.kind !== "decimal")) return null;
  // v / 10^s is a multiple of u / 10^t exactly if v is one of u * 10^s without the factors that 10^t takes.
  const whole = number.unscaled * 10n ** BigInt(scaleOf(located));
  const step = whole / greatestDivisor(whole, 10n ** BigInt(number.scale));
  if (step >= 2n ** 62n) return null;
  if (column.kind === "decimal") return testedCells(kernels, located, (f, cell) => wideTest(f, loadWide(f, cell, column.unscaled), step));
  return testedCells(kernels, located, (_f, cell) => ne(remS(load64(shl(cell, c32(3)), column.exact), c64(step)), c64(0)));
}
