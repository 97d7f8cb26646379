import type { Arithmetic, Comparison } from "../core/rule.ts";
import { plainDecimal } from "./decimal-text.ts";

/** An equation, or the first thing that is wrong with its text, and where. */
export type ParsedEquation =
  | { readonly left: Arithmetic; readonly op: Comparison; readonly right: Arithmetic; readonly columns: readonly NamedAt[] }
  | { readonly message: string; readonly offset: number };

/** A column's name as it stands in a text. */
export interface NamedAt {
  readonly name: string;
  readonly offset: number;
}

interface Token {
  readonly kind: "number" | "name" | "sign" | "end";
  readonly text: string;
  readonly offset: number;
}

const operators: Readonly<Record<string, Comparison>> = { "=": "eq", "==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge" };

/** Parentheses may nest so deep, and terms be so many. */
const depthMax = 30;
const termsMax = 200;

class Misread extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

function tokensOf(text: string): Token[] {
  const form = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)|([\p{L}_][\p{L}\p{N}_.]*)|"([^"]*)"|(<=|>=|!=|==|[-+*()<>=]))/uy;
  const tokens: Token[] = [];
  while (text.slice(form.lastIndex).trim() !== "") {
    const from = form.lastIndex;
    const found = form.exec(text);
    if (found === null) {
      const offset = from + (text.slice(from).length - text.slice(from).trimStart().length);
      throw new Misread(`"${text[offset]}" has no meaning in an equation`, offset);
    }
    const [whole, number, name, quoted, sign] = found;
    const offset = from + whole.length - whole.trimStart().length;
    if (number !== undefined) tokens.push({ kind: "number", text: number, offset });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign, offset });
    else tokens.push({ kind: "name", text: name ?? quoted ?? "", offset });
  }
  tokens.push({ kind: "end", text: "", offset: text.length });
  return tokens;
}

/** Reads `net + tax * 2 = gross`: sums bind weaker than products; names of columns with other characters stand in double quotes. */
class EquationReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #terms = 0;
  readonly columns: NamedAt[] = [];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get #next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #takes(...signs: string[]): string | null {
    const { kind, text } = this.#next;
    if (kind !== "sign" || !signs.includes(text)) return null;
    this.#at++;
    return text;
  }

  equation(): ParsedEquation {
    const left = this.#sum(0);
    const sign = this.#takes(...Object.keys(operators));
    if (sign === null) throw new Misread("an equation has =, !=, <, <=, > or >= between two sides", this.#next.offset);
    const right = this.#sum(0);
    if (this.#next.kind !== "end") throw new Misread(`"${this.#next.text}" does not belong here`, this.#next.offset);
    return { left, op: operators[sign] as Comparison, right, columns: this.columns };
  }

  #sum(depth: number): Arithmetic {
    let left = this.#product(depth);
    for (let sign = this.#takes("+", "-"); sign !== null; sign = this.#takes("+", "-"))
      left = { op: sign === "+" ? "add" : "subtract", left, right: this.#product(depth) };
    return left;
  }

  #product(depth: number): Arithmetic {
    let left = this.#factor(depth);
    while (this.#takes("*") !== null) left = { op: "multiply", left, right: this.#factor(depth) };
    return left;
  }

  #factor(depth: number): Arithmetic {
    const token = this.#next;
    if (depth > depthMax || ++this.#terms > termsMax) throw new Misread("the equation is too long", token.offset);
    if (this.#takes("-") !== null) return { op: "negate", of: this.#factor(depth + 1) };
    if (this.#takes("(") !== null) {
      const inner = this.#sum(depth + 1);
      if (this.#takes(")") === null) throw new Misread(`a ")" is missing`, this.#next.offset);
      return inner;
    }
    this.#at++;
    if (token.kind === "number") return { op: "number", text: plainDecimal(token.text) ?? token.text };
    if (token.kind === "name") {
      this.columns.push({ name: token.text, offset: token.offset });
      return { op: "column", path: token.text };
    }
    throw new Misread(
      token.kind === "end" ? "something is missing at the end" : `"${token.text}" stands where a column or a number should`,
      token.offset,
    );
  }
}

/** Parses an equation over columns. */
export function parseEquation(text: string): ParsedEquation {
  try {
    return new EquationReader(tokensOf(text)).equation();
  } catch (fault) {
    if (!(fault instanceof Misread)) throw fault;
    return { message: fault.message, offset: fault.offset };
  }
}
