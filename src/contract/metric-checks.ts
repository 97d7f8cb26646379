import { operatorNames } from "./odcs-quality.ts";
import { acrossMetrics } from "./across-checks.ts";
import type { CheckShape } from "./row-checks.ts";
import { column, constant, key, name, needed, number } from "./rule-keys.ts";
import { listOf, oneOf, string } from "./shape.ts";
import type { Key, Keys, ObjectShape, Shape } from "./shape.ts";

const bound: Shape = { type: "either", of: [number, string] };

/** A metric's threshold: numbers, or dates and times where the metric is one. */
function metricThreshold(units: readonly string[]): ObjectShape {
  return {
    type: "object",
    keys: {
      ...Object.fromEntries(
        operatorNames.map((each) => [
          each,
          key(each.endsWith("Between") ? listOf(bound, { min: 2, max: 2, unique: true }) : bound, `As in ODCS: ${each}.`),
        ]),
      ),
      unit: key(oneOf(units), "What the number is.", units[0]),
    },
    exactlyOne: operatorNames,
  };
}

const valueThreshold = metricThreshold(["value"]);
const shareThreshold = metricThreshold(["percent", "rows"]);
const countThreshold = metricThreshold(["value", "percent"]);
const percentThreshold = metricThreshold(["percent"]);
const changeThreshold = metricThreshold(["percent", "value"]);

/** The thresholds of metrics by their name in the JSON Schema. */
export const metricThresholds: Readonly<Record<string, ObjectShape>> = {
  valueThreshold,
  shareThreshold,
  countThreshold,
  percentThreshold,
  changeThreshold,
};

const judged = (shape: ObjectShape): Key => needed(shape, "What the metric is compared with.");
const judgedOrNone = (shape: ObjectShape): Key => key(shape, "What the number is compared with.", "it must be 0");

const of: Key = key(oneOf(["value", "length"]), "length: of the text's length in code points (binary: bytes).", "value");
const measured = (doc: string): CheckShape => ({ doc, keys: { column, of, threshold: judged(valueThreshold) } });
const share = (doc: string): CheckShape => ({ doc, keys: { column, threshold: judged(shareThreshold) } });

/** Metrics that ratios can be made of. */
const simpleMetrics: Readonly<Record<string, CheckShape>> = {
  completeness: share("The share of rows in which the column has a value."),
  uniqueness: share("The share of the column's values that stand only once."),
  distinctCount: {
    doc: "The number of different values of the column; in percent, their share of all values.",
    keys: { column, threshold: judged(countThreshold) },
  },
  distinctSet: {
    doc: "The set of the column's values in the window against a declared one.",
    keys: {
      column,
      values: needed(listOf(constant, { min: 1 }), "The declared set."),
      relation: key(oneOf(["equal", "subset", "superset"]), "What the values seen are of the declared ones.", "equal"),
      threshold: judgedOrNone(valueThreshold),
    },
  },
  mean: measured("The mean of the column's values."),
  stdev: measured("The sample standard deviation of the column's values (divisor n - 1)."),
  sum: measured("The sum of the column's values."),
  min: measured("The least value of the column."),
  max: measured("The greatest value of the column."),
  quantile: {
    doc: "A quantile of the column's values: the least one that at least the share `q` of them is at or below.",
    keys: {
      column,
      q: needed({ type: "number", min: 0 }, "The share, from 0 to 1; 0.5 is the median."),
      of,
      threshold: judged(valueThreshold),
    },
  },
  entropy: {
    doc: "The Shannon entropy of the column's values in bits: 0 where all are equal, log2(n) where n values are equally common.",
    keys: { column, threshold: judged(valueThreshold) },
  },
  zeros: share("The share of zeros among the column's values."),
  negatives: share("The share of numbers below zero among the column's values."),
  mostCommon: share("The share of the commonest value among the column's values."),
  correlation: {
    doc: "Pearson's correlation of two columns, over rows in which both have a value.",
    keys: {
      left: key(name, "The first column's path.", "the property that it stands under"),
      right: needed(name, "The second column's path."),
      threshold: judged(valueThreshold),
    },
  },
};

function withoutThreshold(keys: Keys): Keys {
  return Object.fromEntries(Object.entries(keys).filter(([each]) => each !== "threshold"));
}

/** What a part of a ratio takes, by its check. */
export const ratioParts: Readonly<Record<string, CheckShape>> = {
  rowCount: { doc: "The number of rows.", keys: {} },
  ...Object.fromEntries(Object.entries(simpleMetrics).map(([check, { doc, keys }]) => [check, { doc, keys: withoutThreshold(keys) }])),
};

/** Checks of whole windows by a number; `part` is the shape of a ratio's parts. */
export function metricChecks(part: Shape): Readonly<Record<string, CheckShape>> {
  return {
    ...simpleMetrics,
    ...acrossMetrics(part, { value: valueThreshold, change: changeThreshold }),
    groups: {
      doc: "A number of every group of rows with equal values in some columns; each group must meet the threshold.",
      keys: {
        by: needed(listOf(name, { min: 1, unique: true }), "The paths of the columns that make the groups; null makes one too."),
        aggregate: key(oneOf(["count", "sum", "mean", "min", "max"]), "What is measured.", "count"),
        column: key(name, "The path of the column that is measured; not for `count`.", "the property that it stands under"),
        groupsMax: key({ type: "integer", min: 1 }, "With more groups the rule can't be evaluated, and the window is held.", "10,000"),
        threshold: judged(valueThreshold),
      },
    },
    ratio: {
      doc: "One metric of the window divided by another.",
      keys: {
        numerator: needed(part, "The metric above: `check` with its keys, and a `where` of its own."),
        denominator: needed(part, "The metric below."),
        threshold: judged(valueThreshold),
      },
    },
    missingColumns: {
      doc: "Columns that no row of the window has, not even as null: renamed or dropped by the producer.",
      keys: {
        columns: key(listOf(name, { min: 1, unique: true }), "The columns' paths.", "all at the top"),
        threshold: judgedOrNone(valueThreshold),
      },
    },
    newColumns: {
      doc: "The number of fields in the window's records that the contract does not name; the dataset must keep unknown fields.",
      keys: {
        except: key(listOf(name, { unique: true }), "Paths of unknown fields that may stand.", "none"),
        threshold: judgedOrNone(valueThreshold),
      },
    },
    typeChanges: {
      doc: "The share of cells that are not of their column's type, in the column where it is greatest.",
      keys: { columns: key(listOf(name, { min: 1, unique: true }), "The columns' paths.", "all"), threshold: judged(percentThreshold) },
    },
  };
}
