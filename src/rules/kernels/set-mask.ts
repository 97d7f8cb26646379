import type { Scalar } from "../../core/rule.ts";
import {
  add,
  and,
  c32,
  c64,
  cf64,
  eq,
  load64,
  load8U,
  loadF64,
  loadV128,
  ltU,
  mul,
  ne,
  or,
  reinterpretI64,
  shl,
  shrU,
  sub,
  wrap,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder } from "../../wasm/function-builder.ts";
import { f64x2, i64x2, i8x16, simd, splat64, splat8, splatF64 } from "../../wasm/simd.ts";
import { constantTexts, wholeNumbers } from "../scalar-set.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { LocatedLayout } from "./located-layout.ts";
import { anyOf, lanesOnly, never, testedCells, wideLanes, type Mask } from "./mask.ts";
import { floatConstant, loadWide, scaleOf, wideConstant, wideEqual } from "./number-mask.ts";
import { testedTexts } from "./text-mask.ts";
import { textSetTest } from "./text-set.ts";

/** Up to so many constants are compared one after the other. */
const fewMax = 8;
const decimalsMax = 64;
/** Whole numbers that lie this close together have a table of a byte each. */
const spanMax = 65_536n;
const multiplier = 0x9e3779b97f4a7c15n;

/** A set of 64-bit words: a table (open addressing, at most half full) of the word and whether there is one. */
function wordSetTest(kernels: KernelModule, words: readonly bigint[]): (f: FunctionBuilder, word: Expr) => Expr {
  let bits = 2;
  while (1 << bits < words.length * 2) bits++;
  const table = new BigUint64Array(2 << bits);
  for (const word of words) {
    let slot = Number(BigInt.asUintN(64, word * multiplier) >> BigInt(64 - bits));
    while (table[slot * 2 + 1] !== 0n) slot = (slot + 1) & ((1 << bits) - 1);
    table[slot * 2] = BigInt.asUintN(64, word);
    table[slot * 2 + 1] = 1n;
  }
  const address = kernels.constant(new Uint8Array(table.buffer));
  return (f, given) => {
    const word = f.local("i64");
    const slot = f.local("i32");
    const found = f.local("i32");
    f.set(word, given);
    f.set(found, c32(0));
    f.set(slot, wrap(shrU(mul(word, c64(multiplier)), c64(64 - bits))));
    f.loop((again) => {
      const at = shl(slot, c32(4));
      f.if(ne(load64(at, address + 8), c64(0)), () => {
        f.set(found, eq(load64(at, address), word));
        f.set(slot, and(add(slot, c32(1)), c32((1 << bits) - 1)));
        f.brIf(again, eq(found, c32(0)));
      });
    });
    return found;
  };
}

function integerSet(kernels: KernelModule, located: LocatedLayout, numbers: readonly bigint[]): Mask {
  const { column } = located;
  const fitting = numbers.filter((number) => BigInt.asIntN(64, number) === number);
  if (fitting.length === 0) return never;
  if (fitting.length <= fewMax)
    return wideLanes([column.exact], (value) =>
      fitting.map((number) => i64x2.eq(value, splat64(c64(number)))).reduce((left, test) => simd.or(left, test)),
    );
  const least = fitting.reduce((a, b) => (a < b ? a : b));
  const span = fitting.reduce((a, b) => (a > b ? a : b)) - least + 1n;
  if (span > spanMax) {
    const test = wordSetTest(kernels, fitting);
    return testedCells(kernels, located, (f, cell) => test(f, load64(shl(cell, c32(3)), column.exact)));
  }
  const flags = new Uint8Array(Number(span));
  for (const number of fitting) flags[Number(number - least)] = 1;
  const address = kernels.constant(flags);
  return testedCells(kernels, located, (f, cell) => {
    const at = f.local("i64");
    const found = f.local("i32");
    f.set(at, sub(load64(shl(cell, c32(3)), column.exact), c64(least)));
    f.set(found, c32(0));
    f.if(ltU(at, c64(span)), () => f.set(found, load8U(wrap(at), address)));
    return found;
  });
}

function floatSet(kernels: KernelModule, located: LocatedLayout, doubles: readonly number[]): Mask {
  const { values } = located.column;
  if (doubles.length === 0) return never;
  if (doubles.length <= fewMax)
    return wideLanes([values], (value) =>
      doubles.map((double) => f64x2.eq(value, splatF64(cf64(double)))).reduce((left, test) => simd.or(left, test)),
    );
  // Adding zero makes one of the two zeros.
  const words = new BigInt64Array(Float64Array.from(doubles, (double) => double + 0).buffer);
  const test = wordSetTest(kernels, [...new Set(words)]);
  return testedCells(kernels, located, (f, cell) => test(f, reinterpretI64(add(loadF64(shl(cell, c32(3)), values), cf64(0)))));
}

function decimalSet(kernels: KernelModule, located: LocatedLayout, numbers: readonly bigint[]): Mask | null {
  const fitting = numbers.filter((number) => BigInt.asIntN(128, number) === number);
  if (fitting.length === 0) return never;
  if (fitting.length > decimalsMax) return null;
  return testedCells(kernels, located, (f, cell) => {
    const value = loadWide(f, cell, located.column.unscaled);
    return fitting.map((number) => wideEqual(value, wideConstant(number))).reduce((left, test) => or(left, test));
  });
}

/** Cells that are one of the constants, as `compileMembership` has it; cells without a value may be anything. Null where no kernel can say. */
export function membershipMask(kernels: KernelModule, located: LocatedLayout, constants: readonly Scalar[]): Mask | null {
  const { column } = located;
  switch (column.field.type.kind) {
    case "string":
    case "json":
    case "uuid":
      return testedTexts(kernels, located, textSetTest(kernels, constantTexts(column.field, constants)));
    case "int":
    case "long":
    case "date":
    case "time":
    case "timestamp":
      return integerSet(kernels, located, [...new Set(wholeNumbers(constants, 0))]);
    case "decimal":
      return decimalSet(kernels, located, [...new Set(wholeNumbers(constants, scaleOf(located)))]);
    case "float":
    case "double": {
      const doubles = constants.flatMap((each) => (each.type === "number" ? [floatConstant(located, each.text)] : []));
      return doubles.some(Number.isNaN) ? null : floatSet(kernels, located, doubles);
    }
    case "boolean": {
      const truths = new Set(constants.flatMap((each) => (each.type === "boolean" ? [each.value ? 1 : 0] : [])));
      return anyOf(...Array.from(truths, (truth) => lanesOnly(({ cell }) => i8x16.eq(loadV128(cell, column.values), splat8(c32(truth))))));
    }
    default:
      return null;
  }
}
