import { describe, expect, test } from "vitest";
import type { DriftEvidence } from "../../../src/core/drift.ts";
import { chiSquaredUpperTail } from "../../../src/drift/chi-squared.ts";
import { advanceDetector, judgeSequence } from "../../../src/drift/sequential/judge-sequence.ts";
import type { Sequential, SequenceState } from "../../../src/drift/sequential/sequence-state.ts";
import { emptySequence, foldSequence } from "../../../src/drift/sequential/sequence-state.ts";
import { normal, seededRandom } from "../../sketches/columns.ts";

/** The standard normal law, by the chi-squared one of one degree. */
function normalBelow(x: number): number {
  if (x === -Infinity) return 0;
  const beyond = chiSquaredUpperTail(x * x, 1) / 2;
  return x < 0 ? beyond : 1 - beyond;
}

/** Solves a system of linear equations by Gauss's elimination. */
function solve(rows: readonly Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  for (let i = 0; i < size; i++) {
    const pivot = rows[i]!;
    for (let below = i + 1; below < size; below++) {
      const row = rows[below]!;
      const factor = row[i]! / pivot[i]!;
      if (factor === 0) continue;
      for (let j = i; j < size; j++) row[j]! -= factor * pivot[j]!;
      right[below]! -= factor * right[i]!;
    }
  }
  for (let i = size - 1; i >= 0; i--) {
    let rest = right[i]!;
    for (let j = i + 1; j < size; j++) rest -= rows[i]![j]! * right[j]!;
    right[i] = rest / rows[i]![i]!;
  }
  return right;
}

/**
 * Mean ticks until a detector of likelihood ratios against a mean of 1 sigma reaches a threshold, where the mean is `shift`: the Markov chain of Brook and
 * Evans (1972), whose steps are those of the project's detector; it is linear in the e-value, so that the step with 1 says where any other leads.
 */
function runLength(detector: Sequential["detector"], threshold: number, shift: number, states: number): number {
  const place = (i: number): number => Math.expm1((Math.log1p(threshold) * i) / states);
  const stepsFrom = (value: number): Float64Array => {
    const unit = advanceDetector(detector, value, 1, 1);
    const below = Float64Array.from({ length: states + 1 }, (_, i) => normalBelow(Math.log(place(i) / unit) + 0.5 - shift));
    return below.subarray(1).map((share, i) => share - below[i]!);
  };
  const rows = Array.from({ length: states }, (_, i) => stepsFrom(place(i + 0.5)).map((share, j) => (i === j ? 1 : 0) - share));
  const lengths = solve(rows, new Float64Array(states).fill(1));
  return 1 + stepsFrom(0).reduce((sum, share, j) => sum + share * lengths[j]!, 0);
}

/** As fine as wanted: the error of a chain falls with the square of its states. */
function extrapolated(detector: Sequential["detector"], threshold: number, shift: number): number {
  const [coarse, fine] = [runLength(detector, threshold, shift, 100), runLength(detector, threshold, shift, 200)];
  return fine + (fine - coarse) / 3;
}

describe("run lengths where the scores' law is known", () => {
  // D. C. Montgomery, Introduction to Statistical Quality Control, the table of the two-sided CUSUM's run lengths for k = 1/2.
  const table = [
    [0, 168, 465],
    [0.25, 74.2, 139],
    [0.5, 26.6, 38],
    [0.75, 13.3, 17],
    [1, 8.38, 10.4],
    [1.5, 4.75, 5.75],
    [2, 3.34, 4.01],
  ] as const;

  test("CUSUM: the table's, at every shift, for h = 4 and 5", () => {
    for (const [shift, ...lengths] of table) {
      for (const [i, h] of [4, 5].entries()) {
        const [up, down] = [extrapolated("cusum", Math.exp(h), shift), extrapolated("cusum", Math.exp(h), -shift)];
        // Of two sides that can't both be near their threshold (van Dobben de Bruyn 1968).
        const both = 1 / (1 / up + 1 / down);
        expect([shift, h, Math.abs(both / lengths[i]! - 1) < 0.006, both]).toEqual([shift, h, true, both]);
      }
    }
  });

  test("CUSUM: Siegmund's approximation of one side (1985), within three parts of a hundred", () => {
    for (const h of [3, 4, 5, 6]) {
      for (const shift of [0, 0.25, 1, 1.5]) {
        const [drift, b] = [shift - 0.5, h + 1.166];
        const siegmund = (Math.exp(-2 * drift * b) + 2 * drift * b - 1) / (2 * drift * drift);
        expect(Math.abs(extrapolated("cusum", Math.exp(h), shift) / siegmund - 1)).toBeLessThan(0.03);
      }
    }
  });

  test("Shiryaev and Roberts: never below the threshold, and as far above it as Pollak (1987) has it, 1 / .5604 for a shift of 1 sigma", () => {
    for (const threshold of [20, 50, 200, 1000]) {
      const length = extrapolated("shiryaev-roberts", threshold, 0);
      expect(length).toBeGreaterThanOrEqual(threshold);
      expect(Math.abs((length * 0.5604) / threshold - 1)).toBeLessThan(0.005 + 0.5 / threshold);
    }
  });

  test("a chain of the detector's steps is what the detector does: simulated", () => {
    for (const [detector, threshold, shift] of [
      ["cusum", Math.exp(4), 1],
      ["shiryaev-roberts", 100, 0.5],
    ] as const) {
      const random = seededRandom(77);
      const runs = 4000;
      let ticks = 0;
      for (let run = 0; run < runs; run++) {
        for (let value = 0; value < threshold; ticks++) value = advanceDetector(detector, value, 1, Math.exp(normal(random) + shift - 0.5));
      }
      expect(Math.abs(ticks / runs / extrapolated(detector, threshold, shift) - 1)).toBeLessThan(0.03);
    }
  });
});

const plan: Sequential = { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: 50 } };
const results = (evidence: ReadonlyMap<string, DriftEvidence>) =>
  [...evidence].map(([key, each]) => {
    const [test = "", column = ""] = key.split(" ");
    return { column, test, statistic: 0, limit: 1, status: "pass" as const, policy: "warn" as const, explanation: null, evidence: each };
  });

/** The ticks at which thresholds were met anew, over some streams whose scores are drawn by `draw`; `most` of them at most. */
function alarms(
  change: Partial<Sequential>,
  ticks: number,
  draw: (streams: number) => readonly number[],
  streams: number,
  most = Infinity,
): readonly number[] {
  const all = Array.from({ length: streams }, (_, i) => `psi c${i}`);
  const watched = new Set(all);
  const wanted = { ...plan, ...change };
  let state: SequenceState = emptySequence;
  const met: number[] = [];
  for (let i = 0; i < ticks && met.length < most; i++) {
    const closedAtMs = i * 86_400_000;
    const scores = new Map(draw(streams).map((score, k) => [all[k]!, score]));
    const judged = judgeSequence(wanted, state, { openedAtMs: closedAtMs, closedAtMs, streams: all, scores });
    if (judged.sequence.isExceeded && !state.isExceeded) met.push(i + 1);
    const outcome = {
      status: "pass",
      tick: null,
      baseline: null,
      needs: 0,
      results: results(judged.evidence),
      sequence: judged.sequence,
    } as const;
    state = foldSequence(wanted, state, { outcome, closedAtMs, isUsual: true, watched });
  }
  return met;
}

for (const [name, change] of [
  ["in ticks", {}],
  ["in days of a tick each", { between: { unit: "days", mean: 50 } }],
  ["CUSUM", { detector: "cusum" }],
] as const) {
  test(`thresholds are met by chance no more often than stated: ${name}, one stream, many, and many that move as one`, () => {
    const random = seededRandom(5);
    const same = (streams: number): number[] => Array.from({ length: streams }, () => 0).fill(random());
    const alike = (streams: number): number[] => {
      const common = normal(random);
      return Array.from({ length: streams }, () => (normal(random) + common) ** 2);
    };
    for (const [streams, draw] of [
      [1, same],
      [20, alike],
      [20, same],
    ] as const) {
      let count = 0;
      for (let run = 0; run < 4; run++) count += alarms(change, 500, draw, streams).length;
      // 2,000 ticks: 20 by the bound of 2 x 50 ticks; they are fewer, for a threshold is passed by far more often than just met.
      expect(count).toBeLessThanOrEqual(20);
    }
  });
}

test("the first threshold by chance comes later than stated on average, whatever law the scores have: 80 runs from nothing, cut at eight times it", () => {
  const random = seededRandom(9);
  const laws = {
    normal: () => normal(random),
    "heavy tails": () => 1 / random() ** 2,
    "few values": () => Math.floor(4 * random()),
  };
  const mean = 20;
  const most = 8 * 2 * mean;
  for (const [law, score] of Object.entries(laws)) {
    let ticks = 0;
    let squares = 0;
    const runs = 80;
    for (let run = 0; run < runs; run++) {
      const [first = most] = alarms({ between: { unit: "ticks", mean } }, most, () => [score(), score()], 2, 1);
      ticks += first;
      squares += first ** 2;
    }
    // Three standard errors below the mean is still above the threshold; runs that were cut count for less than they were.
    const error = Math.sqrt((squares / runs - (ticks / runs) ** 2) / runs);
    expect([law, ticks / runs - 3 * error >= 2 * mean, ticks / runs]).toEqual([law, true, ticks / runs]);
  }
});
