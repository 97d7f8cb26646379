import type { DistinctSketch } from "../core/profile.ts";

const indexBits = 12;
/** Registers of a sketch: 2^12. */
export const registerCount = 1 << indexBits;
/** Ranks come from 64 bits of the hash, 1 to 63, as Apache DataSketches has them: they fit 6 bits. */
export const rankMax = 63;
/** Standard error of an estimate, as a share of the truth: 1.04 / sqrt(2^12) (Flajolet et al. 2007). */
export const distinctStandardError = 1.04 / Math.sqrt(registerCount);

/** A sketch of no values. */
export function emptyDistinct(): DistinctSketch {
  return { kind: "distinct", registers: new Uint8Array(registerCount) };
}

/** Adds a value by its Murmur3 hash (`murmur3.ts`), in place: the register from the first word, the rank from the leading zeros of the last two. */
export function addHash(registers: Uint8Array, hash: Uint32Array): void {
  const index = (hash[0] as number) & (registerCount - 1);
  const high = Math.clz32(hash[3] as number);
  const rank = Math.min(high < 32 ? high : 32 + Math.clz32(hash[2] as number), rankMax - 1) + 1;
  if (rank > (registers[index] as number)) registers[index] = rank;
}

/** Exactly the sketch of both together. */
export function mergeDistinct(a: DistinctSketch, b: DistinctSketch): DistinctSketch {
  if (a === b) return a;
  const registers = a.registers.slice();
  for (let i = 0; i < registerCount; i++) {
    const other = b.registers[i] as number;
    if (other > (registers[i] as number)) registers[i] = other;
  }
  return { kind: "distinct", registers };
}

/**
 * Estimated number of distinct values, not rounded: Ertl's improved raw estimator ("New cardinality estimation algorithms for
 * HyperLogLog sketches", 2017, algorithm 6), which needs no bias tables from 0 to 2^40; standard error `distinctStandardError`.
 */
export function estimateDistinct(sketch: DistinctSketch): number {
  const counts = new Float64Array(rankMax + 1);
  for (const rank of sketch.registers) counts[rank] = (counts[rank] as number) + 1;
  if (counts[0] === registerCount) return 0;
  let z = registerCount * tau(1 - (counts[rankMax] as number) / registerCount);
  for (let rank = rankMax - 1; rank >= 1; rank--) z = 0.5 * (z + (counts[rank] as number));
  z += registerCount * sigma((counts[0] as number) / registerCount);
  return (registerCount / (2 * Math.LN2)) * (registerCount / z);
}

/** x + sum of x^(2^k) 2^(k-1). */
function sigma(start: number): number {
  if (start === 1) return Infinity;
  let x = start;
  let y = 1;
  let z = x;
  for (let previous = NaN; z !== previous;) {
    x *= x;
    previous = z;
    z += x * y;
    y += y;
  }
  return z;
}

/** (1 - x - sum of (1 - x^(2^-k))^2 2^-k) / 3. */
function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let x = start;
  let y = 1;
  let z = 1 - x;
  for (let previous = NaN; z !== previous;) {
    x = Math.sqrt(x);
    previous = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
