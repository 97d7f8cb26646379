import { Cell, type Column } from "../../core/column.ts";
import { CellKeys } from "../cell-key.ts";
import { cellText } from "../cell-text.ts";
import { locate, resolveRowPath } from "../column-path.ts";
import { KeyIndex } from "../key-index.ts";
import { invalidRule, type CheckOf } from "../rule-family.ts";
import { compileMembership, scalarText, type Membership } from "../scalar-set.ts";
import { wholeMeasure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric } from "./metric.ts";
import { noValues } from "./number-cells.ts";

/** Values outside the set are told apart up to so many; more are not counted. */
const othersMax = 10_000;
const shownMax = 5;

/** Which of the declared values were seen, and the texts of others by their keys (each byte one character). */
interface SeenValues {
  readonly seen: readonly boolean[];
  readonly others: ReadonlyMap<string, string>;
}

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, shownMax).join(", ");
  return names.length > shownMax ? `${shown} and ${names.length - shownMax} more` : shown;
}

/** The set of a column's values against a declared one; the number is that of values too many or too few. */
export const distinctSetKind: MetricKind<"distinctSet"> = {
  family: "distinctSet",
  compile(check, { plan, fields }): Metric {
    const path = resolveRowPath(fields, plan.path, plan);
    const tests = check.values.map((value) => compileMembership(path.field, [value]));
    if (!tests.every((test) => test !== null)) throw invalidRule(plan, `a ${path.field.type.kind} column has no set of values`);
    const { relation } = check;
    const metric: Metric<SeenValues> = {
      subject: subjectOf(path.field.path, relation),
      masked: path.masked,
      units: ["value"],
      open: () => {
        const seen = tests.map(() => false);
        const others = new Map<string, string>();
        const index = new KeyIndex();
        const keys = new CellKeys();
        return {
          add: (batch, applies) => {
            const { column } = locate(batch, path);
            for (let row = 0; row < batch.rows; row++) {
              if (applies[row] === 0 || column.state[row] !== Cell.value) continue;
              keys.length = 0;
              keys.append(column, row);
              if (index.count > othersMax + tests.length) continue;
              const known = index.count;
              if (index.add(keys.bytes, 0, keys.length) < known) continue;
              const declared = declaredAt(tests, column, row);
              for (const at of declared) seen[at] = true;
              if (declared.length > 0 || others.size >= othersMax) continue;
              const key = Buffer.from(keys.bytes.subarray(0, keys.length)).toString("latin1");
              others.set(key, cellText(column, row, batch) ?? "");
            }
          },
          state: () => ({ seen: seen.slice(), others: new Map(others) }),
        };
      },
      merge: (a, b) => ({
        seen: a.seen.map((flag, i) => flag || (b.seen[i] as boolean)),
        others: new Map([...a.others, ...b.others].slice(0, othersMax)),
      }),
      read: ({ seen, others }) => {
        if (!seen.includes(true) && others.size === 0) return { measure: null, why: noValues(path.field.path) };
        const missing = relation === "subset" ? [] : check.values.filter((_, i) => seen[i] === false);
        const extra = relation === "superset" ? [] : [...others.values()];
        const detail = [
          ...(missing.length === 0 ? [] : [`not seen: ${namesOf(missing.map((value) => scalarText(value, path.field)))}`]),
          ...(extra.length === 0 ? [] : [`not in the set: ${namesOf(extra.toSorted())}`]),
        ].join("; ");
        return { measure: wholeMeasure(missing.length + extra.length), ...(detail === "" ? {} : { detail }) };
      },
    };
    return metric;
  },
};

function subjectOf(name: string, relation: CheckOf<"distinctSet">["relation"]): string {
  if (relation === "subset") return `the number of values of ${name} that are not in the set`;
  if (relation === "superset") return `the number of values of the set that ${name} does not have`;
  return `the number of values in which ${name} differs from the set`;
}

/** The constants that a cell equals: usually one, several where the contract writes one value in two ways. */
function declaredAt(tests: readonly (Membership | null)[], column: Column, row: number): number[] {
  return tests.flatMap((test, i) => (test !== null && test(column, row) ? [i] : []));
}
