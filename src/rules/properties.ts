import { Cell, type Column } from "../core/column.ts";
import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import { countWords } from "./length.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";
import { spanText } from "./text-check.ts";

/** Keys of an object cell: of a struct those present (null counts), of a map its entries', of a json cell the object's; null if it is none. */
function keysOf(column: Column, cell: number): ReadonlySet<string> | null {
  if (column.kind === "struct")
    return new Set(column.children.filter((child) => child.state[cell] !== Cell.missing).map((child) => child.field.name));
  if (column.kind === "list" && column.keys !== null) {
    const { keys, offsets } = column;
    const names = new Set<string>();
    for (let i = offsets[cell] as number; i < (offsets[cell + 1] as number); i++) {
      const start = keys.starts[i] as number;
      names.add(spanText(keys.bytes, start, start + (keys.lengths[i] as number)));
    }
    return names;
  }
  if (column.kind !== "bytes") return null;
  const start = column.starts[cell] as number;
  // The codec has checked the text and its depth; a number too large for a double does no harm to the keys.
  const value: unknown = JSON.parse(spanText(column.bytes, start, start + (column.lengths[cell] as number)));
  return typeof value === "object" && value !== null && !Array.isArray(value) ? new Set(Object.keys(value)) : null;
}

/** An object with too few or too many properties, or without one that it must have. Fields that the contract doesn't name aren't counted in structs. */
export const propertiesFamily: RuleFamily<"properties"> = {
  family: "properties",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    const { kind } = path.field.type;
    if (kind !== "struct" && kind !== "map" && kind !== "json") throw invalidRule(plan, `a ${kind} column has no properties`);
    const least = check.min ?? 0;
    const most = check.max ?? Infinity;
    const counted = check.min === null && check.max === null ? [] : [countWords(check.min, check.max, "property", "properties")];
    const words = [...counted, ...(check.required.length > 0 ? [`the properties ${check.required.join(", ")}`] : [])].join(" and ");
    const fault = (column: Column, cell: number): string | null => {
      const keys = keysOf(column, cell);
      if (keys === null) return "is no object";
      if (keys.size < least || keys.size > most) return `has ${keys.size} ${keys.size === 1 ? "property" : "properties"}`;
      const lacking = check.required.filter((name) => !keys.has(name));
      return lacking.length > 0 ? `lacks ${lacking.join(", ")}` : null;
    };
    return cellRule(path, {
      scan(column, from, to, out) {
        for (let i = from; i < to; i++) if (column.state[i] === Cell.value && fault(column, i) !== null) out.push(i);
      },
      describe: (column, cell) => ({ observed: null, finding: fault(column, cell) }),
      expected: words,
      limit: words,
    });
  },
};
