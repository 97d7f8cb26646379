import { Cell } from "../../core/column.ts";
import { cellsOf, locate, resolvePath, type ColumnPath } from "../column-path.ts";
import type { RuleTarget } from "../rule-family.ts";
import { unknownNames } from "../unknown-names.ts";
import { wholeMeasure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric } from "./metric.ts";
import { readShare, type Share } from "./share.ts";

const shownMax = 5;
/** New names are told apart up to so many. */
const namesMax = 100;

function listText(names: readonly string[]): string {
  const shown = names.slice(0, shownMax).join(", ");
  return names.length > shownMax ? `${shown} and ${names.length - shownMax} more` : shown;
}

function pathsOf({ plan, fields }: RuleTarget, columns: readonly string[]): ColumnPath[] {
  return columns.map((column) => resolvePath(fields, column, plan));
}

/** Columns that no row of the window names, not even as null: a producer that renamed or dropped them. */
export const missingColumnsKind: MetricKind<"missingColumns"> = {
  family: "missingColumns",
  compile(check, target): Metric {
    const paths = pathsOf(target, check.columns);
    const metric: Metric<readonly boolean[]> = {
      subject: "the number of columns that no row has",
      masked: false,
      units: ["value"],
      open: () => {
        const seen = paths.map(() => false);
        return {
          add: (batch, applies) => {
            for (const [i, path] of paths.entries()) {
              if (seen[i] === true) continue;
              const located = locate(batch, path);
              const { state } = located.column;
              for (let row = 0; row < batch.rows && seen[i] === false; row++) {
                if (applies[row] === 0) continue;
                const { from, to } = cellsOf(located, row, row + 1);
                for (let cell = from; cell < to; cell++) if (state[cell] !== Cell.missing) seen[i] = true;
              }
            }
          },
          state: () => seen.slice(),
        };
      },
      merge: (a, b) => a.map((flag, i) => flag || (b[i] as boolean)),
      read: (seen) => {
        const names = check.columns.filter((_, i) => seen[i] === false);
        return { measure: wholeMeasure(names.length), ...(names.length === 0 ? {} : { detail: listText(names) }) };
      },
    };
    return metric;
  },
};

/** Fields that records have and the contract does not name; it must keep unknown fields, or nothing is seen of them. */
export const newColumnsKind: MetricKind<"newColumns"> = {
  family: "newColumns",
  compile(check, { fields }): Metric {
    const allowed = new Set(check.allowed);
    const metric: Metric<readonly string[]> = {
      subject: "the number of fields that the contract does not name",
      masked: false,
      units: ["value"],
      open: () => {
        const names = new Set<string>();
        return {
          add: (batch, applies) => {
            if (batch.unknown === null) return;
            for (let row = 0; row < batch.rows && names.size < namesMax; row++)
              if (applies[row] === 1)
                for (const name of unknownNames(batch, row, fields)) if (!allowed.has(name) && names.size < namesMax) names.add(name);
          },
          state: () => [...names],
        };
      },
      merge: (a, b) => [...new Set([...a, ...b])].slice(0, namesMax),
      read: (names) => ({
        measure: wholeMeasure(names.length),
        ...(names.length === 0 ? {} : { detail: listText(names.toSorted()) }),
        ...(names.length < namesMax ? {} : { note: `there may be more: only ${namesMax} are told apart` }),
      }),
    };
    return metric;
  },
};

/** The share of cells whose value is not of the column's type, in the column where it is greatest: a producer that changed a type. */
export const typeChangesKind: MetricKind<"typeChanges"> = {
  family: "typeChanges",
  compile(check, target): Metric {
    const paths = pathsOf(target, check.columns);
    const worst = (shares: readonly Share[]): number =>
      shares.reduce((best, { part, whole }, i) => {
        const other = shares[best] as Share;
        return part * Math.max(1, other.whole) > other.part * Math.max(1, whole) ? i : best;
      }, 0);
    const metric: Metric<readonly Share[]> = {
      subject: "the greatest share of cells that are not of their column's type",
      masked: false,
      units: ["percent"],
      open: () => {
        const shares = paths.map(() => ({ part: 0, whole: 0 }));
        return {
          add: (batch, applies) => {
            for (const [i, path] of paths.entries()) {
              const located = locate(batch, path);
              const { state } = located.column;
              const share = shares[i] as { part: number; whole: number };
              for (let row = 0; row < batch.rows; row++) {
                if (applies[row] === 0) continue;
                const { from, to } = cellsOf(located, row, row + 1);
                for (let cell = from; cell < to; cell++) {
                  if (state[cell] === Cell.invalid) share.part++;
                  if (state[cell] === Cell.invalid || state[cell] === Cell.value) share.whole++;
                }
              }
            }
          },
          state: () => shares.map((share) => ({ ...share })),
        };
      },
      merge: (a, b) => a.map((share, i) => ({ part: share.part + (b[i] as Share).part, whole: share.whole + (b[i] as Share).whole })),
      read: (shares, unit) => {
        const at = worst(shares);
        const reading = readShare(shares[at] ?? { part: 0, whole: 0 }, unit, "none of the columns has a cell in the window");
        return reading.measure === null ? reading : { ...reading, detail: check.columns[at] as string };
      },
    };
    return metric;
  },
};
