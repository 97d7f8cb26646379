import { textFormats as namedFormats } from "../core/text-format.ts";
import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";
import { acceptsText, formatAutomata } from "./text-automata.ts";
import { requireBytes, scanSpans, scanTexts, spanText } from "./text-check.ts";
import { allTextFormats } from "./formats/index.ts";

const words = new Map(namedFormats.map((each) => [each.name, each.words]));

/** Text that is not of a named format (ODCS `logicalTypeOptions.format` of strings). */
export const formatFamily: RuleFamily<"format"> = {
  family: "format",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    requireBytes(path.field, plan, "format");
    const accepts = allTextFormats.get(check.format);
    if (accepts === undefined)
      throw invalidRule(plan, `there is no format ${check.format}; there are ${[...allTextFormats.keys()].join(", ")}`);
    const automata = formatAutomata(check.format);
    return cellRule(path, {
      scan:
        automata === null
          ? scanTexts((bytes, start, end) => accepts(spanText(bytes, start, end)))
          : scanSpans((bytes, start, end) => acceptsText(automata, bytes, start, end)),
      expected: words.get(check.format) ?? check.format,
      limit: check.format,
    });
  },
};
