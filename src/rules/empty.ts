import { cellRule } from "./cell-rule.ts";
import { cellText } from "./cell-text.ts";
import { resolvePath } from "./column-path.ts";
import type { RuleFamily } from "./rule-family.ts";
import { requireBytes, scanTexts, spanText } from "./text-check.ts";

/** Whether a span is empty, or (`whitespace`) has nothing but white space in Unicode's sense. */
function isBlank(bytes: Uint8Array, start: number, end: number, whitespace: boolean): boolean {
  if (start === end) return true;
  if (!whitespace) return false;
  const first = bytes[start] as number;
  // Visible ASCII decides most texts by their first byte.
  if (first > 0x20 && first < 0x7f) return false;
  return spanText(bytes, start, end).trim() === "";
}

/** Text without any character, or of white space only. Null is judged by `required`, not here. */
export const emptyFamily: RuleFamily<"empty"> = {
  family: "empty",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    requireBytes(path.field, plan, "empty text");
    const words = check.whitespace ? "text that is not only white space" : "text that is not empty";
    return cellRule(path, {
      scan: scanTexts((bytes, start, end) => !isBlank(bytes, start, end, check.whitespace)),
      expected: words,
      limit: words,
      describe: (column, cell, batch) => {
        const observed = cellText(column, cell, batch);
        return { observed, finding: observed === "" ? "is empty" : "is only white space" };
      },
    });
  },
};
