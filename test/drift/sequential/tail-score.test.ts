import { describe, expect, test } from "vitest";
import { chanceQuantile } from "../../../src/drift/drift-limit.ts";
import { tailScore } from "../../../src/drift/sequential/tail-score.ts";
import { normal, seededRandom } from "../../sketches/columns.ts";

const alpha = 1 / 4000;
const pareto = (random: () => number, index: number): number => (1 - random()) ** (-1 / index);

const freedom = 9;
const chiSquared = (random: () => number): number => {
  let sum = 0;
  for (let i = 0; i < freedom; i++) sum += normal(random) ** 2;
  return sum / freedom;
};

describe("the score that windows like the earlier ones seldom exceed", () => {
  test("needs 20 scores, and a tail", () => {
    expect(
      tailScore(
        Array.from({ length: 19 }, (_, i) => i + 1),
        alpha,
        freedom,
      ),
    ).toBeNull();
    expect(
      tailScore(
        Array.from({ length: 50 }, () => 3),
        alpha,
        freedom,
      ),
    ).toBe(3);
  });

  test("is never below the largest", () => {
    const scores = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(tailScore(scores, 0.5, freedom)).toBe(100);
    expect(tailScore(scores, alpha, freedom)!).toBeGreaterThan(100);
  });

  test.each([
    [1, 100],
    [1, 500],
    [2, 100],
    [4, 500],
  ])("is exceeded by a power law of index %d about as seldom as asked for, from %d scores", (index, count) => {
    const random = seededRandom(index * 1000 + count);
    let share = 0;
    const rounds = 400;
    for (let round = 0; round < rounds; round++) {
      const limit = tailScore(
        Array.from({ length: count }, () => pareto(random, index)),
        alpha,
        freedom,
      )!;
      share += limit ** -index / rounds;
    }
    expect(share).toBeLessThan(4 * alpha);
    expect(share).toBeGreaterThan(alpha / 10);
  });

  test("is chance's own where scores are about what chance makes them", () => {
    const random = seededRandom(11);
    const limits = Array.from({ length: 20 }, () =>
      tailScore(
        Array.from({ length: 400 }, () => chiSquared(random)),
        alpha,
        freedom,
      )!,
    );
    const exact = chanceQuantile(alpha, freedom) / freedom;
    // Not below chance's quantile, and above it by the error of the mean, or by a score that was higher.
    expect(Math.min(...limits)).toBeGreaterThanOrEqual(exact);
    expect(limits.toSorted((a, b) => a - b)[10]!).toBeLessThan(1.15 * exact);
    const none = tailScore(
      Array.from({ length: 50 }, () => 0),
      alpha,
      freedom,
    )!;
    expect(none).toBeCloseTo(exact, 9);
  });

  test("is no longer chance's where one score is more than chance explains, though the mean is not", () => {
    const random = seededRandom(12);
    const scores = Array.from({ length: 400 }, () => 0.9 * chiSquared(random));
    const outlier = (2 * chanceQuantile(1e-6, freedom)) / freedom;
    expect(tailScore([...scores, outlier], alpha, freedom)!).toBeGreaterThanOrEqual(outlier);
  });

  test("does not go out as far as a power law where tails are light: means that vary normally, of 500 windows", () => {
    const random = seededRandom(13);
    // One degree that varies by far more than chance: a scaled chi-squared of one degree.
    const draw = (): number => 20 * normal(random) ** 2;
    const exact = 20 * chanceQuantile(alpha, 1);
    const limits = Array.from({ length: 100 }, () => tailScore(Array.from({ length: 500 }, draw), alpha, freedom)!);
    const median = limits.toSorted((a, b) => a - b)[50]!;
    expect(median).toBeGreaterThan(0.8 * exact);
    expect(median).toBeLessThan(2 * exact);
  });

  test("stays near the largest where tails are light", () => {
    const random = seededRandom(7);
    const scores = Array.from({ length: 500 }, () => -Math.log(1 - random()));
    const limit = tailScore(scores, alpha, freedom)!;
    expect(limit).toBeGreaterThan(Math.max(...scores));
    expect(limit).toBeLessThan(4 * Math.max(...scores));
  });
});
