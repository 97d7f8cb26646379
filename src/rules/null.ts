import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import { describeAbsent, scanAbsent } from "./required.ts";
import type { RuleFamily } from "./rule-family.ts";

/** A value that is null, or missing, which the lake stores as null (ODCS `nullValues`). */
export const nullFamily: RuleFamily<"null"> = {
  family: "null",
  compile(_check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    return cellRule(path, { scan: scanAbsent, describe: describeAbsent, expected: "a value that is not null", limit: "not null" });
  },
};
