import type { TopEntry, TopValues } from "../../core/profile.ts";
import type { Field } from "../../core/schema.ts";
import { isMasked } from "../../core/schema.ts";
import { rankTop } from "../../sketches/heavy-hitters.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison, topCount } from "./comparable.ts";
import { percentText } from "./explain-shares.ts";
import { hashKey } from "./share-bins.ts";

/** The sample's values that the baseline did not have, most frequent first, and the share of its values that they are. */
export interface Newcomers {
  readonly entries: readonly TopEntry[];
  readonly share: number;
  /** The share that a further sample of the same kind has by chance, and its variance. */
  readonly expected: number;
  readonly variance: number;
}

/** Standard deviations of a count that a value must exceed to be sure that the baseline had less of it. */
const sureDeviations = 4;

/**
 * The sample's values that the baseline lacks. By chance a sample's values were not met before with the share of the baseline's values that it met once (Good 1953, Turing). Where the
 * baseline could not count every value, one that it does not list had at most its error's share; only what is surely more counts as new.
 */
export function findNewcomers(baseline: TopValues, sample: TopValues): Newcomers {
  const [m, n] = [baseline.total, sample.total];
  const known = new Set(baseline.entries.map(hashKey));
  const unknown = rankTop(sample).filter((entry) => !known.has(hashKey(entry)));
  if (baseline.error === 0) {
    const once = baseline.entries.reduce((sum, entry) => sum + (entry.count === 1 ? 1 : 0), 0);
    const expected = (once + 1) / (m + 2);
    const share = unknown.reduce((sum, entry) => sum + entry.count, 0) / n;
    return { entries: unknown, share, expected, variance: expected / n + expected ** 2 / (once + 1) };
  }
  const most = (baseline.error + sureDeviations * Math.sqrt(baseline.error + 1)) / m;
  const allowed = most + sureDeviations * Math.sqrt(most / n);
  const sure = unknown.filter((entry) => entry.count / n > allowed);
  const share = sure.reduce((sum, entry) => sum + entry.count / n - allowed, 0);
  const expected = 1 / m + 1 / n;
  return { entries: sure, share, expected, variance: expected / n };
}

/** The share of values that the baseline did not have: .01 is one record of a hundred. */
export const newValues: DriftTest = {
  name: "new-values",
  reads: ["top"],
  limitDefault: 0.01,
  statisticOf: (energy) => energy,
  energyOf: (statistic) => statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("new-values", baseline, sample, topCount);
    if (refused !== null) return refused;
    const { entries, share, expected, variance } = findNewcomers(baseline.top as TopValues, sample.top as TopValues);
    const freedom = (2 * expected ** 2) / variance;
    return {
      statistic: share,
      energy: share,
      expected,
      freedom,
      explain: () => explainValues("new", entries, sample.top as TopValues, field),
      suspect: () => ({ kind: "values", values: entries }),
    };
  },
};

const valuesNamed = 3;

/** `new values: XX (4.2% of values), YY (1.0%) and 12 others`. */
export function explainValues(what: "new" | "vanished", entries: readonly TopEntry[], within: TopValues, field: Field): string {
  if (isMasked(field)) return `${what} values (withheld: the column is classified)`;
  const named = entries.slice(0, valuesNamed).map((entry) => {
    const value = entry.value === "" ? "empty text" : entry.value;
    return `${value} (${percentText(entry.count / within.total)}${what === "new" ? "" : " before"})`;
  });
  const others = entries.length - named.length;
  return `${what} values: ${named.join(", ")}${others > 0 ? ` and ${others} ${others === 1 ? "other" : "others"}` : ""}`;
}
