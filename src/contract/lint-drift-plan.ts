import type { Contract, DriftPlan } from "../core/contract.ts";
import type { SourceLocation } from "../core/errors.ts";
import type { Field } from "../core/schema.ts";
import { isMasked } from "../core/schema.ts";
import { limitDefaultOf, thresholdChance } from "../drift/index.ts";
import type { Findings } from "./findings.ts";

/** Commits that a worker reads back at most as it starts. */
const commitsReadBack = 6400;
const daySeconds = 86_400;

/** What drift checks get wrong, or cost: thresholds that chance exceeds, seasons that no start of a worker reaches back to. */
export function lintDriftPlan(findings: Findings, contract: Contract, fields: ReadonlyMap<string, Field>): void {
  const plan = contract.drift;
  if (plan === null) return;
  const start: SourceLocation = { file: contract.file, line: 1, column: 1 };
  for (const { column } of plan.checks) {
    const field = fields.get(column);
    if (field !== undefined && isMasked(field)) {
      findings.note("classified-drift", start, `drift of the classified column "${column}" is explained without its values`);
    }
  }
  if (plan.detection?.mode === "classical") lintClassical(findings, contract, plan, start);
  if (plan.detection?.mode === "sequential") lintSmallLimits(findings, plan, start);
  if (plan.baseline.kind === "seasonal") {
    const days = (plan.baseline.windows + 1) * (plan.baseline.by.includes("weekday") ? 7 : 1);
    const windows = (days * daySeconds) / contract.window.seconds;
    if (windows > commitsReadBack) {
      const seconds = Math.ceil((days * daySeconds) / commitsReadBack);
      findings.warning(
        "season-beyond-reach",
        start,
        `${days} days of seasons can be ${Math.round(windows).toLocaleString("en-US")} windows, and a worker that starts reads back ${commitsReadBack.toLocaleString("en-US")}`,
        `windows of ${seconds} seconds or more, or fewer days`,
      );
    }
  }
}

/** Below this part of a test's default limit, alarms of streams without drift were seen to stay (`docs/explanation/drift.md`). */
const smallPart = 0.5;

/** Windows of an alarm never join a baseline that moves: what alarms at any effect may never be usual again. */
function lintSmallLimits(findings: Findings, { baseline, checks }: DriftPlan, start: SourceLocation): void {
  if (baseline.kind !== "rolling" && baseline.kind !== "seasonal") return;
  for (const { column, tests, limit, policy } of checks) {
    // What is only observed joins.
    if (limit === null || policy === "observe") continue;
    const small = tests.filter((test) => limit < smallPart * limitDefaultOf(test));
    if (small.length === 0) continue;
    findings.warning(
      "drift-limit-small",
      start,
      `the limit ${limit} of "${column}" is less than half of the default of ${small.join(", ")}: windows of an alarm join no ${baseline.kind} baseline, so a small change that stays is one alarm until a person rebases`,
      "a pinned baseline, or a larger limit",
    );
  }
}

/** Fixed thresholds, each test with how often chance exceeds it at this contract's ticks. */
function lintClassical(findings: Findings, contract: Contract, plan: DriftPlan, start: SourceLocation): void {
  const { baseline, tick } = plan;
  const windows = baseline.kind === "pinned" ? null : baseline.windows;
  // A pinned baseline's rows are not known here: as if it were large.
  const baselineRows = windows === null ? Infinity : windows * contract.window.rows;
  const shares: number[] = [];
  let unknown = 0;
  for (const { tests, limit, segment } of plan.checks) {
    for (const test of tests) {
      if (segment !== undefined) {
        // How many rows a segment has is not known here.
        unknown++;
        continue;
      }
      const share = thresholdChance(test, limit ?? limitDefaultOf(test), tick.rows, baselineRows);
      if (share === null) unknown++;
      else shares.push(share);
    }
  }
  const any = 1 - shares.reduce((product, share) => product * (1 - share), 1);
  const rest = unknown === 0 ? "" : `; of ${unknown} more each outcome says it`;
  findings.note(
    "drift-classical",
    start,
    `fixed thresholds know nothing of sample sizes: at ticks of ${tick.rows.toLocaleString("en-US")} rows chance exceeds one of ${shares.length} in ${shareText(any)} of ticks${rest}`,
    "mode: sequential keeps false alarms as seldom as `falseAlarms` says",
  );
}

function shareText(share: number): string {
  if (share < 1e-6) return "less than a millionth";
  return share < 0.01 ? `${(100 * share).toPrecision(2)}%` : `${(100 * share).toFixed(1)}%`;
}
