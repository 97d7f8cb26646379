import { allFields } from "../core/all-fields.ts";
import type { Contract, DriftCheckPlan, DriftDetection, DriftPlan } from "../core/contract.ts";
import { fieldTestNames } from "../core/drift.ts";
import type { Compilation } from "./compilation.ts";
import { checkSegments, segmentChecks } from "./compile-drift-segments.ts";
import { modelChecks } from "./compile-drift-model.ts";
import { jointColumns } from "./compile-drift-with.ts";
import { columnNamed } from "./compile-where.ts";
import { child, items, numberAt, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { settingDefaults } from "./setting-defaults.ts";

const defaults = settingDefaults.drift;

/** The plan of drift checks, defaults filled in; null where the contract has none. */
export function compileDrift(compilation: Compilation, node: Node | null): DriftPlan | null {
  if (node === null) return null;
  const tick = child(node, "tick");
  const seen = new Set<string>();
  const checks = items(node, "columns").flatMap((each) => driftCheck(compilation, each, seen));
  checkSegments(compilation, node, checks);
  const model = child(node, "model");
  const all = [...modelChecks(compilation, model, { checks, policy: policyOf(model) }), ...schemaChecks(child(node, "schema"))];
  reportTaken(compilation, node, all);
  return {
    baseline: baselinePlan(compilation, child(node, "baseline")),
    detection: detection(compilation, node),
    tick: { rows: numberAt(tick, "rows") ?? defaults.tickRows, seconds: numberAt(tick, "seconds") ?? defaults.tickSeconds },
    warmupWindows: numberAt(node, "warmupWindows") ?? defaults.warmupWindows,
    checks: all,
  };
}

const fieldTests: ReadonlySet<string> = new Set(fieldTestNames);

/** Segments, a model's errors and all fields together have profiles beside those of columns, under names of their own. */
function reportTaken({ findings, fields }: Compilation, node: Node, checks: readonly DriftCheckPlan[]): void {
  for (const { column, called, segment, model, tests } of checks) {
    const isOwn = segment !== undefined || model !== undefined || tests.some((test) => fieldTests.has(test));
    if (isOwn && fields.has(column))
      findings.error("drift-repeated", node.at, `${called} would be "${column}" in results, which is the name of a column`);
  }
}

function schemaChecks(node: Node | null): DriftCheckPlan[] {
  if (node === null) return [];
  const tests = texts(node, "tests");
  return [
    {
      column: allFields.path,
      called: "fields of records",
      tests: tests.length > 0 ? tests : fieldTestNames,
      policy: policyOf(node),
      limit: numberAt(node, "limit"),
    },
  ];
}

function policyOf(node: Node | null): DriftCheckPlan["policy"] {
  return (textAt(node, "policy") as DriftCheckPlan["policy"] | null) ?? "warn";
}

/** What fields records have is read from their texts, from the schemas that they name, or from Protobuf's bytes; with none of these there is nothing to watch. */
export function checkSchemaDrift(
  compilation: Compilation,
  settings: Node | null,
  { format, record }: Pick<Contract, "format" | "record">,
): void {
  const node = child(child(settings, "drift"), "schema");
  if (node === null) return;
  const value = record?.value ?? format ?? { format: "json" };
  const isFixed = value.format === "avro" || (value.format === "protobuf" && record?.envelope?.kind === "debezium");
  if (!isFixed) return;
  const message = `which fields ${value.format} records have is what the contract's own schema says: there is nothing to watch`;
  compilation.findings.error("drift-schema-format", node.at, message, "framed records, or columns with the test missing-share");
}

function baselinePlan(compilation: Compilation, node: Node | null): DriftPlan["baseline"] {
  const pinned = textAt(node, "pinned");
  if (pinned !== null) return { kind: "pinned", ref: pinned };
  const other = child(node, "dataset");
  if (other !== null) {
    return { kind: "dataset", dataset: textAt(other, "name") ?? "", windows: numberAt(other, "windows") ?? defaults.rollingWindows };
  }
  const seasonal = child(node, "seasonal");
  if (seasonal === null) return { kind: "rolling", windows: numberAt(node, "rolling") ?? defaults.rollingWindows };
  const timezone = textAt(seasonal, "timezone") ?? "UTC";
  if (!isTimezone(timezone)) {
    compilation.findings.error("timezone-unknown", placeOf(seasonal, "timezone"), `"${timezone}" is no time zone`, "such as Europe/Berlin");
  }
  return {
    kind: "seasonal",
    by: texts(seasonal, "by") as readonly ("hour" | "weekday")[],
    windows: numberAt(seasonal, "days") ?? defaults.seasonalDays,
    timezone,
    holidays: texts(seasonal, "holidays"),
  };
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

const daysOf = { hour: 1 / 24, day: 1, week: 7 } as const;

function detection(compilation: Compilation, node: Node): DriftDetection {
  const mode = (textAt(node, "mode") as DriftDetection["mode"] | null) ?? "sequential";
  if (mode !== "sequential") {
    for (const key of ["falseAlarms", "detector"]) {
      const at = child(node, key)?.at;
      if (at !== undefined) compilation.findings.error("drift-mode", at, `"${key}" is of mode sequential, and the mode is ${mode}`);
    }
    return { mode };
  }
  const detector = (textAt(node, "detector") as "shiryaev-roberts" | "cusum" | null) ?? "shiryaev-roberts";
  const wanted = child(node, "falseAlarms");
  const ticks = numberAt(wanted, "ticks");
  if (ticks !== null) return { mode, detector, between: { unit: "ticks", mean: ticks } };
  const [, number, unit] = /^([0-9]+) (hour|day|week)/.exec(textAt(wanted, "every") ?? "") ?? [];
  const mean = number === undefined ? defaults.falseAlarmDays : Number(number) * daysOf[unit as keyof typeof daysOf];
  return { mode, detector, between: { unit: "days", mean } };
}

function texts(node: Node, key: string): readonly string[] {
  return items(node, key).flatMap((each) => (each.kind === "scalar" && typeof each.value === "string" ? [each.value] : []));
}

/** A column's check, and one of each of its segments. */
function driftCheck(compilation: Compilation, node: Node, seen: Set<string>): DriftCheckPlan[] {
  const column = textAt(node, "column") ?? "";
  columnNamed(compilation, column, child(node, "column") ?? node);
  if (seen.has(column))
    compilation.findings.error("drift-repeated", placeOf(node, "column"), `"${column}" is watched twice`, "put all tests into one entry");
  seen.add(column);
  const tests = texts(node, "tests");
  const others = jointColumns(compilation, node, column, tests);
  const check: DriftCheckPlan = {
    column,
    ...(others !== null && { with: others }),
    tests: tests.length > 0 ? tests : defaultTests,
    policy: policyOf(node),
    limit: numberAt(node, "limit"),
  };
  return [check, ...segmentChecks(compilation, child(node, "segments"), check)];
}

const defaultTests: readonly string[] = defaults.tests;
