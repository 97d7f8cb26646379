import { textAt } from "./node.ts";
import { boolean, listOf, oneOf, string } from "./shape.ts";
import type { Key, Keys, ObjectShape, Shape } from "./shape.ts";
import { textFormats } from "./compile-patterns.ts";
import { operatorNames } from "./odcs-quality.ts";

const number: Shape = { type: "number" };
const count: Shape = { type: "integer", min: 0 };
const name: Shape = { type: "string", nonEmpty: true };
const constant: Shape = { type: "scalar" };

const key = (shape: Shape, doc: string, byDefault?: string): Key => ({
  shape,
  use: "enforced",
  doc,
  ...(byDefault === undefined ? {} : { byDefault }),
});
const needed = (shape: Shape, doc: string): Key => ({ ...key(shape, doc), required: true });

/** Comparisons of a column with constants; a leaf of a condition has exactly one. */
export const leafOperators: Keys = {
  equals: key(constant, "The column equals this."),
  notEquals: key(constant, "The column has a value, and another than this."),
  lessThan: key(constant, "The column is below this."),
  lessOrEqualTo: key(constant, "The column is at most this."),
  greaterThan: key(constant, "The column is above this."),
  greaterOrEqualTo: key(constant, "The column is at least this."),
  in: key(listOf(constant, { min: 1 }), "The column is one of these."),
  notIn: key(listOf(constant, { min: 1 }), "The column has a value, and none of these."),
  isNull: key(boolean, "true: the column has no value; false: it has one."),
};

const conditions: Shape = { type: "named", name: "condition", shape: () => listOf(condition, { min: 1 }) };

/** A filter over a row: `and`, `or`, `not`, or a column with one comparison. */
export const condition: ObjectShape = {
  type: "object",
  keys: {
    and: key(conditions, "All of these hold."),
    or: key(conditions, "At least one of these holds."),
    not: key({ type: "named", name: "condition", shape: () => condition }, "This does not hold."),
    column: key(name, "The column's path; it goes with one of the comparisons below."),
    ...leafOperators,
  },
  exactlyOne: ["and", "or", "not", "column"],
  more: (node) =>
    node.entries.has("column") ? { keys: {}, exactlyOne: Object.keys(leafOperators) } : { keys: {}, faults: strayOperators(node) },
};

function strayOperators(node: Parameters<typeof textAt>[0] & object): { key: string; message: string }[] {
  if (node.kind !== "object") return [];
  return Object.keys(leafOperators)
    .filter((each) => node.entries.has(each))
    .map((each) => ({ key: each, message: `"${each}" needs a "column"` }));
}

/** Thresholds of Sluice's own rules: the eight operators of ODCS, with numbers only. */
export const threshold: ObjectShape = {
  type: "object",
  keys: {
    ...Object.fromEntries(
      operatorNames.map((each) => [
        each,
        key(each.endsWith("Between") ? listOf(number, { min: 2, max: 2, unique: true }) : number, `As in ODCS: ${each}.`),
      ]),
    ),
    unit: key(oneOf(["rows", "percent"]), "What the number counts.", "rows"),
  },
  exactlyOne: operatorNames,
};

/** How many offenders a window may have. */
export const tolerance: ObjectShape = {
  type: "object",
  keys: {
    rows: key(count, "So many offending rows of a window are quarantined; more hold the window."),
    percent: key({ type: "number", min: 0 }, "The same as a share of the rows that the rule judged."),
  },
  exactlyOne: ["rows", "percent"],
};

const column = key(name, "The path of the column that it judges.", "the property that it stands under");

/** What each check takes besides the keys that all rules have. */
export const ruleChecks: Readonly<Record<string, { readonly doc: string; readonly keys: Keys; readonly atLeastOne?: readonly string[] }>> =
  {
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
      doc: "Text of a named format.",
      keys: { column, format: needed(oneOf(textFormats.filter((each) => !["password", "byte", "binary"].includes(each))), "The format.") },
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
      doc: "Rows of one window with equal values in all the columns.",
      keys: {
        columns: key(listOf(name, { min: 1, unique: true }), "The columns' paths.", "the property that it stands under"),
        keep: key(oneOf(["first", "none"]), "first: later rows offend; none: all of them do.", "first"),
      },
    },
    compare: {
      doc: "Two columns of a row.",
      keys: {
        left: key(name, "The first column's path.", "the property that it stands under"),
        operator: needed(
          oneOf(["equals", "notEquals", "lessThan", "lessOrEqualTo", "greaterThan", "greaterOrEqualTo"]),
          "How they compare.",
        ),
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
    rowCount: { doc: "The number of rows of a window; it needs a threshold.", keys: {} },
  };

/** Of these keys a check may have only one. */
export const exclusives: Readonly<Record<string, readonly string[]>> = { set: ["allowed", "forbidden"], jsonSchema: ["schema", "file"] };

/** Keys that all of Sluice's own rules have. */
export const ruleKeys: Keys = {
  check: needed(oneOf(Object.keys(ruleChecks)), "What is checked; it decides which further keys there are."),
  severity: key(
    oneOf(["error", "warning"]),
    "error rejects rows or holds windows; warning only counts.",
    "the quality entry's severity, else error",
  ),
  where: key(condition, "Only rows that meet this are judged."),
  tolerance: key(
    tolerance,
    "How many offenders a window may have; with more it is held.",
    "any number: offenders are quarantined one by one",
  ),
  threshold: key(threshold, "Judges the window by the number of offenders instead of rejecting rows."),
};

/** Keys of a rule that say nothing of what it checks. */
const sideKeys = new Set(["severity", "where", "tolerance", "threshold", "keep"]);

/** The `implementation` of a quality entry of `type: custom, engine: sluice`. */
export const sluiceRule: ObjectShape = {
  type: "object",
  keys: ruleKeys,
  soundWithout: (lost) => lost.every((name) => sideKeys.has(name)),
  more: (node) => {
    const check = textAt(node, "check") ?? "";
    const variant = Object.hasOwn(ruleChecks, check) ? ruleChecks[check] : undefined;
    if (variant === undefined) return { keys: anyCheckKeys };
    const faults: { key: string; message: string }[] = [];
    if (node.entries.has("tolerance") && node.entries.has("threshold")) {
      faults.push({
        key: "tolerance",
        message: "a rule has a tolerance (rows are rejected) or a threshold (the window is judged), not both",
      });
    }
    const one = exclusives[check];
    if (one !== undefined && one.every((each) => node.entries.has(each))) {
      faults.push({ key: one[1] as string, message: `only one of ${one.join(", ")}` });
    }
    if (variant.atLeastOne !== undefined && !variant.atLeastOne.some((each) => node.entries.has(each))) {
      faults.push({ key: "check", message: `check "${check}" needs ${variant.atLeastOne.join(" or ")}` });
    }
    if (check === "rowCount") {
      if (!node.entries.has("threshold")) faults.push({ key: "check", message: `check "rowCount" needs a threshold` });
      if (node.entries.has("where")) faults.push({ key: "where", message: `check "rowCount" counts all rows: it has no "where"` });
    }
    return { keys: variant.keys, faults };
  },
};

/** Where `check` itself is wrong, the keys of all checks pass, so that one mistake gives one message. */
const anyCheckKeys: Keys = Object.fromEntries(
  Object.values(ruleChecks).flatMap(({ keys }) => Object.entries(keys).map(([name, each]) => [name, { ...each, required: false }])),
);
