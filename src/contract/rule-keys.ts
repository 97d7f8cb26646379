import type { textAt } from "./node.ts";
import { boolean, listOf, oneOf } from "./shape.ts";
import type { Key, Keys, ObjectShape, Shape } from "./shape.ts";
import { operatorNames } from "./odcs-quality.ts";

/** Any number. */
export const number: Shape = { type: "number" };
/** A count, from 0. */
export const count: Shape = { type: "integer", min: 0 };
/** A count, from 1. */
export const positive: Shape = { type: "integer", min: 1 };
/** A name or another text that says something. */
export const name: Shape = { type: "string", nonEmpty: true };
/** A constant to compare with. */
export const constant: Shape = { type: "scalar" };

/** A number for the reference page: `50,000`. */
export const countText = (value: number): string => value.toLocaleString("en-US");

/** A key that Sluice acts on. */
export const key = (shape: Shape, doc: string, byDefault?: string): Key => ({
  shape,
  use: "enforced",
  doc,
  ...(byDefault === undefined ? {} : { byDefault }),
});
/** As `key`, for one that must stand. */
export const needed = (shape: Shape, doc: string): Key => ({ ...key(shape, doc), required: true });

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

/** The column that a rule judges. */
export const column = key(name, "The path of the column that it judges.", "the property that it stands under");
