import { RE2JS } from "re2js";
import type { CelNode } from "../../cel/cel-expression.ts";
import { Cell } from "../../core/column.ts";
import { compareBytes } from "../condition-mask.ts";
import { spanText } from "../text-check.ts";
import { VerdictCache } from "../verdict-cache.ts";
import { compileNumber } from "./number-kernels.ts";
import {
  constantOf,
  findColumn,
  namedColumn,
  Operand,
  pairState,
  selected,
  statesOf,
  Truth,
  typeOf,
  type Kernel,
  type KernelContext,
  type Numbers,
  type Texts,
} from "./operands.ts";
import { compileText, spanTest, type SpanTest } from "./text-kernels.ts";

/** Truths of one part, a row each. */
type Truths = Kernel<Uint8Array>;

/** What became of an expression's parts. */
export interface CompiledTruth {
  readonly truths: Truths;
  /** Parts that have kernels, and parts left to the interpreter. */
  readonly compiled: number;
  readonly interpreted: number;
}

/** Compiles an expression to kernels over columns; parts without one are `unsure` in every row. */
export function compileTruth(context: KernelContext): CompiledTruth {
  let compiled = 0;
  let interpreted = 0;
  const visit = (node: CelNode | undefined): Truths => {
    const composed = node === undefined ? null : composedTruth(node, visit);
    if (composed !== null) return composed;
    const leaf = node === undefined ? null : leafTruth(context, node);
    if (leaf === null) {
      interpreted++;
      return (batch) => new Uint8Array(batch.rows).fill(Truth.unsure);
    }
    compiled++;
    return leaf;
  };
  const truths = visit(context.expression.syntax.expr);
  return { truths, compiled, interpreted };
}

/** `&&`, `||`, `!` and `?:` over other parts. */
function composedTruth(node: CelNode, visit: (node: CelNode | undefined) => Truths): Truths | null {
  const { exprKind } = node;
  if (exprKind.case !== "callExpr") return null;
  const { function: name, args } = exprKind.value;
  if (name === "_&&_" || name === "_||_") {
    const parts = args.map(visit);
    return (batch) => parts.map((part) => part(batch)).reduce((a, b) => junction(a, b, name === "_&&_" ? Truth.false : Truth.true));
  }
  if (name === "!_") {
    const part = visit(args[0]);
    return (batch) => {
      const truths = part(batch);
      for (let row = 0; row < truths.length; row++) {
        const truth = truths[row] as number;
        truths[row] = truth <= Truth.true ? 1 - truth : truth === Truth.null ? Truth.error : truth;
      }
      return truths;
    };
  }
  if (name !== "_?_:_") return null;
  const [test, yes, no] = [visit(args[0]), visit(args[1]), visit(args[2])];
  return (batch) => {
    const [tests, ones, others] = [test(batch), yes(batch), no(batch)];
    return tests.map((truth, row) =>
      truth === Truth.true
        ? (ones[row] as number)
        : truth === Truth.false
          ? (others[row] as number)
          : truth === Truth.null
            ? Truth.error
            : truth,
    );
  };
}

/** `decisive` beats everything: false in "and", true in "or". Else what is unsure may be decisive, and an error stays one. `a` becomes the answer. */
function junction(a: Uint8Array, b: Uint8Array, decisive: number): Uint8Array {
  for (let row = 0; row < a.length; row++) {
    const x = a[row] as number;
    const y = b[row] as number;
    if (x === decisive) continue;
    if (x <= Truth.true && y <= Truth.true) a[row] = y;
    else if (y === decisive) a[row] = decisive;
    else a[row] = x === Truth.unsure || y === Truth.unsure ? Truth.unsure : Truth.error;
  }
  return a;
}

function leafTruth(context: KernelContext, node: CelNode): Truths | null {
  const { exprKind } = node;
  const constant = constantOf(node);
  if (typeof constant === "boolean") return (batch) => new Uint8Array(batch.rows).fill(constant ? 1 : 0);
  if (exprKind.case === "selectExpr" && exprKind.value.testOnly) return presence(context, exprKind.value.operand, exprKind.value.field);
  if (exprKind.case !== "callExpr") return booleanColumn(context, node);
  const { function: name, target, args } = exprKind.value;
  const order = comparisons[name];
  if (order !== undefined) return comparison(context, name, args[0], args[1]);
  if (name === "@in") return membership(context, args[0], args[1]);
  return target === undefined ? null : textFunction(context, name, target, args[0]);
}

function booleanColumn(context: KernelContext, node: CelNode): Truths | null {
  const named = namedColumn(context, node);
  if (named === null || named.field.type.kind !== "boolean") return null;
  return (batch) => {
    const { column, states } = statesOf(batch, named);
    const values = column.kind === "boolean" ? column.values : new Uint8Array(batch.rows);
    return states.map((state, row) =>
      state === Operand.value ? (values[row] as number) : state === Operand.null ? Truth.null : Truth.error,
    );
  };
}

/** `has(order.price)`: whether the field has a value; false where one of the structs around it has none. */
function presence(context: KernelContext, operand: CelNode | undefined, name: string): Truths | null {
  const named = selected(context, operand, name);
  if (named === null) return null;
  return (batch) => {
    const { column, around } = findColumn(batch, named);
    const out = new Uint8Array(batch.rows);
    for (let row = 0; row < out.length; row++) out[row] = column.state[row] === Cell.value ? 1 : 0;
    // Only the nearest struct may be absent: what stands further out is selected from, which is an error.
    for (const outer of around.slice(0, -1))
      for (let row = 0; row < out.length; row++) if (outer.state[row] !== Cell.value) out[row] = Truth.unsure;
    return out;
  };
}

/** What a comparison is for each sign of (left - right): less, equal, greater. */
const comparisons: Readonly<Record<string, readonly [number, number, number]>> = {
  "_==_": [0, 1, 0],
  "_!=_": [1, 0, 1],
  "_<_": [1, 0, 0],
  "_<=_": [1, 1, 0],
  "_>_": [0, 0, 1],
  "_>=_": [0, 1, 1],
};

/** A comparison where a side is null: only equality is defined, and only null equals null. */
function withNull(name: string, a: number, b: number): number {
  if (name !== "_==_" && name !== "_!=_") return Truth.error;
  return (a === b) === (name === "_==_") ? 1 : 0;
}

function comparison(context: KernelContext, name: string, left: CelNode | undefined, right: CelNode | undefined): Truths | null {
  if (left === undefined || right === undefined) return null;
  if (constantOf(right) === null) return nullTest(context, name, left);
  if (constantOf(left) === null) return nullTest(context, name, right);
  const kinds = [typeOf(context, left).kind, typeOf(context, right).kind] as const;
  if (kinds[0] === "string" && kinds[1] === "string") {
    const [a, b] = [compileText(context, left), compileText(context, right)];
    return a === null || b === null ? null : textComparison(name, a, b);
  }
  const numeric = (kind: string): boolean => kind === "int" || kind === "double";
  const timed = kinds[0] === kinds[1] && (kinds[0] === "timestamp" || kinds[0] === "duration");
  if (!timed && !(numeric(kinds[0]) && numeric(kinds[1]))) return null;
  const [a, b] = [compileNumber(context, left), compileNumber(context, right)];
  return a === null || b === null ? null : numberComparison(name, a, b);
}

function nullTest(context: KernelContext, name: string, node: CelNode): Truths | null {
  const named = namedColumn(context, node);
  if (named === null || (name !== "_==_" && name !== "_!=_")) return null;
  const equal = name === "_==_" ? 1 : 0;
  return (batch) =>
    statesOf(batch, named).states.map((state) => (state === Operand.error ? Truth.error : state === Operand.null ? equal : 1 - equal));
}

function numberComparison(name: string, left: Kernel<Numbers>, right: Kernel<Numbers>): Truths {
  const [less, equal, greater] = comparisons[name] as readonly [number, number, number];
  const unequal = name === "_!=_" ? 1 : 0;
  return (batch) => {
    const [a, b] = [left(batch), right(batch)];
    const out = new Uint8Array(batch.rows);
    for (let row = 0; row < out.length; row++) {
      const [s, t] = [a.states[row] as number, b.states[row] as number];
      if (s !== Operand.value || t !== Operand.value) {
        const state = pairState(s, t);
        out[row] = state === Operand.null ? withNull(name, s, t) : state;
        continue;
      }
      const [x, y] = [a.values[row] as number, b.values[row] as number];
      // NaN is neither less, equal nor greater.
      out[row] = x < y ? less : x > y ? greater : x === y ? equal : unequal;
    }
    return out;
  };
}

function textComparison(name: string, left: Kernel<Texts>, right: Kernel<Texts>): Truths {
  const [less, equal, greater] = comparisons[name] as readonly [number, number, number];
  return (batch) => {
    const [a, b] = [left(batch), right(batch)];
    const out = new Uint8Array(batch.rows);
    for (let row = 0; row < out.length; row++) {
      const [s, t] = [a.states[row] as number, b.states[row] as number];
      if (s !== Operand.value || t !== Operand.value) {
        const state = pairState(s, t);
        out[row] = state === Operand.null ? withNull(name, s, t) : state;
        continue;
      }
      const [x, y] = [a.starts[row] as number, b.starts[row] as number];
      const sign = compareBytes(a.bytes, x, x + (a.lengths[row] as number), b.bytes, y, y + (b.lengths[row] as number));
      out[row] = sign < 0 ? less : sign > 0 ? greater : equal;
    }
    return out;
  };
}

/** A number or text among constants. */
function membership(context: KernelContext, node: CelNode | undefined, list: CelNode | undefined): Truths | null {
  if (node === undefined || list?.exprKind.case !== "listExpr") return null;
  const constants = list.exprKind.value.elements.map(constantOf);
  const { kind } = typeOf(context, node);
  if (kind === "string" && constants.every((each) => typeof each === "string")) {
    const texts = compileText(context, node);
    const known = new Set(constants);
    const cache = new VerdictCache((bytes, start, end) => known.has(spanText(bytes, start, end)));
    return texts === null ? null : testTexts(texts, (bytes, start, end) => cache.test(bytes, start, end), Truth.false);
  }
  const numbers = constants.map((each) => (typeof each === "bigint" || typeof each === "number" ? Number(each) : NaN));
  const safe = constants.every((each, i) => typeof each === "number" || (typeof each === "bigint" && Number.isSafeInteger(numbers[i])));
  if ((kind !== "int" && kind !== "double") || !safe) return null;
  const values = compileNumber(context, node);
  const known = new Set(numbers.filter((each) => !Number.isNaN(each)));
  if (values === null) return null;
  return (batch) => {
    const { values: found, states } = values(batch);
    return states.map((state, row) =>
      state === Operand.value ? (known.has(found[row] as number) ? 1 : 0) : state === Operand.null ? 0 : state,
    );
  };
}

function textFunction(context: KernelContext, name: string, target: CelNode, argument: CelNode | undefined): Truths | null {
  const constant = constantOf(argument);
  if (typeof constant !== "string" || typeOf(context, target).kind !== "string") return null;
  const texts = compileText(context, target);
  if (texts === null) return null;
  const test = name === "matches" ? patternTest(constant) : spanTest(name, constant);
  return test === null ? null : testTexts(texts, test, Truth.error);
}

function patternTest(pattern: string): SpanTest {
  const compiled = RE2JS.compile(pattern);
  const cache = new VerdictCache((bytes, start, end) => compiled.test(spanText(bytes, start, end)));
  return (bytes, start, end) => cache.test(bytes, start, end);
}

function testTexts(texts: Kernel<Texts>, test: SpanTest, ofNull: number): Truths {
  return (batch) => {
    const { bytes, starts, lengths, states } = texts(batch);
    const out = new Uint8Array(batch.rows);
    for (let row = 0; row < out.length; row++) {
      const state = states[row] as number;
      if (state === Operand.value) {
        const start = starts[row] as number;
        out[row] = test(bytes, start, start + (lengths[row] as number)) ? 1 : 0;
      } else out[row] = state === Operand.null ? ofNull : state;
    }
    return out;
  };
}
