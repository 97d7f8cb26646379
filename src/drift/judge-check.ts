import type { DriftCheckPlan, DriftDetection } from "../core/contract.ts";
import type { DriftQuestion, DriftResult } from "../core/drift.ts";
import type { Profile } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import { isMasked } from "../core/schema.ts";
import { secondsText } from "../sketches/value-text.ts";
import type { Baseline, Spread } from "./baseline.ts";
import { chanceShare, plainLimit, spreadLimit } from "./drift-limit.ts";
import type { DriftMeasure, DriftTest } from "./drift-test.ts";
import { driftTests } from "./drift-tests.ts";
import type { JudgedSequence } from "./sequential/judge-sequence.ts";
import { streamOf } from "./sequential/sequence-state.ts";
import { tailScore } from "./sequential/tail-score.ts";

/** A single window, and a tick where evidence over time is asked for, alarms by itself from this many times the effect size on. */
const breakFactor = 2.5;

/** What a close is judged by. */
export interface Subject {
  readonly baseline: Baseline;
  readonly fields: ReadonlyMap<string, Field>;
  readonly mode: DriftDetection["mode"];
  /** The chance of one test to alarm by itself where nothing drifts. */
  readonly alpha: number;
  /** Earlier scores of a stream that was watched over time. */
  readonly scores: (stream: string) => readonly number[];
  /** The window's columns, and those of the tick that it closes. */
  readonly own: Profile;
  readonly tick: { readonly profile: Profile; readonly windows: number; readonly openedAtMs: number } | null;
  readonly closedAtMs: number;
}

/** One test of one column, measured on a tick and on the window that closes it. */
export interface MeasuredCheck {
  readonly check: DriftCheckPlan;
  readonly name: string;
  /** Null where there is no such test or column. */
  readonly against: { readonly test: DriftTest; readonly field: Field } | null;
  readonly tick: DriftMeasure | null;
  /** Null where the window is the whole tick, and where single windows are not judged. */
  readonly own: DriftMeasure | null;
  /** Why there is nothing to judge. */
  readonly unjudged: DriftResult | null;
}

/** A result without a statistic. */
export function unjudged(check: DriftCheckPlan, test: string, status: "learning" | "skipped", explanation: string): DriftResult {
  return { column: check.column, test, statistic: null, limit: null, status, policy: check.policy, explanation };
}

/** Measures one test of one column. */
export function measureCheck(subject: Subject, check: DriftCheckPlan, name: string): MeasuredCheck {
  const test = driftTests.find((each) => each.name === name);
  const field = subject.fields.get(check.column);
  const nothing = (status: "learning" | "skipped", why: string): MeasuredCheck => {
    return { check, name, against: null, tick: null, own: null, unjudged: unjudged(check, name, status, why) };
  };
  if (test === undefined) return nothing("skipped", `there is no drift test ${name}`);
  if (field === undefined || !subject.own.columns.has(check.column)) return nothing("skipped", `there is no column ${check.column}`);
  const before = subject.baseline.column(check.column);
  if (before === null) return nothing("learning", "no window of the baseline has this column yet");
  const { tick, own, mode } = subject;
  const measure = (profile: Profile): ReturnType<DriftTest["measure"]> => {
    const sample = profile.columns.get(check.column);
    return sample === undefined ? { skipped: `there is no column ${check.column}` } : test.measure(before, sample, field);
  };
  const ofTick = tick === null ? null : measure(tick.profile);
  const ofWindow = mode === "classical" || tick?.windows === 1 ? null : measure(own);
  const last = ofTick ?? ofWindow;
  const isMeasured = (each: typeof ofTick): each is DriftMeasure => each !== null && !("skipped" in each);
  return {
    check,
    name,
    against: { test, field },
    tick: isMeasured(ofTick) ? ofTick : null,
    own: isMeasured(ofWindow) ? ofWindow : null,
    unjudged: last !== null && "skipped" in last ? unjudged(check, name, "skipped", last.skipped) : null,
  };
}

/** A result, and the records that a person would look at because of it. */
export interface JudgedCheck {
  readonly result: DriftResult;
  /** Null where there is nothing to look for. */
  readonly question: DriftQuestion | null;
}

/** The result of a measured test, under what the detectors say of its stream. */
export function judgeCheck(subject: Subject, measured: MeasuredCheck, judged: JudgedSequence | null): JudgedCheck | null {
  const { check, name, against, tick, own } = measured;
  const silent = measured.unjudged === null ? null : { result: measured.unjudged, question: null };
  if (against === null) return silent;
  const floor = check.limit ?? against.test.limitDefault;
  const evidence = judged?.evidence.get(streamOf(check.column, name));
  const base = { column: check.column, test: name, policy: check.policy, ...(evidence !== undefined && { evidence }) };
  const told = (measure: DriftMeasure, limit: number, more: Partial<DriftResult>): JudgedCheck => {
    const { statistic } = measure;
    if (more.foundBy === undefined) {
      return { result: { ...base, statistic, limit, status: "pass", explanation: null, ...more }, question: null };
    }
    const alone = measure === own ? ", in this window alone" : "";
    const since =
      more.foundBy === "evidence" && typeof more.sinceMs === "number"
        ? `, since ${secondsText({ kind: "timestamp", zoned: true, unit: "micros" }, more.sinceMs / 1000)}`
        : "";
    const explanation = `${check.called ?? check.column}: ${measure.explain()}${alone}${since}`;
    return {
      result: { ...base, statistic, limit, status: "drift", explanation, ...more },
      question: questionOf(check, against.field, measure),
    };
  };
  if (own !== null) {
    const limit = limitOf(subject, measured, own, breakFactor * floor);
    const isBreak = own.statistic > limit;
    if (isBreak || tick === null) return told(own, limit, isBreak ? { foundBy: "break", sinceMs: subject.closedAtMs } : {});
  }
  if (tick === null) return silent;
  const openedAtMs = subject.tick?.openedAtMs ?? subject.closedAtMs;
  if (subject.mode === "classical") {
    const falseAlarmShare = chanceShare(against.test, tick, floor);
    return told(tick, floor, { falseAlarmShare, ...(tick.statistic > floor && { foundBy: "threshold", sinceMs: openedAtMs }) });
  }
  const isExceeded = judged?.sequence.isExceeded === true && evidence !== undefined && evidence.value >= judged.sequence.threshold;
  const sinceMs = isExceeded ? (evidence.sinceMs ?? openedAtMs) : openedAtMs;
  const limit = limitOf(subject, measured, tick, (subject.mode === "sequential" ? breakFactor : 1) * floor);
  if (tick.statistic > limit) return told(tick, limit, { foundBy: "break", sinceMs });
  if (isExceeded && tick.statistic > floor) return told(tick, floor, { foundBy: "evidence", sinceMs });
  return told(tick, limit, {});
}

/** Which records were to be found for a drift that someone is told of; of a classified column none, for that they are named says what is in them. */
function questionOf(check: DriftCheckPlan, field: Field, measure: DriftMeasure): DriftQuestion | null {
  if (check.policy === "observe" || isMasked(field)) return null;
  const suspect = measure.suspect?.() ?? null;
  return suspect === null ? null : { path: check.segment?.of ?? check.column, where: check.segment?.where ?? null, suspect };
}

function limitOf(subject: Subject, { check, name, against }: MeasuredCheck, measure: DriftMeasure, floor: number): number {
  const { test, field } = against as NonNullable<typeof against>;
  const { alpha } = subject;
  const limit = plainLimit(test, measure, floor, alpha);
  // What windows were like costs a sort of all scores and a merge of the whole baseline: only an alarm needs it.
  if (measure.statistic <= limit) return limit;
  const usual = tailScore(subject.scores(streamOf(check.column, name)), alpha, measure.freedom);
  const ofScores = usual === null ? 0 : test.statisticOf(usual * measure.expected);
  return Math.max(limit, ofScores, spreadOf(subject, test, field, measure) ?? 0);
}

function spreadOf(subject: Subject, test: DriftTest, field: Field, measure: DriftMeasure): number | null {
  const { spreads, pairs } = subject.baseline;
  const stream = streamOf(field.path, test.name);
  let others = spreads.get(stream);
  if (others === undefined) {
    others = pairs(field.path).flatMap(({ rest, window }): Spread[] => {
      const other = test.measure(rest, window, field);
      return "skipped" in other ? [] : [{ energy: other.energy, expected: other.expected }];
    });
    spreads.set(stream, others);
  }
  return spreadLimit(test, measure, others, subject.alpha);
}
