import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BinnedColumn } from "../../../bench/drift/binned-column.ts";
import { countedOf } from "../../../bench/drift/counted-measures.ts";
import { Reference } from "../../../bench/drift/counted-rule.ts";
import { drawCounts } from "../../../bench/drift/normal-bins.ts";
import { playQuietRun } from "../../../bench/drift/quiet-run.ts";
import { normalStream } from "../../../bench/drift/quiet-streams.ts";
import { randomOf } from "../../../bench/drift/random.ts";
import { alarmsOf, thresholdAt } from "../../../bench/drift/same-rate.ts";
import { SluiceRule } from "../../../bench/drift/sluice-rule.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../../src/drift/index.ts";
import { check, fields, planOf, profileOf } from "../../drift/windows.ts";
import { contractOf } from "../../sketches/columns.ts";

const carriers = ["UA", "AA", "WN", "B6"] as const;
/** The last is for others, of which there are none. */
const column: BinnedColumn = { name: "carrier", coarseOf: Uint16Array.of(0, 1, 2, 3, 4), coarseBins: 5, widths: null };

function drawCarriers(random: () => number, shares: readonly number[]): Float64Array {
  const counts = new Float64Array(5);
  for (let row = 0; row < 400; row++) {
    let [rest, carrier] = [random(), 0];
    while (carrier < 3 && (rest -= shares[carrier]!) >= 0) carrier++;
    counts[carrier] = counts[carrier]! + 1;
  }
  return counts;
}

describe("rules over counts", () => {
  test("score, doubt and flag windows as the project does over profiles of the same records", () => {
    const random = randomOf(9);
    const contract = contractOf(
      fields,
      planOf([check("carrier", ["psi"])], {
        baseline: { kind: "rolling", windows: 20 },
        warmupWindows: 4,
        detection: { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: 20 } },
      }),
    );
    const rule = new SluiceRule("counts", 20, { baseline: "rolling", limit: 0.1, hasGate: true });
    let state = emptyDriftState;
    let flaggedWindows = 0;
    for (let window = 0; window < 120; window++) {
      const counts = drawCarriers(() => random.uniform(), window < 90 ? [0.4, 0.3, 0.2, 0.1] : [0.25, 0.3, 0.2, 0.25]);
      const flagged = rule.judge([countedOf(column, counts)], "");
      const profile = profileOf(
        carriers.flatMap((carrier, i) => Array.from({ length: counts[i]! }, () => carrier)),
        [],
      );
      const input = { windowId: `w${window}`, openedAtMs: window, closedAtMs: window, profile };
      const drift = judgeDrift(contract, state, input);
      state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift });
      expect(flagged.length > 0).toBe(drift.status === "warn");
      if (flagged.length > 0) flaggedWindows++;
    }
    expect(flaggedWindows).toBeGreaterThan(0);
    // Five bins instead of four: all scores are four thirds of the project's chance, and none changes its rank.
    const scores = state.sequence.streams.get("psi carrier")!.scores;
    expect(rule.scores(0).length).toBe(scores.length);
    rule.scores(0).forEach((score, i) => expect((score * 4) / 3).toBeCloseTo(scores[i]!, 9));
  });

  test("a reference is the sum of its newest windows, and of all but one", () => {
    const window = fc.array(fc.nat({ max: 50 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(window, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (windows, depth) => {
        const reference = new Reference(depth);
        for (const counts of windows) reference.add([countedOf(column, Float64Array.from(counts))]);
        const newest = windows.slice(-depth);
        const sum = (all: readonly (readonly number[])[]): Float64Array =>
          Float64Array.from({ length: 5 }, (_, bin) => all.reduce((total, counts) => total + counts[bin]!, 0));
        expect(reference.sums[0]).toEqual(countedOf(column, sum(newest)));
        newest.forEach((_, i) =>
          expect(reference.without(0, reference.windows[i]!)).toEqual(countedOf(column, sum(newest.toSpliced(i, 1)))),
        );
        expect(reference.sums[0]).toEqual(countedOf(column, sum(newest)));
      }),
    );
  });

  test("a run says the same again, and other seeds say other things", () => {
    const stream = normalStream("small", "heavy", { columns: 1, rows: 1000 });
    const first = playQuietRun(stream, 3);
    expect(playQuietRun(stream, 3)).toEqual(first);
    expect(playQuietRun(stream, 4)).not.toEqual(first);
    for (const { alarms, flagged } of first) expect(alarms).toBeLessThanOrEqual(flagged);
  });
});

describe("counts of a normal column", () => {
  test("are of all rows, a fortieth in each bin, and move with the mean", () => {
    const random = randomOf(4);
    const sums = new Float64Array(40);
    let above = 0;
    for (let window = 0; window < 200; window++) {
      const counts = drawCounts(random, 10_000, 0);
      expect(counts.reduce((a, b) => a + b)).toBe(10_000);
      counts.forEach((count, bin) => (sums[bin] = sums[bin]! + count));
      above += drawCounts(random, 10_000, 0.25)
        .subarray(20)
        .reduce((a, b) => a + b);
    }
    // 2 million values: a bin's share has a standard deviation of .00011, that above the old median of .00035.
    for (const sum of sums) expect(Math.abs(sum / 2e6 - 1 / 40)).toBeLessThan(0.0007);
    expect(Math.abs(above / 2e6 - 0.59871)).toBeLessThan(0.002);
  });
});

describe("a threshold of the same rate", () => {
  const runs = fc.array(
    fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: 0, max: 9, noNaN: true })), { minLength: 1, maxLength: 30 }),
    { minLength: 1, maxLength: 5 },
  );

  test("raises no more alarms than it may, nor any higher one, and the next lower value raises more", () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 0, max: 10 }), (values, allowed) => {
        const count = (threshold: number): number => values.reduce((sum, run) => sum + alarmsOf(run, threshold), 0);
        const threshold = thresholdAt(values, allowed);
        const distinct = [...new Set(values.flat())].toSorted((a, b) => b - a);
        for (const value of distinct.filter((each) => each >= threshold)) expect(count(value)).toBeLessThanOrEqual(allowed);
        const lower = distinct.find((each) => each < threshold);
        if (lower !== undefined) expect(count(lower)).toBeGreaterThan(allowed);
      }),
    );
  });

  test("counts an alarm that goes on once", () => {
    expect(alarmsOf([0, 2, 3, 0, 2, 0, 5, 5, 5], 1)).toBe(3);
    expect(alarmsOf([2, 2], 2)).toBe(0);
  });
});
