import { outsideChecks } from "./across-checks.ts";
import { metricChecks, ratioParts } from "./metric-checks.ts";
import { textAt } from "./node.ts";
import type { ObjectNode } from "./node.ts";
import { rowChecks, type CheckShape } from "./row-checks.ts";
import { operatorNames, qualityBaseKeys } from "./odcs-quality.ts";
import { condition, key, leafOperators, name, needed, threshold, tolerance } from "./rule-keys.ts";
import { any, listOf, oneOf } from "./shape.ts";
import type { Key, Keys, MoreKeys, ObjectShape, Shape } from "./shape.ts";

const part: Shape = { type: "named", name: "part", shape: () => rulePart };
const metric: Shape = { type: "named", name: "metric", shape: () => metricPart };

/** Rules made of others. */
const composedChecks: Readonly<Record<string, CheckShape>> = {
  allOf: {
    doc: "Every one of the rules holds. A rule that has nothing to say of a row (its column has no value there) leaves it to the others.",
    keys: { rules: needed(listOf(part, { min: 1 }), "The rules: `check` with its keys.") },
  },
  anyOf: {
    doc: "At least one of the rules holds, or has nothing to say of the row.",
    keys: { rules: needed(listOf(part, { min: 1 }), "The rules: `check` with its keys.") },
  },
  not: { doc: "The rule does not hold.", keys: { rule: needed(part, "The rule: `check` with its keys.") } },
  conditional: {
    doc: "A rule for rows that meet a condition, and perhaps one for the others.",
    keys: {
      if: needed(condition, "The condition."),
      // oxlint-disable-next-line unicorn/no-thenable -- the key of contracts; its value is no function, so nothing takes this for a promise.
      then: needed(part, "The rule for rows that meet it: `check` with its keys."),
      else: key(part, "The rule for the others.", "they are not judged"),
    },
  },
};

/** Every check with what it takes besides the keys that all rules have. */
export const ruleChecks: Readonly<Record<string, CheckShape>> = {
  ...rowChecks,
  ...outsideChecks,
  ...composedChecks,
  rowCount: { doc: "The number of rows of a window (that pass `where`); it needs a threshold.", keys: {} },
  ...metricChecks(metric),
};

const metricNames: ReadonlySet<string> = new Set(Object.keys(metricChecks(metric)));

/** Whether a check measures windows by a number of its own. */
export function isMetricCheck(check: string): boolean {
  return metricNames.has(check);
}

/** Checks that can't be parts of other rules: they judge more than one row, or whole windows. */
const wholeChecks: ReadonlySet<string> = new Set(["duplicate", "foreignKey", "monotonic", "sequence", "rowCount", ...metricNames]);

/** Checks that rules can be made of. */
export const partChecks: Readonly<Record<string, CheckShape>> = Object.fromEntries(
  Object.entries(ruleChecks).filter(([check]) => !wholeChecks.has(check)),
);

/** Of these keys a check may have only one. */
export const exclusives: Readonly<Record<string, readonly string[]>> = {
  set: ["allowed", "forbidden"],
  tuples: ["allowed", "forbidden"],
  jsonSchema: ["schema", "file"],
};

/** Keys that all of Sluice's own rules have. */
export const ruleKeys: Keys = {
  check: needed(oneOf(Object.keys(ruleChecks)), "What is checked; it decides which further keys there are."),
  severity: key(
    oneOf(["error", "warning"]),
    "error rejects rows or holds windows; warning only counts.",
    "the quality entry's severity, else error",
  ),
  owner: key(name, "Whom a failure concerns; carried to decisions.", "the contract's owners"),
  where: key(condition, "Only rows that meet this are judged."),
  tolerance: key(
    tolerance,
    "How many offenders a window may have; with more it is held.",
    "any number: offenders are quarantined one by one",
  ),
  threshold: key(threshold, "Judges the window by the number of offenders instead of rejecting rows; of a metric, by its value."),
};

/** Where keys of quality entries and thresholds stand, for people who write them into the rule itself. */
const elsewhere: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(qualityBaseKeys).map((each) => [each, "it stands beside the implementation, in the quality entry"])),
  ...Object.fromEntries([...operatorNames, "unit"].map((each) => [each, "it stands in threshold"])),
};

/** Keys of a rule that say nothing of what it checks. */
const sideKeys = new Set(["severity", "owner", "where", "tolerance", "threshold", "keep"]);

function variantOf(
  node: ObjectNode,
  checks: Readonly<Record<string, CheckShape>>,
): { readonly check: string; readonly variant: CheckShape | null } {
  const check = textAt(node, "check") ?? "";
  return { check, variant: Object.hasOwn(checks, check) ? (checks[check] as CheckShape) : null };
}

/** The keys of a check, and what does not go together in it. */
function moreKeys(
  node: ObjectNode,
  checks: Readonly<Record<string, CheckShape>>,
): MoreKeys & { readonly faults: { key: string; message: string }[] } {
  const { check, variant } = variantOf(node, checks);
  const faults: { key: string; message: string }[] = [];
  if (variant === null) return { keys: anyKeys(), faults };
  const one = exclusives[check];
  if (one !== undefined && one.every((each) => node.entries.has(each))) {
    faults.push({ key: one[1] as string, message: `only one of ${one.join(", ")}` });
  }
  if (variant.atLeastOne !== undefined && !variant.atLeastOne.some((each) => node.entries.has(each))) {
    faults.push({ key: "check", message: `check "${check}" needs ${variant.atLeastOne.join(" or ")}` });
  }
  return { keys: variant.keys, faults };
}

/** The `implementation` of a quality entry of `type: custom, engine: sluice`. */
export const sluiceRule: ObjectShape = {
  type: "object",
  keys: ruleKeys,
  soundWithout: (lost) => lost.every((name) => sideKeys.has(name)),
  more: (node) => {
    const { keys, faults } = moreKeys(node, ruleChecks);
    const { check, variant } = variantOf(node, ruleChecks);
    if (variant === null) return { keys, elsewhere };
    if (node.entries.has("tolerance") && isMetricCheck(check)) {
      faults.push({ key: "tolerance", message: `check "${check}" measures the window: it has a threshold, and no tolerance` });
    } else if (node.entries.has("tolerance") && node.entries.has("threshold")) {
      faults.push({
        key: "tolerance",
        message: "a rule has a tolerance (rows are rejected) or a threshold (the window is judged), not both",
      });
    }
    if (check === "rowCount" && !node.entries.has("threshold"))
      faults.push({ key: "check", message: `check "rowCount" needs a threshold` });
    return { keys, faults, elsewhere };
  },
};

/** A rule inside of another one. */
export const rulePart: ObjectShape = {
  type: "object",
  keys: { check: needed(oneOf(Object.keys(partChecks)), "What is checked.") },
  more: (node) => moreKeys(node, partChecks),
};

/** A metric inside of a ratio. */
export const metricPart: ObjectShape = {
  type: "object",
  keys: {
    check: needed(oneOf(Object.keys(ratioParts)), "What is measured."),
    where: key(condition, "Only rows that meet this count."),
  },
  more: (node) => moreKeys(node, ratioParts),
};

/** Where `check` itself is wrong, the keys of all checks pass, so that one mistake gives one message; those that differ between checks with any value. */
function anyKeys(): Keys {
  const keys: Record<string, Key> = {};
  for (const [name, each] of Object.values(ruleChecks).flatMap((check) => Object.entries(check.keys))) {
    const known = keys[name];
    keys[name] = { ...each, shape: known === undefined || known.shape === each.shape ? each.shape : any, required: false };
  }
  return keys;
}

export { condition, leafOperators, threshold, tolerance };
