import { Cell } from "../../core/column.ts";
import type { Condition, RulePart } from "../../core/rule.ts";
import type { CheckOf } from "../rule-family.ts";
import { columnsOf, judgesAbsent } from "../rule-parts.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { LocatedLayout } from "./located-layout.ts";
import { allOf, anyOf, hasValue, inState, never, not, stored, type Mask } from "./mask.ts";

/** What a part says of the rows: those that fail it, and those that it does not judge. No row is both. */
interface PartRows {
  readonly fails: Mask;
  readonly unjudged: Mask;
}

/** What parts are compiled with. */
export interface PartTarget {
  readonly kernels: KernelModule;
  locate(path: string): LocatedLayout;
  /** The rows that offend against a part as a rule of its own; null where no kernel can say. */
  offenders(part: RulePart): Mask | null;
  condition(condition: Condition): Mask | null;
}

type Composed = CheckOf<"allOf" | "anyOf" | "not" | "conditional">;

function leafRows(part: RulePart, target: PartTarget): PartRows | null {
  const offenders = target.offenders(part);
  if (offenders === null) return null;
  if (judgesAbsent.has(part.check.family)) return { fails: offenders, unjudged: never };
  const columns = columnsOf(part).flatMap((path) => {
    const { column, lists } = target.locate(path);
    return lists.length > 0 ? [] : [column];
  });
  // A condition is false where a comparison has no value; only invalid cells leave it open.
  const open = columns.map((column) => (part.check.family === "condition" ? inState(column, Cell.invalid) : not(hasValue(column))));
  const unjudged = anyOf(...open);
  return { fails: allOf(offenders, not(unjudged)), unjudged };
}

function partRows(part: RulePart, target: PartTarget): PartRows | null {
  const { check } = part;
  const composed = check.family === "allOf" || check.family === "anyOf" || check.family === "not" || check.family === "conditional";
  const rows = composed ? composedRows(check, target) : leafRows(part, target);
  // Each is looked at several times.
  return rows === null ? null : { fails: stored(target.kernels, rows.fails), unjudged: stored(target.kernels, rows.unjudged) };
}

const passes = ({ fails, unjudged }: PartRows): Mask => not(anyOf(fails, unjudged));

function joined(parts: readonly PartRows[], all: boolean): PartRows {
  const unjudged = anyOf(...parts.map((part) => part.unjudged));
  if (all) {
    const fails = anyOf(...parts.map((part) => part.fails));
    return { fails, unjudged: allOf(unjudged, not(fails)) };
  }
  return { fails: allOf(...parts.map((part) => part.fails)), unjudged: allOf(unjudged, not(anyOf(...parts.map(passes)))) };
}

/** A rule made of others, as `composedFamilies` have it (Kleene's logic); null where one of them has no kernel. */
export function composedRows(check: Composed, target: PartTarget): PartRows | null {
  switch (check.family) {
    case "allOf":
    case "anyOf": {
      const parts = check.parts.map((part) => partRows(part, target));
      return parts.includes(null) ? null : joined(parts as PartRows[], check.family === "allOf");
    }
    case "not": {
      const part = partRows(check.part, target);
      return part === null ? null : { fails: passes(part), unjudged: part.unjudged };
    }
    default: {
      const when = target.condition(check.when);
      const then = partRows(check.consequent, target);
      const otherwise = check.otherwise === null ? { fails: never, unjudged: never } : partRows(check.otherwise, target);
      if (when === null || then === null || otherwise === null) return null;
      const holds = stored(target.kernels, when);
      const either = (yes: Mask, no: Mask): Mask => anyOf(allOf(holds, yes), allOf(not(holds), no));
      return { fails: either(then.fails, otherwise.fails), unjudged: either(then.unjudged, otherwise.unjudged) };
    }
  }
}
