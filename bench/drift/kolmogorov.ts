/** Up to this many values in the larger sample SciPy counts all orders of the two samples; beyond it takes the law of one sample. */
const exactMost = 10_000;

/**
 * How often two samples of one distribution differ as much as `gap`, the largest difference of their shares at or below any value: what SciPy's `ks_2samp`
 * answers, exact or asymptotic as it chooses.
 */
export function kolmogorovChance(gap: number, before: number, now: number): number {
  if (Math.max(before, now) <= exactMost) return pathChance(gap, before, now);
  return sampleChance(gap, Math.round((before * now) / (before + now)));
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** The share of the orders of `m` and `n` values, each as likely, whose path leaves the band around the diagonal (Hodges 1957): a row of the lattice at a time. */
function pathChance(gap: number, m: number, n: number): number {
  const common = greatestDivisor(m, n);
  const [stepM, stepN] = [m / common, n / common];
  const width = Math.round(gap * stepM * n);
  if (width === 0) return 1;
  // left[j]: the chance that a path to (i, j), of those that are as likely, has left the band.
  const left = new Float64Array(n + 1).fill(1);
  for (let i = 0; i <= m; i++) {
    const first = Math.max(0, Math.floor((stepN * i - width) / stepM) + 1);
    const beyond = Math.min(n + 1, Math.ceil((stepN * i + width) / stepM));
    if (first > 0) left[Math.min(n, first - 1)] = 1;
    for (let j = first; j < beyond; j++) {
      if (i === 0) left[j] = 0;
      else left[j] = ((left[j] as number) * i + (j === 0 ? 0 : (left[j - 1] as number) * j)) / (i + j);
    }
  }
  return left[n] as number;
}

/**
 * How often the largest distance of a sample of `count` from its own law is at least `gap`: the expansion of Pelz and Good (1976), good to 1e-6 from
 * a hundred values on.
 */
function sampleChance(gap: number, count: number): number {
  const z = gap * Math.sqrt(count);
  if (z < 0.2) return 1;
  if (z > 6) return 0;
  const z2 = z * z;
  const halves = { first: 0, second: 0, third: 0, fourth: 0 };
  const wholes = { second: 0, third: 0 };
  for (let k = 0; k < 24; k++) {
    // Both signs of k + 1/2 at once.
    const h = (Math.PI * (k + 0.5)) ** 2;
    const weight = 2 * Math.exp(-h / (2 * z2));
    halves.first += weight;
    halves.second += weight * (h - z2);
    halves.third += weight * (6 * z2 ** 3 + 2 * z2 ** 2 + h * (2 * z2 ** 2 - 5 * z2) + h ** 2 * (1 - 2 * z2));
    halves.fourth +=
      weight *
      (h ** 3 * (5 - 30 * z2) + h ** 2 * (212 * z2 ** 2 - 60 * z2) + h * (135 * z2 ** 2 - 96 * z2 ** 3) - 30 * z2 ** 3 - 90 * z2 ** 4);
    const whole = (Math.PI * k) ** 2;
    const other = 2 * Math.exp(-whole / (2 * z2));
    wholes.second += other * whole;
    wholes.third += other * (3 * whole * z2 - whole ** 2);
  }
  const root = Math.sqrt(Math.PI / 2);
  const below =
    (root / z) * halves.first +
    (root / (6 * z2 ** 2) / Math.sqrt(count)) * halves.second +
    (root / count) * (halves.third / (72 * z2 ** 3 * z) - wholes.second / (36 * z2 * z)) +
    (root / count ** 1.5) * (halves.fourth / (6480 * z2 ** 5) + wholes.third / (216 * z2 ** 3));
  return Math.min(1, Math.max(0, 1 - below));
}
