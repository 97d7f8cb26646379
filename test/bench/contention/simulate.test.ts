import { describe, expect, it } from "vitest";
import type { Contention } from "../../../bench/contention/simulate.ts";
import { simulateContention } from "../../../bench/contention/simulate.ts";
import { randomOf } from "../../../bench/drift/random.ts";

const quiet: Contention = {
  workers: 1,
  partitions: 1,
  firstAtMs: () => 0,
  nextAtMs: (closedAtMs) => closedAtMs + 1000,
  beforeMs: () => 30,
  turnMs: () => 20,
  order: "queue",
  patienceMs: 10_000,
  durationMs: 10_000,
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

describe("workers that commit windows of one dataset", () => {
  it.each(["queue", "race", "shared"] as const)("takes one worker alone as long as its work: %s", (order) => {
    const played = simulateContention({ ...quiet, order }, randomOf(1));
    expect(played.latenciesMs).toEqual(Array.from({ length: 10 }, () => 50));
    expect(new Set(played.attempts)).toEqual(new Set([1]));
    expect(played.busy).toBeCloseTo(0.02, 9);
    expect(played.lost).toBe(0);
  });

  it("commits one after another in turns, and as many as fit", () => {
    const full = { ...quiet, workers: 4, partitions: 4, nextAtMs: (_: number, settledAtMs: number) => settledAtMs, beforeMs: () => 0 };
    const played = simulateContention(full, randomOf(1));
    expect(played.latenciesMs).toHaveLength(499);
    // The last to come waits for the three before.
    expect(played.latenciesMs.slice(0, 4)).toEqual([20, 40, 60, 80]);
    expect(new Set(played.latenciesMs.slice(4))).toEqual(new Set([80]));
    expect(played.busy).toBeCloseTo(1, 9);
  });

  it("waits as long as queues with random arrivals and one length of service do (Pollaczek, Khinchine)", () => {
    const random = randomOf(5);
    const exponential = (meanMs: number): number => -Math.log(1 - random.uniform()) * meanMs;
    const load = 0.6;
    const everyMs = (400 * 20) / load;
    const poisson = {
      ...quiet,
      workers: 400,
      partitions: 400,
      firstAtMs: () => exponential(everyMs),
      nextAtMs: (closedAtMs: number) => closedAtMs + exponential(everyMs),
      beforeMs: () => 0,
      durationMs: 4_000_000,
    };
    const { latenciesMs, busy } = simulateContention(poisson, random);
    expect(busy).toBeCloseTo(load, 1);
    const waited = mean(latenciesMs) - 20;
    const expected = (load / (2 * (1 - load))) * 20;
    expect(waited / expected).toBeGreaterThan(0.93);
    expect(waited / expected).toBeLessThan(1.07);
  });

  it("has all but the first of those who race try again", () => {
    const race = { ...quiet, workers: 3, partitions: 3, order: "race", nextAtMs: () => Number.POSITIVE_INFINITY } as const;
    const { attempts, latenciesMs } = simulateContention(race, randomOf(1));
    expect(attempts[0]).toBe(1);
    expect(attempts[1]).toBeGreaterThan(1);
    expect(latenciesMs).toHaveLength(3);
    expect(latenciesMs[0]).toBe(50);
  });

  it("commits for all who wait where a turn is shared", () => {
    const shared = {
      ...quiet,
      workers: 5,
      partitions: 5,
      order: "shared",
      nextAtMs: () => Number.POSITIVE_INFINITY,
      turnMs: (windows: number) => 20 + windows,
    } as const;
    const { latenciesMs } = simulateContention(shared, randomOf(1));
    // The first goes alone, the four that came meanwhile together.
    expect(latenciesMs).toEqual([51, 75, 75, 75, 75]);
  });

  it("goes without a turn after a while, and swaps only what has not moved", () => {
    const slow = {
      ...quiet,
      workers: 6,
      partitions: 6,
      turnMs: () => 400,
      patienceMs: 100,
      nextAtMs: () => Number.POSITIVE_INFINITY,
    };
    const { attempts, latenciesMs } = simulateContention(slow, randomOf(1));
    expect(latenciesMs).toHaveLength(6);
    expect(attempts.at(-1)).toBeGreaterThan(1);
    // No two swaps in the time that one takes.
    latenciesMs.slice(1).forEach((each, i) => expect(each - (latenciesMs[i] as number)).toBeGreaterThan(0));
  });

  it("loses a window to the partition's other worker", () => {
    const pair = { ...quiet, workers: 2, nextAtMs: () => Number.POSITIVE_INFINITY };
    const played = simulateContention(pair, randomOf(1));
    expect(played.latenciesMs).toEqual([50]);
    expect(played.lost).toBe(1);
  });
});
