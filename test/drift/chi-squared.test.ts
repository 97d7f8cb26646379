import { expect, test } from "vitest";
import { chiSquaredQuantile, chiSquaredUpperTail } from "../../src/drift/chi-squared.ts";

test("quantiles equal scipy.stats.chi2.isf", () => {
  for (const [alpha, freedom, expected] of [
    [0.05, 1, 3.8414588206941285],
    [0.001, 9, 27.877164871256575],
    [1e-6, 9, 44.81093787068782],
    [1e-5, 2.5, 24.513660412788806],
    [0.5, 100, 99.33412923598846],
    [1e-8, 1, 32.84125336123679],
    [0.01, 0.7, 5.653168218608975],
  ] as const) {
    expect(Math.abs(chiSquaredQuantile(alpha, freedom) / expected - 1)).toBeLessThan(1e-9);
  }
});

test("upper tails equal scipy.stats.chi2.sf, far into the tail", () => {
  for (const [x, freedom, expected] of [
    [3.84, 1, 0.05004352124870519],
    [50, 9, 1.0772382022574693e-7],
    [0.5, 3, 0.9188914116546758],
    [200, 20, 1.1253473960842808e-31],
  ] as const) {
    expect(Math.abs(chiSquaredUpperTail(x, freedom) / expected - 1)).toBeLessThan(1e-9);
  }
  expect(chiSquaredUpperTail(0, 5)).toBe(1);
});
