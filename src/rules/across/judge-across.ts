import type { Decision } from "../../core/decision.ts";
import type { RuleOutcome, RulePlan } from "../../core/rule.ts";
import { judgeChange } from "./change.ts";
import { judgeFreshness } from "./freshness.ts";

/** How a window ended: by its own limits, or cut short from outside. */
export interface WindowEnd {
  readonly closedAtMs: number;
  readonly closedBy: Decision["closedBy"];
}

/** The numbers of a rule over the windows promoted before, oldest first, by rule id. */
export type MeasuredHistory = ReadonlyMap<string, readonly number[]>;

/** A window that ended before its limits were reached says nothing of amounts. */
const complete: ReadonlySet<Decision["closedBy"]> = new Set(["rows", "bytes", "seconds"]);

/** Whether a contract has rules that look at the windows before. */
export function looksBack(rules: readonly RulePlan[]): boolean {
  return rules.some(({ check }) => check.family === "change");
}

/** Finishes the outcomes of rules that need more than the window itself: the time of its close, or the windows before. The others stay as they are. */
export function judgeAcross(
  rules: readonly RulePlan[],
  outcomes: readonly RuleOutcome[],
  end: WindowEnd,
  history: MeasuredHistory,
): readonly RuleOutcome[] {
  return outcomes.map((outcome, i) => {
    const plan = rules[i] as RulePlan;
    if (plan.check.family === "freshness") return judgeFreshness(plan, outcome, end.closedAtMs);
    if (plan.check.family !== "change") return outcome;
    if (!complete.has(end.closedBy)) {
      const { measured: _, ...rest } = outcome;
      return { ...rest, status: "skipped", breach: null, note: `the window was cut short (${end.closedBy}), so it is not compared` };
    }
    return judgeChange(plan, plan.check, outcome, history.get(plan.id) ?? []);
  });
}

/** Adds what a committed window measured to the history, if it was promoted and its rule held: what alarms must not become normal by itself. */
export function rememberMeasures(rules: readonly RulePlan[], history: MeasuredHistory, decision: Decision): MeasuredHistory {
  const { verdict, kind } = decision;
  if (kind !== "window" || (verdict !== "promote" && verdict !== "promote-and-quarantine-rows")) return history;
  const next = new Map(history);
  for (const { id, check } of rules) {
    if (check.family !== "change") continue;
    const outcome = decision.rules.find((each) => each.rule === id && each.family === "change");
    const measured = outcome?.measured;
    if (measured !== undefined && outcome?.status !== "fail")
      next.set(id, [...(history.get(id) ?? []), measured.value].slice(-check.windows));
  }
  return next;
}
