import type { ColumnProfile } from "../../core/profile.ts";
import { isMasked } from "../../core/schema.ts";
import type { DriftTest } from "../drift-test.ts";
import { percentText } from "./explain-shares.ts";

const cellsLeast = 30;

/** The share of a column's cells that hold no value: null, or missing from the record. */
function shareWithout(column: ColumnProfile): number {
  return (column.nulls + column.missing) / column.count;
}

/** Two proportions: the absolute difference of the shares of cells without a value; its square is about chi-squared of one degree. */
export const nullShare: DriftTest = {
  name: "null-share",
  limitDefault: 0.02,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const few = Math.min(baseline.count, sample.count);
    if (few < cellsLeast) return { skipped: `${few} rows are too few to compare; ${cellsLeast} are needed` };
    const before = shareWithout(baseline);
    const now = shareWithout(sample);
    // A plus-four estimate: a column that never was null in either still has a variance.
    const cells = baseline.count + sample.count;
    const pooled = (baseline.nulls + baseline.missing + sample.nulls + sample.missing + 2) / (cells + 4);
    const statistic = Math.abs(now - before);
    const expected = pooled * (1 - pooled) * (1 / baseline.count + 1 / sample.count);
    const verb = now > before ? "rose" : "fell";
    const figures = isMasked(field)
      ? "(figures withheld: the column is classified)"
      : `from ${percentText(before)} to ${percentText(now)} (${sample.nulls + sample.missing} of ${sample.count} rows)`;
    return { statistic, energy: statistic ** 2, expected, freedom: 1, explain: () => `share of missing values ${verb} ${figures}` };
  },
};
