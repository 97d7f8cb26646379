import { Cell } from "../core/column.ts";
import { RowList } from "./row-list.ts";
import type { RuleFamily } from "./rule-family.ts";
import { unknownNames } from "./unknown-names.ts";
import { cutText } from "./cell-text.ts";

/** A record with fields that the contract does not name; it must keep unknown fields, or nothing is seen of them. */
export const unknownColumnsFamily: RuleFamily<"unknownColumns"> = {
  family: "unknownColumns",
  compile(check, { fields }) {
    const allowed = new Set(check.allowed);
    const limit = check.allowed.length === 0 ? "no others" : `no others but ${check.allowed.join(", ")}`;
    return {
      expected: limit,
      open: () => ({
        offenders(batch) {
          const out = new RowList();
          const state = batch.unknown?.state;
          if (state === undefined) return out.rows();
          for (let row = 0; row < batch.rows; row++)
            if (state[row] === Cell.value && [...unknownNames(batch, row, fields)].some((name) => !allowed.has(name))) out.push(row);
          return out.rows();
        },
      }),
      explain(batch, row) {
        const names = [...unknownNames(batch, row, fields)].filter((name) => !allowed.has(name));
        return {
          observed: cutText(names.join(", ")),
          finding: `the record has fields that the contract does not name: ${cutText(names.join(", "))}`,
          expected: limit,
          limit,
          masked: false,
        };
      },
    };
  },
};
