import type { Ajv } from "ajv";
import { parseExactDecimal, type ExactDecimal } from "./exact-decimal.ts";

/** Source texts of numbers beyond 2^53, by the object or array they stand in and their key there. */
const exactTexts = new WeakMap<object, Map<string, string>>();

/** Without one of these no number of a text is beyond 2^53. */
const maybeLarge = /\d{16}|\d[eE]/;

/** A record's value, and whether it has numbers that only their text tells exactly. */
export interface ExactJson {
  readonly value: unknown;
  readonly large: boolean;
}

/** `JSON.parse`, with the texts of numbers beyond 2^53 remembered beside the values. */
export function parseExactly(text: string): ExactJson {
  if (!maybeLarge.test(text)) return { value: JSON.parse(text), large: false };
  let large = false;
  const remember = function (this: object, key: string, value: unknown, context: { readonly source?: string }): unknown {
    if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER && context.source !== undefined) {
      large = true;
      const known = exactTexts.get(this);
      if (known === undefined) exactTexts.set(this, new Map([[key, context.source]]));
      else known.set(key, context.source);
    }
    return value;
  };
  // TypeScript's library does not know the reviver's third argument yet.
  const value: unknown = JSON.parse(text, remember as (key: string, value: unknown) => unknown);
  return { value, large };
}

function exactText(holder: unknown, key: string | number): string | null {
  if (typeof holder !== "object" || holder === null) return null;
  return exactTexts.get(holder)?.get(String(key)) ?? null;
}

function difference(a: ExactDecimal, b: ExactDecimal): bigint {
  return a.unscaled * 10n ** BigInt(b.scale) - b.unscaled * 10n ** BigInt(a.scale);
}

/** A limit of a schema, which is a double: beyond 2^53 its exact value, not its shortest text. */
function exactLimit(limit: number): ExactDecimal | null {
  return Number.isInteger(limit) ? { unscaled: BigInt(limit), scale: 0 } : parseExactDecimal(String(limit));
}

/** Sign of (value - limit), by the value's text where it has one. */
function order(value: number, limit: number, text: string | null): number {
  const exact = text === null ? null : parseExactDecimal(text);
  const bound = exact === null ? null : exactLimit(limit);
  if (exact === null || bound === null) return Math.sign(value - limit);
  const d = difference(exact, bound);
  return d < 0n ? -1 : d > 0n ? 1 : 0;
}

function isMultipleOf(value: number, of: number, text: string | null): boolean {
  const exact = text === null ? null : parseExactDecimal(text);
  const step = exact === null ? null : exactLimit(of);
  if (exact === null || step === null) return Number.isInteger(value / of);
  return (exact.unscaled * 10n ** BigInt(step.scale)) % (step.unscaled * 10n ** BigInt(exact.scale)) === 0n;
}

/** The same text for the same number, however it was written. */
function plainText({ unscaled, scale }: ExactDecimal): string {
  while (scale > 0 && unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale--;
  }
  return scale === 0 ? String(unscaled) : `${unscaled}e-${scale}`;
}

/** A text that two JSON values share exactly where they are equal, numbers beyond 2^53 by their text. */
function canonicalText(value: unknown, holder: unknown, key: string | number): string {
  if (Array.isArray(value)) return `[${value.map((item, i) => canonicalText(item, value, i)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonicalText(item, value, name)}`).join(",")}}`;
  }
  const text = typeof value === "number" ? exactText(holder, key) : null;
  const exact = text === null ? null : parseExactDecimal(text);
  return exact === null ? JSON.stringify(value) : plainText(exact);
}

const comparisons: Readonly<Record<string, { readonly holds: (sign: number) => boolean; readonly words: string }>> = {
  minimum: { holds: (sign) => sign >= 0, words: ">=" },
  maximum: { holds: (sign) => sign <= 0, words: "<=" },
  exclusiveMinimum: { holds: (sign) => sign > 0, words: ">" },
  exclusiveMaximum: { holds: (sign) => sign < 0, words: "<" },
};

/** Makes ajv judge numbers of `parseExactly` beyond 2^53 by their text in every keyword that orders, divides or tells apart. */
export function useExactKeywords(ajv: Ajv): void {
  for (const [keyword, { holds, words }] of Object.entries(comparisons)) {
    ajv.removeKeyword(keyword);
    ajv.addKeyword({
      keyword,
      type: "number",
      schemaType: "number",
      error: { message: ({ schema }) => `must be ${words} ${String(schema)}` },
      validate: (limit: number, value: number, _parent: unknown, at?: { parentData: unknown; parentDataProperty: string | number }) =>
        holds(order(value, limit, at === undefined ? null : exactText(at.parentData, at.parentDataProperty))),
    });
  }
  ajv.removeKeyword("multipleOf");
  ajv.addKeyword({
    keyword: "multipleOf",
    type: "number",
    schemaType: "number",
    error: { message: ({ schema }) => `must be multiple of ${String(schema)}` },
    validate: (of: number, value: number, _parent: unknown, at?: { parentData: unknown; parentDataProperty: string | number }) =>
      isMultipleOf(value, of, at === undefined ? null : exactText(at.parentData, at.parentDataProperty)),
  });
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    error: { message: "must NOT have duplicate items" },
    validate: (unique: boolean, items: readonly unknown[]) =>
      !unique || new Set(items.map((item, i) => canonicalText(item, items, i))).size === items.length,
  });
}
