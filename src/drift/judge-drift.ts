import type { Contract, DriftCheckPlan, DriftPlan } from "../core/contract.ts";
import type { DriftInput, DriftOutcome, DriftQuestion, DriftResult } from "../core/drift.ts";
import type { Profile } from "../core/profile.ts";
import { mergeProfiles } from "../sketches/merge-profiles.ts";
import type { Baseline } from "./baseline.ts";
import { chooseBaseline } from "./baseline.ts";
import { checkedColumns } from "./checked-columns.ts";
import { checkedFields } from "./checked-fields.ts";
import type { DriftState } from "./drift-state.ts";
import { baselineLimit, tickNamesMax } from "./drift-state.ts";
import type { JudgedCheck, MeasuredCheck, Subject } from "./judge-check.ts";
import { judgeCheck, measureCheck, unjudged } from "./judge-check.ts";
import { breakShare } from "./sequential/break-share.ts";
import type { JudgedSequence } from "./sequential/judge-sequence.ts";
import { judgeSequence } from "./sequential/judge-sequence.ts";
import { streamOf } from "./sequential/sequence-state.ts";

/** Drifts whose records are looked for, at most: each looks at every row. */
const questionsMax = 64;

const policies = ["observe", "warn", "hold"] as const;

/**
 * What drift says of a window about to be committed: the tick's tests if this window closes one, and a gate against sudden breaks in the
 * window itself. Pure, and nothing moves: the state goes on by `foldDrift` once the window is committed.
 */
export function judgeDrift(contract: Contract, state: DriftState, input: DriftInput): DriftOutcome {
  const plan = contract.drift;
  if (plan === null || plan.checks.length === 0) return { status: "off", tick: null, baseline: null, needs: 0, results: [] };
  const baseline = chooseBaseline(plan, state, input.openedAtMs ?? input.closedAtMs);
  const unready = describeUnready(plan, baseline);
  if (baseline === null || unready !== null) {
    const results = everyTest(plan).map(({ check, name }) => unjudged(check, name, "learning", unready?.text ?? ""));
    return { status: "learning", tick: null, baseline: describeBaseline(baseline), needs: unready?.needs ?? 0, results };
  }
  const own = checkedColumns(plan, input.profile);
  const tick = closingTick(plan, state, input, own);
  const tests = everyTest(plan);
  const subject: Subject = {
    baseline,
    fields: checkedFields(contract),
    mode: plan.detection?.mode ?? "each-tick",
    alpha: breakShare(plan, state, { rows: own.rows, closedAtMs: input.closedAtMs }) / (2 * tests.length),
    scores: (stream) => state.sequence.streams.get(stream)?.scores ?? [],
    own,
    tick:
      tick === null
        ? null
        : { profile: tick.profile, windows: tick.windows.length, openedAtMs: state.open?.openedAtMs ?? input.closedAtMs },
    closedAtMs: input.closedAtMs,
  };
  const measured = tests.map(({ check, name }) => measureCheck(subject, check, name));
  const judged = subject.tick === null ? null : judgeStreams(plan, state, measured, subject.tick.openedAtMs, input.closedAtMs);
  const results = withSamples(
    measured.flatMap((each) => judgeCheck(subject, each, judged) ?? []),
    input.find,
  );
  return {
    status: worstPolicy(results) ?? (tick === null ? "pending" : "pass"),
    tick: tick === null ? null : { windows: tick.windows, rows: tick.rows },
    baseline: describeBaseline(baseline),
    needs: 0,
    results,
    ...(judged !== null && { sequence: judged.sequence }),
  };
}

/** The results, with records of the window that show them. */
function withSamples(checks: readonly JudgedCheck[], find: DriftInput["find"]): readonly DriftResult[] {
  const asked = checks.filter(({ question }) => question !== null).slice(0, questionsMax);
  const found = find === undefined || asked.length === 0 ? [] : find(asked.map(({ question }) => question as DriftQuestion));
  const samples = new Map(asked.map((check, i) => [check, found[i] ?? []]));
  return checks.map((check) => {
    const own = samples.get(check) ?? [];
    return own.length === 0 ? check.result : { ...check.result, samples: own };
  });
}

function judgeStreams(
  plan: DriftPlan,
  state: DriftState,
  measured: readonly MeasuredCheck[],
  openedAtMs: number,
  closedAtMs: number,
): JudgedSequence | null {
  if (plan.detection?.mode !== "sequential") return null;
  const scores = new Map<string, number>();
  for (const { check, name, tick } of measured) {
    if (tick === null) continue;
    const score = tick.expected > 0 ? tick.energy / tick.expected : 0;
    // Squares can be beyond a double: where chance's are too, nothing is known; decisions hold finite numbers only.
    if (!Number.isNaN(score)) scores.set(streamOf(check.column, name), Math.min(score, Number.MAX_VALUE));
  }
  const streams = measured.map(({ check, name }) => streamOf(check.column, name));
  return judgeSequence(plan.detection, state.sequence, { openedAtMs, closedAtMs, streams, scores });
}

function worstPolicy(results: readonly DriftResult[]): (typeof policies)[number] | undefined {
  const drifted = new Set(results.filter((result) => result.status === "drift").map((result) => result.policy));
  return policies.findLast((policy) => drifted.has(policy));
}

function everyTest(plan: DriftPlan): readonly { readonly check: DriftCheckPlan; readonly name: string }[] {
  return plan.checks.flatMap((check) => check.tests.map((name) => ({ check, name })));
}

function describeBaseline(baseline: Baseline | null): DriftOutcome["baseline"] {
  if (baseline === null) return null;
  const { windows, rows, ref, season } = baseline;
  return { windows, rows, ref, ...(season !== null && { season }) };
}

function describeUnready(plan: DriftPlan, baseline: Baseline | null): { text: string; needs: number } | null {
  if (plan.baseline.kind === "pinned" || plan.baseline.kind === "dataset") {
    const named = plan.baseline.kind === "pinned" ? `pinned baseline ${plan.baseline.ref}` : `dataset ${plan.baseline.dataset}`;
    return baseline === null ? { text: `the ${named} has no profile here`, needs: 0 } : null;
  }
  const needs = Math.max(1, Math.min(plan.warmupWindows, baselineLimit(plan))) - (baseline?.windows ?? 0);
  if (needs <= 0) return null;
  const season = baseline?.season ?? null;
  const what = season === null ? "promoted window" : `earlier ${season}`;
  return { text: `learning: ${needs} more ${what}${needs === 1 ? " is" : "s are"} needed`, needs };
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
