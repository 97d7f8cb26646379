import type { Condition } from "./rule.ts";

/** Paths of the columns that a condition looks at, as often as it does. */
export function conditionPaths(condition: Condition): string[] {
  switch (condition.op) {
    case "and":
    case "or":
      return condition.of.flatMap(conditionPaths);
    case "not":
      return conditionPaths(condition.of);
    default:
      return [condition.path];
  }
}
