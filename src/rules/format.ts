import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";
import { acceptsText, formatAutomata } from "./text-automata.ts";
import { requireBytes, scanSpans, scanTexts, spanText } from "./text-check.ts";
import { textFormats } from "./text-formats.ts";

const words: Readonly<Record<string, string>> = {
  email: "an e-mail address",
  uuid: "a UUID",
  uri: "an absolute URI",
  hostname: "a host name",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
  byte: "base64 text",
};

/** Text that is not of a named format (ODCS `logicalTypeOptions.format` of strings). */
export const formatFamily: RuleFamily<"format"> = {
  family: "format",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    requireBytes(path.field, plan, "format");
    const accepts = textFormats.get(check.format);
    if (accepts === undefined)
      throw invalidRule(plan, `there is no format ${check.format}; there are ${[...textFormats.keys()].join(", ")}`);
    const automata = formatAutomata(check.format);
    return cellRule(path, {
      scan:
        automata === null
          ? scanTexts((bytes, start, end) => accepts(spanText(bytes, start, end)))
          : scanSpans((bytes, start, end) => acceptsText(automata, bytes, start, end)),
      expected: words[check.format] ?? check.format,
      limit: check.format,
    });
  },
};
