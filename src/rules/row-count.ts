import { thresholdWords } from "./tolerance.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";

/** The number of a window's decoded rows (that pass the rule's `where`); no row offends, the threshold judges the count. */
export const rowCountFamily: RuleFamily<"rowCount"> = {
  family: "rowCount",
  compile(_check, { plan }) {
    if (plan.scope !== "window" || plan.threshold === null) throw invalidRule(plan, "a row count needs a threshold and judges windows");
    const words = thresholdWords(plan.threshold);
    const none = new Uint32Array(0);
    return {
      open: () => ({ offenders: () => none }),
      explain: () => ({ observed: null, finding: null, expected: words, limit: words, masked: false }),
    };
  },
};
