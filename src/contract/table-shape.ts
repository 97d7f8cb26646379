import { listOf, oneOf } from "./shape.ts";
import type { Key, ObjectShape, Shape } from "./shape.ts";

const name: Shape = { type: "string", nonEmpty: true };

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
    column: { shape: name, required: true, use: "enforced", doc: "The column's path; not inside of a list or map." },
    transform: {
      shape: transform,
      use: "enforced",
      doc: "What of its value makes the partition: `identity`, `year`, `month`, `day`, `hour`, `bucket(N)` or `truncate(N)`.",
      byDefault: "identity",
    },
  },
};

const sort: ObjectShape = {
  type: "object",
  keys: {
    column: { shape: name, required: true, use: "enforced", doc: "The column's path; not inside of a list or map." },
    direction: { shape: oneOf(["asc", "desc"]), use: "enforced", doc: "Ascending or descending.", byDefault: "asc" },
    nulls: {
      shape: oneOf(["first", "last"]),
      use: "enforced",
      doc: "Where rows without a value stand.",
      byDefault: "first, or last where descending",
    },
  },
};

/** Settings of how a dataset's table is laid out. */
export const tableKeys: Readonly<Record<string, Key>> = {
  partitionBy: {
    shape: listOf(partition),
    use: "enforced",
    doc: "How the table is partitioned; none in the list: not at all. Files of earlier contracts stay as they were partitioned.",
    byDefault: "as the table is",
  },
  sortBy: {
    shape: listOf(sort),
    use: "enforced",
    doc: "The order of rows in each file; none in the list: as they came.",
    byDefault: "as the table is",
  },
  statistics: {
    shape: oneOf(["none", "window"]),
    use: "enforced",
    doc: "`window`: each window leaves its decision and its whole profile as a statistics file (Puffin) of its snapshot.",
    byDefault: "as the table is; none for a new one",
  },
  formatVersion: {
    shape: { type: "integer", min: 2, max: 3 },
    use: "enforced",
    doc: "Iceberg's format version: 3 numbers every row (`_row_id`), and takes readers that know it. A table does not go back to 2.",
    byDefault: "as the table is; 2 for a new one",
  },
};

/** Sluice's settings of one column: the value of the custom property `sluice` of a property. */
export const columnSettings: ObjectShape = {
  type: "object",
  keys: {
    previousName: {
      shape: { type: "either", of: [name, listOf(name, { min: 1, unique: true })] },
      use: "enforced",
      doc: "The name that the column had in an earlier contract, or such names, newest first: its values are kept under the new name.",
      byDefault: "none: a column of another name is another column",
    },
    earlierRows: {
      shape: oneOf(["empty"]),
      use: "enforced",
      doc: "`empty`: rows promoted before the column was added may be without a value, though it is required now. Without it, adding a required column to a table that has rows is refused.",
    },
  },
};
