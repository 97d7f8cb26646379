import type { ColumnProfile, QuantileSketch } from "../../core/profile.ts";
import { isMasked } from "../../core/schema.ts";
import { distributionOf, quantileOf } from "../../sketches/quantiles.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison } from "./comparable.ts";
import { areaBetween } from "./wasserstein.ts";

function lagCount(column: ColumnProfile): number {
  return column.watched?.lag?.quantiles.count ?? 0;
}

/** How many seconds later, or earlier, than usual records reach the broker after the time in the column, on average over the first Wasserstein distance of the lags. */
export const eventLag: DriftTest = {
  name: "event-lag",
  reads: [],
  limitDefault: 60,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("event-lag", baseline, sample, lagCount);
    if (refused !== null) return refused;
    const [before, now] = [baseline.watched?.lag?.quantiles, sample.watched?.lag?.quantiles] as [QuantileSketch, QuantileSketch];
    const area = areaBetween(before, now);
    const explain = (): string => {
      if (isMasked(field)) return "how long its records take to reach the broker changed (figures withheld: the column is classified)";
      const [usual, later] = [distributionOf(before), distributionOf(now)];
      const told = [0.5, 0.95].map((share) => `${durationText(quantileOf(usual, share))} to ${durationText(quantileOf(later, share))}`);
      return `records reach the broker later or earlier after this time: the median lag went from ${told[0]}, that of the slowest 5% from ${told[1]}`;
    };
    return { statistic: area.distance, energy: area.distance ** 2, expected: area.expected, freedom: area.freedom, explain };
  },
};

/** `250 ms`, `12.5 s`, `19 min`, `3.5 h`. */
function durationText(seconds: number): string {
  const size = Math.abs(seconds);
  if (size < 1) return `${Math.round(1000 * seconds)} ms`;
  if (size < 120) return `${plain(seconds)} s`;
  if (size < 7200) return `${plain(seconds / 60)} min`;
  return `${plain(seconds / 3600)} h`;
}

function plain(value: number): number {
  return Number(value.toPrecision(3));
}
