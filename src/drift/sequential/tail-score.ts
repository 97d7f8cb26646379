/** Fewer scores say nothing about a tail. */
const scoresLeast = 20;

/**
 * The score that windows like the earlier ones exceed with probability `alpha`: never below the largest of them, and beyond it by their own tail, a power law
 * fitted to the highest (Hill 1975, Weissman 1978) and made heavier by its standard error. Where single windows are often far off, it is far off too. Null for fewer
 * than 20 scores, or where the highest say nothing.
 */
export function tailScore(scores: readonly number[], alpha: number): number | null {
  const total = scores.length;
  if (total < scoresLeast) return null;
  const highest = Math.ceil(Math.sqrt(total));
  const sorted = scores.toSorted((a, b) => b - a);
  const base = sorted[highest] as number;
  if (!(base > 0)) return null;
  let sum = 0;
  for (let i = 0; i < highest; i++) sum += Math.log((sorted[i] as number) / base);
  const index = (sum / highest) * (1 + 1 / Math.sqrt(highest));
  return Math.max(sorted[0] as number, base * (highest / (total * alpha)) ** index);
}
