import { BrokenInvariant } from "../core/broken-invariant.ts";
import { Cell, type ListColumn } from "../core/column.ts";
import { CellKeys } from "./cell-key.ts";
import { cellRule } from "./cell-rule.ts";
import { cellText } from "./cell-text.ts";
import { resolvePath } from "./column-path.ts";
import { KeyIndex } from "./key-index.ts";
import { countWords } from "./length.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";

/** The first element that equals an earlier one of the same list; -1 where all differ. */
function firstRepeated(column: ListColumn, cell: number): number {
  const from = column.offsets[cell] as number;
  const to = column.offsets[cell + 1] as number;
  if (to - from < 2) return -1;
  const keys = new CellKeys();
  const index = new KeyIndex();
  for (let i = from; i < to; i++) {
    keys.length = 0;
    keys.append(column.element, i);
    if (index.add(keys.bytes, 0, keys.length) < i - from) return i;
  }
  return -1;
}

/** A list with too few or too many elements, or (unique) with two equal ones. */
export const itemsFamily: RuleFamily<"items"> = {
  family: "items",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    if (path.field.type.kind !== "list") throw invalidRule(plan, `a ${path.field.type.kind} column has no items`);
    const least = check.min ?? 0;
    const most = check.max ?? Infinity;
    const counted = check.min === null && check.max === null ? [] : [countWords(check.min, check.max, "item", "items")];
    const words = [...counted, ...(check.unique ? ["no item twice"] : [])].join(" and ");
    return cellRule(path, {
      scan(column, from, to, out) {
        if (column.kind !== "list") throw new BrokenInvariant("not a list column");
        const { state, offsets } = column;
        for (let i = from; i < to; i++) {
          if (state[i] !== Cell.value) continue;
          const count = (offsets[i + 1] as number) - (offsets[i] as number);
          if (count < least || count > most || (check.unique && firstRepeated(column, i) >= 0)) out.push(i);
        }
      },
      describe(column, cell, batch) {
        if (column.kind !== "list") throw new BrokenInvariant("not a list column");
        const count = (column.offsets[cell + 1] as number) - (column.offsets[cell] as number);
        if (count < least || count > most) return { observed: String(count), finding: `has ${count} ${count === 1 ? "item" : "items"}` };
        const repeated = firstRepeated(column, cell);
        return { observed: cellText(column.element, repeated, batch), finding: "has an item twice" };
      },
      expected: words,
      limit: words,
    });
  },
};
