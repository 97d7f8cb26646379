import type { Field } from "../core/schema.ts";
import { celRecord, type CelExpression, type CelNode } from "./cel-expression.ts";

/** How many of an expression's conditions run over whole columns, and how many row by row in the interpreter. */
export interface CelCost {
  readonly compiled: number;
  readonly interpreted: number;
}

/** What is known of a part: the column that it names, if it is a plain path. */
type ColumnOf = (node: CelNode | undefined) => Field | null;

const numeric = new Set(["int", "double"]);
const numberKinds = new Set(["int", "long", "float", "double", "decimal", "date", "time", "timestamp"]);
const comparisons = new Set(["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"]);
const textFunctions = new Set(["startsWith", "endsWith", "contains", "matches"]);

/**
 * What an expression costs: conditions joined by `&&`, `||`, `!` and `?:` are counted one by one. The kernels of rules cover exactly those that
 * this counts as compiled (a test compares the two).
 */
export function celCost(expression: CelExpression, fields: readonly Field[]): CelCost {
  const judge = new CostJudge(expression, fields);
  let [compiled, interpreted] = [0, 0];
  const visit = (node: CelNode | undefined): void => {
    const call = node?.exprKind.case === "callExpr" ? node.exprKind.value : null;
    if (call !== null && ["_&&_", "_||_", "!_", "_?_:_"].includes(call.function)) call.args.forEach(visit);
    else if (node !== undefined && judge.isCompiled(node)) compiled++;
    else interpreted++;
  };
  visit(expression.syntax.expr);
  return { compiled, interpreted };
}

class CostJudge {
  readonly #expression: CelExpression;
  readonly #fields: readonly Field[];

  constructor(expression: CelExpression, fields: readonly Field[]) {
    this.#expression = expression;
    this.#fields = fields;
  }

  #kind(node: CelNode | undefined): string {
    return (node === undefined ? undefined : this.#expression.types.get(node.id)?.kind) ?? "dyn";
  }

  readonly #column: ColumnOf = (node) => {
    if (node?.exprKind.case === "identExpr") {
      const { name } = node.exprKind.value;
      return this.#fields.find((field) => field.name === name) ?? null;
    }
    if (node?.exprKind.case !== "selectExpr" || node.exprKind.value.testOnly) return null;
    return this.#selected(node.exprKind.value.operand, node.exprKind.value.field);
  };

  #selected(operand: CelNode | undefined, name: string): Field | null {
    const whole = operand?.exprKind.case === "identExpr" && operand.exprKind.value.name === celRecord && this.#kind(operand) === "record";
    if (whole && !this.#fields.some((field) => field.name === celRecord)) return this.#fields.find((field) => field.name === name) ?? null;
    const of = this.#column(operand);
    return of?.type.kind === "struct" ? (of.type.fields.find((field) => field.name === name) ?? null) : null;
  }

  isCompiled(node: CelNode): boolean {
    const { exprKind } = node;
    if (exprKind.case === "constExpr") return exprKind.value.constantKind.case === "boolValue";
    if (exprKind.case === "selectExpr" && exprKind.value.testOnly)
      return this.#selected(exprKind.value.operand, exprKind.value.field) !== null;
    if (exprKind.case !== "callExpr") return this.#column(node)?.type.kind === "boolean";
    const { function: name, target, args } = exprKind.value;
    const [left, right] = args;
    if (comparisons.has(name)) return this.#comparison(name, left, right);
    if (name === "@in") return this.#membership(left, right);
    return target !== undefined && textFunctions.has(name) && constantKind(left) === "stringValue" && this.#isText(target);
  }

  #comparison(name: string, left: CelNode | undefined, right: CelNode | undefined): boolean {
    const [a, b] = [constantKind(left), constantKind(right)];
    if (a === "nullValue" || b === "nullValue") {
      return (name === "_==_" || name === "_!=_") && this.#column(b === "nullValue" ? left : right) !== null;
    }
    const [x, y] = [this.#kind(left), this.#kind(right)];
    if (x === "string" && y === "string") return this.#isText(left) && this.#isText(right);
    const timed = x === y && (x === "timestamp" || x === "duration");
    return (timed || (numeric.has(x) && numeric.has(y))) && this.#isNumber(left) && this.#isNumber(right);
  }

  #membership(node: CelNode | undefined, list: CelNode | undefined): boolean {
    if (list?.exprKind.case !== "listExpr") return false;
    const kinds = list.exprKind.value.elements.map(constantKind);
    if (this.#kind(node) === "string") return kinds.every((each) => each === "stringValue") && this.#isText(node);
    const numbers = list.exprKind.value.elements.every((each) => isSafeNumber(each));
    return numeric.has(this.#kind(node)) && numbers && this.#isNumber(node);
  }

  #isText(node: CelNode | undefined): boolean {
    return constantKind(node) === "stringValue" || this.#column(node)?.type.kind === "string";
  }

  #isNumber(node: CelNode | undefined): boolean {
    if (node === undefined) return false;
    if (constantKind(node) === "int64Value" || constantKind(node) === "doubleValue") return isSafeNumber(node);
    const column = this.#column(node);
    if (column !== null) return numberKinds.has(column.type.kind);
    if (node.exprKind.case !== "callExpr") return false;
    const { function: name, target, args } = node.exprKind.value;
    const [first, second] = args;
    if (name === "size") return args.length + (target === undefined ? 0 : 1) === 1 && this.#isText(target ?? first);
    if ((name === "timestamp" || name === "duration") && constantKind(first) === "stringValue") return true;
    if (name === "double") return this.#kind(first) !== "string" && this.#isNumber(first);
    const kind = this.#kind(node);
    if (!numeric.has(kind)) return false;
    if (name === "-_") return this.#isNumber(first);
    const known = ["_+_", "_-_", "_*_", "_/_", ...(kind === "int" ? ["_%_"] : [])].includes(name);
    return known && this.#isNumber(first) && this.#isNumber(second);
  }
}

function constantKind(node: CelNode | undefined): string | undefined {
  return node?.exprKind.case === "constExpr" ? node.exprKind.value.constantKind.case : undefined;
}

function isSafeNumber(node: CelNode): boolean {
  const constant = node.exprKind.case === "constExpr" ? node.exprKind.value.constantKind : undefined;
  if (constant?.case === "doubleValue") return true;
  return constant?.case === "int64Value" && Number.isSafeInteger(Number(constant.value));
}
