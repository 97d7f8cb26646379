/** So many records of a window are looked at one by one, then one of `standsFor`, which stands for as many. */
const wholeRecords = 1024;
const standsFor = 8;

/**
 * How many records the one at `at` of its window stands for in a sample; 0: it is not of the sample. As evenly spread as every eighth, but in step with no
 * stream of several producers in turn (Weyl 1916, of the golden ratio).
 */
export function sampleWeight(at: number): number {
  if (at < wholeRecords) return 1;
  return Math.imul(at, 0x9e3779b1) >>> 0 < 2 ** 32 / standsFor ? standsFor : 0;
}
