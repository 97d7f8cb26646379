import { Cell, type Column } from "../core/column.ts";
import { CellKeys } from "./cell-key.ts";
import { cellText } from "./cell-text.ts";
import { locate, resolveRowPath } from "./column-path.ts";
import { KeyIndex } from "./key-index.ts";
import { RowList } from "./row-list.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";
import { compileMembership, scalarText } from "./scalar-set.ts";

const shownMax = 5;
/** Verdicts on so many different tuples are remembered. */
const rememberedMax = 1 << 16;

/**
 * Values of several columns of a row that together are none of the allowed tuples (or, negated, one of the forbidden ones). Judged where all
 * the columns have a value.
 */
export const tuplesFamily: RuleFamily<"tuples"> = {
  family: "tuples",
  compile(check, { plan, fields }) {
    const paths = check.columns.map((column) => resolveRowPath(fields, column, plan));
    if (paths.length < 2) throw invalidRule(plan, "it needs two columns or more");
    const tests = check.tuples.map((tuple) => {
      if (tuple.length !== paths.length) throw invalidRule(plan, `a tuple has ${tuple.length} values for ${paths.length} columns`);
      return tuple.map((value, i) => {
        const path = paths[i] as (typeof paths)[number];
        const test = compileMembership(path.field, [value]);
        if (test === null) throw invalidRule(plan, `a ${path.field.type.kind} column has no constants`);
        return test;
      });
    });
    const shown = check.tuples
      .slice(0, shownMax)
      .map((tuple) => `(${tuple.map((value, i) => scalarText(value, (paths[i] as (typeof paths)[number]).field)).join(", ")})`);
    const more = check.tuples.length > shownMax ? ` and ${check.tuples.length - shownMax} more` : "";
    const listed = shown.join(", ") + more;
    const keys = new CellKeys();
    let index = new KeyIndex();
    const verdicts = new Uint8Array(rememberedMax + 1);
    const isListed = (columns: readonly Column[], row: number): boolean => {
      keys.length = 0;
      for (const column of columns) keys.append(column, row);
      if (index.count > rememberedMax) index = new KeyIndex();
      const known = index.count;
      const at = index.add(keys.bytes, 0, keys.length);
      if (at === known) verdicts[at] = tests.some((tuple) => tuple.every((test, i) => test(columns[i] as Column, row))) ? 1 : 0;
      return verdicts[at] === 1;
    };
    return {
      expected: `${check.columns.join(", ")} ${check.negated ? "none" : "one"} of ${listed}`,
      open: () => ({
        offenders(batch) {
          const columns = paths.map((path) => locate(batch, path).column);
          const out = new RowList();
          for (let row = 0; row < batch.rows; row++) {
            if (columns.every((column) => column.state[row] === Cell.value) && isListed(columns, row) === check.negated) out.push(row);
          }
          return out.rows();
        },
      }),
      explain: (batch, row) => {
        const observed = paths.map((path) => cellText(locate(batch, path).column, row, batch) ?? "null").join(", ");
        return {
          observed,
          finding: `are ${observed}`,
          expected: check.negated ? `none of ${listed}` : `one of ${listed}`,
          limit: listed,
          masked: paths.some((path) => path.masked),
        };
      },
    };
  },
};
