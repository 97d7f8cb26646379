import { describe, expect, test } from "vitest";
import type { TopValues } from "../../src/core/profile.ts";
import { emptyTop, mergeTop, rankTop, topEntriesMax } from "../../src/sketches/heavy-hitters.ts";
import { profileBatch } from "../../src/sketches/index.ts";
import { batchOf, columnOf, contractOf, fieldOf, seededRandom } from "./columns.ts";

const field = fieldOf("n", { kind: "long" });
const contract = contractOf([field]);

function summaryOf(values: readonly number[]): TopValues {
  return profileBatch(contract, batchOf([columnOf(field, values)]), null).columns.get("n")!.top!;
}

function countsOf(values: readonly number[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  return counts;
}

function checkBounds(top: TopValues, values: readonly number[], windows = 1): void {
  const truth = countsOf(values);
  expect(top.total).toBe(values.length);
  // What is drawn late adds 8 (7 + 2 purges) a window to what the cuts take.
  expect(top.error).toBeLessThanOrEqual(values.length / 129 + 100 * windows);
  const found = new Map(top.entries.map((entry) => [entry.value, entry.count]));
  expect(found.size).toBe(top.entries.length);
  for (const [value, count] of truth) {
    const lower = found.get(value) ?? 0;
    expect(lower).toBeLessThanOrEqual(count);
    expect(lower + top.error).toBeGreaterThanOrEqual(count);
  }
}

/** Zipf-like: low numbers often, of 20,000. */
function skewed(seed: number, length: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length }, () => Math.floor(20_000 ** random()));
}

describe("frequent values", () => {
  test("counts are within the stated error, alone and merged, in any grouping", () => {
    const parts = [1, 2, 3, 4, 5].map((seed) => skewed(seed, 8000));
    const summaries = parts.map(summaryOf);
    for (const [i, summary] of summaries.entries()) checkBounds(summary, parts[i]!);
    checkBounds(summaries.reduce(mergeTop), parts.flat(), 5);
    checkBounds(
      summaries.reduceRight((a, b) => mergeTop(a, b)),
      parts.flat(),
      5,
    );
    checkBounds(
      summaryOf(Array.from({ length: 30_000 }, (_, i) => i)),
      Array.from({ length: 30_000 }, (_, i) => i),
      2,
    );
  });

  test("few distinct values are counted exactly, and merging is exact", () => {
    const a = skewed(1, 5000).map((value) => value % 200);
    const b = skewed(2, 5000).map((value) => (value * 7) % 200);
    expect(mergeTop(summaryOf(a), summaryOf(b))).toEqual(summaryOf([...a, ...b]));
    expect(summaryOf(a).error).toBe(0);
    expect(new Map(summaryOf(a).entries.map((entry) => [entry.value, entry.count]))).toEqual(countsOf(a));
    expect(summaryOf(Array.from({ length: topEntriesMax }, (_, i) => i)).error).toBe(0);
  });

  test("nothing merges to nothing, and ranks are stable", () => {
    expect(mergeTop(emptyTop, emptyTop)).toEqual(emptyTop);
    expect(rankTop(summaryOf([3, 1, 1, 2])).map((entry) => entry.value)).toEqual(["1", "2", "3"]);
  });
});
