import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import type { CelNode } from "../../cel/cel-expression.ts";
import type { Batch } from "../../core/batch.ts";
import { library } from "../../core/library.ts";
import { codePoints } from "../length.ts";
import { celEnvironment } from "./cel-environment.ts";
import {
  constantOf,
  namedColumn,
  Operand,
  pairState,
  statesOf,
  typeOf,
  type Kernel,
  type KernelContext,
  type NamedColumn,
  type Numbers,
} from "./operands.ts";
import { compileText } from "./text-kernels.ts";

const microsPerDay = 86_400_000_000;

/** Numbers, and times as microseconds; null where a part has no kernel. */
export function compileNumber(context: KernelContext, node: CelNode | undefined): Kernel<Numbers> | null {
  if (node === undefined) return null;
  const constant = constantOf(node);
  if (typeof constant === "number") return constantNumbers(constant);
  if (typeof constant === "bigint") return Number.isSafeInteger(Number(constant)) ? constantNumbers(Number(constant)) : null;
  const named = namedColumn(context, node);
  if (named !== null) return columnNumbers(named);
  const { exprKind } = node;
  if (exprKind.case !== "callExpr") return null;
  const { function: name, target, args } = exprKind.value;
  const [first, second] = args;
  if (name === "size" && args.length + (target === undefined ? 0 : 1) === 1) return sizes(context, target ?? first);
  if ((name === "timestamp" || name === "duration") && typeof constantOf(first) === "string") return constantTime(node);
  const kind = typeOf(context, node).kind;
  if (name === "double" && first !== undefined && typeOf(context, first).kind !== "string") return notNull(compileNumber(context, first));
  if (kind !== "int" && kind !== "double") return null;
  if (name === "-_") return negated(compileNumber(context, first), kind);
  const operation = operations[kind][name];
  if (operation === undefined) return null;
  return combined(compileNumber(context, first), compileNumber(context, second), operation);
}

function constantNumbers(value: number): Kernel<Numbers> {
  return (batch: Batch) => ({ values: new Float64Array(batch.rows).fill(value), states: new Uint8Array(batch.rows) });
}

/** A time that a constant text says, where it is a whole number of microseconds. */
function constantTime(node: CelNode): Kernel<Numbers> | null {
  const { isCelError, plan } = library.cel();
  const value = plan(celEnvironment(), node)();
  if (isCelError(value) || !library.protobufReflect().isReflectMessage(value)) return null;
  const { seconds, nanos } = value.message as Timestamp | Duration;
  const micros = Number(seconds) * 1_000_000 + nanos / 1000;
  return nanos % 1000 === 0 && Number.isSafeInteger(micros) ? constantNumbers(micros) : null;
}

function columnNumbers(named: NamedColumn): Kernel<Numbers> | null {
  const { type } = named.field;
  const { kind } = type;
  // Microseconds are exact in doubles, nanoseconds are the interpreter's.
  if (type.kind === "timestamp" && type.unit === "nanos") return null;
  switch (kind) {
    case "float":
    case "double":
    case "decimal":
    case "int":
    case "long":
    case "time":
    case "timestamp":
    case "date":
      return (batch) => readNumbers(batch, named, kind);
    default:
      return null;
  }
}

function readNumbers(batch: Batch, named: NamedColumn, kind: NamedColumn["field"]["type"]["kind"]): Numbers {
  const { column, states } = statesOf(batch, named);
  if (column.kind === "float" || column.kind === "decimal") return { values: column.values, states };
  if (column.kind !== "integer") return { values: new Float64Array(batch.rows), states: states.fill(Operand.unsure) };
  const values = kind === "date" ? column.values.map((days) => days * microsPerDay) : column.values;
  for (let row = 0; row < states.length; row++) {
    const value = values[row] as number;
    if (!Number.isSafeInteger(value) && states[row] === Operand.value) states[row] = Operand.unsure;
  }
  return { values, states };
}

function sizes(context: KernelContext, node: CelNode | undefined): Kernel<Numbers> | null {
  const texts = compileText(context, node);
  if (texts === null) return null;
  return (batch) => {
    const { bytes, starts, lengths, states } = texts(batch);
    const values = new Float64Array(batch.rows);
    for (let row = 0; row < values.length; row++) {
      if (states[row] !== Operand.value) continue;
      const start = starts[row] as number;
      values[row] = codePoints(bytes, start, start + (lengths[row] as number));
    }
    // Null has no size.
    for (let row = 0; row < values.length; row++) if (states[row] === Operand.null) states[row] = Operand.error;
    return { values, states };
  };
}

/** NaN stands for a result that only the interpreter can tell, an infinity for an error. */
type Operation = (a: number, b: number) => number;

/** Whole numbers that stay within 2^53 are exact in doubles; adding 0 turns -0, which whole numbers have not, into 0. */
const wholeOperations: Readonly<Record<string, Operation>> = {
  "_+_": (a, b) => a + b,
  "_-_": (a, b) => a - b,
  "_*_": (a, b) => a * b + 0,
  // a - a % b is a whole multiple of b, so the quotient is exact.
  "_/_": (a, b) => (b === 0 ? Infinity : (a - (a % b)) / b + 0),
  "_%_": (a, b) => (b === 0 ? Infinity : (a % b) + 0),
};

const doubleOperations: Readonly<Record<string, Operation>> = {
  "_+_": (a, b) => a + b,
  "_-_": (a, b) => a - b,
  "_*_": (a, b) => a * b,
  "_/_": (a, b) => a / b,
};

interface Arithmetic {
  readonly apply: Operation;
  readonly whole: boolean;
}

function arithmetic(table: Readonly<Record<string, Operation>>, whole: boolean): Readonly<Record<string, Arithmetic | undefined>> {
  return Object.fromEntries(Object.entries(table).map(([name, apply]) => [name, { apply, whole }]));
}

const operations = { int: arithmetic(wholeOperations, true), double: arithmetic(doubleOperations, false) };

function combined(left: Kernel<Numbers> | null, right: Kernel<Numbers> | null, { apply, whole }: Arithmetic): Kernel<Numbers> | null {
  if (left === null || right === null) return null;
  return (batch) => {
    const [a, b] = [left(batch), right(batch)];
    const values = new Float64Array(batch.rows);
    const states = new Uint8Array(batch.rows);
    for (let row = 0; row < values.length; row++) {
      const state = pairState(a.states[row] as number, b.states[row] as number);
      if (state !== Operand.value) {
        states[row] = state === Operand.null ? Operand.error : state;
        continue;
      }
      const value = apply(a.values[row] as number, b.values[row] as number);
      values[row] = value;
      if (whole && !Number.isSafeInteger(value)) states[row] = value === Infinity ? Operand.error : Operand.unsure;
    }
    return { values, states };
  };
}

/** Null has no number. */
function notNull(of: Kernel<Numbers> | null): Kernel<Numbers> | null {
  if (of === null) return null;
  return (batch) => {
    const { values, states } = of(batch);
    return { values, states: states.map((state) => (state === Operand.null ? Operand.error : state)) };
  };
}

function negated(of: Kernel<Numbers> | null, kind: "int" | "double"): Kernel<Numbers> | null {
  if (of === null) return null;
  return combined(of, of, kind === "int" ? { apply: (a) => 0 - a, whole: true } : { apply: (a) => -a, whole: false });
}
