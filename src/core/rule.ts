import type { Batch } from "./batch.ts";
import type { SourceLocation } from "./errors.ts";

export type Severity = "error" | "warning";

/** A constant from a contract. Numbers keep their text, so that 12345678901234567890 and 0.1 stay exact. */
export type Scalar =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "number"; readonly text: string; readonly value: number }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "null" };

/**
 * A filter over a row's columns. Constants compared with date, time and timestamp columns are numbers in the column's unit (days, microseconds),
 * here and in `set`; a comparison with a cell that has no value is false, and so is its negation by `ne`. */
export type Condition =
  | { readonly op: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly op: "not"; readonly of: Condition }
  | { readonly op: "null" | "notNull"; readonly path: string }
  | { readonly op: Comparison; readonly path: string; readonly value: Scalar }
  | { readonly op: "in"; readonly path: string; readonly values: readonly Scalar[] };

export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** What a rule checks, one variant a family; the family's file in `rules/` gives the semantics. */
export type RuleCheck =
  /** The cell's type or range does not fit the field (implied by every field). */
  | { readonly family: "type" }
  /** Null or missing where a value is required. */
  | { readonly family: "required" }
  /** Numbers, dates, times, timestamps; bounds in the field's own unit, as exact decimal text of that unit (dates: days, times and timestamps: microseconds). */
  | {
      readonly family: "range";
      readonly min: string | null;
      readonly max: string | null;
      readonly exclusiveMin: boolean;
      readonly exclusiveMax: boolean;
      /** The bounds as the contract wrote them, for messages. */
      readonly minText: string | null;
      readonly maxText: string | null;
    }
  | { readonly family: "multipleOf"; readonly of: string }
  /** Length of text in code points (binary: bytes). */
  | { readonly family: "length"; readonly min: number | null; readonly max: number | null }
  /** RE2 syntax, searched anywhere in the text unless anchored (JSON Schema semantics). */
  | { readonly family: "pattern"; readonly pattern: string }
  /** email, uuid, uri, hostname, ipv4, ipv6, password, byte, binary ... */
  | { readonly family: "format"; readonly format: string }
  | { readonly family: "set"; readonly values: readonly Scalar[]; readonly negated: boolean }
  | { readonly family: "items"; readonly min: number | null; readonly max: number | null; readonly unique: boolean }
  | {
      readonly family: "properties";
      readonly min: number | null;
      readonly max: number | null;
      readonly required: readonly string[];
    }
  /** Offenders: values that count as missing (null, missing, or one of `tokens`). */
  | { readonly family: "missing"; readonly tokens: readonly Scalar[] }
  | { readonly family: "null" }
  /**
   * Later rows of the same window with equal values in all columns (`keep: first`), or all of them (`keep: none`). With a horizon (`keep: first` only): rows whose
   * values an earlier record of the dataset has, whichever window or partition it was in, its timestamp less than so many seconds away (null: however far).
   */
  | {
      readonly family: "duplicate";
      readonly columns: readonly string[];
      readonly keep: "first" | "none";
      readonly horizon?: { readonly seconds: number | null } | null;
    }
  /**
   * A whole number that counts up by `step` from one row of a key (the columns of `by`) to the next, over all windows: in each partition by itself, or over the
   * dataset. Offenders: rows that repeat the last number or come before it. A row that leaves numbers out fails the rule too, and stays: it is not what is missing.
   */
  | { readonly family: "sequence"; readonly by: readonly string[]; readonly scope: "partition" | "dataset"; readonly step: number }
  /** Values that another dataset's promoted column does not hold. */
  | { readonly family: "foreignKey"; readonly dataset: string; readonly column: string }
  /** Values that a file beside the contract does not list. */
  | { readonly family: "reference"; readonly file: string; readonly values: readonly Scalar[] }
  /** Two columns of a row. */
  | { readonly family: "compare"; readonly left: string; readonly op: Comparison; readonly right: string }
  | { readonly family: "condition"; readonly condition: Condition }
  /** The whole record against a JSON Schema. */
  | { readonly family: "jsonSchema"; readonly draft: "draft-07" | "2020-12"; readonly schema: unknown }
  /** The number of rows of the window; window scope only. */
  | { readonly family: "rowCount" }
  /** Text without any character, or (`whitespace`) of white space only. */
  | { readonly family: "empty"; readonly whitespace: boolean }
  /** Numbers that carry their own check digits; `lengths`: how many digits or characters there may be, none: any number. */
  | { readonly family: "checksum"; readonly algorithm: ChecksumName; readonly lengths: readonly number[] }
  /** The values of several columns of a row together; constants as in `set`. */
  | {
      readonly family: "tuples";
      readonly columns: readonly string[];
      readonly tuples: readonly (readonly Scalar[])[];
      readonly negated: boolean;
    }
  /** How many of the columns of a row have a value. */
  | { readonly family: "complete"; readonly columns: readonly string[]; readonly quantity: "all" | "any" | "exactlyOne" | "allOrNone" }
  /** Two sums over columns of a row; numbers exactly, floats as the shortest decimal text that reads as them. */
  | {
      readonly family: "arithmetic";
      readonly left: Arithmetic;
      readonly op: Comparison;
      readonly right: Arithmetic;
      /** How far apart both sides may be and still be equal, as decimal text; null: not at all. */
      readonly within: string | null;
      /** As the contract wrote it. */
      readonly text: string;
    }
  /** Row rules put together; a part that does not judge a row (its column has no value there) neither passes nor fails it. */
  | { readonly family: "allOf" | "anyOf"; readonly parts: readonly RulePart[] }
  | { readonly family: "not"; readonly part: RulePart }
  | { readonly family: "conditional"; readonly when: Condition; readonly consequent: RulePart; readonly otherwise: RulePart | null }
  /** An expression of the Common Expression Language over the row's columns. */
  | { readonly family: "cel"; readonly expression: string }
  /** Rows with fields that the contract does not name; `allowed` may come. */
  | { readonly family: "unknownColumns"; readonly allowed: readonly string[] }
  /** Rows whose value breaks the order of its partition's offsets. */
  | { readonly family: "monotonic"; readonly direction: "increasing" | "decreasing"; readonly strict: boolean }
  | MetricCheck;

export type ChecksumName = "luhn" | "mod97" | "mod11" | "mod11-10" | "mod37-36" | "ean" | "isbn" | "verhoeff" | "damm";

/** A number over columns of a row. */
export type Arithmetic =
  | { readonly op: "column"; readonly path: string }
  | { readonly op: "number"; readonly text: string }
  | { readonly op: "negate"; readonly of: Arithmetic }
  | { readonly op: "add" | "subtract" | "multiply"; readonly left: Arithmetic; readonly right: Arithmetic };

/** A row rule inside another one. */
export interface RulePart {
  readonly check: RuleCheck;
  readonly path: string | null;
}

/** What is measured of text columns: their values have none, so it is the length in code points. */
export type MeasuredOf = "value" | "length";

/**
 * Numbers of a whole window; window scope only. They see the decoded rows that pass the rule's `where`, those that other rules reject
 * too; cells without a value count only for the shares that say so.
 */
export type MetricCheck =
  /** Shares of rows: with a value; of the values: standing once, zero, below zero, equal to the commonest one. */
  | { readonly family: "completeness" | "uniqueness" | "zeros" | "negatives" | "mostCommon" }
  /** Different values; as a share, of all values. */
  | { readonly family: "distinctCount" }
  | { readonly family: "distinctSet"; readonly relation: "equal" | "subset" | "superset"; readonly values: readonly Scalar[] }
  /** Shannon entropy of the values, in bits. */
  | { readonly family: "entropy" }
  | { readonly family: "mean" | "stdev" | "sum" | "min" | "max"; readonly of: MeasuredOf }
  | { readonly family: "quantile"; readonly q: number; readonly of: MeasuredOf }
  /** Pearson's correlation of two columns, over rows in which both have a value. */
  | { readonly family: "correlation"; readonly left: string; readonly right: string }
  /** Every group of rows by itself against the threshold. */
  | {
      readonly family: "groups";
      readonly by: readonly string[];
      readonly aggregate: "count" | "sum" | "mean" | "min" | "max";
      /** Null for `count`. */
      readonly column: string | null;
      readonly groupsMax: number;
    }
  | { readonly family: "ratio"; readonly numerator: MetricPart; readonly denominator: MetricPart }
  /** Rows a minute, by the records' own timestamps. */
  | { readonly family: "volume" }
  /** Seconds from the newest value of a column of instants to the window's close. */
  | { readonly family: "freshness" }
  /** A quantile of the seconds from a column of instants to the record's own timestamp. */
  | { readonly family: "eventLag"; readonly q: number }
  /**
   * A metric against its mean over the last promoted windows, or over the last of those that a version of the table has (`against`: a tag, a branch or a snapshot's id);
   * `windowsMin` of them must have been seen.
   */
  | {
      readonly family: "change";
      readonly metric: MetricPart;
      readonly windows: number;
      readonly windowsMin: number;
      readonly by: "difference" | "percent" | "ratio" | "deviations";
      readonly against?: string | null;
    }
  /** One number that a SELECT over the window's passed rows answers. */
  | { readonly family: "sql"; readonly query: string }
  /** How many of the columns no row of the window has (not even as null). */
  | { readonly family: "missingColumns"; readonly columns: readonly string[] }
  /** How many fields there are that the contract does not name. */
  | { readonly family: "newColumns"; readonly allowed: readonly string[] }
  /** The greatest share of cells, over the columns, whose value is not of the column's type. */
  | { readonly family: "typeChanges"; readonly columns: readonly string[] };

/** A metric inside another one. */
export interface MetricPart {
  readonly check: MetricCheck | { readonly family: "rowCount" };
  readonly path: string | null;
  readonly where: Condition | null;
}

export type Operator =
  | "mustBe"
  | "mustNotBe"
  | "mustBeGreaterThan"
  | "mustBeGreaterOrEqualTo"
  | "mustBeLessThan"
  | "mustBeLessOrEqualTo"
  | "mustBeBetween"
  | "mustNotBeBetween";

/** A condition on a metric of the window: the number, or the percentage, of offending rows (or of rows, for rowCount). */
export interface Threshold {
  readonly operator: Operator;
  /** One number; two for the between operators (both ends inclusive). */
  readonly values: readonly number[];
  /** `value`: of a metric in its own unit (dates: days, times and timestamps: microseconds). */
  readonly unit: "rows" | "percent" | "value";
}

/**
 * A compiled rule. Scope `row`: offenders with severity `error` are quarantined, and more of them than `tolerance` hold the window.
 * Scope `window`: offenders are counted against `threshold`; a failed threshold of severity `error` holds the window, and no row is rejected by it.
 */
export interface RulePlan {
  /** Position in the contract's rule list: the bit and the array index of this rule. */
  readonly index: number;
  /** Stable and unique in its contract: the ODCS quality `id` or `name` if given, else made of path and family, such as `carrier.pattern`. */
  readonly id: string;
  readonly check: RuleCheck;
  /** The column that it judges; null for rules on the whole record or window. */
  readonly path: string | null;
  readonly scope: "row" | "window";
  readonly severity: Severity;
  /** Null: no number of offenders holds the window. */
  readonly tolerance: { readonly rows: number } | { readonly percent: number } | null;
  readonly threshold: Threshold | null;
  readonly where: Condition | null;
  readonly dimension: string | null;
  /** Whom a failure concerns; none: the contract's owners. */
  readonly owner?: string | null;
  readonly description: string | null;
  readonly location: SourceLocation;
}

/** One reason why one row failed, as it is stored beside the row. */
export interface Reason {
  readonly rule: string;
  readonly family: string;
  readonly column: string | null;
  readonly severity: Severity;
  readonly message: string;
  /** The observed value as text, cut at 256 characters; `<masked>` where the contract classifies the column; null where there is none. */
  readonly observed: string | null;
  readonly limit: string | null;
}

/** Offending rows of one rule in one batch, ascending. */
export interface Violations {
  readonly rule: number;
  readonly rows: Uint32Array;
}

/** What validation found in one batch. */
export interface Validation {
  readonly violations: readonly Violations[];
  /** Rows each rule was applied to (decoded rows that pass its `where`), by rule index. */
  readonly checked: Float64Array;
  /** 1 where a row failed at least one rule of severity `error` and scope `row`, or was not decoded. */
  readonly rejected: Uint8Array;
}

/** A rule's outcome over a whole window. */
export interface RuleOutcome {
  readonly rule: string;
  readonly family: string;
  readonly column: string | null;
  readonly severity: Severity;
  readonly dimension: string | null;
  readonly checked: number;
  readonly failed: number;
  readonly status: "pass" | "fail" | "skipped" | "error";
  /** What failed beyond rows: the tolerance or threshold, in words; null where nothing did. */
  readonly breach: string | null;
  readonly owner?: string | null;
  /** What a metric rule measured; absent for other rules, and for values of classified columns. */
  readonly measured?: Measured;
  /** Why a metric was not judged, or what to know of an estimate; absent where there is nothing to say. */
  readonly note?: string;
}

/** A metric's value with the bounds of its error; all three equal where it is exact. */
export interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The state of one metric rule: plain values (structured-clonable), to be merged and read by the rule's `WindowMetric`. */
export interface MetricState {
  /** The rule's id. */
  readonly rule: string;
  /** Rows that the rule was applied to. */
  readonly checked: number;
  readonly state: unknown;
}

/** A metric rule as something to merge: states of several windows or workers become one, which is judged as a window's. */
export interface WindowMetric {
  readonly plan: RulePlan;
  merge(a: MetricState, b: MetricState): MetricState;
  /** The rule's outcome over all rows of a state. */
  judge(state: MetricState): RuleOutcome;
  /** The number that a state stands for in the threshold's unit, or why there is none. Not masked: not for people or events. */
  read(state: MetricState): Measured | string;
}

/** Offenders of an earlier batch that only a later one, or the world outside of the window, showed. */
export interface LateViolations extends Violations {
  readonly batch: number;
  /** What was expected of each of the rows; absent: what the rule says of itself. */
  readonly expected?: readonly string[];
}

/** The rules of one open window: stateful, because duplicates and counts span its batches. */
export interface WindowValidator {
  /** Batches are numbered 0, 1, ... in the order they are added. */
  add(batch: Batch): Validation;
  /** Ends the window. `late` adds to what `add` answered; outcomes are of the whole window, one a rule, in rule order. */
  close(): {
    readonly outcomes: readonly RuleOutcome[];
    readonly late: readonly LateViolations[];
    readonly metrics?: readonly MetricState[];
  };
}

/** A contract's rules, compiled. */
export interface Validator {
  /** The metric rules by id. */
  readonly metrics?: ReadonlyMap<string, WindowMetric>;
  open(): WindowValidator;
  /**
   * Every reason of the given row (decode fault included), for the quarantine table and `sluice check`. `expected`: what rules that were answered from outside
   * expected of it, by rule index.
   */
  reasons(batch: Batch, row: number, violated: readonly number[], expected?: ReadonlyMap<number, string>): Reason[];
}
