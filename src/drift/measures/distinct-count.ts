import type { ColumnProfile, TopValues } from "../../core/profile.ts";
import { isMasked } from "../../core/schema.ts";
import { distinctStandardError, estimateDistinct } from "../../sketches/distinct.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison, topCount } from "./comparable.ts";

/** Distinct values of a column, and how many of them are listed with their counts. */
interface Variety {
  readonly distinct: number;
  readonly isExact: boolean;
  readonly top: TopValues;
}

function varietyOf(column: ColumnProfile): Variety {
  const top = column.top as TopValues;
  if (top.error === 0) return { distinct: top.entries.length, isExact: true, top };
  return { distinct: Math.max(top.entries.length, estimateDistinct(column.distinct)), isExact: false, top };
}

/** How often each value came: those that are listed, and how many others, each about so often. */
interface Frequencies {
  readonly listed: readonly number[];
  readonly others: number;
  readonly otherCount: number;
}

function frequenciesOf({ distinct, top }: Variety): Frequencies {
  const others = Math.max(0, distinct - top.entries.length);
  const listed = top.entries.map((entry) => entry.count);
  const listedSum = listed.reduce((sum, count) => sum + count, 0);
  // What the summary took off every count belongs to the listed values, as far as it leaves each other one its single time.
  const short = Math.max(0, Math.min(top.error, (top.total - listedSum - others) / Math.max(1, listed.length)));
  const rest = top.total - listedSum - short * listed.length;
  return { listed: listed.map((count) => count + short), others, otherCount: others === 0 ? 1 : Math.max(1, rest / others) };
}

/** How many distinct values a part of a column's values has on average (rarefaction: Hurlbert 1971); of those that it does not list, as if they were equally frequent. */
function rarefy(variety: Variety, part: number): number {
  const { listed, others, otherCount } = frequenciesOf(variety);
  const found = (times: number): number => 1 - (1 - part) ** times;
  return listed.reduce((sum, count) => sum + found(count), 0) + others * found(otherCount);
}

/** At most how many values come once by expectation: the variance of a number of distinct values is no larger (Efron and Stein 1981). */
function singles(variety: Variety): number {
  const { listed, others } = frequenciesOf(variety);
  return listed.reduce((sum, count) => sum + (count <= 1 ? 1 : 0), 0) + others + 1;
}

/**
 * The logarithm of the ratio of the number of distinct values to that of as many values of the other side, unsigned: .2 is a change by 22 %. Values of very uneven
 * frequency beyond the 256 that are counted make the expected number too large: the baseline's own windows, measured in the same way, show by how much.
 */
export const distinctCount: DriftTest = {
  name: "distinct",
  reads: ["top", "distinct"],
  limitDefault: 0.2,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("distinct", baseline, sample, topCount);
    if (refused !== null) return refused;
    const [before, now] = [varietyOf(baseline), varietyOf(sample)];
    const [larger, smaller] = before.top.total >= now.top.total ? [before, now] : [now, before];
    const part = smaller.top.total / larger.top.total;
    const expectedDistinct = rarefy(larger, part);
    const logRatio = Math.log(smaller.distinct / expectedDistinct);
    const sketchError = (before.isExact ? 0 : distinctStandardError ** 2) + (now.isExact ? 0 : distinctStandardError ** 2);
    const expected = (singles(smaller) * (1 + part)) / expectedDistinct ** 2 + sketchError;
    const isRise = smaller === now ? logRatio > 0 : logRatio < 0;
    const explain = (): string => {
      const verb = isRise ? "more" : "fewer";
      if (isMasked(field)) return `${verb} distinct values than before (figures withheld: the column is classified)`;
      const usual = smaller === now ? expectedDistinct : now.distinct / Math.exp(-logRatio);
      return `${verb} distinct values than so many records had: ${whole(now.distinct)} instead of about ${whole(usual)}`;
    };
    return { statistic: Math.abs(logRatio), energy: logRatio ** 2, expected, freedom: 1, explain };
  },
};

function whole(count: number): number {
  return Math.round(count);
}
