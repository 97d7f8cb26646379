import { icebergPrimitive } from "../core/iceberg-type.ts";
import type { Transform } from "../core/partition-transform.ts";
import { parseTransform, transformFault } from "../core/partition-transform.ts";
import type { Field } from "../core/schema.ts";
import type { ColumnPast, PartitionPlan, SortPlan, TablePlan } from "../core/table-plan.ts";
import { checkShape } from "./check-shape.ts";
import type { Compilation, FieldSite } from "./compilation.ts";
import { compileDefault } from "./compile-default.ts";
import { columnNamed } from "./compile-where.ts";
import { child, items, numberAt, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { columnSettings } from "./table-shape.ts";

/** What a contract says of its table: partitioning and order from the dataset's settings, names of the past from the properties. */
export function compileTable(compilation: Compilation, settings: Node | null, sites: readonly FieldSite[]): TablePlan {
  const formatVersion = numberAt(settings, "formatVersion") as 2 | 3 | null;
  if (formatVersion !== 3) refuseNanoseconds(compilation, sites);
  return {
    partitionBy: child(settings, "partitionBy") === null ? null : partitionBy(compilation, items(settings, "partitionBy")),
    sortBy: child(settings, "sortBy") === null ? null : sortBy(compilation, items(settings, "sortBy")),
    formatVersion,
    statistics: textAt(settings, "statistics") as TablePlan["statistics"],
    columns: new Map(sites.map((site) => [site.field.path, columnPast(compilation, site, formatVersion)])),
  };
}

/** Timestamps in nanoseconds came with Iceberg's version 3: a table of an earlier one can't have them. */
function refuseNanoseconds(compilation: Compilation, sites: readonly FieldSite[]): void {
  for (const { field, node } of sites) {
    if (field.type.kind !== "timestamp" || field.type.unit !== "nanos") continue;
    const message = `"${field.path}" has nanoseconds, which take Iceberg's format version 3`;
    const hint = "set `formatVersion: 3` in the dataset's settings, or leave the column at microseconds";
    compilation.findings.error("timestamp-unit", placeOf(node, "physicalType"), message, hint);
  }
}

/** A column that files can be laid out by: a scalar that stands once in a row. Null, and a finding, for others. */
function layoutColumn(compilation: Compilation, node: Node, purpose: string): { readonly field: Field; readonly type: string } | null {
  const path = textAt(node, "column") ?? "";
  const at = child(node, "column") ?? node;
  const field = columnNamed(compilation, path, at);
  if (field === null) return null;
  const { kind } = field.type;
  if (kind === "struct" || kind === "list" || kind === "map") {
    compilation.findings.error(
      "column-type",
      at.at,
      `"${path}" is a ${kind}, and can't ${purpose}`,
      "name a column with one plain value a row",
    );
    return null;
  }
  return { field, type: icebergPrimitive(field.type) };
}

const timed: ReadonlySet<Transform["kind"]> = new Set(["year", "month", "day", "hour"]);

function partitionBy(compilation: Compilation, nodes: readonly Node[]): PartitionPlan[] {
  const plans: PartitionPlan[] = [];
  const seen = new Set<string>();
  for (const node of nodes) {
    const found = layoutColumn(compilation, node, "partition a table");
    // Brackets need quotes inside of YAML's braces; parentheses don't.
    const text = (textAt(node, "transform") ?? "identity").replace("(", "[").replace(")", "]");
    const transform = parseTransform(text);
    if (found === null || transform === null) continue;
    const { field, type } = found;
    const at = placeOf(node, "transform");
    const fault =
      field.type.kind === "time" ? "times of day are stored as text: no partitions are made of them" : transformFault(transform, type);
    if (fault !== null) compilation.findings.error("partition-transform", at, `"${field.path}" can't be partitioned by ${text}: ${fault}`);
    // Iceberg's own writers refuse a day of what has its hour already.
    const key = `${field.path} ${timed.has(transform.kind) ? "time" : text}`;
    if (seen.has(key))
      compilation.findings.error("partition-repeated", at, `the table is partitioned by "${field.path}" in this way already`);
    seen.add(key);
    plans.push({ column: field.path, transform: text, location: node.at });
  }
  return plans;
}

function sortBy(compilation: Compilation, nodes: readonly Node[]): SortPlan[] {
  const plans: SortPlan[] = [];
  for (const node of nodes) {
    const found = layoutColumn(compilation, node, "order rows");
    if (found === null) continue;
    if (plans.some(({ column }) => column === found.field.path)) {
      compilation.findings.error("sort-repeated", placeOf(node, "column"), `rows are ordered by "${found.field.path}" already`);
    }
    const direction = textAt(node, "direction") === "desc" ? "desc" : "asc";
    const nulls = (textAt(node, "nulls") as SortPlan["nulls"] | null) ?? (direction === "asc" ? "first" : "last");
    plans.push({ column: found.field.path, direction, nulls, location: node.at });
  }
  return plans;
}

function columnPast(compilation: Compilation, { field, node }: FieldSite, formatVersion: number | null): ColumnPast {
  const property = items(node, "customProperties").find((each) => textAt(each, "property") === "sluice") ?? null;
  const value = child(property, "value");
  const settings = value === null ? null : checkShape(value, columnSettings, "sluice", { findings: compilation.findings, version: "3.2" });
  const previous = child(settings, "previousName");
  const single = textAt(settings, "previousName");
  const listed = items(settings, "previousName").flatMap((each) =>
    each.kind === "scalar" && typeof each.value === "string" ? [each.value] : [],
  );
  if (previous !== null && field.path.endsWith("[]")) {
    compilation.findings.error("name-previous", previous.at, `${field.path}: what a list or map holds has no name, and had none before`);
  }
  if ([single, ...listed].includes(field.name)) {
    compilation.findings.error("name-previous", (previous as Node).at, `"${field.path}" can't have been called what it is called now`);
  }
  const given = child(settings, "default");
  const earlier = textAt(settings, "earlierRows");
  if (given !== null && earlier !== null) {
    const message = `${field.path}: earlier rows have the default, or nothing: not both`;
    compilation.findings.error("default-unfit", given.at, message, "leave earlierRows out");
  }
  return {
    location: placeOf(node, "name"),
    previousNames: single === null ? listed : [single],
    earlierEmpty: earlier === "empty",
    default: given === null ? null : compileDefault(compilation, field, given, formatVersion),
  };
}
