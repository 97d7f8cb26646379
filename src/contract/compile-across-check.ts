import { conditionPaths } from "../core/condition-paths.ts";
import type { Condition, MetricCheck, MetricPart, RuleCheck, Scalar } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { literalWords, timeBound, uuidLiteral } from "./compile-literals.ts";
import { plainDecimal } from "./decimal-text.ts";
import { child, numberAt, placeOf, textAt } from "./node.ts";
import { referenceValues } from "./reference-values.ts";
import { isNumber, judgedColumn, misfit, namedColumns, type MadeCheck, type RuleSite } from "./rule-site.ts";

const windowsDefault = 20;
const windowsMinDefault = 5;

type MadeMetric = { readonly check: MetricCheck; readonly path: string | null } | null;

/** A column of instants at the top of the record. */
function instantColumn(site: RuleSite): Field | null {
  const field = judgedColumn(site);
  if (field === null) return null;
  if (field.type.kind === "timestamp" && field.type.zoned && !field.path.includes("[]")) return field;
  return misfit(site, field, "is no instant (a timestamp with a time zone)", child(site.node, "column") === null ? "check" : "column");
}

/** Seconds from the newest instant to the close, or of a record's way. */
export function timeMetric(site: RuleSite, family: "freshness" | "eventLag"): MadeMetric {
  const field = instantColumn(site);
  if (field === null) return null;
  if (family === "freshness") return { check: { family }, path: field.path };
  const q = numberAt(site.node, "q") ?? 0.5;
  if (q > 1) {
    site.compilation.findings.error("number-too-large", placeOf(site.node, "q"), `q is a share, at most 1, not ${q}`);
    return null;
  }
  return { check: { family, q }, path: field.path };
}

/** A metric against the windows before; `part`: its metric, null where that is wrong. */
export function changeMetric(site: RuleSite, part: MetricPart | null): MadeMetric {
  const { node, compilation } = site;
  if (part === null) return null;
  const windows = numberAt(node, "windows") ?? windowsDefault;
  const by = (textAt(node, "by") ?? "percent") as "percent" | "difference" | "ratio" | "deviations";
  const against = textAt(node, "against");
  const least = against === null ? windowsMinDefault : by === "deviations" ? 3 : 1;
  const windowsMin = numberAt(node, "windowsMin") ?? Math.min(least, windows);
  if (windowsMin > windows) {
    compilation.findings.error(
      "keys-conflict",
      placeOf(node, "windowsMin"),
      `windowsMin is ${windowsMin}, more than the ${windows} windows that are remembered`,
    );
    return null;
  }
  if (by === "deviations" && windowsMin < 3) {
    compilation.findings.error("number-too-small", placeOf(node, "windowsMin"), "deviations need at least 3 windows to learn from");
    return null;
  }
  const pinned = against === null ? {} : { against };
  return { check: { family: "change", metric: part, windows, windowsMin, by, ...pinned }, path: part.path };
}

/** One value of a reference file as a constant of a column; null where the column can't hold it. */
function constantOf(field: Field, text: string): Scalar | null {
  const { kind } = field.type;
  if (kind === "string") return { type: "string", value: text };
  if (kind === "uuid") return uuidLiteral(text);
  if (isNumber(field)) return plainDecimal(text) === null ? null : { type: "number", text, value: Number(text) };
  if (kind === "boolean") return text === "true" || text === "false" ? { type: "boolean", value: text === "true" } : null;
  const bound = timeBound(field, text);
  return bound === null ? null : { type: "number", text: bound, value: Number(bound) };
}

/** The rule of a reference file. */
export function referenceCheck(site: RuleSite, field: Field): RuleCheck | null {
  const { compilation, node } = site;
  const file = textAt(node, "file") as string;
  const at = placeOf(node, "file");
  const text = compilation.references.get(file);
  if (["struct", "list", "map", "binary", "json"].includes(field.type.kind)) return misfit(site, field, "has no list of values");
  // A file that can't be read is reported where it is read.
  if (text === undefined) return null;
  const read = referenceValues(file, text, textAt(node, "field"));
  if ("fault" in read) {
    compilation.findings.error("reference-invalid", at, `${file} ${read.fault}`);
    return null;
  }
  const values: Scalar[] = [];
  for (const each of new Set(read.values)) {
    const value = constantOf(field, each);
    if (value === null) {
      compilation.findings.error(
        "reference-invalid",
        at,
        `${file} lists "${each.slice(0, 64)}", but "${field.path}" takes ${literalWords(field.type)}`,
      );
      return null;
    }
    values.push(value);
  }
  if (values.length === 0) {
    compilation.findings.error("reference-invalid", at, `${file} lists no value`);
    return null;
  }
  return { family: "reference", file, values };
}

const keyKinds = new Set(["boolean", "int", "long", "float", "double", "decimal", "date", "timestamp", "string", "binary", "uuid"]);

/** Whether a column's values can be compared with stored ones: at the top, and of a scalar type that is stored as it is. */
function isKeyColumn(site: RuleSite, field: Field): boolean {
  if (field.path === field.name && keyKinds.has(field.type.kind)) return true;
  misfit(
    site,
    field,
    field.path === field.name ? "is not compared with stored values" : "stands inside another column, and keys stand at the top",
  );
  return false;
}

/** The rule of another dataset's column. */
export function foreignKeyCheck(site: RuleSite, field: Field): MadeCheck {
  if (!isKeyColumn(site, field)) return null;
  const dataset = textAt(site.node, "dataset") as string;
  return { check: { family: "foreignKey", dataset, column: textAt(site.node, "foreignColumn") ?? field.name }, path: field.path };
}

/** The rule of a number that counts up. */
export function sequenceCheck(site: RuleSite, field: Field): MadeCheck {
  const { node } = site;
  if (field.path !== field.name || (field.type.kind !== "int" && field.type.kind !== "long"))
    return misfit(site, field, "is no whole number at the top of the record, so it counts nothing");
  const by = child(node, "by") === null ? [] : namedColumns(site, "by");
  if (by === null || !by.every((each) => isKeyColumn(site, each))) return null;
  const scope = textAt(node, "scope") === "dataset" ? "dataset" : "partition";
  return { check: { family: "sequence", by: by.map(({ path }) => path), scope, step: numberAt(node, "step") ?? 1 }, path: field.path };
}

/** Reports a filter that can't be applied to stored rows, of a rule that is made good from them. */
export function filterIsStored(site: RuleSite, check: RuleCheck, where: Condition): void {
  const remembers = check.family === "sequence" || (check.family === "duplicate" && (check.horizon ?? null) !== null);
  if (!remembers) return;
  for (const path of conditionPaths(where)) {
    const field = site.compilation.fields.get(path);
    if (field === undefined || (field.path === field.name && keyKinds.has(field.type.kind))) continue;
    const message = `"${path}" is not compared with stored values, and what this rule remembers is read back from the table`;
    site.compilation.findings.error(
      "column-type",
      placeOf(site.node, "where"),
      message,
      "filter by a scalar column at the top of the record",
    );
  }
}

/** How far duplicates reach; undefined where that is wrong, which is reported. */
export function duplicateHorizon(
  site: RuleSite,
  fields: readonly Field[],
  keep: "first" | "none",
): { readonly seconds: number | null } | null | undefined {
  const { node, compilation } = site;
  const seconds = numberAt(node, "horizonSeconds");
  if (textAt(node, "scope") !== "dataset") {
    if (seconds === null) return null;
    compilation.findings.error("keys-conflict", placeOf(node, "horizonSeconds"), "horizonSeconds goes with `scope: dataset`");
    return undefined;
  }
  if (keep === "none") {
    compilation.findings.error(
      "keys-conflict",
      placeOf(node, "keep"),
      "beyond its window the first record is promoted already: `scope: dataset` goes with `keep: first`",
    );
    return undefined;
  }
  return fields.every((field) => isKeyColumn(site, field)) ? { seconds } : undefined;
}
