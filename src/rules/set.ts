import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";
import { compileMembership, scalarsText, scanMembership } from "./scalar-set.ts";

/** A value that is not one of the allowed ones, or (negated) one of the forbidden ones. Null is judged by `required`, not here. */
export const setFamily: RuleFamily<"set"> = {
  family: "set",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    const contains = compileMembership(path.field, check.values);
    if (contains === null) throw invalidRule(plan, `a ${path.field.type.kind} column has no set of values`);
    const values = scalarsText(check.values, path.field);
    return cellRule(path, {
      scan: scanMembership(contains, check.negated),
      expected: check.negated ? `none of ${values}` : `one of ${values}`,
      limit: values,
    });
  },
};
