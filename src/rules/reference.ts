import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";
import { compileMembership, scanMembership } from "./scalar-set.ts";

/** A value that is not listed in a file beside the contract; the file is part of the contract, and of its hash. */
export const referenceFamily: RuleFamily<"reference"> = {
  family: "reference",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    const contains = compileMembership(path.field, check.values);
    if (contains === null) throw invalidRule(plan, `a ${path.field.type.kind} column has no list of values`);
    return cellRule(path, {
      scan: scanMembership(contains, false),
      expected: `one of the ${check.values.length} values of ${check.file}`,
      limit: check.file,
    });
  },
};
