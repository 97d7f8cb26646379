/** Seeded random numbers: uniform, normal, and counts. */
export interface Random {
  uniform(): number;
  normal(): number;
  /** How many of `count` trials succeed. */
  binomial(count: number, share: number): number;
}

/** Where the normal approximation of a binomial variable begins: its mean on either side. */
const normalFrom = 20;

/** mulberry32, Box and Muller, and inversion. */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  let spare: number | null = null;
  const normal = (): number => {
    if (spare !== null) {
      const second = spare;
      spare = null;
      return second;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const binomial = (count: number, share: number): number => {
    if (count <= 0 || share <= 0) return 0;
    if (share >= 1) return count;
    if (share > 0.5) return count - binomial(count, 1 - share);
    if (count * share > normalFrom) {
      const drawn = Math.round(count * share + Math.sqrt(count * share * (1 - share)) * normal());
      return Math.min(count, Math.max(0, drawn));
    }
    let rest = uniform();
    let chance = (1 - share) ** count;
    let k = 0;
    while (rest > chance && k < count) {
      rest -= chance;
      chance *= ((count - k) / (k + 1)) * (share / (1 - share));
      k++;
    }
    return k;
  };
  return { uniform, normal, binomial };
}
