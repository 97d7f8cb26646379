import { describe, expect, test } from "vitest";
import type { DriftPlan } from "../../../src/core/contract.ts";
import type { DriftOutcome } from "../../../src/core/drift.ts";
import type { CommittedDrift, DriftState } from "../../../src/drift/index.ts";
import { emptyDriftState, foldDrift, foldEvidence, judgeDrift } from "../../../src/drift/index.ts";
import { contractOf, normal, seededRandom } from "../../sketches/columns.ts";
import { check, draw, fields, planOf, profileOf } from "../windows.ts";

const usual = { UA: 0.5, AA: 0.3, WN: 0.2 };
const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 5);
const sequential = (change: Partial<DriftPlan> = {}): DriftPlan =>
  planOf([check("carrier", ["psi"]), check("delay", ["psi"])], {
    detection: { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: 100 } },
    ...change,
  });

/** Windows of an hour each, judged and committed. */
class Stream {
  state: DriftState = emptyDriftState;
  readonly history: CommittedDrift[] = [];
  readonly #random: () => number;
  readonly plan: DriftPlan;
  readonly stepMs: number;

  constructor(plan: DriftPlan, stepMs = hourMs, seed = 21) {
    this.#random = seededRandom(seed);
    this.plan = plan;
    this.stepMs = stepMs;
  }

  window(shift = 0, shares: Readonly<Record<string, number>> = usual): DriftOutcome {
    const random = this.#random;
    const n = 600;
    const profile = profileOf(
      Array.from({ length: n }, () => draw(random, shares)),
      Array.from({ length: n }, () => normal(random) + shift),
    );
    const windowId = `w${this.history.length}`;
    const closedAtMs = startMs + this.history.length * this.stepMs;
    const drift = judgeDrift(contractOf(fields, this.plan), this.state, { windowId, openedAtMs: closedAtMs, closedAtMs, profile });
    const verdict = drift.status === "hold" ? "hold" : "promote";
    const committed: CommittedDrift = { windowId, kind: "window", openedAtMs: closedAtMs, closedAtMs, verdict, drift, profile };
    this.history.push(committed);
    this.state = foldDrift(contractOf(fields, this.plan), this.state, committed);
    return drift;
  }

  windows(count: number, shift = 0, shares = usual): DriftOutcome[] {
    return Array.from({ length: count }, () => this.window(shift, shares));
  }
}

/** Three tenths of a standard deviation are a PSI of .09 or so: over the limit, and under the gate's .125. */
const small = [check("carrier", ["psi"]), check("delay", ["psi"], "warn", 0.05)];

describe("evidence over time", () => {
  test("finds a shift that no single tick shows, names its column and start, and ends when the data come back", () => {
    const stream = new Stream(sequential({ checks: small }), hourMs, 5);
    const quiet = stream.windows(80);
    expect(quiet.filter((each) => each.status === "warn")).toEqual([]);
    expect(quiet.at(-1)!.results.every((each) => each.evidence !== undefined && each.foundBy === undefined)).toBe(true);
    const shifted = stream.windows(25, 0.3);
    const first = shifted.findIndex((each) => each.status === "warn");
    expect(first).toBeGreaterThan(0);
    const found = shifted[first]!;
    const delay = found.results.find((each) => each.column === "delay")!;
    expect(found.sequence).toMatchObject({ detector: "shiryaev-roberts", threshold: 200, unit: "ticks", isExceeded: true });
    expect(found.sequence!.value).toBeGreaterThanOrEqual(200);
    expect(delay).toMatchObject({ status: "drift", foundBy: "evidence", limit: 0.05 });
    expect(found.results.find((each) => each.column === "carrier")!.status).toBe("pass");
    // The start estimate: within a few ticks of the 80th.
    expect(Math.abs((delay.sinceMs! - startMs) / hourMs - 80)).toBeLessThanOrEqual(3);
    expect(delay.explanation).toMatch(/^delay: share of .*; the median went from .* to .*, since 2026-01-08T/);
    // Ticks of the alarm are no scores to compare with, and in no baseline: what they show does not become usual.
    expect(shifted.slice(first).filter((each) => each.status === "warn").length).toBeGreaterThan((25 - first) / 2);
    const warned = new Set(shifted.flatMap((each, i) => (each.status === "warn" ? [`w${80 + i}`] : [])));
    expect(stream.state.windows.filter((each) => warned.has(each.windowId))).toEqual([]);
    const usualTicks = [...quiet, ...shifted].filter((each) => each.status === "pass" && each.sequence !== undefined);
    expect(stream.state.sequence.streams.get("psi delay")!.scores.length).toBe(usualTicks.length);
    const back = stream.windows(6);
    expect(back.at(-1)).toMatchObject({ status: "pass", sequence: { isExceeded: false } });
    expect(back.at(-1)!.sequence!.value).toBeLessThan(50);
  });

  test("needs an effect that matters: a shift under the limit is evidence, and no alarm", () => {
    const stream = new Stream(sequential({ checks: [check("carrier", ["psi"]), check("delay", ["psi"], "warn", 0.5)] }));
    stream.windows(80);
    const shifted = stream.windows(20, 0.3);
    expect(shifted.some((each) => each.sequence?.isExceeded === true)).toBe(true);
    expect(shifted.filter((each) => each.status !== "pass")).toEqual([]);
  });

  test("leaves a sudden break to the gate: it is found in its first window", () => {
    const stream = new Stream(sequential());
    stream.windows(20);
    const outcome = stream.window(2);
    expect(outcome.status).toBe("warn");
    expect(outcome.results.find((each) => each.column === "delay")).toMatchObject({ foundBy: "break", sinceMs: startMs + 20 * hourMs });
  });

  test("is not broken by what is usual: where single windows are often far off, the gate asks for more", () => {
    const stream = new Stream(sequential());
    const random = seededRandom(5);
    // Student's t of 2 degrees: single windows are off by half a standard deviation and more.
    const outcomes = Array.from({ length: 400 }, () => stream.window((0.1 * normal(random)) / Math.sqrt(-Math.log(1 - random()))));
    const late = outcomes.slice(60).flatMap((each) => each.results);
    expect(late.filter((each) => each.statistic! > 0.25).length).toBeGreaterThan(5);
    expect(late.filter((each) => each.foundBy === "break").length).toBeLessThanOrEqual(1);
    expect(stream.window(20).results.find((each) => each.column === "delay")).toMatchObject({ foundBy: "break" });
  });

  test("is rebuilt from what decisions recorded: the detectors from the newest ticks without profiles, all from the whole", () => {
    const stream = new Stream(sequential({ checks: small }));
    stream.windows(40);
    stream.windows(12, 0.3);
    const contract = contractOf(fields, stream.plan);
    const stored = JSON.parse(JSON.stringify(stream.history, (key, value: unknown) => (key === "profile" ? undefined : value))) as Omit<
      CommittedDrift,
      "profile"
    >[];
    const again = stored.reduce((state, each) => foldEvidence(contract, state, each), emptyDriftState);
    expect(again.sequence).toEqual(stream.state.sequence);
    const late = stored.slice(-5).reduce((state, each) => foldEvidence(contract, state, each), emptyDriftState).sequence;
    for (const [key, each] of stream.state.sequence.streams) {
      expect({ ...late.streams.get(key)!, scores: [] }).toEqual({ ...each, scores: [] });
    }
    expect([late.isExceeded, late.tickAtMs]).toEqual([stream.state.sequence.isExceeded, stream.state.sequence.tickAtMs]);
    expect(stream.history.reduce((state, each) => foldDrift(contract, state, each), emptyDriftState)).toEqual(stream.state);
  });

  test("forgets streams that the contract no longer watches, and another detector's values", () => {
    const stream = new Stream(sequential());
    stream.windows(15);
    const other = contractOf(
      fields,
      sequential({
        checks: [check("delay", ["psi"])],
        detection: { mode: "sequential", detector: "cusum", between: { unit: "days", mean: 30 } },
      }),
    );
    const state = stream.history.reduce((each, committed) => foldDrift(other, each, committed), emptyDriftState);
    expect([...state.sequence.streams.keys()]).toEqual(["psi delay"]);
    expect(state.sequence.streams.get("psi delay")).toMatchObject({ value: 0 });
    expect(state.sequence.streams.get("psi delay")!.scores.length).toBe(10);
  });

  test("in days, a tick counts for the time since the last", () => {
    const days = (stepMs: number): number => {
      const stream = new Stream(
        sequential({ detection: { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "days", mean: 30 } } }),
        stepMs,
      );
      return stream.windows(40).at(-1)!.sequence!.value;
    };
    expect(days(24 * hourMs) / days(hourMs)).toBeCloseTo(24, 6);
  });
});

test("classical: the effect size alone, and how often chance exceeds it", () => {
  const stream = new Stream(sequential({ detection: { mode: "classical" }, checks: [check("delay", ["psi"], "warn", 0.03)] }));
  const outcomes = stream.windows(60);
  const judged = outcomes.filter((each) => each.status !== "learning");
  const shares = judged.map((each) => each.results[0]!.falseAlarmShare!);
  const flagged = judged.filter((each) => each.status === "warn");
  expect(flagged.every((each) => each.results[0]!.foundBy === "threshold" && each.results[0]!.statistic! > 0.03)).toBe(true);
  // 600 rows against 5 to 10 windows: PSI is about (1/600 + 1/6000) chi-squared of 9, and .03 / that is 16.4.
  expect(shares.at(-1)!).toBeGreaterThan(0.03);
  expect(shares.at(-1)!).toBeLessThan(0.15);
  expect(judged.at(-1)!.sequence).toBeUndefined();
});

describe("seasons", () => {
  const seasonal = (change: object = {}): DriftPlan =>
    sequential({
      baseline: { kind: "seasonal", by: ["weekday"], windows: 3, timezone: "UTC", holidays: ["2026-01-14"], ...change },
      warmupWindows: 2,
      checks: [check("carrier", ["psi"])],
    });
  const weekend = { UA: 0.1, AA: 0.2, WN: 0.7 };

  test("a day is compared with the same days of earlier weeks, merged by day; a holiday is learned by itself", () => {
    const stream = new Stream(seasonal(), 12 * hourMs);
    const outcomes = Array.from({ length: 70 }, (_, i) => stream.window(0, Math.floor(i / 2) % 7 >= 5 ? weekend : usual));
    // Two Mondays are learned from; the third is judged against them, 600 rows twice a day.
    expect(outcomes[0]).toMatchObject({ status: "learning", needs: 2, baseline: { season: "Monday", windows: 0 } });
    expect(outcomes[14]!.results[0]!.explanation).toBe("learning: 1 more earlier Monday is needed");
    expect(outcomes[18]!.baseline).toMatchObject({ season: "holiday", windows: 0 });
    expect(outcomes.slice(28).filter((each) => each.status === "warn")).toEqual([]);
    expect(outcomes[29]).toMatchObject({ status: "pass", baseline: { season: "Monday", windows: 2, rows: 2400 } });
    expect(outcomes[60]!.baseline).toMatchObject({ season: "Wednesday", windows: 3 });
    // A Saturday's mix on a Monday, and a Monday's on a Saturday.
    expect(stream.window(0, weekend)).toMatchObject({ status: "warn", baseline: { season: "Monday" } });
    const saturday = new Stream(seasonal(), 24 * hourMs);
    for (let i = 0; i < 33; i++) saturday.window(0, i % 7 >= 5 ? weekend : usual);
    expect(saturday.window(0, usual)).toMatchObject({ status: "warn", baseline: { season: "Saturday" } });
    expect(stream.state.windows.length).toBeLessThanOrEqual(8 * 4);
  });

  test("hours are those of the contract's time zone", () => {
    const stream = new Stream(seasonal({ by: ["hour", "weekday"], timezone: "America/New_York" }));
    expect(stream.window().baseline).toMatchObject({ season: "Sunday 19:00" });
    expect(new Stream(seasonal({ by: ["hour"] })).window().baseline).toMatchObject({ season: "00:00" });
  });
});
