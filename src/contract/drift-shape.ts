import { columnTestNames, fieldTestNames } from "../core/drift.ts";
import { condition, constant, countText, key, name, needed, positive } from "./rule-keys.ts";
import { settingDefaults } from "./setting-defaults.ts";
import { boolean, listOf, oneOf } from "./shape.ts";
import type { ObjectShape, Shape } from "./shape.ts";

const defaults = settingDefaults.drift;

const policy = key(
  oneOf(["observe", "warn", "hold"]),
  "observe: recorded; warn: alerts; hold: holds the window that closes the tick.",
  "warn",
);

const schemaCheck: ObjectShape = {
  type: "object",
  keys: {
    tests: key(listOf(oneOf(fieldTestNames), { min: 1, unique: true }), "The tests.", fieldTestNames.join(", ")),
    policy,
    limit: key({ type: "number", above: 0, max: 1 }, "The share of records from which on a change matters.", "0.01"),
  },
};

const modelCheck: ObjectShape = {
  type: "object",
  keys: {
    prediction: needed(name, "The column with the model's prediction."),
    label: key(name, "The column with what was true, where and when records have it.", "none: errors are not watched"),
    score: key(name, "A column with a score or probability.", "none"),
    task: key(
      oneOf(["classification", "regression"]),
      "classification: a prediction is right or wrong, and the error rate is watched; regression: the mean absolute error.",
      "classification of text and booleans, regression of numbers",
    ),
    policy,
    errorLimit: key(
      { type: "number", above: 0 },
      "From which change on errors matter: of the error rate as a share, of the mean absolute error as the logarithm of the ratio.",
      "0.02; of regression 0.2",
    ),
  },
};

/** Values or conditions that one entry makes segments by, at most. */
const segmentsMax = 50;

const segments: ObjectShape = {
  type: "object",
  keys: {
    by: key(
      {
        type: "object",
        keys: {
          column: needed(name, "The column whose values make the segments."),
          values: needed(listOf(constant, { min: 1, max: segmentsMax, unique: true }), "Its values, each a segment."),
          other: key(boolean, "Whether the rows of all other values, and of none, are a segment too.", "true"),
        },
      },
      "A segment a value of a column.",
    ),
    filters: key(
      listOf(
        {
          type: "object",
          keys: {
            name: needed(name, "What results and incidents call it."),
            where: needed({ type: "named", name: "condition", shape: () => condition }, "Which rows it has, as in rules."),
          },
        },
        { min: 1, max: segmentsMax },
      ),
      "A segment a condition; they may overlap.",
    ),
  },
  exactlyOne: ["by", "filters"],
};

const driftCheck: ObjectShape = {
  type: "object",
  keys: {
    column: needed(name, "The column's path."),
    tests: key(listOf(oneOf(columnTestNames), { min: 1, unique: true }), "The tests.", defaults.tests.join(", ")),
    with: key(
      listOf(name, { min: 1, max: 11, unique: true }),
      "Other columns of numbers or times that `correlation` and `joint-mean` take together with this one.",
    ),
    policy,
    segments: key(segments, "Parts of the rows that the tests judge by themselves too, each with a baseline of its own.", "none"),
    limit: key({ type: "number", above: 0 }, "The effect size from which on a change matters, in the test's unit.", "the test's own"),
  },
};

const seasonal: ObjectShape = {
  type: "object",
  keys: {
    by: needed(
      listOf(oneOf(["hour", "weekday"]), { min: 1, unique: true }),
      "What makes a season: the hour of the day, the day of the week, or both.",
    ),
    days: key(positive, "How many earlier days of the same season.", countText(defaults.seasonalDays)),
    timezone: key(name, "The IANA time zone of hours and days, such as Europe/Berlin.", "UTC"),
    holidays: key(
      listOf({ type: "string", pattern: { regex: /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/u, words: "a date as YYYY-MM-DD" } }, { unique: true }),
      "Dates that are a season of their own, whatever their day of the week.",
      "none",
    ),
  },
};

const otherDataset: ObjectShape = {
  type: "object",
  keys: {
    name: needed(name, "Its name in the lake."),
    windows: key(positive, "Its last so many promoted windows.", countText(defaults.rollingWindows)),
  },
};

const span: Shape = {
  type: "string",
  pattern: { regex: /^[1-9][0-9]{0,4} (hour|day|week)s?$/u, words: `a time such as "30 days" (hours, days, weeks)` },
};

/** The settings of drift checks. */
export const drift: ObjectShape = {
  type: "object",
  keys: {
    baseline: key(
      {
        type: "object",
        keys: {
          rolling: key(positive, "The last so many promoted windows."),
          pinned: key(name, "A snapshot id, or a tag of the promoted table."),
          seasonal: key(seasonal, "Earlier windows of the same hour, the same day of the week, or both."),
          dataset: key(otherDataset, "Another dataset of the lake."),
        },
        exactlyOne: ["rolling", "pinned", "seasonal", "dataset"],
      },
      "What windows are compared with: promoted windows, never the one under test.",
      `rolling: ${defaults.rollingWindows}`,
    ),
    mode: key(
      oneOf(["sequential", "each-tick", "classical"]),
      "sequential: evidence adds up over ticks until alarms by chance are as seldom as `falseAlarms` says; each-tick: every tick by itself, a false alarm in 1,000; classical: the effect size alone, whatever chance gives.",
      "sequential",
    ),
    falseAlarms: key(
      {
        type: "object",
        keys: {
          every: key(span, "The mean time between two."),
          ticks: key(positive, "The mean number of ticks between two."),
        },
        exactlyOne: ["every", "ticks"],
      },
      "How often chance may raise an alarm of the dataset, over all its columns and tests; of mode sequential.",
      `every: ${defaults.falseAlarmDays} days`,
    ),
    detector: key(oneOf(["shiryaev-roberts", "cusum"]), "How evidence adds up; of mode sequential.", "shiryaev-roberts"),
    tick: key(
      {
        type: "object",
        keys: {
          rows: key(positive, "A tick closes with so many rows.", countText(defaults.tickRows)),
          seconds: key(positive, "Or after so many seconds.", countText(defaults.tickSeconds)),
        },
      },
      "Drift is judged on ticks: windows merged until they hold enough.",
    ),
    warmupWindows: key(
      { type: "integer", min: 0 },
      "Promoted windows before drift is judged; of a seasonal baseline, days of the season.",
      countText(defaults.warmupWindows),
    ),
    columns: key(listOf(driftCheck, { min: 1 }), "The columns that are watched.", "none"),
    schema: key(
      schemaCheck,
      "Which fields records have and of which types, those that the contract does not name among them: by their texts, the schemas that they name, or Protobuf's bytes.",
      "not watched",
    ),
    model: key(
      modelCheck,
      "A model's columns: `psi` of predictions and scores, the shares of labels, and how wrong predictions are. A column that stands under `columns` too has the tests that stand there.",
      "none",
    ),
  },
  atLeastOne: ["columns", "schema", "model"],
};
