/**
 * Mergeable statistics of rows: `merge(profile(A), profile(B))` equals `profile(A u B)` up to the sketches' stated errors.
 * The sketches inside are plain serialisable state; `sketches/` gives and merges them.
 */
export interface Profile {
  readonly rows: number;
  /** By field path; leaf columns only, list elements as `path[]`. */
  readonly columns: ReadonlyMap<string, ColumnProfile>;
}

export interface ColumnProfile {
  readonly path: string;
  readonly kind: "boolean" | "number" | "time" | "text" | "binary" | "uuid" | "json";
  /** Cells seen: values + nulls + missing (invalid cells never reach a promoted row). */
  readonly count: number;
  readonly nulls: number;
  readonly missing: number;
  /** Smallest and largest value as exact text (numbers as decimal text, times as ISO 8601); null where no value. Text columns: cut at 64 code points. */
  readonly min: string | null;
  readonly max: string | null;
  /** Numeric and time columns, of finite values (time: seconds since the epoch); null elsewhere. */
  readonly moments: Moments | null;
  readonly quantiles: QuantileSketch | null;
  readonly distinct: DistinctSketch;
  readonly top: TopValues | null;
  /** Text and binary: length in code points (bytes for binary). */
  readonly lengths: Moments | null;
  readonly nan: number;
  /** What a drift test of the contract asks for besides; absent where none does. */
  readonly watched?: WatchedParts;
}

/** Statistics that only some drift tests need, of the columns that contracts name for them. */
export interface WatchedParts {
  /** Patterns of a text column's values, such as `AA-999`, with how many values have each. */
  readonly patterns?: TopValues;
  /** How long after the time in the column its records reached the broker, in seconds. */
  readonly lag?: { readonly moments: Moments; readonly quantiles: QuantileSketch };
  readonly arrival?: Arrival;
  readonly joint?: JointMoments;
  /** Of the column that stands for all fields of the records. */
  readonly fields?: FieldCounts;
}

/** Types that a field can have in a record, in the order in which they are counted. */
export const jsonTypes = ["null", "boolean", "number", "string", "object", "array"] as const;

/** Which fields records had and of which types, from a sample in which a record can stand for several. */
export interface FieldCounts {
  /** Sum of what each sampled record stands for, and of the squares of that. */
  readonly records: number;
  readonly squares: number;
  /** Ascending by path; those that a contract does not name too. */
  readonly fields: readonly FieldCount[];
}

export interface FieldCount {
  /** As of columns: `order.items[].price`. */
  readonly path: string;
  /** Records that had it, by type in the order of `jsonTypes`; a field of list elements counts once a record, by the first of them. */
  readonly types: readonly number[];
}

/** How many of a column's values came, and when by their records' timestamps. */
export interface Arrival {
  readonly values: number;
  /** Milliseconds since the epoch, first and last in turn: disjoint and ascending. */
  readonly spansMs: readonly number[];
}

/** Moments of several columns together, over the rows in which all of them have finite values. */
export interface JointMoments {
  /** Paths of the columns, the one that they are kept with first. */
  readonly columns: readonly string[];
  readonly count: number;
  readonly means: readonly number[];
  /** Sums of products of deviations, row by row of the upper triangle with its diagonal. */
  readonly products: readonly number[];
}

/** Count, mean and sum of squared deviations (Welford/Chan), min and max as doubles. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly m2: number;
  readonly min: number;
  readonly max: number;
}

/** A KLL sketch: an item of `levels[h]` stands for 2^h values, levels are ascending, weights add up to `count`. `sketches/quantiles.ts` gives its error. */
export interface QuantileSketch {
  readonly kind: "quantiles";
  readonly count: number;
  readonly levels: readonly Float64Array[];
  /** Compactions and samplings so far, one of the seeds of the next compaction's coin; 0: nothing was lost, and answers are exact. */
  readonly compactions: number;
}

/** A HyperLogLog sketch of 2^12 registers; `sketches/distinct.ts` gives its error. */
export interface DistinctSketch {
  readonly kind: "distinct";
  readonly registers: Uint8Array;
}

/**
 * A Misra-Gries summary: a value's true count is never below its entry's `count` (0 without entry), and at most that plus `error`, but for one value of a
 * thousand where `error` is not 0.
 */
export interface TopValues {
  readonly kind: "top";
  /** Values counted. */
  readonly total: number;
  readonly error: number;
  /** Ascending by hash. */
  readonly entries: readonly TopEntry[];
}

/** One frequent value: told apart by its 64-bit hash, shown by its text, cut at 64 code points. */
export interface TopEntry {
  readonly hashHigh: number;
  readonly hashLow: number;
  readonly value: string;
  readonly count: number;
}

/** What a decision, an event or a page shows of a column's profile: plain numbers, no sketches. */
export interface ColumnSummary {
  readonly path: string;
  readonly kind: ColumnProfile["kind"];
  readonly count: number;
  readonly nulls: number;
  readonly missing: number;
  readonly distinct: number;
  readonly min: string | null;
  readonly max: string | null;
  readonly mean: number | null;
  readonly stdev: number | null;
  readonly quantiles: {
    readonly p01: number;
    readonly p05: number;
    readonly p25: number;
    readonly p50: number;
    readonly p75: number;
    readonly p95: number;
    readonly p99: number;
  } | null;
  readonly lengths: { readonly min: number; readonly mean: number; readonly max: number } | null;
  /** Most frequent values with their estimated counts; absent for classified columns, as are min and max. */
  readonly top: readonly { readonly value: string; readonly count: number }[] | null;
}
