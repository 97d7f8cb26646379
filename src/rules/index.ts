import type { RuleFamily } from "./rule-family.ts";
import { compareFamily } from "./compare.ts";
import { conditionFamily } from "./condition.ts";
import { duplicateFamily } from "./duplicate.ts";
import { formatFamily } from "./format.ts";
import { itemsFamily } from "./items.ts";
import { jsonSchemaFamily } from "./json-schema.ts";
import { lengthFamily } from "./length.ts";
import { missingFamily } from "./missing.ts";
import { multipleOfFamily } from "./multiple-of.ts";
import { nullFamily } from "./null.ts";
import { patternFamily } from "./pattern.ts";
import { propertiesFamily } from "./properties.ts";
import { rangeFamily } from "./range.ts";
import { requiredFamily } from "./required.ts";
import { rowCountFamily } from "./row-count.ts";
import { setFamily } from "./set.ts";
import { typeFamily } from "./type.ts";

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
  compareFamily,
  conditionFamily,
  jsonSchemaFamily,
  rowCountFamily,
] as readonly RuleFamily[];
