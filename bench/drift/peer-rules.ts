import type { ColumnProfile } from "../../src/core/profile.ts";
import { histogramDivergence, histogramOf } from "./histogram-divergence.ts";
import { kolmogorovChance } from "./kolmogorov.ts";
import type { PeerSample } from "./peer-sample.ts";
import { sampleOfProfile } from "./peer-sample.ts";
import {
  areaBetween,
  countValues,
  divergenceOf,
  fitChance,
  homogeneityChance,
  largestGap,
  largestMove,
  proportionChance,
  sharesOf,
  sharesOfTenths,
  stabilityIndex,
} from "./peer-statistics.ts";

/** What a rule says of a column of a window. */
export interface PeerVerdict {
  /** The statistic, or the chance that a p-value is. */
  readonly score: number;
  readonly isDrift: boolean;
}

/** A rule that others judge one column of one window by. */
export interface PeerRule {
  readonly name: string;
  /** Null where the rule says nothing of such a column. */
  readonly judge: (before: PeerSample, now: PeerSample) => PeerVerdict | null;
  readonly flags: (before: ColumnProfile, now: ColumnProfile) => boolean;
}

/** Of Kolmogorov's law: exceeded in one of 20. */
export const kolmogorovTwentieth = 1.3581;

const chance = (score: number): PeerVerdict => ({ score, isDrift: score < 0.05 });
const distance = (score: number, limit: number): PeerVerdict => ({ score, isDrift: score >= limit });

function kolmogorov(before: PeerSample, now: PeerSample): number {
  if (before.numbers === null || now.numbers === null) return NaN;
  return kolmogorovChance(largestGap(before.numbers, now.numbers), before.count, now.count);
}

function judgeTextbook(before: PeerSample, now: PeerSample): PeerVerdict {
  return chance(before.numbers === null ? homogeneityChance(countValues(before, now)) : kolmogorov(before, now));
}

function judgeStability(before: PeerSample, now: PeerSample): PeerVerdict | null {
  const shares = before.numbers === null ? sharesOf(countValues(before, now)) : sharesOfTenths(before, now);
  if (shares === null) return null;
  const score = stabilityIndex(shares);
  return { score, isDrift: score > 0.1 };
}

/** Few and many values, by which Evidently takes another test. */
const evidentlyFew = 1000;
const evidentlyCategories = 5;

function judgeEvidently(before: PeerSample, now: PeerSample): PeerVerdict {
  const { numbers } = before;
  const counted = numbers !== null && numbers.values.length > evidentlyCategories ? null : countValues(before, now);
  const isNumeric = numbers !== null && now.numbers !== null && (counted === null || counted.before.length > evidentlyCategories);
  if (before.count > evidentlyFew) {
    if (!isNumeric) return distance(Math.sqrt(divergenceOf(...both(counted ?? countValues(before, now)))), 0.1);
    return distance(areaBetween(numbers, now.numbers) / Math.max(before.deviation, 0.001), 0.1);
  }
  if (isNumeric) {
    const score = kolmogorov(before, now);
    return { score, isDrift: score <= 0.05 };
  }
  const values = counted ?? countValues(before, now);
  return chance(values.before.length > 2 ? fitChance(values) : proportionChance(values));
}

function both({
  before,
  now,
}: {
  readonly before: readonly number[];
  readonly now: readonly number[];
}): [readonly number[], readonly number[]] {
  return [before, now];
}

function judgeTfdv(before: PeerSample, now: PeerSample): PeerVerdict {
  const [a, b] = [histogramOf(before), histogramOf(now)];
  const score = a === null || b === null ? largestMove(countValues(before, now)) : histogramDivergence(a, b);
  return { score, isDrift: score > 0.01 };
}

function ruleOf(name: string, judge: PeerRule["judge"]): PeerRule {
  const flags: PeerRule["flags"] = (before, now) => {
    const [a, b] = [sampleOfProfile(before), sampleOfProfile(now)];
    if (a === null || b === null || a.count === 0 || b.count === 0) return false;
    return judge(a, b)?.isDrift === true;
  };
  return { name, judge, flags };
}

/**
 * The rules of other tools: SciPy's tests, feature-engine's PSI, Evidently's choice of a test by number of rows and values, and TFDV's comparators with the
 * thresholds of its guide. `npm run bench -- drift-peers` compares each with the package's own word, score by score.
 */
export const peerRules: readonly PeerRule[] = [
  ruleOf("KS, chi-squared p < .05", judgeTextbook),
  ruleOf("PSI > .1", judgeStability),
  ruleOf("Evidently (Wasserstein, JS distance > .1)", judgeEvidently),
  ruleOf("TFDV (L-infinity, JS > .01)", judgeTfdv),
];
