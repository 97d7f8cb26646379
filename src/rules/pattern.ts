import { RE2JS } from "re2js";
import { compileDfa } from "../regex/compile-dfa.ts";
import { matchDfa, type Dfa } from "../regex/dfa.ts";
import { cellRule } from "./cell-rule.ts";
import { resolvePath } from "./column-path.ts";
import { invalidRule, type CheckOf, type RuleFamily, type RuleTarget } from "./rule-family.ts";
import { requireBytes, scanSpans, scanTexts, spanText } from "./text-check.ts";

const known = new WeakMap<CheckOf<"pattern">, Dfa | null>();

/** The automaton of a pattern rule; null where its pattern has none. Throws where the pattern is none. */
export function patternDfa(check: CheckOf<"pattern">): Dfa | null {
  let dfa = known.get(check);
  if (dfa === undefined) {
    const compiled = compileDfa(check.pattern);
    dfa = "reason" in compiled ? null : compiled;
    known.set(check, dfa);
  }
  return dfa;
}

function compileScan(check: CheckOf<"pattern">, { plan }: RuleTarget): ReturnType<typeof scanSpans> {
  try {
    const dfa = patternDfa(check);
    if (dfa !== null) return scanSpans((bytes, start, end) => matchDfa(dfa, bytes, start, end - start));
    const pattern = RE2JS.compile(check.pattern);
    return scanTexts((bytes, start, end) => pattern.test(spanText(bytes, start, end)));
  } catch (cause) {
    throw invalidRule(plan, `the pattern can't be read: ${(cause as Error).message}`);
  }
}

/** Text in which a regular expression (RE2 syntax, linear time) is found nowhere. */
export const patternFamily: RuleFamily<"pattern"> = {
  family: "pattern",
  compile(check, target) {
    const { plan, fields } = target;
    const path = resolvePath(fields, plan.path, plan);
    requireBytes(path.field, plan, "pattern");
    return cellRule(path, {
      scan: compileScan(check, target),
      expected: `text that matches ${check.pattern}`,
      limit: check.pattern,
    });
  },
};
