import type { parse } from "@bufbuild/cel";
import { RE2JS } from "re2js";
import { library } from "../core/library.ts";
import type { Field } from "../core/schema.ts";
import { celFunctionNames, celOperatorSign, resolveCall } from "./cel-functions.ts";
import { celTypeOf, celTypeWords, dyn, mayEqual, type CelType } from "./cel-type.ts";

/** A parsed expression of @bufbuild/cel. */
export type CelSyntax = ReturnType<typeof parse>;
/** One node of it. */
export type CelNode = CelSyntax["expr"];

/** What is wrong with an expression, and where. */
export interface CelProblem {
  readonly message: string;
  /** In UTF-16 units from the expression's start. */
  readonly offset: number;
  /** A name that was not found, with those that there are. */
  readonly name?: string;
  readonly candidates?: readonly string[];
}

/** An expression that is sound for a contract's fields. */
export interface CelExpression {
  readonly text: string;
  readonly syntax: CelSyntax;
  /** Types by node id. */
  readonly types: ReadonlyMap<bigint, CelType>;
  /** The top-level columns that it names, in the contract's order; all of them where it uses the record as a whole. */
  readonly columns: readonly string[];
}

/** Limits that bound the time an expression may take. */
export const celLimits = { characters: 4000, nodes: 1000, depth: 60, listItems: 1000 } as const;

/** The name of the whole record in expressions. */
export const celRecord = "record";

/** A position in source that a problem is thrown with. */
class Misfit extends Error {
  readonly problem: CelProblem;

  constructor(problem: CelProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** Parses an expression and checks its types against fields. The answer is an expression whose value is a boolean, or all that is wrong. */
export function compileCel(text: string, fields: readonly Field[]): CelExpression | readonly CelProblem[] {
  if (text.length > celLimits.characters)
    return [{ message: `the expression has more than ${celLimits.characters} characters`, offset: celLimits.characters }];
  const nesting = deepestNesting(text);
  if (nesting.depth > celLimits.depth)
    return [{ message: `the expression is nested more than ${celLimits.depth} deep`, offset: nesting.offset }];
  let syntax: CelSyntax;
  try {
    syntax = library.cel().parse(text);
  } catch (cause) {
    return [syntaxProblem(cause)];
  }
  return new CelChecker(text, syntax, fields).run();
}

function syntaxProblem(cause: unknown): CelProblem {
  const { message, rawMessage, location } = cause as { message: string; rawMessage?: string; location?: { start?: { offset?: number } } };
  const said = (rawMessage ?? message).replace(/^syntax error <input>:\d+:\d+: /, "");
  return { message: `the expression can't be read: ${said}`, offset: location?.start?.offset ?? 0 };
}

/** Brackets tell the depth before the parser recurses; those inside of text count too, which only makes the limit stricter. */
function deepestNesting(text: string): { readonly depth: number; readonly offset: number } {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if ("([{".includes(c)) depth++;
    else if (")]}".includes(c)) depth--;
    if (depth > celLimits.depth) return { depth, offset: i };
  }
  return { depth: 0, offset: 0 };
}

type Scope = ReadonlyMap<string, CelType>;

class CelChecker {
  readonly #text: string;
  readonly #positions: Readonly<Record<string, number>>;
  readonly #root: CelNode;
  readonly #syntax: CelSyntax;
  readonly #fields: readonly Field[];
  readonly #types = new Map<bigint, CelType>();
  readonly #problems: CelProblem[] = [];
  readonly #columns = new Set<string>();
  #nodes = 0;

  constructor(text: string, syntax: CelSyntax, fields: readonly Field[]) {
    this.#text = text;
    this.#syntax = syntax;
    this.#root = syntax.expr;
    this.#positions = syntax.sourceInfo?.positions ?? {};
    this.#fields = fields;
  }

  run(): CelExpression | readonly CelProblem[] {
    const type = this.#typed(this.#root, new Map(), 0, false);
    if (this.#problems.length === 0 && type.kind !== "bool" && type.kind !== "dyn")
      this.#problems.push({ message: `the expression must be true or false, and is ${celTypeWords(type)}`, offset: 0 });
    if (this.#problems.length > 0) return this.#problems;
    const columns = this.#fields.map(({ name }) => name).filter((name) => this.#columns.has(name));
    return { text: this.#text, syntax: this.#syntax, types: this.#types, columns };
  }

  /** The type of a node; a fault is noted once, and makes it `dyn`, so that it has no followers. */
  #typed(node: CelNode | undefined, scope: Scope, depth: number, inside: boolean): CelType {
    if (node === undefined) return dyn;
    if (++this.#nodes > celLimits.nodes || depth > celLimits.depth * 2) {
      if (this.#nodes === celLimits.nodes + 1 || depth > celLimits.depth * 2)
        this.#problems.push({ message: `the expression has more than ${celLimits.nodes} parts, or is nested too deep`, offset: 0 });
      return dyn;
    }
    let type: CelType;
    try {
      type = this.#judge(node, scope, depth + 1, inside);
    } catch (fault) {
      if (!(fault instanceof Misfit)) throw fault;
      this.#problems.push(fault.problem);
      type = dyn;
    }
    this.#types.set(node.id, type);
    return type;
  }

  #fault(node: CelNode, message: string, more: Partial<CelProblem> = {}): Misfit {
    let offset = this.#positions[String(node.id)] ?? 0;
    // The parser takes the blanks before an operator to it.
    while (/\s/.test(this.#text[offset] ?? "")) offset++;
    return new Misfit({ message, offset, ...more });
  }

  #judge(node: CelNode, scope: Scope, depth: number, inside: boolean): CelType {
    const { exprKind } = node;
    switch (exprKind.case) {
      case "constExpr":
        return constantType(exprKind.value.constantKind.case);
      case "identExpr":
        return this.#name(node, exprKind.value.name, scope);
      case "selectExpr": {
        const { operand, field } = exprKind.value;
        const of = this.#isRecord(operand, scope) ? this.#recordType(operand) : this.#typed(operand, scope, depth, inside);
        const type = this.#select(node, of, field);
        if (this.#isRecord(operand, scope)) this.#columns.add(field);
        return exprKind.value.testOnly ? { kind: "bool" } : type;
      }
      case "listExpr": {
        const types = exprKind.value.elements.map((each) => this.#typed(each, scope, depth, inside));
        const first = types[0];
        return { kind: "list", of: first !== undefined && types.every(({ kind }) => kind === first.kind) ? first : dyn };
      }
      case "structExpr":
        if (exprKind.value.messageName !== "") throw this.#fault(node, `there is no message type ${exprKind.value.messageName}`);
        for (const entry of exprKind.value.entries) {
          if (entry.keyKind.case === "mapKey") this.#typed(entry.keyKind.value, scope, depth, inside);
          this.#typed(entry.value, scope, depth, inside);
        }
        return { kind: "map", of: dyn };
      case "comprehensionExpr":
        return this.#comprehension(node, scope, depth, inside);
      case "callExpr":
        return this.#call(node, scope, depth, inside);
      default:
        throw this.#fault(node, "this is no expression");
    }
  }

  /** Whether a part is the record as a whole, and no column or variable of that name. */
  #isRecord(node: CelNode | undefined, scope: Scope): node is CelNode {
    const named = node?.exprKind.case === "identExpr" && node.exprKind.value.name === celRecord;
    return named && !scope.has(celRecord) && !this.#fields.some((field) => field.name === celRecord);
  }

  /** The type of `record` where only one of its fields is asked for. */
  #recordType(node: CelNode): CelType {
    const type: CelType = { kind: "record", fields: this.#fields };
    this.#nodes++;
    this.#types.set(node.id, type);
    return type;
  }

  #name(node: CelNode, name: string, scope: Scope): CelType {
    const local = scope.get(name);
    if (local !== undefined) return local;
    if (this.#isRecord(node, scope)) {
      for (const field of this.#fields) this.#columns.add(field.name);
      return { kind: "record", fields: this.#fields };
    }
    const field = this.#fields.find((each) => each.name === name);
    if (field === undefined) {
      if (["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"].includes(name)) return { kind: "type" };
      const candidates = [...this.#fields.map((each) => each.name), celRecord];
      throw this.#fault(node, `there is no column "${name}"`, { name, candidates });
    }
    this.#columns.add(name);
    return celTypeOf(field);
  }

  #select(node: CelNode, of: CelType, key: string): CelType {
    if (of.kind === "dyn") return dyn;
    if (of.kind === "map") return of.of;
    if (of.kind !== "record") throw this.#fault(node, `"${key}" is asked of ${celTypeWords(of)}, which has no fields`);
    const field = of.fields.find((each) => each.name === key);
    if (field !== undefined) return celTypeOf(field);
    throw this.#fault(node, `there is no field "${key}"`, { name: key, candidates: of.fields.map((each) => each.name) });
  }

  #comprehension(node: CelNode, scope: Scope, depth: number, inside: boolean): CelType {
    const { exprKind } = node;
    if (exprKind.case !== "comprehensionExpr") return dyn;
    const { value } = exprKind;
    if (inside) throw this.#fault(node, "a macro over a list can't stand inside of another one: its time would not be bounded");
    const range = this.#typed(value.iterRange, scope, depth, inside);
    if (range.kind !== "list" && range.kind !== "map" && range.kind !== "record" && range.kind !== "dyn")
      throw this.#fault(node, `a macro needs a list or a map, not ${celTypeWords(range)}`);
    const element: CelType = range.kind === "list" ? range.of : range.kind === "dyn" ? dyn : { kind: "string" };
    const start = this.#typed(value.accuInit, scope, depth, inside);
    const inner = new Map([
      ...scope,
      [value.iterVar, element],
      [value.accuVar, start.kind === "list" ? { kind: "list", of: dyn } : start],
    ]) as Scope;
    this.#typed(value.loopCondition, inner, depth, true);
    this.#typed(value.loopStep, inner, depth, true);
    return this.#typed(value.result, inner, depth, inside);
  }

  #call(node: CelNode, scope: Scope, depth: number, inside: boolean): CelType {
    const { exprKind } = node;
    if (exprKind.case !== "callExpr") return dyn;
    const { function: name, target, args } = exprKind.value;
    const receiver = target === undefined ? null : this.#typed(target, scope, depth, inside);
    const types = args.map((each) => this.#typed(each, scope, depth, inside));
    const [first = dyn, second = dyn, third = dyn] = types;
    switch (name) {
      case "_==_":
      case "_!=_":
        if (!mayEqual(first, second)) throw this.#fault(node, `${celTypeWords(first)} and ${celTypeWords(second)} are never equal`);
        return { kind: "bool" };
      case "@in": {
        const among = second.kind === "list" ? second.of : second.kind === "dyn" ? dyn : { kind: "string" as const };
        if (!["list", "map", "record", "dyn"].includes(second.kind))
          throw this.#fault(node, `"in" needs a list or a map, not ${celTypeWords(second)}`);
        if (!mayEqual(first, among)) throw this.#fault(node, `${celTypeWords(first)} is never in a ${celTypeWords(second)}`);
        return { kind: "bool" };
      }
      case "_?_:_":
        if (first.kind !== "bool" && first.kind !== "dyn")
          throw this.#fault(node, `the condition before "?" is ${celTypeWords(first)}, not bool`);
        return second.kind === third.kind ? second : dyn;
      case "_[_]":
        return this.#index(node, first, second, args[1]);
      default:
        if (name === "matches") this.#pattern(args[0]);
        return this.#function(node, name, receiver, types);
    }
  }

  #index(node: CelNode, of: CelType, key: CelType, keyNode: CelNode | undefined): CelType {
    if (of.kind === "dyn") return dyn;
    if (of.kind === "list" && (key.kind === "int" || key.kind === "dyn")) return of.of;
    if (of.kind === "map") return of.of;
    if (of.kind === "record") {
      const constant = keyNode?.exprKind.case === "constExpr" ? keyNode.exprKind.value.constantKind : undefined;
      return constant?.case === "stringValue" ? this.#select(node, of, constant.value) : dyn;
    }
    throw this.#fault(node, `${celTypeWords(of)} has no item at ${celTypeWords(key)}`);
  }

  /** Patterns are constants, so that each is compiled once and its time is known to be linear. */
  #pattern(node: CelNode | undefined): void {
    const constant = node?.exprKind.case === "constExpr" ? node.exprKind.value.constantKind : undefined;
    if (node === undefined || constant?.case !== "stringValue")
      throw new Misfit({ message: "the pattern of matches must be a constant", offset: this.#positions[String(node?.id)] ?? 0 });
    try {
      RE2JS.compile(constant.value);
    } catch (cause) {
      throw this.#fault(node, `the pattern can't be read: ${(cause as Error).message.replace(/^error parsing regexp: /, "")}`);
    }
  }

  #function(node: CelNode, name: string, receiver: CelType | null, types: readonly CelType[]): CelType {
    const found = resolveCall(name, receiver, types);
    if (typeof found === "string") return found === "list" ? { kind: "list", of: dyn } : ({ kind: found } as CelType);
    if (found.fault === "unknown") throw this.#fault(node, `there is no function "${name}"`, { name, candidates: celFunctionNames });
    const sign = celOperatorSign(name);
    const words = types.map(celTypeWords);
    if (sign === null)
      throw this.#fault(node, `${receiver === null ? "" : `${celTypeWords(receiver)}.`}${name}(${words.join(", ")}) does not exist`);
    const mixed = types.some(({ kind }) => kind === "int") && types.some(({ kind }) => kind === "double");
    const hint = mixed ? ": write double(...) around the whole number, or 1.0 for 1" : "";
    throw this.#fault(
      node,
      types.length === 1 ? `${sign} does not go with ${words[0]}` : `${sign} does not go between ${words.join(" and ")}${hint}`,
    );
  }
}

function constantType(kind: string | undefined): CelType {
  switch (kind) {
    case "boolValue":
      return { kind: "bool" };
    case "int64Value":
      return { kind: "int" };
    case "uint64Value":
      return { kind: "uint" };
    case "doubleValue":
      return { kind: "double" };
    case "stringValue":
      return { kind: "string" };
    case "bytesValue":
      return { kind: "bytes" };
    default:
      return { kind: "null" };
  }
}
