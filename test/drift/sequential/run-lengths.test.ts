import { expect, test } from "vitest";
import type { DriftEvidence } from "../../../src/core/drift.ts";
import { advanceDetector, judgeSequence } from "../../../src/drift/sequential/judge-sequence.ts";
import type { Sequential, SequenceState } from "../../../src/drift/sequential/sequence-state.ts";
import { emptySequence, foldSequence } from "../../../src/drift/sequential/sequence-state.ts";
import { normal, seededRandom } from "../../sketches/columns.ts";

/** Mean run length until a detector of likelihood ratios against a mean of 1 sigma reaches a threshold. */
function runLength(detector: Sequential["detector"], threshold: number, shift: number, runs: number, twoSided = false): number {
  const random = seededRandom(77);
  let ticks = 0;
  for (let run = 0; run < runs; run++) {
    let [up, down] = [0, 0];
    while (up < threshold && down < threshold) {
      const x = normal(random) + shift;
      up = advanceDetector(detector, up, 1, Math.exp(x - 0.5));
      if (twoSided) down = advanceDetector(detector, down, 1, Math.exp(-x - 0.5));
      ticks++;
    }
  }
  return ticks / runs;
}

test("CUSUM of k = .5 has the run lengths of the tables, and the delays", () => {
  for (const [h, length, delay] of [
    [4, 168, 8.38],
    [5, 465, 10.4],
  ] as const) {
    expect(Math.abs(runLength("cusum", Math.exp(h), 0, 6000, true) / length - 1)).toBeLessThan(0.06);
    expect(Math.abs(runLength("cusum", Math.exp(h), 1, 6000, true) / delay - 1)).toBeLessThan(0.04);
  }
});

test("Shiryaev and Roberts' run length is the threshold over .5604 for a shift of 1 sigma (Pollak 1987)", () => {
  expect(Math.abs(runLength("shiryaev-roberts", 200, 0, 6000) / (200 / 0.5604) - 1)).toBeLessThan(0.06);
});

const plan: Sequential = { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: 50 } };
const results = (evidence: ReadonlyMap<string, DriftEvidence>) =>
  [...evidence].map(([key, each]) => {
    const [test = "", column = ""] = key.split(" ");
    return { column, test, statistic: 0, limit: 1, status: "pass" as const, policy: "warn" as const, explanation: null, evidence: each };
  });

/** Ticks, thresholds first met, over some streams whose scores are drawn by `draw`. */
function alarms(change: Partial<Sequential>, ticks: number, draw: (streams: number) => readonly number[], streams: number): number {
  const all = Array.from({ length: streams }, (_, i) => `psi c${i}`);
  const watched = new Set(all);
  const wanted = { ...plan, ...change };
  let state: SequenceState = emptySequence;
  let count = 0;
  for (let i = 0; i < ticks; i++) {
    const closedAtMs = i * 86_400_000;
    const scores = new Map(draw(streams).map((score, k) => [all[k]!, score]));
    const judged = judgeSequence(wanted, state, { openedAtMs: closedAtMs, closedAtMs, streams: all, scores });
    if (judged.sequence.isExceeded && !state.isExceeded) count++;
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
  return count;
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
      for (let run = 0; run < 4; run++) count += alarms(change, 500, draw, streams);
      // 2,000 ticks: 20 by the bound of 2 x 50 ticks; they are fewer, for a threshold is passed by far more often than just met.
      expect(count).toBeLessThanOrEqual(20);
    }
  });
}
