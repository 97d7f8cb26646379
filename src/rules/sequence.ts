import { cellText } from "./cell-text.ts";
import { locate, resolveRowPath } from "./column-path.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";

/** A whole number that does not follow the last one of its key. It is judged when the window closes, by `judgeSequences`, which says what was expected. */
export const sequenceFamily: RuleFamily<"sequence"> = {
  family: "sequence",
  compile(check, { plan, fields }) {
    const path = resolveRowPath(fields, plan.path, plan);
    const { kind } = path.field.type;
    if (kind !== "int" && kind !== "long") throw invalidRule(plan, `a ${kind} column counts nothing`);
    if (!(Number.isSafeInteger(check.step) && check.step >= 1)) throw invalidRule(plan, `${check.step} is no step`);
    for (const name of check.by) resolveRowPath(fields, name, plan);
    return {
      open: () => ({ offenders: () => new Uint32Array(0) }),
      explain: (batch, row) => ({
        observed: cellText(locate(batch, path).column, row, batch),
        finding: null,
        expected: "the next number of its sequence",
        limit: `step ${check.step}`,
        masked: path.masked,
      }),
    };
  },
};
