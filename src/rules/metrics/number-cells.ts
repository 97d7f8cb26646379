import { BrokenInvariant } from "../../core/broken-invariant.ts";
import type { Batch } from "../../core/batch.ts";
import { Cell, type Column } from "../../core/column.ts";
import type { MeasuredOf } from "../../core/rule.ts";
import type { FieldType } from "../../core/schema.ts";
import { dateText, epochText, timeText } from "../../core/civil.ts";
import { codePoints } from "../length.ts";
import { locate, resolveRowPath, type ColumnPath } from "../column-path.ts";
import { invalidRule, type RuleTarget } from "../rule-family.ts";

/** A column as numbers: its values, or the lengths of its texts in code points (binary: bytes). */
export interface NumberColumn {
  readonly path: ColumnPath;
  readonly of: MeasuredOf;
  /** `fare`, or `the length of name`. */
  readonly name: string;
}

/** The cells of one batch that count: their rows and nearest doubles, the first `count` of both. Scratch space, valid until the next gathering. */
export interface NumberCells {
  readonly column: Column;
  readonly rows: Uint32Array;
  readonly values: Float64Array;
  readonly count: number;
}

const numbers = new Set(["int", "long", "float", "double", "decimal"]);
const times = new Set(["date", "time", "timestamp"]);

/** The column of a metric of numbers; CONTRACT_INVALID where it has none. */
export function numberColumn(target: RuleTarget, path: string | null, of: MeasuredOf, timed: "with times" | "without times"): NumberColumn {
  const found = resolveRowPath(target.fields, path, target.plan);
  const { kind } = found.field.type;
  const name = of === "length" ? `the length of ${found.field.path}` : found.field.path;
  if (of === "length") {
    if (kind !== "string" && kind !== "binary" && kind !== "json") throw invalidRule(target.plan, `a ${kind} column has no lengths`);
  } else if (!numbers.has(kind) && !(timed === "with times" && times.has(kind)))
    throw invalidRule(target.plan, `a ${kind} column has no such number`);
  return { path: found, of, name };
}

/** Gathers cells that have a value in rows that apply; NaN and infinities are no values. */
export class NumberGatherer {
  readonly #source: NumberColumn;
  #rows = new Uint32Array(2048);
  #values = new Float64Array(2048);

  constructor(source: NumberColumn) {
    this.#source = source;
  }

  gather(batch: Batch, applies: Uint8Array): NumberCells {
    const { column } = locate(batch, this.#source.path);
    if (batch.rows > this.#rows.length) {
      this.#rows = new Uint32Array(batch.rows);
      this.#values = new Float64Array(batch.rows);
    }
    const { state } = column;
    const rows = this.#rows;
    const values = this.#values;
    let count = 0;
    if (this.#source.of === "length") {
      if (column.kind !== "bytes") throw new BrokenInvariant("lengths of a column that is no text");
      const binary = column.field.type.kind === "binary";
      for (let row = 0; row < batch.rows; row++) {
        if (applies[row] === 0 || state[row] !== Cell.value) continue;
        const length = column.lengths[row] as number;
        const start = column.starts[row] as number;
        values[count] = binary ? length : codePoints(column.bytes, start, start + length);
        rows[count++] = row;
      }
      return { column, rows, values, count };
    }
    if (column.kind !== "float" && column.kind !== "integer" && column.kind !== "decimal")
      throw new BrokenInvariant("numbers of a column that has none");
    const doubles = column.values;
    for (let row = 0; row < batch.rows; row++) {
      if (applies[row] === 0 || state[row] !== Cell.value) continue;
      const value = doubles[row] as number;
      if (!Number.isFinite(value)) continue;
      values[count] = value;
      rows[count++] = row;
    }
    return { column, rows, values, count };
  }
}

/** How a number of a date, time or timestamp column is written; undefined for plain numbers. */
export function timeWords(type: FieldType): ((value: number) => string) | undefined {
  if (type.kind === "date") return (value) => dateText(Math.trunc(value));
  if (type.kind === "time") return (value) => timeText(Math.trunc(value));
  // Limits in nanoseconds are as exact as a double's shortest text is, which is not the double.
  return type.kind === "timestamp" ? (value) => epochText(type, BigInt(String(Math.trunc(value)))) : undefined;
}

/** Why nothing was measured. */
export function noValues(name: string): string {
  return `${name} has no value in the window`;
}
