import type { Hash128 } from "./murmur3.ts";

/** A sketch keeps this many hashes at least once it has met more: 2^12, as Apache DataSketches does by default. */
export const thetaK = 4_096;
/** Standard error of an estimate, as a share of the truth, beyond `thetaK` values: 1 / sqrt(k - 1) (Dasgupta et al. 2016). */
export const thetaStandardError = 1 / Math.sqrt(thetaK - 1);

/** Hashes are 63 bits, not 0; theta is above all of them where every value is kept. */
export const thetaMax = 1n << 63n;

/** Slots of the table of hashes, and how full it becomes: at 15/16 the hashes above the k-th are let go. */
const slotCount = 2 * thetaK;
const fullAt = (slotCount * 15) / 16;

/** A sketch as others hold it: every hash below theta that some set of values has, in ascending order. */
export interface CompactTheta {
  /** `thetaMax` where no hash was let go. */
  readonly theta: bigint;
  readonly hashes: readonly bigint[];
}

/**
 * A theta sketch of distinct values, which keeps the hashes below a threshold that falls as values come (Dasgupta, Lang, Rhodes, Thaler, "A Framework for
 * Estimating Stream Expression Cardinalities", 2016). Equal values in equal order make it hold what Apache DataSketches' QuickSelect sketch of k 4,096 holds.
 */
export class ThetaSketch {
  /** Words of the hashes, high before low; a slot of zeros is free. */
  #words = new Uint32Array(2 * slotCount);
  #count = 0;
  #thetaHigh = 0x7fff_ffff;
  #thetaLow = 0xffff_ffff;
  /** Whether hashes have been let go: until then theta is beyond what its words say. */
  #isFull = false;

  /** Adds a value by its Murmur3 hash (`murmur3.ts`): of its first 64 bits all but the last. */
  add(hash: Hash128): void {
    const high = (hash[1] as number) >>> 1;
    if (high > this.#thetaHigh) return;
    const low = (((hash[1] as number) << 31) | ((hash[0] as number) >>> 1)) >>> 0;
    if (this.#isFull && high === this.#thetaHigh && low >= this.#thetaLow) return;
    if (high === 0 && low === 0) return;
    if (put(this.#words, high, low) && ++this.#count > fullAt) this.#shrink();
  }

  /** Lets all but the k lowest hashes go. */
  #shrink(): void {
    const sorted = hashesOf(this.#words).toSorted();
    const theta = sorted[thetaK] as bigint;
    this.#words = new Uint32Array(2 * slotCount);
    for (const hash of sorted.subarray(0, thetaK)) put(this.#words, Number(hash >> 32n), Number(hash & 0xffff_ffffn));
    this.#count = thetaK;
    [this.#thetaHigh, this.#thetaLow] = [Number(theta >> 32n), Number(theta & 0xffff_ffffn)];
    this.#isFull = true;
  }

  compact(): CompactTheta {
    const theta = this.#isFull ? (BigInt(this.#thetaHigh) << 32n) | BigInt(this.#thetaLow) : thetaMax;
    return { theta, hashes: Array.from(hashesOf(this.#words).toSorted()) };
  }
}

/** Puts a hash in its slot; false where it is there already. */
function put(words: Uint32Array, high: number, low: number): boolean {
  for (let slot = low & (slotCount - 1); ; slot = (slot + 1) & (slotCount - 1)) {
    const [h, l] = [words[2 * slot] as number, words[2 * slot + 1] as number];
    if (h === high && l === low) return false;
    if (h !== 0 || l !== 0) continue;
    words[2 * slot] = high;
    words[2 * slot + 1] = low;
    return true;
  }
}

function hashesOf(words: Uint32Array): BigUint64Array {
  const found: bigint[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const hash = (BigInt(words[at] as number) << 32n) | BigInt(words[at + 1] as number);
    if (hash !== 0n) found.push(hash);
  }
  return BigUint64Array.from(found);
}

/** The sketch of all values of several sketches together, of k hashes at most. */
export function uniteThetas(sketches: readonly CompactTheta[]): CompactTheta {
  const theta = sketches.reduce((least, each) => (each.theta < least ? each.theta : least), thetaMax);
  const hashes = [...new Set(sketches.flatMap((each) => each.hashes.filter((hash) => hash < theta)))];
  const sorted = BigUint64Array.from(hashes).toSorted();
  if (sorted.length <= thetaK) return { theta, hashes: Array.from(sorted) };
  return { theta: sorted[thetaK] as bigint, hashes: Array.from(sorted.subarray(0, thetaK)) };
}

/** Estimated number of distinct values, not rounded. */
export function estimateTheta({ theta, hashes }: CompactTheta): number {
  return theta === thetaMax ? hashes.length : hashes.length / (Number(theta) / 2 ** 63);
}
