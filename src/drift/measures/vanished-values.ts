import type { TopValues } from "../../core/profile.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison, topCount } from "./comparable.ts";
import { explainValues, findNewcomers } from "./new-values.ts";

/** The share that values which are gone now had in the baseline: .01 is one record of a hundred. They are the new values of a baseline that came after the sample. */
export const vanishedValues: DriftTest = {
  name: "vanished-values",
  reads: ["top"],
  limitDefault: 0.01,
  statisticOf: (energy) => energy,
  energyOf: (statistic) => statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("vanished-values", baseline, sample, topCount);
    if (refused !== null) return refused;
    const { entries, share, expected, variance } = findNewcomers(sample.top as TopValues, baseline.top as TopValues);
    const freedom = (2 * expected ** 2) / variance;
    const explain = (): string => explainValues("vanished", entries, baseline.top as TopValues, field);
    return { statistic: share, energy: share, expected, freedom, explain };
  },
};
