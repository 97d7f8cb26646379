import type { RuleCheck } from "../core/rule.ts";
import { arithmeticFamily } from "./arithmetic.ts";
import { celFamily } from "./cel/cel.ts";
import { checksumFamily } from "./checksum.ts";
import { compareFamily } from "./compare.ts";
import { completeFamily } from "./complete.ts";
import { conditionFamily } from "./condition.ts";
import { duplicateFamily } from "./duplicate.ts";
import { emptyFamily } from "./empty.ts";
import { foreignKeyFamily } from "./foreign-key.ts";
import { formatFamily } from "./format.ts";
import { itemsFamily } from "./items.ts";
import { jsonSchemaFamily } from "./json-schema.ts";
import { lengthFamily } from "./length.ts";
import { metricFamilies } from "./metrics/index.ts";
import { missingFamily } from "./missing.ts";
import { monotonicFamily } from "./monotonic.ts";
import { multipleOfFamily } from "./multiple-of.ts";
import { nullFamily } from "./null.ts";
import { patternFamily } from "./pattern.ts";
import { propertiesFamily } from "./properties.ts";
import { rangeFamily } from "./range.ts";
import { referenceFamily } from "./reference.ts";
import { requiredFamily } from "./required.ts";
import { rowCountFamily } from "./row-count.ts";
import { invalidRule, type CompiledRule, type RuleFamily, type RuleTarget } from "./rule-family.ts";
import { composedFamilies } from "./rule-parts.ts";
import { sequenceFamily } from "./sequence.ts";
import { setFamily } from "./set.ts";
import { tuplesFamily } from "./tuples.ts";
import { typeFamily } from "./type.ts";
import { unknownColumnsFamily } from "./unknown-columns.ts";

/** A rule inside of another one. */
function compileCheck(check: RuleCheck, target: RuleTarget): CompiledRule {
  const family = ruleFamilies.find((each) => each.family === check.family);
  if (family === undefined) throw invalidRule(target.plan, `there is no rule family ${check.family}`);
  return family.compile(check, target);
}

/** Every kind of rule there is. */
export const ruleFamilies: readonly RuleFamily[] = [
  typeFamily,
  requiredFamily,
  rangeFamily,
  multipleOfFamily,
  lengthFamily,
  patternFamily,
  formatFamily,
  setFamily,
  itemsFamily,
  propertiesFamily,
  missingFamily,
  nullFamily,
  duplicateFamily,
  foreignKeyFamily,
  referenceFamily,
  sequenceFamily,
  compareFamily,
  conditionFamily,
  jsonSchemaFamily,
  rowCountFamily,
  emptyFamily,
  checksumFamily,
  tuplesFamily,
  completeFamily,
  arithmeticFamily,
  ...composedFamilies(compileCheck),
  celFamily,
  unknownColumnsFamily,
  monotonicFamily,
  ...metricFamilies,
] as readonly RuleFamily[];
