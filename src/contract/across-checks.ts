import type { CheckShape } from "./row-checks.ts";
import { column, key, name, needed } from "./rule-keys.ts";
import { listOf, oneOf } from "./shape.ts";
import type { ObjectShape, Shape } from "./shape.ts";

/** Checks of rows against what is not in the window. */
export const outsideChecks: Readonly<Record<string, CheckShape>> = {
  reference: {
    doc: "Values that a file beside the contract lists: a JSON list, a text with a value a line, or a CSV file with a header. The file is part of the contract and of its hash.",
    keys: {
      column,
      file: needed(name, "The file, relative to the contract; .json, .txt or .csv."),
      field: key(name, "The CSV file's column.", "its first"),
    },
  },
  sequence: {
    doc: "A whole number that counts up, without gaps, from one record of a key to the next, over all windows and restarts.",
    keys: {
      column,
      by: key(listOf(name, { min: 1, unique: true }), "The columns that make the key.", "one sequence in its scope"),
      scope: key(
        oneOf(["partition", "dataset"]),
        "partition: each partition has sequences of its own, which is right where all records of a key come by one partition; dataset: the records of all partitions, in the order in which their windows are judged.",
        "partition",
      ),
      step: key({ type: "integer", min: 1 }, "How much a number is more than the one before.", "1"),
    },
  },
  foreignKey: {
    doc: "Values that a column of another dataset's promoted table holds; judged when the window closes, against its newest version then, which the decision names.",
    keys: {
      column,
      dataset: needed(name, "The other dataset, in the same lake."),
      foreignColumn: key(name, "Its column, at the top and of the same type.", "the column of the same name"),
    },
  },
};

/** Metrics that look at the records' times or at earlier windows; `metric` is the shape of a metric inside of another rule. */
export function acrossMetrics(
  metric: Shape,
  thresholds: Readonly<Record<"value" | "change", ObjectShape>>,
): Readonly<Record<string, CheckShape>> {
  const judged = needed(thresholds.value, "What the metric is compared with.");
  return {
    volume: {
      doc: "Rows a minute, by the timestamps of the records themselves: a backlog has the rate at which it was written. Windows that span less than a second are not judged.",
      keys: { threshold: judged },
    },
    freshness: {
      doc: "Seconds from the newest value of a column of instants to the window's close.",
      keys: { column, threshold: judged },
    },
    eventLag: {
      doc: "Seconds from an instant in the record to the record's own timestamp: a quantile of them.",
      keys: {
        column,
        q: key({ type: "number", min: 0 }, "The quantile, from 0 to 1.", "0.5"),
        threshold: judged,
      },
    },
    change: {
      doc: "A metric against its mean over the promoted windows before. Windows that were held, failed the rule or were cut short are not remembered; until enough were seen, the rule learns and passes.",
      keys: {
        metric: needed(metric, "The metric: `check` with its keys."),
        windows: key({ type: "integer", min: 1 }, "How many windows are remembered.", "20"),
        windowsMin: key(
          { type: "integer", min: 1 },
          "How many must have been seen.",
          "5, or `windows` where that is less; with `against`, 1",
        ),
        against: key(
          name,
          "A version of the promoted table (a tag, a branch or a snapshot's id): its last windows are what is compared with, and later ones are not. It is looked up where a worker begins or the contract changes.",
          "the windows before",
        ),
        by: key(
          oneOf(["percent", "difference", "ratio", "deviations"]),
          "What is compared with the threshold: the change in percent of the mean, the difference from it, the ratio to it, or the difference in standard deviations of those windows.",
          "percent",
        ),
        threshold: needed(thresholds.change, "What the change is compared with."),
      },
    },
  };
}
