import type { AgeSpan, RetentionRule } from "../core/retention.ts";
import { ageSpan } from "../core/retention.ts";
import type { Compilation } from "./compilation.ts";
import { columnNamed } from "./compile-where.ts";
import { booleanAt, child, items, numberAt, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";

const sizes: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

/** What a contract promises of a dataset's retention under `slaProperties`. */
export interface RetentionPromise {
  readonly node: Node;
  /** Null where its value and unit are no span that Sluice knows. */
  readonly span: AgeSpan | null;
  /** The column that it is about; null: the dataset. */
  readonly column: string | null;
}

/** The promise of retention that is about this schema object or one of its columns; null where there is none. */
export function retentionPromise(root: Node, schema: Node): RetentionPromise | null {
  const names = [textAt(schema, "name"), textAt(schema, "physicalName")].filter((each) => each !== null);
  for (const node of items(root, "slaProperties")) {
    if (textAt(node, "property")?.toLowerCase() !== "retention") continue;
    const element = textAt(node, "element") ?? textAt(root, "slaDefaultElement");
    const owner = names.find((each) => element === each || element?.startsWith(`${each}.`) === true);
    if (element !== null && owner === undefined) continue;
    const column = element === null || owner === undefined || element === owner ? null : element.slice(owner.length + 1);
    const text = textAt(node, "value");
    const value = numberAt(node, "value") ?? (text === null ? Number.NaN : Number(text));
    return { node, span: ageSpan(value, textAt(node, "unit") ?? ""), column };
  }
  return null;
}

/** Whether one of a dataset's rules goes by what the contract promises. */
export function keepsPromise(settings: Node | null): boolean {
  return items(settings, "retention").some((each) => textAt(each, "olderThan") === "sla");
}

/** The rules of what becomes of old data, checked. */
export function compileRetention(compilation: Compilation, settings: Node | null, promise: RetentionPromise | null): RetentionRule[] {
  return items(settings, "retention").map((node): RetentionRule => {
    const action = textAt(node, "action") === "archive" ? "archive" : "expire";
    const of = textAt(node, "of") === "quarantine" ? "quarantine" : "rows";
    const isPromised = textAt(node, "olderThan") === "sla";
    const { findings } = compilation;
    const column = textAt(node, "column") ?? (isPromised ? (promise?.column ?? null) : null);
    if (isPromised && promise === null) {
      const hint = "add one with property: retention, a value and a unit";
      findings.error(
        "retention-promise",
        placeOf(node, "olderThan"),
        "no service level of this dataset says how long its data is retained",
        hint,
      );
    } else if (isPromised && promise?.span === null) {
      findings.error(
        "retention-promise",
        promise.node.at,
        "this retention is no span of whole days, weeks, months or years",
        "value: 3, unit: y",
      );
    }
    if (column !== null) checkColumn(compilation, node, column, of);
    if (of === "quarantine" && child(node, "unreadFor") !== null) {
      findings.error("retention-condition", placeOf(node, "unreadFor"), "readings are known of promoted rows only, not of quarantine");
    }
    if (column !== null && child(node, "olderThan") === null) {
      findings.error("retention-condition", placeOf(node, "column"), "a column makes an age, and the rule names none", "add olderThan");
    }
    checkPlace(compilation, node, action);
    return {
      action,
      of,
      olderThan: isPromised ? (promise?.span ?? null) : spanAt(node, "olderThan"),
      column,
      unreadFor: spanAt(node, "unreadFor"),
      bytesMax: bytesAt(node),
      unowned: booleanAt(node, "unowned") === true,
      place: textAt(node, "place"),
      tagged: booleanAt(node, "tagged") === true,
      location: node.at,
    };
  });
}

function checkColumn(compilation: Compilation, node: Node, column: string, of: RetentionRule["of"]): void {
  const at = child(node, "column") ?? node;
  const { findings } = compilation;
  if (of === "quarantine") {
    findings.error("retention-column", at.at, "quarantined records have no columns: their age is since they were quarantined");
    return;
  }
  const field = columnNamed(compilation, column, at);
  if (field === null) return;
  if (field.type.kind !== "date" && field.type.kind !== "timestamp") {
    findings.error("column-type", at.at, `"${column}" is no date or timestamp, so it tells no age`);
  }
}

function checkPlace({ findings }: Compilation, node: Node, action: RetentionRule["action"]): void {
  const place = child(node, "place");
  if (action === "archive" && place === null) {
    findings.error(
      "retention-place",
      node.at,
      "archive needs the name of a place",
      "place: NAME, as under lake.archives in the configuration",
    );
  }
  if (action === "expire" && place !== null) findings.error("retention-place", place.at, "what expires goes to no place");
  const tagged = child(node, "tagged");
  if (action === "expire" && tagged !== null) findings.error("retention-place", tagged.at, "what tags name never expires by a rule");
  if (booleanAt(node, "unowned") === false && ["olderThan", "unreadFor", "beyond"].every((each) => child(node, each) === null)) {
    findings.error("retention-condition", node.at, "the rule states no condition, and would take everything");
  }
}

function spanAt(node: Node, key: string): AgeSpan | null {
  const match = /^([0-9]+) ?([a-z]+)$/.exec(textAt(node, key) ?? "");
  return match === null ? null : ageSpan(Number(match[1]), match[2] as string);
}

function bytesAt(node: Node): number | null {
  const match = /^([0-9]+) ?([A-Za-z]+)$/.exec(textAt(node, "beyond") ?? "");
  return match === null ? null : Number(match[1]) * (sizes[match[2] as string] ?? 1);
}
