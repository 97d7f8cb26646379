import type { Comparison } from "../../core/rule.ts";
import { and, c32, c64, cf64, eq, eqz, load64, ltS, ltU, or, shl, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import { f64x2, i64x2, splat64, splatF64 } from "../../wasm/simd.ts";
import { floorAtScale, type ExactDecimal } from "../exact-decimal.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { LocatedLayout } from "./located-layout.ts";
import { always, never, not, testedCells, wideLanes, type Mask } from "./mask.ts";

const longMin = -(2n ** 63n);
const longMax = 2n ** 63n - 1n;
const wideMin = -(2n ** 127n);
const wideMax = 2n ** 127n - 1n;

/** The two words of a 128-bit number, the upper one signed. */
export interface Wide {
  readonly high: Expr;
  readonly low: Expr;
}

/** A constant of 128 bits. */
export function wideConstant(value: bigint): Wide {
  return { high: c64(value >> 64n), low: c64(BigInt.asUintN(64, value)) };
}

/** Whether a < b. */
function wideLess(a: Wide, b: Wide): Expr {
  return or(ltS(a.high, b.high), and(eq(a.high, b.high), ltU(a.low, b.low)));
}

/** Whether a = b. */
export function wideEqual(a: Wide, b: Wide): Expr {
  return and(eq(a.high, b.high), eq(a.low, b.low));
}

/** A decimal cell's unscaled value. */
export function loadWide(f: FunctionBuilder, cell: Expr, address: number): Wide {
  const at = f.local("i32");
  const high = f.local("i64");
  const low = f.local("i64");
  f.set(at, shl(cell, c32(4)));
  f.set(low, load64(at, address));
  f.set(high, load64(at, address + 8));
  return { high, low };
}

/** Orders against whole counts of a column's smallest step: what holds for cells that have a value; others may be anything. */
interface StepOrder {
  below(bound: bigint): Mask;
  above(bound: bigint): Mask;
  equal(to: bigint): Mask;
}

function integerOrder({ column }: LocatedLayout): StepOrder {
  const lanes = (test: (value: Local) => Expr): Mask => wideLanes([column.exact], test);
  return {
    below: (bound) => (bound <= longMin ? never : bound > longMax ? always : lanes((value) => i64x2.ltS(value, splat64(c64(bound))))),
    above: (bound) => (bound >= longMax ? never : bound < longMin ? always : lanes((value) => i64x2.gtS(value, splat64(c64(bound))))),
    equal: (to) => (to < longMin || to > longMax ? never : lanes((value) => i64x2.eq(value, splat64(c64(to))))),
  };
}

function decimalOrder(kernels: KernelModule, located: LocatedLayout): StepOrder {
  const cells = (test: (value: Wide) => Expr): Mask =>
    testedCells(kernels, located, (f, cell) => test(loadWide(f, cell, located.column.unscaled)));
  return {
    below: (bound) => (bound <= wideMin ? never : bound > wideMax ? always : cells((value) => wideLess(value, wideConstant(bound)))),
    above: (bound) => (bound >= wideMax ? never : bound < wideMin ? always : cells((value) => wideLess(wideConstant(bound), value))),
    equal: (to) => (to < wideMin || to > wideMax ? never : cells((value) => wideEqual(value, wideConstant(to)))),
  };
}

/** How the cells of a whole-number or decimal column stand to numbers; null for other columns. */
export function stepOrder(kernels: KernelModule, located: LocatedLayout): StepOrder | null {
  if (located.column.kind === "integer") return integerOrder(located);
  return located.column.kind === "decimal" ? decimalOrder(kernels, located) : null;
}

/** The digits after the point that a column's smallest step has. */
export function scaleOf({ column }: LocatedLayout): number {
  const { type } = column.field;
  return type.kind === "decimal" ? type.scale : 0;
}

/** A number as a float column holds it. */
export function floatConstant({ column }: LocatedLayout, text: string): number {
  return column.field.type.kind === "float" ? Math.fround(Number(text)) : Number(text);
}

type FloatTest = (value: Expr, constant: Expr) => Expr;

/** A test of each value of a float column against a constant. */
export function floatMask({ column }: LocatedLayout, test: FloatTest, constant: number): Mask {
  return wideLanes([column.values], (value) => test(value, splatF64(cf64(constant))));
}

const floatTests: Readonly<Record<Comparison, FloatTest>> = {
  eq: f64x2.eq,
  // What is not a number is unequal to everything.
  ne: f64x2.ne,
  lt: f64x2.lt,
  le: f64x2.le,
  gt: f64x2.gt,
  ge: f64x2.ge,
};

/** Compares a float column with a constant. */
export function compareFloats(located: LocatedLayout, op: Comparison, constant: number): Mask {
  return floatMask(located, floatTests[op], constant);
}

/** Compares two float columns. */
export function compareFloatColumns(left: LocatedLayout, op: Comparison, right: LocatedLayout): Mask {
  return wideLanes([left.column.values, right.column.values], (a, b) => floatTests[op](a, b));
}

const integerSigns: Readonly<Record<Comparison, (a: Expr, b: Expr) => Expr>> = {
  eq: i64x2.eq,
  ne: i64x2.ne,
  lt: i64x2.ltS,
  le: i64x2.leS,
  gt: i64x2.gtS,
  ge: i64x2.geS,
};

/** Compares two whole-number columns. */
export function compareIntegerColumns(left: LocatedLayout, op: Comparison, right: LocatedLayout): Mask {
  return wideLanes([left.column.exact, right.column.exact], (a, b) => integerSigns[op](a, b));
}

/** Compares two decimal columns of one scale. */
export function compareDecimalColumns(kernels: KernelModule, left: LocatedLayout, op: Comparison, right: LocatedLayout): Mask {
  return testedCells(kernels, left, (f, cell) => {
    const a = loadWide(f, cell, left.column.unscaled);
    const b = loadWide(f, cell, right.column.unscaled);
    switch (op) {
      case "eq":
        return wideEqual(a, b);
      case "ne":
        return eqz(wideEqual(a, b));
      case "lt":
        return wideLess(a, b);
      case "le":
        return eqz(wideLess(b, a));
      case "gt":
        return wideLess(b, a);
      default:
        return eqz(wideLess(a, b));
    }
  });
}

/** Compares a column of steps with a number that may lie between two of them. */
export function compareSteps(order: StepOrder, op: Comparison, number: ExactDecimal, scale: number): Mask {
  const { floor, exact } = floorAtScale(number, scale);
  switch (op) {
    case "eq":
      return exact ? order.equal(floor) : never;
    case "ne":
      return exact ? not(order.equal(floor)) : always;
    case "lt":
      return exact ? order.below(floor) : not(order.above(floor));
    case "le":
      return not(order.above(floor));
    case "gt":
      return order.above(floor);
    default:
      return exact ? not(order.below(floor)) : order.above(floor);
  }
}
