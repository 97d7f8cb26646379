import { describe, expect, test } from "vitest";
import { tailScore } from "../../../src/drift/sequential/tail-score.ts";
import { seededRandom } from "../../sketches/columns.ts";

const alpha = 1 / 4000;
const pareto = (random: () => number, index: number): number => (1 - random()) ** (-1 / index);

describe("the score that windows like the earlier ones seldom exceed", () => {
  test("needs 20 scores, and a tail", () => {
    expect(
      tailScore(
        Array.from({ length: 19 }, (_, i) => i + 1),
        alpha,
      ),
    ).toBeNull();
    expect(
      tailScore(
        Array.from({ length: 50 }, () => 0),
        alpha,
      ),
    ).toBeNull();
    expect(
      tailScore(
        Array.from({ length: 50 }, () => 3),
        alpha,
      ),
    ).toBe(3);
  });

  test("is never below the largest", () => {
    const scores = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(tailScore(scores, 0.5)).toBe(100);
    expect(tailScore(scores, alpha)!).toBeGreaterThan(100);
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
      )!;
      share += limit ** -index / rounds;
    }
    expect(share).toBeLessThan(4 * alpha);
    expect(share).toBeGreaterThan(alpha / 10);
  });

  test("stays near the largest where tails are light", () => {
    const random = seededRandom(7);
    const scores = Array.from({ length: 500 }, () => -Math.log(1 - random()));
    const limit = tailScore(scores, alpha)!;
    expect(limit).toBeGreaterThan(Math.max(...scores));
    expect(limit).toBeLessThan(4 * Math.max(...scores));
  });
});
