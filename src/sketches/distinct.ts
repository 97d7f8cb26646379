import type { DistinctSketch } from "../core/profile.ts";
import type { HashWords } from "./hash.ts";

const indexBits = 12;
/** Registers of a sketch: 2^12. */
export const registerCount = 1 << indexBits;
/** Ranks come from 32 bits of the hash: 1 to 33. */
export const rankMax = 33;
/** Standard error of an estimate, as a share of the truth: 1.04 / sqrt(2^12) (Flajolet et al. 2007). */
export const distinctStandardError = 1.04 / Math.sqrt(registerCount);

/** A sketch of no values. */
export function emptyDistinct(): DistinctSketch {
  return { kind: "distinct", registers: new Uint8Array(registerCount) };
}

/** Adds `count` hashed values to the registers, in place. */
export function addHashes(registers: Uint8Array, hashes: HashWords, count: number): void {
  const { high, low } = hashes;
  for (let i = 0; i < count; i++) {
    const index = (high[i] as number) >>> (32 - indexBits);
    const rank = Math.clz32(low[i] as number) + 1;
    if (rank > (registers[index] as number)) registers[index] = rank;
  }
}

/** Exactly the sketch of both together. */
export function mergeDistinct(a: DistinctSketch, b: DistinctSketch): DistinctSketch {
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
