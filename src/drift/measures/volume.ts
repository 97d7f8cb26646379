import type { Arrival, ColumnProfile } from "../../core/profile.ts";
import { isMasked } from "../../core/schema.ts";
import { arrivalSeconds } from "../../sketches/watched/arrivals.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison } from "./comparable.ts";

function arrivedCount(column: ColumnProfile): number {
  return column.watched?.arrival?.values ?? 0;
}

/** Records of a shorter time say nothing of a rate. */
const secondsLeast = 1;

/**
 * The logarithm of the ratio of the values a second, unsigned: .69 is half as many, or twice. Seconds are those of the records' timestamps: a worker that is behind, or a window
 * that closes early, changes nothing. By chance as of records that come one by one (Poisson); how much a stream really varies, the baseline's windows show.
 */
export const volume: DriftTest = {
  name: "volume",
  reads: [],
  limitDefault: Math.LN2,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("volume", baseline, sample, arrivedCount);
    if (refused !== null) return refused;
    const [before, now] = [baseline.watched?.arrival as Arrival, sample.watched?.arrival as Arrival];
    const [secondsBefore, secondsNow] = [arrivalSeconds(before), arrivalSeconds(now)];
    if (Math.min(secondsBefore, secondsNow) < secondsLeast) return { skipped: "the records' timestamps are less than a second apart" };
    const [usual, rate] = [before.values / secondsBefore, now.values / secondsNow];
    const statistic = Math.abs(Math.log(rate / usual));
    const explain = (): string => {
      const verb = rate > usual ? "rose" : "fell";
      const figures = isMasked(field) ? "(figures withheld: the column is classified)" : `from ${rateText(usual)} to ${rateText(rate)}`;
      return `values that came in a second, by the records' timestamps, ${verb} ${figures}`;
    };
    return { statistic, energy: statistic ** 2, expected: 1 / before.values + 1 / now.values, freedom: 1, explain };
  },
};

function rateText(rate: number): string {
  return String(Number(rate.toPrecision(3)));
}
