import { columnKind } from "../core/column-kind.ts";
import type { Contract, DriftCheckPlan } from "../core/contract.ts";
import type { DriftTestName } from "../core/drift.ts";
import { driftTestKinds } from "../core/drift-test-kinds.ts";
import type { SourceLocation } from "../core/errors.ts";
import type { Field } from "../core/schema.ts";
import type { Findings } from "./findings.ts";

/** Drift tests that can't judge the column they stand at, and limits that are one number in several units. */
export function lintDriftTests(findings: Findings, contract: Contract, fields: ReadonlyMap<string, Field>): void {
  const start: SourceLocation = { file: contract.file, line: 1, column: 1 };
  for (const check of contract.drift?.checks ?? []) {
    const field = fields.get(check.column);
    if (field !== undefined) lintKinds(findings, start, check, field);
    if (field !== undefined && check.limit !== null && check.tests.length > 1) {
      const message = `the limit ${check.limit} of "${check.column}" holds for ${check.tests.join(", ")}, each in its own unit`;
      findings.note("drift-limit-shared", start, message, "one test with a limit, or the tests' own limits");
    }
  }
}

function lintKinds(findings: Findings, start: SourceLocation, check: DriftCheckPlan, field: Field): void {
  const kind = columnKind(field);
  for (const test of check.tests) {
    const kinds = driftTestKinds[test as DriftTestName];
    if (test === "event-lag" && kind === "time" && field.type.kind !== "timestamp") {
      const message = `the drift test event-lag needs an instant: it is skipped at the ${field.type.kind} column "${check.column}"`;
      findings.warning("drift-test-skipped", start, message, "a timestamp column");
    }
    if (kinds.includes(kind)) continue;
    const message = `the drift test ${test} does not judge ${kind} columns: it is skipped at "${check.column}"`;
    findings.warning("drift-test-skipped", start, message, `${test} judges ${kinds.join(", ")} columns`);
  }
}
