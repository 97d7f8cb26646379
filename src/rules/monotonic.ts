import type { Batch } from "../core/batch.ts";
import { Cell, type Column } from "../core/column.ts";
import { cellText, unscaledAt } from "./cell-text.ts";
import { locate, resolveRowPath, type ColumnPath } from "./column-path.ts";
import { compareBytes } from "./condition-mask.ts";
import { RowList } from "./row-list.ts";
import { invalidRule, type RuleFamily, type RuleRun } from "./rule-family.ts";

/** A value that outlives its batch: the nearest double with the number itself, or a text's bytes. */
interface Kept {
  readonly value: number;
  readonly exact: bigint | null;
  readonly bytes: Uint8Array | null;
}

function keep(column: Column, row: number): Kept {
  if (column.kind === "bytes") {
    const start = column.starts[row] as number;
    return { value: 0, exact: null, bytes: column.bytes.slice(start, start + (column.lengths[row] as number)) };
  }
  if (column.kind === "integer") return { value: column.values[row] as number, exact: column.exact[row] as bigint, bytes: null };
  if (column.kind === "decimal") return { value: column.values[row] as number, exact: unscaledAt(column, row), bytes: null };
  return { value: (column as Column & { readonly kind: "float" }).values[row] as number, exact: null, bytes: null };
}

/** Sign of (cell - kept). */
function order(column: Column, row: number, kept: Kept): number {
  if (column.kind === "bytes") {
    const start = column.starts[row] as number;
    const bytes = kept.bytes as Uint8Array;
    return compareBytes(column.bytes, start, start + (column.lengths[row] as number), bytes, 0, bytes.length);
  }
  const { values } = column as Column & { readonly kind: "float" };
  const difference = (values[row] as number) - kept.value;
  // Different doubles are in the order of the numbers; equal ones must be looked at.
  if (difference !== 0 || kept.exact === null) return Math.sign(difference);
  const exact = column.kind === "integer" ? (column.exact[row] as bigint) : column.kind === "decimal" ? unscaledAt(column, row) : 0n;
  return exact < kept.exact ? -1 : exact > kept.exact ? 1 : 0;
}

/** Sign of (cell - other cell of the column). */
function orderWithin(column: Column, row: number, other: number): number {
  if (column.kind === "bytes") {
    const [start, from] = [column.starts[row] as number, column.starts[other] as number];
    const [end, to] = [start + (column.lengths[row] as number), from + (column.lengths[other] as number)];
    return compareBytes(column.bytes, start, end, column.bytes, from, to);
  }
  const { values } = column as Column & { readonly kind: "float" };
  const difference = (values[row] as number) - (values[other] as number);
  return difference !== 0 || column.kind === "float" ? Math.sign(difference) : order(column, row, keep(column, other));
}

class MonotonicRun implements RuleRun {
  readonly #path: ColumnPath;
  readonly #holds: (sign: number) => boolean;
  /** The last value of each partition, by topic id and partition. */
  readonly #last = new Map<string, Kept>();

  constructor(path: ColumnPath, holds: (sign: number) => boolean) {
    this.#path = path;
    this.#holds = holds;
  }

  offenders(batch: Batch, applies: Uint8Array): Uint32Array {
    const { column } = locate(batch, this.#path);
    const { partitions, partition } = batch.records;
    const keys = partitions.map(({ topicId, partition: number }) => `${topicId} ${number}`);
    /** The row of each partition's last value in this batch; -1: it is in an earlier one. */
    const rows = new Int32Array(partitions.length).fill(-1);
    const earlier = keys.map((key) => this.#last.get(key) ?? null);
    const out = new RowList();
    for (let row = 0; row < batch.rows; row++) {
      if (applies[row] === 0 || column.state[row] !== Cell.value) continue;
      const at = partition[row] as number;
      const before = rows[at] as number;
      const kept = earlier[at] ?? null;
      const sign = before >= 0 ? orderWithin(column, row, before) : kept === null ? null : order(column, row, kept);
      if (sign !== null && !this.#holds(sign)) out.push(row);
      rows[at] = row;
    }
    for (const [at, key] of keys.entries()) if ((rows[at] as number) >= 0) this.#last.set(key, keep(column, rows[at] as number));
    return out.rows();
  }
}

const ordered = new Set(["int", "long", "float", "double", "decimal", "date", "time", "timestamp", "string", "uuid"]);

/**
 * A value that is out of order after the one before it in its partition (by offset; the last row with a value that the rule applies to, whatever
 * other rules say of it). The first value of a window has none before it.
 */
export const monotonicFamily: RuleFamily<"monotonic"> = {
  family: "monotonic",
  compile(check, { plan, fields }) {
    const path = resolveRowPath(fields, plan.path, plan);
    if (!ordered.has(path.field.type.kind)) throw invalidRule(plan, `a ${path.field.type.kind} column has no order`);
    const wanted = check.direction === "increasing" ? 1 : -1;
    const noun = check.direction === "increasing" ? (check.strict ? "more than" : "at least") : check.strict ? "less than" : "at most";
    const expected = `${noun} the value before it in its partition`;
    return {
      expected,
      open: () => new MonotonicRun(path, (sign) => sign === wanted || (sign === 0 && !check.strict)),
      explain: (batch, row) => ({
        observed: cellText(locate(batch, path).column, row, batch),
        finding: null,
        expected,
        limit: check.strict ? `strictly ${check.direction}` : check.direction,
        masked: path.masked,
      }),
    };
  },
};
