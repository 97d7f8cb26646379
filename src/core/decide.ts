import type { Contract } from "./contract.ts";
import type { Cause, RecordCounts, Verdict } from "./decision.ts";
import type { DriftOutcome } from "./drift.ts";
import { tellSamples } from "./record-sample.ts";
import type { RuleOutcome } from "./rule.ts";

/** All that a verdict rests on. */
export interface Evidence {
  readonly contract: Pick<Contract, "onBreach">;
  readonly outcomes: readonly RuleOutcome[];
  readonly drift: DriftOutcome;
  /** Rows that would be promoted and rows that would be quarantined. */
  readonly passed: number;
  readonly rejected: number;
  /** A person answered an earlier stop with "hold it". */
  readonly holdNext: boolean;
}

function ruleCauses(outcomes: readonly RuleOutcome[]): Cause[] {
  const causes: Cause[] = [];
  for (const outcome of outcomes) {
    if (outcome.severity !== "error") continue;
    if (outcome.status === "error") {
      causes.push({
        kind: "rule",
        subject: outcome.rule,
        message: `${outcome.rule} could not be evaluated: ${outcome.breach ?? "unknown fault"}`,
      });
    } else if (outcome.breach !== null) {
      causes.push({ kind: "threshold", subject: outcome.rule, message: outcome.breach });
    }
  }
  return causes;
}

function driftCauses(drift: DriftOutcome): Cause[] {
  if (drift.status !== "hold") return [];
  return drift.results
    .filter((result) => result.status === "drift" && result.policy === "hold")
    .map(({ column, test, explanation, samples }) => ({
      kind: "drift",
      subject: column,
      message: tellSamples(explanation ?? `${column}: ${test}`, samples),
    }));
}

/**
 * The verdict of a window. A broken threshold or tolerance holds (or stops, where the contract says so), drift under policy `hold` holds;
 * else what passed is promoted and what failed is quarantined.
 */
export function decide(evidence: Evidence): { readonly verdict: Verdict; readonly causes: readonly Cause[] } {
  const broken = ruleCauses(evidence.outcomes);
  const drifted = driftCauses(evidence.drift);
  const causes = [...broken, ...drifted];
  if (broken.length > 0 && evidence.contract.onBreach === "stop" && !evidence.holdNext) return { verdict: "stop", causes };
  if (causes.length > 0) return { verdict: "hold", causes };
  return { verdict: evidence.rejected > 0 ? "promote-and-quarantine-rows" : "promote", causes };
}

/** Where the records of a window end under a verdict; every record is counted once. */
export function countRecords(
  verdict: Verdict,
  rows: { readonly passed: number; readonly rejected: number; readonly tombstones: number; readonly late: number },
): RecordCounts {
  const held = verdict === "hold";
  return {
    records: rows.passed + rows.rejected + rows.tombstones + rows.late,
    promoted: held ? 0 : rows.passed,
    quarantined: held ? 0 : rows.rejected,
    held: held ? rows.passed + rows.rejected : 0,
    skipped: { tombstone: rows.tombstones, late: rows.late },
  };
}
