import type { Contract } from "../core/contract.ts";
import type { ColumnProfile, ColumnSummary, Profile } from "../core/profile.ts";
import { isMasked } from "../core/schema.ts";
import { estimateDistinct } from "./distinct.ts";
import { rankTop } from "./heavy-hitters.ts";
import { standardDeviation } from "./moments.ts";
import { leafFields } from "./leaf-columns.ts";
import { distributionOf, quantileOf } from "./quantiles.ts";

const topShown = 10;

/**
 * What people see of a profile, in the contract's order. Of columns that the contract classifies only counts stay: min, max,
 * top values, moments, quantiles and lengths are values, or near enough.
 */
export function summarizeProfile(profile: Profile, contract: Contract): readonly ColumnSummary[] {
  return leafFields(contract.fields).flatMap((field) => {
    const column = profile.columns.get(field.path);
    return column === undefined ? [] : [summarizeColumn(column, isMasked(field))];
  });
}

function summarizeColumn(column: ColumnProfile, masked: boolean): ColumnSummary {
  const { moments, lengths } = column;
  const shown = masked || moments === null || moments.count === 0 ? null : moments;
  return {
    path: column.path,
    kind: column.kind,
    count: column.count,
    nulls: column.nulls,
    missing: column.missing,
    distinct: countDistinct(column),
    min: masked ? null : column.min,
    max: masked ? null : column.max,
    mean: shown === null || !Number.isFinite(shown.mean) ? null : shown.mean,
    stdev: shown === null ? null : standardDeviation(shown),
    quantiles: shown === null ? null : summarizeQuantiles(column),
    lengths: masked || lengths === null || lengths.count === 0 ? null : { min: lengths.min, mean: lengths.mean, max: lengths.max },
    top:
      masked || column.top === null
        ? null
        : rankTop(column.top)
            .slice(0, topShown)
            .map(({ value, count }) => ({ value, count })),
  };
}

/** Distinct values as a whole number: exact where the summary of frequent values saw them all, else estimated. */
export function countDistinct(column: ColumnProfile): number {
  if (column.top !== null && column.top.error === 0) return column.top.entries.length;
  const values = column.count - column.nulls - column.missing - column.nan;
  return Math.min(Math.round(estimateDistinct(column.distinct)), values);
}

function summarizeQuantiles(column: ColumnProfile): ColumnSummary["quantiles"] {
  if (column.quantiles === null || column.quantiles.count === 0) return null;
  const distribution = distributionOf(column.quantiles);
  const at = (q: number): number => quantileOf(distribution, q);
  return { p01: at(0.01), p05: at(0.05), p25: at(0.25), p50: at(0.5), p75: at(0.75), p95: at(0.95), p99: at(0.99) };
}
