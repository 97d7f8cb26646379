import type { DistinctSketch, QuantileSketch } from "../core/profile.ts";
import { registerCount } from "./distinct.ts";
import { levelCapacity, quantileK } from "./quantiles.ts";

const hllFamily = 7;
const kllFamily = 15;
const lgRegisters = Math.log2(registerCount);
/** KLL's least capacity of a level, which DataSketches calls m. */
const kllM = 8;

const HllFlag = { empty: 4, compact: 8, outOfOrder: 16 } as const;
const KllFlag = { empty: 1, levelZeroSorted: 2, single: 4 } as const;

/**
 * The image of a distinct count as Apache DataSketches' HLL sketch of type HLL_8, lgK 12. Its
 * values were hashed as DataSketches hashes their bytes: the same registers come from updating one with the same bytes.
 */
export function hllImage({ registers }: DistinctSketch): Uint8Array {
  const zeros = registers.reduce((sum, rank) => sum + (rank === 0 ? 1 : 0), 0);
  // The mode byte: list 0 or HLL 2, and the type HLL_8 in the next two bits.
  if (zeros === registerCount) return Uint8Array.of(2, 1, hllFamily, lgRegisters, 3, HllFlag.empty | HllFlag.compact, 0, 2 << 2);
  const image = new Uint8Array(40 + registerCount);
  const view = new DataView(image.buffer);
  image.set([10, 1, hllFamily, lgRegisters, 0, HllFlag.outOfOrder, 0, 2 | (2 << 2)]);
  let [low, high] = [0, 0];
  for (const rank of registers) {
    if (rank < 32) low += 2 ** -rank;
    else high += 2 ** -rank;
  }
  view.setFloat64(16, low, true);
  view.setFloat64(24, high, true);
  view.setInt32(32, zeros, true);
  image.set(registers, 40);
  return image;
}

/** The image of a quantile sketch as Apache DataSketches' KLL sketch of doubles, k 512; `min` and `max` are those of its values. */
export function kllImage(sketch: QuantileSketch, min: number, max: number): Uint8Array {
  const { count, levels } = sketch;
  if (count === 0) return kllHead(new Uint8Array(8), KllFlag.empty, 2, 1);
  if (count === 1) {
    const single = kllHead(new Uint8Array(16), KllFlag.single | KllFlag.levelZeroSorted, 2, 2);
    new DataView(single.buffer).setFloat64(8, min, true);
    return single;
  }
  const size = levels.reduce((sum, items) => sum + items.length, 0);
  let levelCount = levels.length;
  while (totalCapacity(levelCount) < size) levelCount++;
  const image = kllHead(new Uint8Array(20 + 4 * levelCount + 8 * (2 + size)), KllFlag.levelZeroSorted, 5, 1);
  const view = new DataView(image.buffer);
  view.setBigUint64(8, BigInt(count), true);
  view.setUint16(16, quantileK, true);
  image[18] = levelCount;
  let place = totalCapacity(levelCount) - size;
  let at = 20 + 4 * levelCount;
  const put = (value: number): void => {
    view.setFloat64(at, value, true);
    at += 8;
  };
  put(min);
  put(max);
  for (let level = 0; level < levelCount; level++) {
    view.setUint32(20 + 4 * level, place, true);
    for (const item of levels[level] ?? []) put(item);
    place += levels[level]?.length ?? 0;
  }
  return image;
}

function kllHead(image: Uint8Array<ArrayBuffer>, flags: number, preambleInts: number, version: number): Uint8Array<ArrayBuffer> {
  image.set([preambleInts, version, kllFamily, flags, quantileK & 255, quantileK >> 8, kllM]);
  return image;
}

function totalCapacity(levels: number): number {
  let capacity = 0;
  for (let level = 0; level < levels; level++) capacity += levelCapacity(level, levels);
  return capacity;
}
