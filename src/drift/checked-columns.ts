import type { DriftPlan } from "../core/contract.ts";
import type { ColumnProfile, Profile } from "../core/profile.ts";
import { emptyDistinct } from "../sketches/distinct.ts";
import { summarizeSketch, WeightedSketch } from "../sketches/weighted-values.ts";
import type { SketchPart } from "./drift-test.ts";
import { sketchParts } from "./drift-test.ts";
import { driftTests } from "./drift-tests.ts";

type Parts = ReadonlySet<SketchPart>;

const partsByPlan = new WeakMap<DriftPlan, ReadonlyMap<string, Parts>>();
/** One for all columns whose distinct values nobody counts. */
const noDistinct = emptyDistinct();

/** The sketches that each checked column's tests read. */
function partsOf(plan: DriftPlan): ReadonlyMap<string, Parts> {
  let known = partsByPlan.get(plan);
  if (known === undefined) {
    const byColumn = Map.groupBy(plan.checks, (check) => check.column);
    known = new Map([...byColumn].map(([column, checks]) => [column, new Set(checks.flatMap(({ tests }) => tests.flatMap(readBy)))]));
    partsByPlan.set(plan, known);
  }
  return known;
}

function readBy(name: string): readonly SketchPart[] {
  return driftTests.find((test) => test.name === name)?.reads ?? sketchParts;
}

/** The part of a profile that drift checks read: their columns, without the sketches that no test of a column reads. */
export function checkedColumns(plan: DriftPlan, profile: Profile): Profile {
  const checked = partsOf(plan);
  const columns = new Map<string, ColumnProfile>();
  for (const [path, column] of profile.columns) {
    const parts = checked.get(path);
    if (parts !== undefined) columns.set(path, withParts(column, parts));
  }
  return { rows: profile.rows, columns };
}

function withParts(column: ColumnProfile, parts: Parts): ColumnProfile {
  const { quantiles, top, distinct } = column;
  const isNumber = quantiles !== null;
  return {
    ...column,
    quantiles: parts.has("quantiles") || parts.has("shares") ? quantiles : null,
    top: parts.has("top") || (parts.has("shares") && !isNumber) ? top : null,
    distinct: parts.has("distinct") ? distinct : noDistinct,
  };
}

/** Columns as a baseline keeps them: with summaries of their quantile sketches, which are shorter. The same profile where nothing is left to summarise. */
export function summarizeColumns(profile: Profile): Profile {
  if ([...profile.columns.values()].every(({ quantiles }) => quantiles === null || quantiles instanceof WeightedSketch)) return profile;
  const columns = [...profile.columns].map(([path, column]): [string, ColumnProfile] => {
    const { quantiles } = column;
    return [path, quantiles === null ? column : { ...column, quantiles: summarizeSketch(quantiles) }];
  });
  return { rows: profile.rows, columns: new Map(columns) };
}
