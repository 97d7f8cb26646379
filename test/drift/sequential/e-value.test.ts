import * as fc from "fast-check";
import { expect, test } from "vitest";
import { eValueOf } from "../../../src/drift/sequential/e-value.ts";

const scores = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ min: 0, max: 5, noNaN: true })), {
  minLength: 1,
  maxLength: 60,
});

test("whichever of the scores came last, e-values are 1 on average, ties or none", () => {
  fc.assert(
    fc.property(scores, (all) => {
      const sum = all.reduce((total, score, i) => total + eValueOf(all.toSpliced(i, 1), score), 0);
      expect(sum / all.length).toBeCloseTo(1, 9);
    }),
  );
});

test("a higher score has no smaller e-value, and every e-value is finite and above 0", () => {
  const score = fc.double({ min: 0, max: 5, noNaN: true });
  fc.assert(
    fc.property(scores, score, score, (earlier, a, b) => {
      const [low, high] = [eValueOf(earlier, Math.min(a, b)), eValueOf(earlier, Math.max(a, b))];
      expect(high).toBeGreaterThanOrEqual(low - 1e-9);
      expect(low).toBeGreaterThan(0);
      expect(Number.isFinite(high)).toBe(true);
    }),
  );
});

test("known values: the calibrator's integral over the p-value's step", () => {
  const calibrator = (p: number): number => (1 - p + p * Math.log(p)) / (p * Math.log(p) ** 2);
  const mean = (from: number, to: number): number => {
    const steps = 200_000;
    let sum = 0;
    for (let i = 0; i < steps; i++) sum += calibrator(from + ((to - from) * (i + 0.5)) / steps);
    return sum / steps;
  };
  const hundred = Array.from({ length: 100 }, (_, i) => i);
  expect(eValueOf(hundred, 49.5)).toBeCloseTo(mean(50 / 101, 51 / 101), 6);
  expect(eValueOf(hundred, 98)).toBeCloseTo(mean(1 / 101, 3 / 101), 6);
  expect(eValueOf(hundred, 1000)).toBeCloseTo(21.668, 2);
  expect(eValueOf([], 3)).toBe(1);
});
