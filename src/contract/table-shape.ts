import { key, name, needed } from "./rule-keys.ts";
import { listOf, oneOf } from "./shape.ts";
import type { Key, ObjectShape, Shape } from "./shape.ts";

const transform: Shape = {
  type: "string",
  pattern: {
    regex: /^(identity|year|month|day|hour|(bucket|truncate)(\[[1-9][0-9]{0,8}\]|\([1-9][0-9]{0,8}\)))$/u,
    words: "identity, year, month, day, hour, bucket(N) or truncate(N)",
  },
};

const partition: ObjectShape = {
  type: "object",
  keys: {
    column: needed(name, "The column's path; not inside of a list or map."),
    transform: key(
      transform,
      "What of its value makes the partition: `identity`, `year`, `month`, `day`, `hour`, `bucket(N)` or `truncate(N)`.",
      "identity",
    ),
  },
};

const sort: ObjectShape = {
  type: "object",
  keys: {
    column: needed(name, "The column's path; not inside of a list or map."),
    direction: key(oneOf(["asc", "desc"]), "Ascending or descending.", "asc"),
    nulls: key(oneOf(["first", "last"]), "Where rows without a value stand.", "first, or last where descending"),
  },
};

/** Settings of how a dataset's table is laid out. */
export const tableKeys: Readonly<Record<string, Key>> = {
  partitionBy: key(
    listOf(partition),
    "How the table is partitioned; none in the list: not at all. Files of earlier contracts stay as they were partitioned.",
    "as the table is",
  ),
  sortBy: key(listOf(sort), "The order of rows in each file; none in the list: as they came.", "as the table is"),
  statistics: key(
    oneOf(["none", "window"]),
    "`window`: each window leaves its decision and its whole profile as a statistics file (Puffin) of its snapshot.",
    "as the table is; none for a new one",
  ),
  formatVersion: key(
    { type: "integer", min: 2, max: 3 },
    "Iceberg's format version: 3 numbers every row (`_row_id`), and takes readers that know it. A table does not go back to 2.",
    "as the table is; 2 for a new one",
  ),
};

/** Sluice's settings of one column: the value of the custom property `sluice` of a property. */
export const columnSettings: ObjectShape = {
  type: "object",
  keys: {
    previousName: key(
      { type: "either", of: [name, listOf(name, { min: 1, unique: true })] },
      "The name that the column had in an earlier contract, or such names, newest first: its values are kept under the new name.",
      "none: a column of another name is another column",
    ),
    default: key(
      { type: "scalar" },
      "The value that rows promoted before the column was added have, also where it is required: Iceberg's `initial-default` and `write-default`. Takes `formatVersion: 3`, and a column at the top of a plain type. Records have to bring the column all the same where it is required. What earlier rows have never changes afterwards.",
      "none: earlier rows are null",
    ),
    earlierRows: key(
      oneOf(["empty"]),
      "`empty`: rows promoted before the column was added may be without a value, though it is required now. Without it, adding a required column to a table that has rows is refused.",
    ),
  },
};
