import type { RuleCheck } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import type { Compilation } from "./compilation.ts";
import { columnNamed, columnOf } from "./compile-where.ts";
import { child, items, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";

/** Where a rule's `implementation` (or a part of one) stands. */
export interface RuleSite {
  readonly compilation: Compilation;
  /** The implementation, or the part. */
  readonly node: Node;
  /** The property that the rule stands under; null: the dataset. */
  readonly owner: Field | null;
}

/** A check with the column that it judges; null where it is wrong, which is reported. */
export type MadeCheck = { readonly check: RuleCheck; readonly path: string | null } | null;

/** The column named, else the property that the rule stands under. A property's own rule may stand inside a list: each item is judged. */
export function judgedColumn(site: RuleSite, key = "column"): Field | null {
  if (child(site.node, key) !== null) {
    const name = textAt(site.node, key) as string;
    const inner = site.compilation.fields.get(name);
    return inner ?? columnOf(site.compilation, site.node, key);
  }
  if (site.owner === null)
    site.compilation.findings.error("column-missing", site.node.at, `a rule of the dataset must say which "${key}" it judges`);
  return site.owner;
}

/** The columns that a list names, each with one value in a row; null where one is wrong, which is reported. */
export function namedColumns(site: RuleSite, key: string): Field[] | null {
  const found = items(site.node, key).map((each) =>
    each.kind === "scalar" ? columnNamed(site.compilation, String(each.value), each) : null,
  );
  return found.every((each) => each !== null) ? found : null;
}

/** Reports a column of a type that the check does not go with. */
export function misfit(site: RuleSite, field: Field, why: string, key = "check"): null {
  site.compilation.findings.error("column-type", placeOf(site.node, key), `"${field.path}" is of type ${field.type.kind}: it ${why}`);
  return null;
}

/** Whether a column holds numbers. */
export function isNumber(field: Field): boolean {
  return ["int", "long", "float", "double", "decimal"].includes(field.type.kind);
}

/** Whether a column holds timestamps in nanoseconds, which doubles do not tell apart. */
export function hasNanos({ type }: Field): boolean {
  return type.kind === "timestamp" && type.unit === "nanos";
}

/** Whether a column holds text or bytes. */
export function isText(field: Field): boolean {
  return field.type.kind === "string" || field.type.kind === "binary";
}
