import type { FormatPlan } from "./format-plan.ts";
import type { IncidentPlan } from "./incident.ts";
import type { RecordPlan } from "./record-plan.ts";
import type { RetentionRule } from "./retention.ts";
import type { Condition, RulePlan } from "./rule.ts";
import type { Field } from "./schema.ts";
import type { TablePlan } from "./table-plan.ts";

/** What happens to records that have no ordinary value. Every policy ends in a count; none drops in silence. */
export interface Policies {
  /** A null value (Kafka's delete marker). */
  readonly tombstone: "skip" | "quarantine";
  /** Bytes that are no row; there is no other place for them than quarantine. */
  readonly undecodable: "quarantine";
  /** Values above `bytes` are never decoded. */
  readonly oversized: { readonly bytes: number; readonly action: "quarantine" };
  /** Event time older than `seconds` before the window's close; null: not judged. */
  readonly late: { readonly column: string; readonly seconds: number; readonly action: "promote" | "quarantine" | "skip" } | null;
  /** Fields that the contract does not name. */
  readonly unknownFields: "ignore" | "keep" | "reject";
  /** The record's key: not used, or a text column: the field of `fields` with this name is filled from the key, not from the value. */
  readonly key: { readonly action: "ignore" } | { readonly action: "column"; readonly name: string };
}

export interface WindowLimits {
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** Rows of a column that drift judges by themselves. */
export interface DriftSegment {
  /** The column's path. */
  readonly of: string;
  readonly where: Condition;
}

/** A model's prediction and the label that it is held against, by the paths of their columns. */
export interface DriftModel {
  readonly prediction: string;
  readonly label: string;
  readonly task: "classification" | "regression";
}

/** A column's drift check. */
export interface DriftCheckPlan {
  /** Other columns that its joint tests (`correlation`, `joint-mean`) take; absent: none. */
  readonly with?: readonly string[];
  /** A column's path, or the name of what has a profile of its own: `allFields`, a segment, such as `delay{carrier=WN}`, or a model's errors, `prediction~label`. */
  readonly column: string;
  /** What people read where that is not the column's path. */
  readonly called?: string;
  /** Which rows of which column; absent: all rows of `column`. */
  readonly segment?: DriftSegment;
  /** Of a model's errors: whose. */
  readonly model?: DriftModel;
  readonly tests: readonly string[];
  readonly policy: "observe" | "warn" | "hold";
  /** Effect size from which on a change matters, in the test's own unit; null: the test's default. */
  readonly limit: number | null;
}

/** Windows are compared with earlier ones of the same hour, the same day of the week, or both. */
export interface SeasonalBaseline {
  readonly kind: "seasonal";
  readonly by: readonly ("hour" | "weekday")[];
  /** How many earlier days of a season: the windows of one day's season are merged. */
  readonly windows: number;
  /** An IANA time zone. */
  readonly timezone: string;
  /** Dates (YYYY-MM-DD) that are a season of their own, whatever their day of the week. */
  readonly holidays: readonly string[];
}

export type DriftDetection =
  /** Evidence over time, with a wanted mean time between false alarms of the whole dataset. */
  | {
      readonly mode: "sequential";
      readonly detector: "shiryaev-roberts" | "cusum";
      readonly between: { readonly unit: "days" | "ticks"; readonly mean: number };
    }
  | { readonly mode: "each-tick" }
  /** The effect size alone, whatever chance gives. */
  | { readonly mode: "classical" };

export interface DriftPlan {
  readonly baseline:
    | { readonly kind: "rolling"; readonly windows: number }
    /** A snapshot id, or a tag of the promoted table. */
    | { readonly kind: "pinned"; readonly ref: string }
    | SeasonalBaseline
    /** The last promoted windows of another dataset of the lake. */
    | { readonly kind: "dataset"; readonly dataset: string; readonly windows: number };
  /** How ticks are judged; absent: each by itself. */
  readonly detection?: DriftDetection;
  /** A tick closes when its windows hold this many rows or span this many seconds. */
  readonly tick: { readonly rows: number; readonly seconds: number };
  /** Windows that must have been promoted before drift is judged; until then the outcome is `learning`. */
  readonly warmupWindows: number;
  readonly checks: readonly DriftCheckPlan[];
}

export interface Owner {
  readonly name: string;
  readonly role: string | null;
}

/** A contract compiled to typed values. User text stands in it only as constants. */
export interface Contract {
  /** ODCS `id`. */
  readonly id: string;
  readonly name: string | null;
  readonly version: string;
  /** `sha256:<hex>` of the contract file's bytes and of every file it references, in order. */
  readonly hash: string;
  /** The exact text, and its path for messages. */
  readonly text: string;
  readonly file: string;
  /** The files that it refers to (JSON Schemas), as they were read, in order; absent: none. */
  readonly references?: readonly { readonly path: string; readonly text: string }[];
  /** Lake name, `namespace.table` without the namespace: the schema object's `name`. */
  readonly dataset: string;
  /** The topic (or file source name) that feeds it: the schema object's `physicalName`. */
  readonly topic: string;
  readonly description: string | null;
  readonly owners: readonly Owner[];
  readonly fields: readonly Field[];
  /** What the values of records are; absent: JSON. */
  readonly format?: FormatPlan;
  /** How a record becomes a row where that takes more than `format`: framing, an envelope, a key of its own format; absent: by `format` alone. */
  readonly record?: RecordPlan;
  /** What it says of its table besides the columns; absent: nothing. */
  readonly table?: TablePlan;
  /** What becomes of old data, in the order the rules are applied; absent: nothing. */
  readonly retention?: readonly RetentionRule[];
  readonly rules: readonly RulePlan[];
  readonly window: WindowLimits;
  readonly policies: Policies;
  readonly drift: DriftPlan | null;
  /** What is an incident, and when it is over; absent: the defaults. */
  readonly incidents?: IncidentPlan;
  /** What a failed window-scope rule or tolerance does: hold the window (default) or stop the topic. */
  readonly onBreach: "hold" | "stop";
  /** What ODCS says and Sluice does not enforce; `sluice contract lint` lists it. */
  readonly unenforced: readonly string[];
}
