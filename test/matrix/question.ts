/** A value as every reader's answer is brought to: text of times, text of decimals without trailing zeros, whole numbers beyond 2^53 as text, bytes as `0x` and hex digits. */
export type Cell = null | boolean | number | string | readonly Cell[] | { readonly [name: string]: Cell };
export type Row = Readonly<Record<string, Cell>>;

/** A condition in the words of each reader. */
export interface Condition {
  readonly sql: string;
  readonly pyiceberg: string;
  /** Where DuckDB wants other words than Spark. */
  readonly duckdb?: string;
  /** Where Trino wants other words than Spark. */
  readonly trino?: string;
  /** Where Polars can't take Spark's: a Python expression of its own. */
  readonly polars?: string;
}

/** What is asked of every reader, and what it must answer. */
export interface Question {
  /** The heading that it belongs to. */
  readonly topic: string;
  readonly what: string;
  readonly table: string;
  readonly formatVersion: 2 | 3;
  /** Null: main as it is; a snapshot's id, or the name of a branch or tag. */
  readonly snapshotId: string | null;
  readonly ref: string | null;
  readonly where: Condition | null;
  readonly columns: readonly string[];
  /** By `id`, ascending. */
  readonly rows: readonly Row[];
}

/** A reader's answer: rows by `id`, or why there are none. */
export type Answer = { readonly rows: readonly Row[] } | { readonly error: string };
