import { describe, expect, test } from "vitest";
import type { DriftPlan } from "../../src/core/contract.ts";
import type { DriftOutcome } from "../../src/core/drift.ts";
import type { Profile } from "../../src/core/profile.ts";
import type { CommittedDrift, DriftState } from "../../src/drift/index.ts";
import { emptyDriftState, foldDrift, judgeDrift, pinBaseline } from "../../src/drift/index.ts";
import type { TestValue } from "../sketches/columns.ts";
import { contractOf, normal, seededRandom } from "../sketches/columns.ts";
import { check, draw, fields, planOf, profileOf } from "./windows.ts";

const usual = { UA: 0.4, AA: 0.3, WN: 0.12, B6: 0.1, DL: 0.08 };
const shifted = { UA: 0.31, AA: 0.24, WN: 0.31, B6: 0.08, DL: 0.06 };

interface WindowShape {
  readonly shares?: Readonly<Record<string, number>>;
  readonly mean?: number;
  readonly rows?: number;
  readonly nulls?: number;
}

/** A stream of windows with a verdict each, as the gate makes them. */
class Stream {
  readonly outcomes: DriftOutcome[] = [];
  state: DriftState = emptyDriftState;
  readonly history: CommittedDrift[] = [];
  readonly #random: () => number;
  readonly plan: DriftPlan;

  constructor(plan: DriftPlan, seed: number) {
    this.plan = plan;
    this.#random = seededRandom(seed);
  }

  profile(shape: WindowShape): Profile {
    const random = this.#random;
    const rows = shape.rows ?? 2000;
    const cell = (value: () => TestValue): TestValue => (random() < (shape.nulls ?? 0.01) ? null : value());
    return profileOf(
      Array.from({ length: rows }, () => draw(random, shape.shares ?? usual)),
      Array.from({ length: rows }, () => cell(() => 10 * (normal(random) + (shape.mean ?? 0)))),
    );
  }

  /** Judges and commits one window; a window that drift does not hold is promoted. */
  window(shape: WindowShape = {}, change: Partial<CommittedDrift> = {}): DriftOutcome {
    const contract = contractOf(fields, this.plan);
    const id = `w${this.history.length}`;
    const closedAtMs = this.history.length * 10_000;
    const profile = this.profile(shape);
    const drift = judgeDrift(contract, this.state, { windowId: id, closedAtMs, profile });
    const verdict = drift.status === "hold" ? "hold" : "promote";
    const committed: CommittedDrift = { windowId: id, kind: "window", closedAtMs, verdict, drift, profile, ...change };
    this.history.push(committed);
    this.state = foldDrift(contract, this.state, committed);
    this.outcomes.push(drift);
    return drift;
  }

  windows(count: number, shape: WindowShape = {}): DriftOutcome[] {
    return Array.from({ length: count }, () => this.window(shape));
  }

  ids(): string[] {
    return this.state.windows.map((window) => window.windowId);
  }
}

const both = [check("carrier", ["psi", "jensen-shannon"]), check("delay", ["psi", "jensen-shannon", "null-share"], "hold")];

describe("judging drift", () => {
  test("learns first and says how many windows are needed", () => {
    const stream = new Stream(planOf(both, { warmupWindows: 3 }), 1);
    expect(stream.windows(4).map((each) => [each.status, each.needs])).toEqual([
      ["learning", 3],
      ["learning", 2],
      ["learning", 1],
      ["pass", 0],
    ]);
    expect(stream.outcomes[0]!.results[0]!.explanation).toBe("learning: 3 more promoted windows are needed");
    expect(stream.outcomes[3]).toMatchObject({ tick: { windows: ["w3"], rows: 2000 }, baseline: { windows: 3, rows: 6000, ref: null } });
  });

  test("a share that rises from 12% to 31% is found and told in plain words; the policy decides", () => {
    for (const policy of ["observe", "warn", "hold"] as const) {
      const stream = new Stream(planOf([check("carrier", ["psi"], policy)]), 2);
      stream.windows(8);
      const outcome = stream.window({ shares: shifted });
      expect(outcome.status).toBe(policy);
      expect(outcome.results[0]!.explanation).toMatch(
        /^carrier: share of WN rose from 1[12]\.\d% to 3[012]\.\d%, of [A-Z0-9]{2} fell from \d+\.\d% to \d+\.\d%$/,
      );
      expect(outcome.results[0]!.statistic!).toBeGreaterThan(outcome.results[0]!.limit!);
    }
  });

  test("half a standard deviation is found, and ten points of nulls", () => {
    const stream = new Stream(planOf(both), 3);
    stream.windows(8);
    expect(stream.window({ mean: 0.5 }).status).toBe("hold");
    const nulls = stream.window({ nulls: 0.11 });
    expect(nulls.results.filter((result) => result.status === "drift").map((result) => result.test)).toEqual(["null-share"]);
  });

  test("few alarms where nothing drifts, at several window sizes and at the tightest limits", () => {
    for (const rows of [60, 500, 3000]) {
      const checks = both.map((each) => ({ ...each, limit: 0 }));
      let alarms = 0;
      let judged = 0;
      for (let seed = 0; seed < 4; seed++) {
        const stream = new Stream(planOf(checks), 100 * seed + rows);
        for (const outcome of stream.windows(rows === 3000 ? 30 : 80, { rows })) {
          if (outcome.status !== "learning") judged++;
          if (outcome.status === "warn" || outcome.status === "hold") alarms++;
        }
      }
      // The stated share is 1 in 1,000 windows.
      expect([rows, alarms <= 1 + judged / 250]).toEqual([rows, true]);
    }
  });

  test("windows that differ mildly from batch to batch do not alarm once the baseline shows it, and a real shift still does", () => {
    const random = seededRandom(9);
    const checks = [check("carrier", ["psi"], "warn", 0.005)];
    const stream = new Stream(planOf(checks, { baseline: { kind: "rolling", windows: 20 }, warmupWindows: 15 }), 4);
    const mild = (): WindowShape => {
      const tilt = 0.05 * (random() - 0.5);
      return { rows: 5000, shares: { ...usual, UA: usual.UA + tilt, AA: usual.AA - tilt } };
    };
    let alarms = 0;
    for (let i = 0; i < 60; i++) if (stream.window(mild()).status === "warn") alarms++;
    expect(alarms).toBeLessThanOrEqual(1);
    expect(stream.window({ rows: 5000, shares: shifted }).status).toBe("warn");
  });
});

describe("ticks", () => {
  const ticked = planOf(both, { tick: { rows: 6000, seconds: 3600 }, warmupWindows: 2 });

  test("close by rows and name every window; the windows then join the baseline", () => {
    const stream = new Stream(ticked, 5);
    const outcomes = stream.windows(8);
    expect(outcomes.map((each) => each.status)).toEqual([
      "learning",
      "learning",
      "pending",
      "pending",
      "pass",
      "pending",
      "pending",
      "pass",
    ]);
    expect(outcomes[4]!.tick).toEqual({ windows: ["w2", "w3", "w4"], rows: 6000 });
    expect(stream.ids()).toEqual(["w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7"]);
  });

  test("close by the recorded close times", () => {
    const stream = new Stream(planOf(both, { tick: { rows: 1e9, seconds: 20 }, warmupWindows: 1 }), 6);
    expect(stream.windows(4).map((each) => each.status)).toEqual(["learning", "pending", "pending", "pass"]);
  });

  test("a sudden break is found in one window of an open tick, and that window joins nothing", () => {
    const stream = new Stream(ticked, 7);
    stream.windows(4);
    const outcome = stream.window({ mean: 3 });
    expect(outcome).toMatchObject({ status: "hold", tick: { windows: ["w2", "w3", "w4"] } });
    const inside = new Stream(ticked, 7);
    inside.windows(3);
    const sudden = inside.window({ mean: 3, shares: { WN: 1 } });
    expect(sudden).toMatchObject({ status: "hold", tick: null });
    expect(sudden.results.find((result) => result.column === "carrier")!.explanation).toMatch(/in this window alone$/);
    expect(inside.state.open?.windows).toEqual(["w2"]);
    inside.windows(2);
    expect(inside.ids()).toEqual(["w0", "w1", "w2", "w4", "w5"]);
  });

  test("a window that a sudden break only warns of is promoted, and still joins neither the tick nor the baseline", () => {
    const stream = new Stream(planOf([check("carrier", ["psi"], "warn")], { tick: { rows: 6000, seconds: 3600 }, warmupWindows: 2 }), 17);
    stream.windows(3);
    expect(stream.window({ shares: { WN: 1 } })).toMatchObject({ status: "warn", tick: null });
    expect(stream.history[3]!.verdict).toBe("promote");
    expect(stream.state.open?.windows).toEqual(["w2"]);
  });

  test("a slow shift below the gate is found by the tick, and no window of that tick joins the baseline", () => {
    const stream = new Stream(planOf([check("carrier", ["psi"])], { tick: { rows: 6000, seconds: 3600 }, warmupWindows: 3 }), 8);
    stream.windows(6);
    expect(stream.windows(3, { shares: { ...shifted, WN: 0.26, UA: 0.36 } }).map((each) => each.status)).toEqual([
      "pending",
      "pending",
      "warn",
    ]);
    expect(stream.ids()).toEqual(["w0", "w1", "w2", "w3", "w4", "w5"]);
    expect(stream.state.open).toBeNull();
  });

  test("another worker's window that came after the tick was judged belongs to the next", () => {
    const stream = new Stream(ticked, 9);
    stream.windows(4);
    const contract = contractOf(fields, ticked);
    const own = stream.profile({});
    const drift = judgeDrift(contract, stream.state, { windowId: "own", closedAtMs: 50_000, profile: own });
    expect(drift.tick?.windows).toEqual(["w2", "w3", "own"]);
    stream.window({}, { windowId: "other", drift: { ...drift, tick: null, status: "pending" } });
    const state = foldDrift(contract, stream.state, {
      windowId: "own",
      kind: "window",
      closedAtMs: 50_000,
      verdict: "promote",
      drift,
      profile: own,
    });
    expect(state.windows.map((each) => each.windowId)).toEqual(["w0", "w1", "w2", "w3", "own"]);
    expect(state.open?.windows).toEqual(["other"]);
  });
});

describe("baselines", () => {
  test("roll over the newest promoted windows; held, replayed, empty and incident windows never join", () => {
    const stream = new Stream(planOf(both, { baseline: { kind: "rolling", windows: 4 }, warmupWindows: 2 }), 10);
    stream.windows(3);
    stream.window({}, { verdict: "hold" });
    stream.window({}, { kind: "replay" });
    stream.window({}, { profile: null });
    expect(stream.window({ shares: { WN: 1 } }).status).toBe("warn");
    stream.windows(2);
    expect(stream.ids()).toEqual(["w1", "w2", "w7", "w8"]);
  });

  test("a held window that a person published joins", () => {
    const stream = new Stream(planOf(both, { warmupWindows: 2 }), 11);
    stream.windows(3);
    stream.window({ mean: 3 });
    expect(stream.ids()).not.toContain("w3");
    stream.state = foldDrift(contractOf(fields, stream.plan), stream.state, { ...stream.history[3]!, accepted: true });
    expect(stream.ids()).toContain("w3");
  });

  test("pinned: measured against the given profile from the first window on; without it, learning", () => {
    const plan = planOf(both, { baseline: { kind: "pinned", ref: "golden" } });
    const stream = new Stream(plan, 12);
    const unpinned = stream.window();
    expect(unpinned).toMatchObject({ status: "learning", baseline: null });
    expect(unpinned.results[0]!.explanation).toBe("the pinned baseline golden has no profile here");
    stream.state = pinBaseline(stream.state, { ref: "golden", profile: stream.profile({ rows: 10_000 }) });
    expect(stream.window()).toMatchObject({ status: "pass", baseline: { ref: "golden", rows: 10_000 } });
    expect(stream.window({ shares: shifted }).status).toBe("warn");
  });

  test("the state is a fold: refolding the history gives it again, and it stays bounded", () => {
    const stream = new Stream(
      planOf(both, { baseline: { kind: "rolling", windows: 3 }, tick: { rows: 1e9, seconds: 1e6 }, warmupWindows: 2 }),
      13,
    );
    stream.windows(30, { rows: 100 });
    const contract = contractOf(fields, stream.plan);
    expect(stream.history.reduce((state, each) => foldDrift(contract, state, each), emptyDriftState)).toEqual(stream.state);
    expect(stream.state.windows.length).toBe(2);
    expect(stream.state.open?.recent.length).toBe(3);
    expect(stream.state.open?.rows).toBe(2800);
  });

  test("judging changes nothing and says the same again", () => {
    const stream = new Stream(planOf(both), 14);
    stream.windows(7);
    const before = structuredClone(stream.state);
    const input = { windowId: "x", closedAtMs: 1e6, profile: stream.profile({ mean: 1 }) };
    const contract = contractOf(fields, stream.plan);
    expect(judgeDrift(contract, stream.state, input)).toEqual(judgeDrift(contract, stream.state, input));
    expect(stream.state).toEqual(before);
  });

  test("a column new to the contract learns, an unknown test or column is skipped and says why", () => {
    const stream = new Stream(planOf([check("carrier", ["psi"])], { warmupWindows: 2 }), 15);
    stream.windows(3);
    const changed = contractOf(
      fields,
      planOf([check("delay", ["psi"]), check("nope", ["psi"]), check("carrier", ["nope"])], { warmupWindows: 2 }),
    );
    const outcome = judgeDrift(changed, stream.state, { windowId: "x", closedAtMs: 1e6, profile: stream.profile({}) });
    expect(outcome.status).toBe("pass");
    expect(outcome.results.map((result) => [result.status, result.explanation])).toEqual([
      ["learning", "no window of the baseline has this column yet"],
      ["skipped", "there is no column nope"],
      ["skipped", "there is no drift test nope"],
    ]);
  });

  test("numbers whose squares are beyond a double leave finite scores, which a decision's JSON gives back", () => {
    const random = seededRandom(17);
    const detection = { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: 50 } } as const;
    const plan = planOf([check("delay", ["mean", "wasserstein", "range"], "observe")], { warmupWindows: 3, detection });
    const contract = contractOf(fields, plan);
    let state = emptyDriftState;
    for (let n = 0; n < 8; n++) {
      const values = Array.from({ length: 200 }, () => (n === 6 ? 1e160 + 1e153 * normal(random) : 1e-10 * normal(random)));
      const input = { windowId: `w${n}`, closedAtMs: n * 60_000, profile: profileOf([], values) };
      const drift = judgeDrift(contract, state, input);
      if (n === 6) expect(drift.status).toBe("observe");
      state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift });
    }
    const scores = [...state.sequence.streams.values()].map((stream) => stream.scores);
    expect(scores.map((each) => each.length)).toEqual([3, 4, 5]);
    expect(JSON.parse(JSON.stringify(scores))).toEqual(scores);
  });

  test("off without checks", () => {
    const input = { windowId: "x", closedAtMs: 0, profile: new Stream(planOf([]), 16).profile({}) };
    expect(judgeDrift(contractOf(fields), emptyDriftState, input).status).toBe("off");
    expect(judgeDrift(contractOf(fields, planOf([])), emptyDriftState, input).status).toBe("off");
  });
});
