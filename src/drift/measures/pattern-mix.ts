import type { ColumnProfile, TopValues } from "../../core/profile.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison } from "./comparable.ts";
import { explainShares } from "./explain-shares.ts";
import { jensenShannonOf } from "./jensen-shannon.ts";
import { binCategories } from "./share-bins.ts";

function patternCount(column: ColumnProfile): number {
  return column.watched?.patterns?.total ?? 0;
}

/** Jensen-Shannon divergence of the mix of patterns (`AA-999`) of a text column's values: it tells a change of form, whatever the values. */
export const patternMix: DriftTest = {
  name: "pattern-mix",
  limitDefault: 0.0125,
  statisticOf: (energy) => energy,
  energyOf: (statistic) => statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("pattern-mix", baseline, sample, patternCount);
    if (refused !== null) return refused;
    const shares = binCategories(baseline.watched?.patterns as TopValues, sample.watched?.patterns as TopValues);
    if ("skipped" in shares) return { skipped: "no pattern of its values is frequent enough to compare its share" };
    const statistic = jensenShannonOf(
      shares.bins.map((bin) => bin.baseline),
      shares.bins.map((bin) => bin.sample),
    );
    const explain = (): string => explainShares(shares, baseline, sample, field).replace(/^share of /, "share of values of the form ");
    return { statistic, energy: statistic, expected: (shares.variance * shares.freedom) / 8, freedom: shares.freedom, explain };
  },
};
