import { chanceQuantile } from "../drift-limit.ts";

/** Fewer scores say nothing about a tail. */
const scoresLeast = 20;
/** A light tail is believed in where it makes the highest quarter of the scores this much more likely than a power law does: twenty times. */
const lightBy = 3;

/**
 * The score that windows like the earlier ones exceed with probability `alpha`, and never below the largest of them. Scores are relative to what chance makes them,
 * of `freedom` degrees. Where they are about that, their tail is chance's; elsewhere it is their own, fitted to the highest, and made heavier by
 * its standard error: a Weibull tail where these tell it from a power law, else a power law. Where single windows are often far off, it is far off too. Null for
 * fewer than 20 scores, or where the highest say nothing.
 */
export function tailScore(scores: readonly number[], alpha: number, freedom: number): number | null {
  const total = scores.length;
  if (total < scoresLeast) return null;
  const sorted = Float64Array.from(scores).sort().reverse();
  const largest = sorted[0] as number;
  const ofChance = chanceTail(sorted, alpha, freedom);
  if (ofChance !== null) return Math.max(largest, ofChance);
  const beyond = weibullTail(sorted, alpha) ?? powerTail(sorted, alpha);
  return beyond === null ? null : Math.max(largest, beyond);
}

/** Chance's own, with the mean at the upper end of its error; null where mean or largest score is more than chance explains. */
function chanceTail(sorted: Float64Array, alpha: number, freedom: number): number | null {
  const mean = sorted.reduce((sum, score) => sum + score, 0) / sorted.length;
  const error = 2 * Math.sqrt(2 / (sorted.length * freedom));
  if (mean > 1 + error) return null;
  const rare = chanceQuantile(0.05 / sorted.length, freedom) / freedom;
  if ((sorted[0] as number) > rare) return null;
  return (Math.max(1, mean + error) * chanceQuantile(alpha, freedom)) / freedom;
}

/**
 * Where log(1/tail) is a power of the score, extrapolated from the highest quarter (Diebolt, Gardes, Girard and Guillou 2008); null where a power law is about as
 * likely. Both by the logarithms of neighbouring scores' ratios, times their ranks: they are exponential with one mean of a power law (Beirlant et
 * al. 1999), and with means that fall towards the largest of a Weibull tail.
 */
function weibullTail(sorted: Float64Array, alpha: number): number | null {
  const highest = Math.floor(sorted.length / 4);
  const base = sorted[highest] as number;
  if (!(base > 0)) return null;
  const depth = (rank: number): number => Math.log((sorted.length + 1) / rank);
  let [plain, weighted, logs] = [0, 0, 0];
  for (let rank = 1; rank <= highest; rank++) {
    const spacing = rank * Math.log((sorted[rank - 1] as number) / (sorted[rank] as number));
    plain += spacing;
    weighted += spacing * depth(rank);
    logs += Math.log(depth(rank));
  }
  // Equal scores, all of them: no tail of either kind.
  if (plain === 0) return null;
  if (logs + highest * Math.log(plain / weighted) <= lightBy) return null;
  const exponent = (weighted / highest) * (1 + 1 / Math.sqrt(highest));
  return base * Math.max(1, Math.log(1 / alpha) / depth(highest + 1)) ** exponent;
}

/** A power law's (Hill 1975, Weissman 1978), of the highest few. */
function powerTail(sorted: Float64Array, alpha: number): number | null {
  const highest = Math.ceil(Math.sqrt(sorted.length));
  const base = sorted[highest] as number;
  if (!(base > 0)) return null;
  let sum = 0;
  for (let i = 0; i < highest; i++) sum += Math.log((sorted[i] as number) / base);
  const index = (sum / highest) * (1 + 1 / Math.sqrt(highest));
  return base * (highest / (sorted.length * alpha)) ** index;
}
