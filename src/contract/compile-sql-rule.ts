import type { Field } from "../core/schema.ts";
import { cannotEnforce } from "./compilation.ts";
import type { Compilation, RuleDraft } from "./compilation.ts";
import { ownerOf, readSeverity, readThreshold } from "./compile-threshold.ts";
import { placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { hasNanos } from "./rule-site.ts";

/** ODCS's placeholders, with and without a dollar sign, in the names that its versions use. */
const placeholder = /\$?\{\s*(object|table|schema|property|column)\s*\}/gi;

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A rule of `type: sql`; none where it is wrong, which is reported. What the SQL itself means is known only when it runs. */
export function compileSqlRule(compilation: Compilation, entry: Node, field: Field | null): RuleDraft[] {
  const { findings, dataset } = compilation;
  const read = readThreshold(entry, "rows");
  if (read === null || read === "not-a-number") {
    cannotEnforce(compilation, "threshold-not-a-number", entry.at, "an SQL rule whose answer is compared with something that is no number");
    return [];
  }
  let sound = true;
  const query = (textAt(entry, "query") ?? "").replace(placeholder, (_, name: string) => {
    const column = ["property", "column"].includes(name.toLowerCase());
    if (!column) return quoted(dataset);
    if (field === null || field.path !== field.name) {
      const message = `an SQL rule with {${name}}, which stands for a property at the top; this rule stands under none`;
      cannotEnforce(compilation, "placeholder-unknown", placeOf(entry, "query"), message);
      sound = false;
      return "";
    }
    return quoted(field.name);
  });
  if (query.trim() === "") {
    cannotEnforce(compilation, "query-empty", placeOf(entry, "query"), "an SQL rule without SQL");
    sound = false;
  }
  const rounded = [...compilation.fields.values()].find((each) => hasNanos(each) && each.type.kind === "timestamp" && each.type.zoned);
  if (rounded !== undefined) {
    const message = `an SQL rule beside "${rounded.path}": DuckDB has no instants in nanoseconds, and would judge them in microseconds`;
    const hint =
      "local times (timezone: false) have their nanoseconds in SQL; or keep the column in microseconds, or use a rule of Sluice's own";
    cannotEnforce(compilation, "timestamp-unit", placeOf(entry, "query"), message, hint);
    sound = false;
  }
  if (!sound) return [];
  return [
    {
      givenId: textAt(entry, "id") ?? textAt(entry, "name"),
      check: { family: "sql", query },
      path: field?.path ?? null,
      scope: "window",
      severity: readSeverity(findings, entry),
      tolerance: null,
      threshold: { ...read.threshold, unit: "value" },
      where: null,
      dimension: textAt(entry, "dimension"),
      owner: ownerOf(entry),
      description: textAt(entry, "description"),
      location: entry.at,
    },
  ];
}
