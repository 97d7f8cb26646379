import { RE2JS } from "re2js";
import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";
import { requireBytes, scanTexts, spanText } from "./text-check.ts";

/** Text in which a regular expression (RE2 syntax, linear time) is found nowhere. */
export const patternFamily: RuleFamily<"pattern"> = {
  family: "pattern",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    requireBytes(path.field, plan, "pattern");
    let pattern: RE2JS;
    try {
      pattern = RE2JS.compile(check.pattern);
    } catch (cause) {
      throw invalidRule(plan, `the pattern can't be read: ${(cause as Error).message}`);
    }
    const words = `text that matches ${check.pattern}`;
    return cellRule(path, {
      scan: scanTexts((bytes, start, end) => pattern.test(spanText(bytes, start, end))),
      expected: words,
      limit: check.pattern,
    });
  },
};
