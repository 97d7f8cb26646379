import type { ColumnProfile, TopValues } from "../../core/profile.ts";
import { isMasked } from "../../core/schema.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison } from "./comparable.ts";
import { explainBins } from "./explain-shares.ts";
import { jensenShannonOf } from "./jensen-shannon.ts";
import type { BinLabel } from "./share-bins.ts";
import { binCategories } from "./share-bins.ts";
import { suspectPattern } from "./suspect-shares.ts";

function patternCount(column: ColumnProfile): number {
  return column.watched?.patterns?.total ?? 0;
}

/** Jensen-Shannon divergence of the mix of patterns (`AA-999`) of a text column's values: it tells a change of form, whatever the values. */
export const patternMix: DriftTest = {
  name: "pattern-mix",
  reads: [],
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
    const explain = (): string => {
      if (isMasked(field)) return "the form of its values changed (patterns withheld: the column is classified)";
      return explainBins(shares, callPattern);
    };
    return {
      statistic,
      energy: statistic,
      expected: (shares.variance * shares.freedom) / 8,
      freedom: shares.freedom,
      explain,
      suspect: () => suspectPattern(shares, sample.watched?.patterns as TopValues),
    };
  },
};

function callPattern(label: BinLabel): string {
  if (label.kind === "value") return label.value === "" ? "empty texts" : `values of the form ${label.value}`;
  const newcomer = label.kind === "other" ? label.newcomer : null;
  return newcomer === null ? "values of other forms" : `values of other forms (most often ${newcomer})`;
}
