/** Integral from 0 to p of the calibrator F(p) = (1 - p + p ln p) / (p ln^2 p), the mixture of k p^(k-1) over k in [0, 1] (Vovk and Wang 2021). */
function calibrated(p: number): number {
  if (p <= 0) return 0;
  return p >= 1 ? 1 : (p - 1) / Math.log(p);
}

/**
 * The e-value of a score among earlier ones of its stream: large where few of them are as high. A conformal p-value is uniform between a = #{higher} / n and
 * b = #{as high, itself included} / n (Vovk, Gammerman and Shafer 2005); instead of drawing it, the calibrator is averaged over a to b. So it needs no
 * randomness, and is 1 on average where scores are exchangeable. 1 where there is nothing to compare with.
 */
export function eValueOf(scores: readonly number[], score: number): number {
  let higher = 0;
  let atLeast = 1;
  // Sums of comparisons, and no branches: which way they go is nobody's guess, and guessing wrong took most of the time.
  for (let i = 0; i < scores.length; i++) {
    const each = scores[i] as number;
    higher += Number(each > score);
    atLeast += Number(each >= score);
  }
  const equal = atLeast - higher;
  const total = scores.length + 1;
  return ((calibrated((higher + equal) / total) - calibrated(higher / total)) * total) / equal;
}
