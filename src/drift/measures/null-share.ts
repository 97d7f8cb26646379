import type { ColumnProfile } from "../../core/profile.ts";
import { isMasked } from "../../core/schema.ts";
import type { DriftTest } from "../drift-test.ts";
import { percentText } from "./explain-shares.ts";

const cellsLeast = 30;

/** Two proportions of a column's cells: the absolute difference of their shares; its square is about chi-squared of one degree. */
function shareTest(name: "null-share" | "missing-share", what: string, cellsOf: (column: ColumnProfile) => number): DriftTest {
  return {
    name,
    reads: [],
    limitDefault: 0.02,
    statisticOf: (energy) => Math.sqrt(energy),
    energyOf: (statistic) => statistic * statistic,
    measure: (baseline, sample, field) => {
      const few = Math.min(baseline.count, sample.count);
      if (few < cellsLeast) return { skipped: `${few} rows are too few to compare; ${cellsLeast} are needed` };
      const before = cellsOf(baseline) / baseline.count;
      const now = cellsOf(sample) / sample.count;
      // A plus-four estimate: a column that never was null in either still has a variance.
      const pooled = (cellsOf(baseline) + cellsOf(sample) + 2) / (baseline.count + sample.count + 4);
      const statistic = Math.abs(now - before);
      const expected = pooled * (1 - pooled) * (1 / baseline.count + 1 / sample.count);
      const verb = now > before ? "rose" : "fell";
      const figures = isMasked(field)
        ? "(figures withheld: the column is classified)"
        : `from ${percentText(before)} to ${percentText(now)} (${cellsOf(sample)} of ${sample.count} rows)`;
      return {
        statistic,
        energy: statistic ** 2,
        expected,
        freedom: 1,
        explain: () => `share of ${what} ${verb} ${figures}`,
        suspect: () => (now > before ? { kind: name === "null-share" ? "null" : "missing" } : null),
      };
    },
  };
}

/** The share of cells that hold no value: null, or missing from the record. */
export const nullShare: DriftTest = shareTest("null-share", "missing values", ({ nulls, missing }) => nulls + missing);

/** The share of records that lack the field altogether: a change of what the producer sends, whatever it means by null. */
export const missingShare: DriftTest = shareTest("missing-share", "records without the field", ({ missing }) => missing);
