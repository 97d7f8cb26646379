import { Cell } from "../core/column.ts";
import type { Batch } from "../core/batch.ts";
import { locate, resolveRowPath } from "./column-path.ts";
import { RowList } from "./row-list.ts";
import { invalidRule, type CheckOf, type RuleFamily } from "./rule-family.ts";

type Quantity = CheckOf<"complete">["quantity"];

function isMet(quantity: Quantity, present: number, of: number): boolean {
  switch (quantity) {
    case "all":
      return present === of;
    case "any":
      return present > 0;
    case "exactlyOne":
      return present === 1;
    default:
      return present === 0 || present === of;
  }
}

const words: Readonly<Record<Quantity, string>> = {
  all: "all of them to have a value",
  any: "at least one of them to have a value",
  exactlyOne: "exactly one of them to have a value",
  allOrNone: "all of them to have a value, or none",
};

/** A row in which too few, or too many, of several columns have a value; one with an invalid cell is left to that column's `type` reason. */
export const completeFamily: RuleFamily<"complete"> = {
  family: "complete",
  compile(check, { plan, fields }) {
    if (check.columns.length < 2) throw invalidRule(plan, "it needs two columns or more");
    const paths = check.columns.map((column) => resolveRowPath(fields, column, plan));
    const { quantity } = check;
    const present = (batch: Batch, row: number): string[] =>
      paths.flatMap((path) => (locate(batch, path).column.state[row] === Cell.value ? [path.field.path] : []));
    return {
      expected: `of ${check.columns.join(", ")} ${words[quantity]}`,
      open: () => ({
        offenders(batch) {
          const states = paths.map((path) => locate(batch, path).column.state);
          const out = new RowList();
          for (let row = 0; row < batch.rows; row++) {
            let count = 0;
            let invalid = false;
            for (const state of states) {
              if (state[row] === Cell.value) count++;
              else if (state[row] === Cell.invalid) invalid = true;
            }
            if (!invalid && !isMet(quantity, count, states.length)) out.push(row);
          }
          return out.rows();
        },
      }),
      explain(batch, row) {
        const names = present(batch, row);
        const finding =
          names.length === 0
            ? "have no value"
            : names.length === paths.length
              ? "all have a value"
              : `have a value only in ${names.join(", ")}`;
        return { observed: null, finding, expected: words[quantity], limit: quantity, masked: false };
      },
    };
  },
};
