import { textFormats } from "../core/text-format.ts";
import { column, condition, constant, count, key, name, needed, number } from "./rule-keys.ts";
import { boolean, listOf, oneOf, string } from "./shape.ts";
import type { Keys, Shape } from "./shape.ts";

/** What a check takes besides the keys that all rules have. */
export interface CheckShape {
  readonly doc: string;
  readonly keys: Keys;
  readonly atLeastOne?: readonly string[];
}

/** Names of ways to compare two sides of a row. */
const comparisonNames = ["equals", "notEquals", "lessThan", "lessOrEqualTo", "greaterThan", "greaterOrEqualTo"] as const;

/** Names of checksums. */
const checksumNames = ["luhn", "mod97", "mod11", "mod11-10", "mod37-36", "ean", "isbn", "verhoeff", "damm"];

const tupleList: Shape = listOf(listOf(constant, { min: 2 }), { min: 1 });

/** Checks of single rows. */
export const rowChecks: Readonly<Record<string, CheckShape>> = {
  required: { doc: "The column has a value in every row.", keys: { column } },
  null: { doc: "Null values: the same offenders as `required`, counted as ODCS's nullValues counts.", keys: { column } },
  missing: {
    doc: "Values that count as missing: null, absent, or one of the list.",
    keys: { column, missingValues: key(listOf(constant), "Further values that count as missing.") },
  },
  range: {
    doc: "Numbers, dates, times and timestamps between bounds.",
    keys: {
      column,
      minimum: key({ type: "either", of: [number, string] }, "The least value."),
      maximum: key({ type: "either", of: [number, string] }, "The greatest value."),
      exclusiveMinimum: key({ type: "either", of: [number, string] }, "Values are above this."),
      exclusiveMaximum: key({ type: "either", of: [number, string] }, "Values are below this."),
    },
    atLeastOne: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  },
  multipleOf: {
    doc: "Numbers that are multiples.",
    keys: { column, multipleOf: needed({ type: "number", above: 0 }, "Of this number, exactly.") },
  },
  length: {
    doc: "Text of a length in Unicode code points.",
    keys: { column, minLength: key(count, "The least length."), maxLength: key(count, "The greatest length.") },
    atLeastOne: ["minLength", "maxLength"],
  },
  pattern: {
    doc: "Text that contains a match of a pattern of RE2's syntax.",
    keys: { column, pattern: needed(name, "Anchor it with ^ and $ to mean the whole text.") },
  },
  format: {
    doc: "Text of a named format; of a number column, `latitude` and `longitude`.",
    keys: { column, format: needed(oneOf(textFormats.map((each) => each.name)), "The format.") },
  },
  set: {
    doc: "Values out of a list, or not out of a list.",
    keys: {
      column,
      allowed: key(listOf(constant, { min: 1 }), "The allowed values."),
      forbidden: key(listOf(constant, { min: 1 }), "The forbidden values."),
    },
    atLeastOne: ["allowed", "forbidden"],
  },
  items: {
    doc: "Lists of a length, or without repeated items.",
    keys: {
      column,
      minItems: key(count, "The least number of items."),
      maxItems: key(count, "The greatest number of items."),
      uniqueItems: key(boolean, "No item stands twice."),
    },
    atLeastOne: ["minItems", "maxItems", "uniqueItems"],
  },
  duplicate: {
    doc: "Rows with equal values in all the columns.",
    keys: {
      columns: key(listOf(name, { min: 1, unique: true }), "The columns' paths.", "the property that it stands under"),
      keep: key(oneOf(["first", "none"]), "first: later rows offend; none: all of them do.", "first"),
      scope: key(
        oneOf(["window", "dataset"]),
        "window: rows of one window; dataset: records of the whole dataset, whichever window, partition or worker they come by, exactly and across restarts.",
        "window",
      ),
      horizonSeconds: key(
        { type: "number", above: 0 },
        "With `scope: dataset`: records whose timestamps are at least this far apart are no duplicates, and keys twice as old are forgotten.",
        "for ever",
      ),
    },
  },
  compare: {
    doc: "Two columns of a row.",
    keys: {
      left: key(name, "The first column's path.", "the property that it stands under"),
      operator: needed(oneOf(comparisonNames), "How they compare."),
      right: needed(name, "The second column's path."),
    },
  },
  condition: { doc: "A condition that every row meets.", keys: { condition: needed(condition, "The condition.") } },
  jsonSchema: {
    doc: "The whole record against a JSON Schema.",
    keys: {
      schema: key({ type: "either", of: [{ type: "anyObject" }, boolean] }, "The schema, in place."),
      file: key(name, "The schema's file, relative to the contract."),
      draft: key(oneOf(["2020-12", "draft-07"]), "Its draft.", "what its $schema says, else 2020-12"),
    },
    atLeastOne: ["schema", "file"],
  },
  empty: {
    doc: "Text that has something in it. Null is judged by `required`.",
    keys: { column, whitespace: key(boolean, "Text of white space only counts as empty too.", "true") },
  },
  checksum: {
    doc: "Numbers that carry their own check digits: national ids, account and tracking numbers. Spaces and hyphens are passed over.",
    keys: {
      column,
      algorithm: needed(oneOf(checksumNames), "How the check digits are made."),
      lengths: key(listOf({ type: "integer", min: 2 }, { min: 1, unique: true }), "How many characters there may be.", "any number"),
    },
  },
  tuples: {
    doc: "The values of several columns of a row together, out of a list or not out of a list.",
    keys: {
      columns: needed(listOf(name, { min: 2, unique: true }), "The columns' paths."),
      allowed: key(tupleList, "The allowed combinations, each a list of values in the columns' order."),
      forbidden: key(tupleList, "The forbidden combinations."),
    },
    atLeastOne: ["allowed", "forbidden"],
  },
  complete: {
    doc: "How many of several columns of a row have a value.",
    keys: {
      columns: needed(listOf(name, { min: 2, unique: true }), "The columns' paths."),
      quantity: key(oneOf(["all", "any", "exactlyOne", "allOrNone"]), "How many of them.", "all"),
    },
  },
  arithmetic: {
    doc: "Sums, differences and products over columns of a row, compared exactly on decimal digits.",
    keys: {
      equation: needed(
        name,
        "Two sides with `=`, `!=`, `<`, `<=`, `>` or `>=` between, of column paths, numbers, `+`, `-`, `*` and parentheses.",
      ),
      within: key({ type: "number", min: 0 }, "Sides no further apart than this are equal.", "0"),
    },
  },
  cel: {
    doc: "An expression of the Common Expression Language that is true of every row.",
    keys: { expression: needed(name, "Columns go by their names; `record` is the whole row.") },
  },
  unknownColumns: {
    doc: "Records without fields that the contract does not name; the dataset must keep unknown fields (`unknownFields: keep`).",
    keys: { except: key(listOf(name, { unique: true }), "Paths of unknown fields that may stand.", "none") },
  },
  monotonic: {
    doc: "Values in order: each one against the value before it in its partition, by offset.",
    keys: {
      column,
      direction: key(oneOf(["increasing", "decreasing"]), "Which way.", "increasing"),
      strict: key(boolean, "Equal values are out of order too.", "false"),
    },
  },
};
