import { Cell, type Column } from "../core/column.ts";
import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import type { RowList } from "./row-list.ts";
import type { RuleFamily } from "./rule-family.ts";

/** Pushes cells without a value, where the struct around them (if any) is there. */
export function scanAbsent(column: Column, from: number, to: number, out: RowList, parent: Column | null): void {
  const { state } = column;
  for (let i = from; i < to; i++) {
    const cell = state[i];
    if ((cell === Cell.null || cell === Cell.missing) && (parent === null || parent.state[i] === Cell.value)) out.push(i);
  }
}

/** What a reason says of a cell without a value. */
export function describeAbsent(column: Column, cell: number): { readonly observed: null; readonly finding: string } {
  return { observed: null, finding: column.state[cell] === Cell.missing ? "is missing" : "is null" };
}

/** A required value that is null or missing. Fields of an object that is absent itself are not asked for. */
export const requiredFamily: RuleFamily<"required"> = {
  family: "required",
  compile(_check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    return cellRule(path, { scan: scanAbsent, describe: describeAbsent, expected: "a value", limit: "required" });
  },
};
