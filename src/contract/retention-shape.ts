import { boolean, listOf, oneOf } from "./shape.ts";
import type { Key, ObjectShape, Shape } from "./shape.ts";
import { key, name, needed } from "./rule-keys.ts";

const span: Shape = {
  type: "string",
  pattern: {
    regex: /^[1-9][0-9]{0,4} ?(d|days?|w|weeks?|months?|y|yrs?|years?)$/u,
    words: `a span such as "90 days", "18 months" or "3 y"`,
  },
};

const age: Shape = {
  type: "string",
  pattern: {
    regex: /^([1-9][0-9]{0,4} ?(d|days?|w|weeks?|months?|y|yrs?|years?)|sla)$/u,
    words: `a span such as "90 days" or "3 y", or "sla"`,
  },
};

const size: Shape = {
  type: "string",
  pattern: { regex: /^[1-9][0-9]{0,11} ?(B|KiB|MiB|GiB|TiB)$/u, words: `a size such as "500 GiB" (B, KiB, MiB, GiB, TiB)` },
};

const rule: ObjectShape = {
  type: "object",
  keys: {
    action: needed(
      oneOf(["expire", "archive"]),
      "expire: rows go from `main`; archive: data files move to another place, and stay readable.",
    ),
    of: key(oneOf(["rows", "quarantine"]), "The promoted table, or the quarantine table.", "rows"),
    olderThan: key(age, "Of at least this age, in whole days of UTC; `sla`: as the contract's `slaProperties` promise under `retention`."),
    column: key(name, "The date or timestamp that a row's age goes by.", "when it was promoted; with `sla`, the promise's `element`"),
    unreadFor: key(span, "No reading of a version that holds the data is known for so long."),
    beyond: key(size, "The oldest files beyond this size of the table."),
    unowned: key(boolean, "true: only while the contract names nobody who owns the dataset.", "false"),
    place: key(name, "The archive's name in the configuration (`lake.archives`); needed with `archive`."),
    tagged: key(
      boolean,
      "true, with `archive`: files that tags name are moved as well; each tag gets a version of the same rows in which they stand in the archive.",
      "false",
    ),
  },
  atLeastOne: ["olderThan", "unreadFor", "beyond", "unowned"],
};

/** The setting of what becomes of old data. */
export const retentionKey: Key = key(
  listOf(rule),
  "What becomes of old data: each rule by itself, in this order; of a rule's conditions all must hold. Tags, branches and held windows keep what they name.",
  "none: data stays",
);
