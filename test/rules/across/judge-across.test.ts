import { describe, expect, it } from "vitest";
import type { Decision } from "../../../src/core/decision.ts";
import type { MetricCheck, RuleOutcome, RulePlan, Threshold } from "../../../src/core/rule.ts";
import { judgeAcross, looksBack, rememberMeasures, type MeasuredHistory } from "../../../src/rules/across/judge-across.ts";

function plan(check: MetricCheck, threshold: Threshold, path: string | null = "fare"): RulePlan {
  return {
    index: 0,
    id: "rule",
    check,
    path,
    scope: "window",
    severity: "error",
    tolerance: null,
    threshold,
    where: null,
    dimension: null,
    description: null,
    location: { file: "contract.yaml", line: 1, column: 1 },
  };
}

const change = (by: "difference" | "percent" | "ratio" | "deviations", windowsMin = 3): MetricCheck & { readonly family: "change" } => ({
  family: "change",
  metric: { check: { family: "mean", of: "value" }, path: "fare", where: null },
  windows: 5,
  windowsMin,
  by,
});

const between = (low: number, high: number, unit: Threshold["unit"] = "value"): Threshold => ({
  operator: "mustBeBetween",
  values: [low, high],
  unit,
});

function measured(value: number | null, family: string): RuleOutcome {
  const base = { rule: "rule", family, column: "fare", severity: "error" as const, dimension: null, checked: 9, failed: 0, breach: null };
  if (value === null) return { ...base, status: "skipped", note: "fare has no value in the window" };
  return { ...base, status: "pass", measured: { value, low: value, high: value } };
}

const end = { closedAtMs: 1_000_000, closedBy: "rows" } as const;

function judged(rule: RulePlan, value: number | null, past: readonly number[], closedBy: Decision["closedBy"] = "rows"): RuleOutcome {
  const outcomes = judgeAcross([rule], [measured(value, rule.check.family)], { ...end, closedBy }, new Map([["rule", past]]));
  return outcomes[0] as RuleOutcome;
}

describe("change", () => {
  it("learns before it judges, and says how far it is", () => {
    const outcome = judged(plan(change("percent"), between(-20, 20, "percent")), 500, [10, 10]);
    expect([outcome.status, outcome.note]).toEqual(["skipped", "learning: 2 of the 3 promoted windows that it needs were seen"]);
    expect(outcome.measured?.value).toBe(500);
  });

  it("compares with the mean of the last windows only", () => {
    const rule = plan(change("percent"), between(-20, 20, "percent"));
    expect(judged(rule, 12, [1000, 10, 10, 10, 10, 10]).status).toBe("pass");
    const outcome = judged(rule, 12.1, [1000, 10, 10, 10, 10, 10]);
    expect(outcome.breach).toBe("rule: 12.1 is 21% away from the mean of 5 windows before (10), must be between -20% and 20%");
    expect(outcome.measured?.value).toBe(12.1);
  });

  it("knows differences, ratios and deviations", () => {
    expect(judged(plan(change("difference"), between(-1, 1)), 12, [10, 12, 14]).status).toBe("pass");
    expect(judged(plan(change("difference"), between(-1, 1)), 14, [10, 12, 14]).status).toBe("fail");
    expect(judged(plan(change("ratio"), between(0.5, 2)), 24, [10, 12, 14]).status).toBe("pass");
    expect(judged(plan(change("ratio"), between(0.5, 2)), 25, [10, 12, 14]).status).toBe("fail");
    // The sample's standard deviation of 10, 12, 14 is 2.
    expect(judged(plan(change("deviations"), between(-3, 3)), 18, [10, 12, 14]).status).toBe("pass");
    expect(judged(plan(change("deviations"), between(-3, 3)), 18.1, [10, 12, 14]).breach).toContain("3.05 standard deviations away from");
  });

  it("compares with a version of the table", () => {
    const rule = plan({ ...change("percent", 1), against: "v1" }, between(-20, 20, "percent"));
    expect(judged(rule, 12.1, [10]).breach).toBe(
      "rule: 12.1 is 21% away from the mean of 1 window up to v1 (10), must be between -20% and 20%",
    );
    expect(judged(rule, 12.1, []).note).toBe("0 of the 1 promoted windows that it needs were found up to version v1");
  });

  it("says why it can't judge", () => {
    expect(judged(plan(change("percent"), between(-20, 20, "percent")), 1, [0, 0, 0]).note).toContain("mean of 0");
    expect(judged(plan(change("deviations"), between(-3, 3)), 8, [7, 7, 7]).note).toContain("all alike");
    expect(judged(plan(change("deviations"), between(-3, 3)), 7, [7, 7, 7]).status).toBe("pass");
    expect(judged(plan(change("percent"), between(-20, 20, "percent")), null, [1, 1, 1]).note).toBe("fare has no value in the window");
  });

  it("a window that was cut short is neither judged nor remembered", () => {
    const outcome = judged(plan(change("percent"), between(-20, 20, "percent")), 500, [10, 10, 10], "revoke");
    expect([outcome.status, outcome.measured, outcome.note]).toEqual([
      "skipped",
      undefined,
      "the window was cut short (revoke), so it is not compared",
    ]);
  });
});

describe("the history of measures", () => {
  const rules = [plan(change("percent"), between(-20, 20, "percent"))];
  const decided = (value: number, over: Partial<Decision> = {}, status: RuleOutcome["status"] = "pass"): Decision =>
    ({ kind: "window", verdict: "promote", rules: [{ ...measured(value, "change"), status }], ...over }) as Decision;

  it("holds promoted windows whose rule held, and no more than the rule looks back on", () => {
    let history: MeasuredHistory = new Map();
    for (const decision of [
      decided(1),
      decided(2, { verdict: "hold" }),
      decided(3, { kind: "replay" }),
      decided(4, {}, "fail"),
      decided(5, { verdict: "promote-and-quarantine-rows" }),
    ])
      history = rememberMeasures(rules, history, decision);
    expect(history.get("rule")).toEqual([1, 5]);
    for (let value = 6; value < 20; value++) history = rememberMeasures(rules, history, decided(value));
    expect(history.get("rule")).toEqual([15, 16, 17, 18, 19]);
  });

  it("is needed only where a rule looks back", () => {
    expect(looksBack(rules)).toBe(true);
    expect(looksBack([plan({ family: "freshness" }, between(0, 60))])).toBe(false);
  });
});

describe("freshness", () => {
  const rule = plan({ family: "freshness" }, { operator: "mustBeLessThan", values: [60], unit: "value" }, "at");

  it("is the age of the newest instant at the window's recorded close", () => {
    expect(judged(rule, 950_000_000, []).status).toBe("pass");
    const old = judged(rule, 939_500_000, []);
    expect(old.breach).toBe("rule: the newest at is 60.5 s old at the close, must be less than 60 s");
    expect(old.measured?.value).toBe(60.5);
    expect(judged(rule, null, []).status).toBe("skipped");
  });
});
