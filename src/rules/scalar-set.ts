import { dateText, epochText, timeText } from "../core/civil.ts";
import { Cell, type Column } from "../core/column.ts";
import type { Scalar } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { uuidBytes } from "../core/uuid.ts";
import { unscaledAt } from "./cell-text.ts";
import { floorAtScale, parseExactDecimal } from "./exact-decimal.ts";
import { hashSpan } from "./verdict-cache.ts";

/** Texts as bytes, looked up without making strings. */
class TextSet {
  readonly #texts: readonly Uint8Array[];
  readonly #slots: Int32Array;

  constructor(texts: readonly Uint8Array[]) {
    this.#texts = texts;
    let size = 4;
    while (size < this.#texts.length * 2) size *= 2;
    this.#slots = new Int32Array(size).fill(-1);
    for (const [i, text] of this.#texts.entries()) {
      let slot = hashSpan(text, 0, text.length) & (size - 1);
      while (this.#slots[slot] !== -1) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = i;
    }
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    const mask = this.#slots.length - 1;
    for (let slot = hashSpan(bytes, start, end) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] as number;
      if (index < 0) return false;
      const text = this.#texts[index] as Uint8Array;
      if (text.length !== end - start) continue;
      let i = 0;
      while (i < text.length && text[i] === bytes[start + i]) i++;
      if (i === text.length) return true;
    }
  }
}

/** Whether a cell that has a value is one of a set of constants. */
export type Membership = (column: Column, cell: number) => boolean;

/** Numbers of the set as whole counts of 10^-scale; those that are none can't be in such a column. */
export function wholeNumbers(values: readonly Scalar[], scale: number): bigint[] {
  return values.flatMap((value) => {
    const parsed = value.type === "number" ? parseExactDecimal(value.text) : null;
    const step = parsed === null ? null : floorAtScale(parsed, scale);
    return step?.exact === true ? [step.floor] : [];
  });
}

/** A text constant as a column's cells have it: its UTF-8, or a UUID's 16 bytes. */
export function constantBytes({ type }: Field, text: string): Uint8Array {
  return (type.kind === "uuid" ? uuidBytes(text) : null) ?? new TextEncoder().encode(text);
}

/** The different text constants among some, as a column's cells have them. */
export function constantTexts(field: Field, values: readonly Scalar[]): Uint8Array[] {
  const texts = new Set(values.flatMap((value) => (value.type === "string" ? [value.value] : [])));
  return Array.from(texts, (text) => constantBytes(field, text));
}

/** Compiles membership for a field; constants of another type are never equal, and numbers compare exactly. Null where the kind has no constants. */
export function compileMembership(field: Field, values: readonly Scalar[]): Membership | null {
  switch (field.type.kind) {
    case "string":
    case "json":
    case "uuid": {
      const set = new TextSet(constantTexts(field, values));
      return (column, cell) => {
        if (column.kind !== "bytes") return false;
        const start = column.starts[cell] as number;
        return set.has(column.bytes, start, start + (column.lengths[cell] as number));
      };
    }
    case "int":
    case "long":
    case "date":
    case "time":
    case "timestamp": {
      const exact = new Set(wholeNumbers(values, 0));
      const doubles = new Set([...exact].map(Number));
      return (column, cell) =>
        column.kind === "integer" && doubles.has(column.values[cell] as number) && exact.has(column.exact[cell] as bigint);
    }
    case "decimal": {
      const exact = new Set(wholeNumbers(values, field.type.scale));
      return (column, cell) => column.kind === "decimal" && exact.has(unscaledAt(column, cell));
    }
    case "float":
    case "double": {
      const single = field.type.kind === "float";
      const doubles = new Set(
        values.flatMap((value) => (value.type === "number" ? [single ? Math.fround(Number(value.text)) : Number(value.text)] : [])),
      );
      return (column, cell) => column.kind === "float" && doubles.has(column.values[cell] as number);
    }
    case "boolean": {
      const truths = values.flatMap((value) => (value.type === "boolean" ? [value.value ? 1 : 0] : []));
      return (column, cell) => column.kind === "boolean" && truths.includes(column.values[cell] as 0 | 1);
    }
    default:
      return null;
  }
}

/** A constant as people read it; those of date and time columns are stored as numbers of the column's unit. */
export function scalarText(value: Scalar, field: Field): string {
  if (value.type === "string") return field.type.kind === "json" ? value.value : JSON.stringify(value.value);
  if (value.type === "null") return "null";
  if (value.type === "boolean") return String(value.value);
  const whole = /^-?\d+$/.test(value.text) ? BigInt(value.text) : null;
  const { type } = field;
  if (whole === null) return value.text;
  if (type.kind === "date") return dateText(Number(whole));
  if (type.kind === "time") return timeText(Number(whole));
  return type.kind === "timestamp" ? epochText(type, whole) : value.text;
}

/** Constants in a row, the first ten of them. */
export function scalarsText(values: readonly Scalar[], field: Field): string {
  const shown = values
    .slice(0, 10)
    .map((value) => scalarText(value, field))
    .join(", ");
  return values.length > 10 ? `${shown} and ${values.length - 10} more` : shown;
}

/** Pushes nothing for cells without a value: a membership test of `[from, to)`. */
export function scanMembership(
  contains: Membership,
  wanted: boolean,
): (column: Column, from: number, to: number, out: { push(cell: number): void }) => void {
  return (column, from, to, out) => {
    const { state } = column;
    for (let i = from; i < to; i++) if (state[i] === Cell.value && contains(column, i) === wanted) out.push(i);
  };
}
