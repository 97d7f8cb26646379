import type { DriftCheckPlan } from "../core/contract.ts";
import type { Condition } from "../core/rule.ts";
import type { Compilation } from "./compilation.ts";
import { columnOf, comparableConstant, compileWhere } from "./compile-where.ts";
import { booleanAt, child, items, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";

/** Segments of all columns of a dataset, at most: each has a profile in every window, and baselines of its own. */
const segmentColumnsMax = 100;

interface Segment {
  /** In results: `delay{carrier=WN}`. */
  readonly name: string;
  /** In words, after the column: "where carrier is WN". */
  readonly called: string;
  readonly where: Condition;
}

/** The checks of a column's segments: the same tests, of some of the rows. */
export function segmentChecks(compilation: Compilation, node: Node | null, check: DriftCheckPlan): DriftCheckPlan[] {
  if (node === null) return [];
  return [...valueSegments(compilation, child(node, "by")), ...filterSegments(compilation, node)].map(({ name, called, where }) => ({
    ...check,
    column: `${check.column}{${name}}`,
    called: `${check.column} ${called}`,
    segment: { of: check.column, where },
  }));
}

/** Segments that have one name, and more of them than are watched. */
export function checkSegments(compilation: Compilation, node: Node, checks: readonly DriftCheckPlan[]): void {
  const segments = checks.filter(({ segment }) => segment !== undefined);
  const names = new Set<string>();
  for (const { column } of segments) {
    if (names.has(column)) compilation.findings.error("drift-repeated", placeOf(node, "columns"), `the segment "${column}" stands twice`);
    names.add(column);
  }
  if (segments.length <= segmentColumnsMax) return;
  compilation.findings.error(
    "drift-segments-many",
    placeOf(node, "columns"),
    `${segments.length} segments of columns are watched, and each has profiles and baselines of its own`,
    `at most ${segmentColumnsMax}: fewer columns with segments, or fewer values`,
  );
}

function valueSegments(compilation: Compilation, node: Node | null): Segment[] {
  if (node === null) return [];
  const field = columnOf(compilation, node, "column");
  if (field === null) return [];
  const { path } = field;
  const listed = items(node, "values").flatMap((each) => {
    const value = comparableConstant(compilation, field, each);
    if (value === null || each.kind !== "scalar") return [];
    // Numbers as they are written: whole ones can be beyond a double.
    return [{ value, text: typeof each.value === "number" ? each.text : String(each.value) }];
  });
  const segments = listed.map(({ value, text }) => ({
    name: `${path}=${text}`,
    called: `where ${path} is ${text}`,
    where: { op: "eq", path, value } as const,
  }));
  if (booleanAt(node, "other") === false) return segments;
  const where: Condition = { op: "not", of: { op: "in", path, values: listed.map(({ value }) => value) } };
  return [...segments, { name: `other ${path}`, called: `where ${path} is none of the listed`, where }];
}

function filterSegments(compilation: Compilation, node: Node): Segment[] {
  return items(node, "filters").flatMap((each) => {
    const name = textAt(each, "name") ?? "";
    const filter = child(each, "where");
    const where = filter === null ? null : compileWhere(compilation, filter);
    return where === null ? [] : [{ name, called: `of ${name}`, where }];
  });
}
