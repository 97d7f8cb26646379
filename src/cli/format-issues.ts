import { contractPlan as avroPlan } from "../codecs/avro/avro.ts";
import { uncovered as avroGap } from "../codecs/avro-compiled/coverage.ts";
import { contractPlan as protobufPlan } from "../codecs/protobuf/protobuf.ts";
import { uncovered as protobufGap } from "../codecs/protobuf-compiled/coverage.ts";
import type { Contract } from "../core/contract.ts";
import type { Diagnostic, SourceLocation } from "../core/errors.ts";

/** What of a contract's columns its own Avro or Protobuf schema can't fill (missing ones are reported where it is loaded), and why records are not decoded by compiled code. */
export function formatIssues(contract: Contract): readonly Diagnostic[] {
  const { format, record } = contract;
  if (record !== undefined || (format?.format !== "avro" && format?.format !== "protobuf")) return [];
  const start: SourceLocation = { file: contract.file, line: 1, column: 1 };
  const placeOf = (path: string): SourceLocation =>
    contract.rules.find((rule) => rule.check.family === "type" && rule.path === path)?.location ?? start;
  const note = (severity: Diagnostic["severity"], code: string, message: string, location: SourceLocation): Diagnostic => ({
    severity,
    code,
    message,
    location,
    hint: null,
  });
  const plan = format.format === "avro" ? avroPlan(contract) : protobufPlan(contract);
  if ("problem" in plan) return [note("warning", "schema-unfit", `no record can become a row: ${plan.problem}`, start)];
  const issues = plan.issues.filter(({ code }) => code !== "missing");
  const gap = "root" in plan ? avroGap(plan) : protobufGap(plan);
  return [
    ...issues.map(({ path, message }) => note("warning", "column-type-differs", `${message}: such values are refused`, placeOf(path))),
    ...(gap === null
      ? []
      : [note("info", "decoder-interpreted", `records are decoded by the interpreter, not by compiled code: ${gap}`, start)]),
  ];
}
