import type { Batch } from "../core/batch.ts";
import type { LateViolations } from "../core/rule.ts";
import { cellText } from "./cell-text.ts";
import { locate, resolveRowPath, type ColumnPath } from "./column-path.ts";
import { invalidRule, type ChunkKeys, type RuleFamily, type RuleRun } from "./rule-family.ts";
import { WordKeyTable } from "./word-key-table.ts";
import { haveValues, WordKeys } from "./word-keys.ts";

/** The duplicates of one window: every key that it has, and where each was first. */
class DuplicateRun implements RuleRun {
  readonly #paths: readonly ColumnPath[];
  readonly #keepFirst: boolean;
  readonly #table = new WordKeyTable();
  readonly #keys = new WordKeys();
  /** Batch and row of each key's first row, where none is kept; the batch is -1 once that row is known to offend. */
  readonly #firstBatch: number[] = [];
  readonly #firstRow: number[] = [];
  readonly #late: { batch: number; row: number }[] = [];

  constructor(paths: readonly ColumnPath[], keepFirst: boolean) {
    this.#paths = paths;
    this.#keepFirst = keepFirst;
  }

  offenders(batch: Batch, applies: Uint8Array, number: number): Uint32Array {
    const columns = this.#paths.map((path) => locate(batch, path).column);
    const found: number[] = [];
    const keys = this.#keys;
    for (let row = 0; row < batch.rows; row++) {
      if (applies[row] === 0 || !haveValues(columns, row)) continue;
      keys.length = 0;
      for (const column of columns) keys.append(column, row);
      const known = this.#table.count;
      this.#judge(this.#table.add(keys.words, 0, keys.length), known, number, row, found);
    }
    return Uint32Array.from(found).sort();
  }

  offendersOfKeys({ rows, ends, hashes, words }: ChunkKeys, number: number): Uint32Array {
    const found: number[] = [];
    let from = 0;
    this.#table.touch(hashes);
    for (let i = 0; i < rows.length; i++) {
      const to = ends[i] as number;
      const known = this.#table.count;
      this.#judge(this.#table.addHashed(words, from, to, hashes[i] as number), known, number, rows[i] as number, found);
      from = to;
    }
    return Uint32Array.from(found).sort();
  }

  /** Takes the index that the key of a row got, with the number of keys before. */
  #judge(index: number, known: number, number: number, row: number, found: number[]): void {
    if (index === known) {
      if (this.#keepFirst) return;
      this.#firstBatch.push(number);
      this.#firstRow.push(row);
      return;
    }
    found.push(row);
    if (!this.#keepFirst) this.#reject(index, number, found);
  }

  /** Without a row to keep, the first one offends as well: in this batch, or late in an earlier one. */
  #reject(index: number, number: number, found: number[]): void {
    const batch = this.#firstBatch[index] as number;
    if (batch < 0) return;
    const row = this.#firstRow[index] as number;
    if (batch === number) found.push(row);
    else this.#late.push({ batch, row });
    this.#firstBatch[index] = -1;
  }

  late(): readonly Omit<LateViolations, "rule">[] {
    const byBatch = new Map<number, number[]>();
    for (const { batch, row } of this.#late) {
      const rows = byBatch.get(batch);
      if (rows === undefined) byBatch.set(batch, [row]);
      else rows.push(row);
    }
    return [...byBatch].sort(([a], [b]) => a - b).map(([batch, rows]) => ({ batch, rows: Uint32Array.from(rows).sort() }));
  }
}

/**
 * Rows of one window whose values in all the columns are equal: all but the first, or all of them. A row in which one of the columns has no
 * value is not judged: null equals nothing. Rows that other rules reject are judged too.
 */
export const duplicateFamily: RuleFamily<"duplicate"> = {
  family: "duplicate",
  compile(check, { plan, fields }) {
    if (check.columns.length === 0) throw invalidRule(plan, "it names no column");
    const paths = check.columns.map((column) => resolveRowPath(fields, column, plan));
    const names = check.columns.join(", ");
    const horizon = check.horizon ?? null;
    if (horizon !== null && check.keep !== "first") throw invalidRule(plan, "beyond its window the first record is the one that is kept");
    const finding =
      horizon !== null
        ? `was in an earlier record${horizon.seconds === null ? "" : ` less than ${horizon.seconds} s away`}`
        : check.keep === "first"
          ? "was in an earlier row of the window"
          : "is in more than one row of the window";
    return {
      // With a horizon, claims decide when the window closes.
      open: () => (horizon === null ? new DuplicateRun(paths, check.keep === "first") : { offenders: () => new Uint32Array(0) }),
      explain: (batch, row) => ({
        observed: paths.map((path) => cellText(locate(batch, path).column, row, batch) ?? "").join(", "),
        finding,
        expected: `each ${names} once`,
        limit: "unique",
        masked: paths.some((path) => path.masked),
      }),
    };
  },
};
