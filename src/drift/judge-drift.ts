import type { Contract, DriftCheckPlan, DriftPlan } from "../core/contract.ts";
import type { DriftInput, DriftOutcome, DriftResult } from "../core/drift.ts";
import type { Profile } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import { mergeProfiles } from "../sketches/merge-profiles.ts";
import { leafFields } from "../sketches/leaf-columns.ts";
import type { Baseline } from "./baseline.ts";
import { chooseBaseline } from "./baseline.ts";
import { plainLimit, spreadLimit } from "./drift-limit.ts";
import type { DriftState } from "./drift-state.ts";
import { baselineLimit, checkedColumns, tickNamesMax } from "./drift-state.ts";
import type { DriftMeasure, DriftTest } from "./drift-test.ts";
import { driftTests } from "./drift-tests.ts";

/** Chance that a close of a window in which nothing drifts raises any alarm by chance, over all checks: a mean run of 1,000 windows. */
const falseAlarmShare = 0.001;
/** A single window inside an open tick alarms from this many times the effect size on: sudden breaks do not wait for the tick. */
const suddenFactor = 2.5;

const policies = ["observe", "warn", "hold"] as const;

/**
 * What drift says of a window about to be committed: the tick's tests if this window closes one, and a gate against sudden breaks in the
 * window itself. Pure, and nothing moves: the state goes on by `foldDrift` once the window is committed.
 */
export function judgeDrift(contract: Contract, state: DriftState, input: DriftInput): DriftOutcome {
  const plan = contract.drift;
  if (plan === null || plan.checks.length === 0) return { status: "off", tick: null, baseline: null, needs: 0, results: [] };
  const baseline = chooseBaseline(plan, state);
  const unready = describeUnready(plan, state, baseline);
  if (baseline === null || unready !== null) {
    const results = everyTest(plan).map(({ check, name }) => unjudged(check, name, "learning", unready?.text ?? ""));
    return { status: "learning", tick: null, baseline: describeBaseline(baseline), needs: unready?.needs ?? 0, results };
  }
  const own = checkedColumns(plan, input.profile);
  const tick = closingTick(plan, state, input, own);
  const fields = new Map(leafFields(contract.fields).map((field) => [field.path, field]));
  const subject: Subject = { baseline, fields, alpha: falseAlarmShare / (2 * everyTest(plan).length) };
  const results = everyTest(plan).map(({ check, name }): DriftResult => {
    const alone = tick !== null && tick.windows.length === 1;
    const sudden = alone ? null : judgeCheck(subject, check, name, own, true);
    if (tick === null) return sudden as DriftResult;
    return sudden?.status === "drift" ? sudden : judgeCheck(subject, check, name, tick.profile, false);
  });
  const drifted = new Set(results.filter((result) => result.status === "drift").map((result) => result.policy));
  const worst = policies.findLast((policy) => drifted.has(policy));
  return {
    status: worst ?? (tick === null ? "pending" : "pass"),
    tick: tick === null ? null : { windows: tick.windows, rows: tick.rows },
    baseline: describeBaseline(baseline),
    needs: 0,
    results,
  };
}

function everyTest(plan: DriftPlan): readonly { readonly check: DriftCheckPlan; readonly name: string }[] {
  return plan.checks.flatMap((check) => check.tests.map((name) => ({ check, name })));
}

function describeBaseline(baseline: Baseline | null): DriftOutcome["baseline"] {
  return baseline === null ? null : { windows: baseline.windows, rows: baseline.rows, ref: baseline.ref };
}

function describeUnready(plan: DriftPlan, state: DriftState, baseline: Baseline | null): { text: string; needs: number } | null {
  if (plan.baseline.kind === "pinned") {
    return baseline === null ? { text: `the pinned baseline ${plan.baseline.ref} has no profile here`, needs: 0 } : null;
  }
  const needs = Math.max(1, Math.min(plan.warmupWindows, baselineLimit(plan))) - state.windows.length;
  return needs > 0 ? { text: `learning: ${needs} more promoted ${needs === 1 ? "window is" : "windows are"} needed`, needs } : null;
}

interface ClosingTick {
  readonly windows: readonly string[];
  readonly rows: number;
  readonly profile: Profile;
}

function closingTick(plan: DriftPlan, state: DriftState, input: DriftInput, own: Profile): ClosingTick | null {
  const { open } = state;
  const rows = (open?.rows ?? 0) + own.rows;
  const spanMs = input.closedAtMs - (open?.openedAtMs ?? input.closedAtMs);
  if (rows === 0 || (rows < plan.tick.rows && spanMs < plan.tick.seconds * 1000)) return null;
  if (open === null) return { windows: [input.windowId], rows, profile: own };
  const windows = [...open.windows, input.windowId].slice(-tickNamesMax);
  return { windows, rows, profile: mergeProfiles(open.profile, own) };
}

interface Subject {
  readonly baseline: Baseline;
  readonly fields: ReadonlyMap<string, Field>;
  /** The false-alarm chance of one test. */
  readonly alpha: number;
}

function unjudged(check: DriftCheckPlan, test: string, status: "learning" | "skipped", explanation: string): DriftResult {
  return { column: check.column, test, statistic: null, limit: null, status, policy: check.policy, explanation };
}

function judgeCheck(subject: Subject, check: DriftCheckPlan, name: string, profile: Profile, sudden: boolean): DriftResult {
  const test = driftTests.find((each) => each.name === name);
  const field = subject.fields.get(check.column);
  const sample = profile.columns.get(check.column);
  if (test === undefined || field === undefined || sample === undefined) {
    return unjudged(check, name, "skipped", test === undefined ? `there is no drift test ${name}` : `there is no column ${check.column}`);
  }
  const before = subject.baseline.column(check.column);
  if (before === null) return unjudged(check, name, "learning", "no window of the baseline has this column yet");
  const measure = test.measure(before, sample, field);
  if ("skipped" in measure) return unjudged(check, name, "skipped", measure.skipped);
  const floor = (check.limit ?? test.limitDefault) * (sudden ? suddenFactor : 1);
  const { statistic } = measure;
  let limit = plainLimit(test, measure, floor, subject.alpha);
  // The baseline's spread costs a merge of all its windows: only an alarm needs it.
  if (statistic > limit) limit = Math.max(limit, spreadOf(subject, test, field, measure) ?? 0);
  const drifted = statistic > limit;
  return {
    column: check.column,
    test: name,
    statistic,
    limit,
    status: drifted ? "drift" : "pass",
    policy: check.policy,
    explanation: drifted ? `${check.column}: ${measure.explain()}${sudden ? ", in this window alone" : ""}` : null,
  };
}

function spreadOf(subject: Subject, test: DriftTest, field: Field, measure: DriftMeasure): number | null {
  const others = subject.baseline.pairs(field.path).flatMap(({ rest, window }) => {
    const other = test.measure(rest, window, field);
    return "skipped" in other ? [] : [other];
  });
  return spreadLimit(test, measure, others, subject.alpha);
}
