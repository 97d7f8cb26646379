import type { DriftPlan } from "../core/contract.ts";
import type { ColumnProfile } from "../core/profile.ts";
import { mergeColumns } from "../sketches/merge-profiles.ts";
import type { BaselineWindow, DriftState } from "./drift-state.ts";

/** What windows are compared with. */
export interface Baseline {
  readonly windows: number;
  readonly rows: number;
  readonly ref: string | null;
  /** The baseline's merged profile of a column; null where no window has it. */
  readonly column: (path: string) => ColumnProfile | null;
  /** Pairs of (rest, window) of a column for its spread: each window against the others, or against a pinned baseline. */
  readonly pairs: (path: string) => readonly { readonly rest: ColumnProfile; readonly window: ColumnProfile }[];
}

/** Merged columns by list of windows: the lists are immutable, and stay the same while a tick is open. */
const merged = new WeakMap<readonly BaselineWindow[], Map<string, ColumnProfile | null>>();

/** The baseline that a plan asks for; null where a pinned one was not given. */
export function chooseBaseline(plan: DriftPlan, state: DriftState): Baseline | null {
  const { windows } = state;
  if (plan.baseline.kind === "rolling") {
    return {
      windows: windows.length,
      rows: windows.reduce((sum, window) => sum + window.profile.rows, 0),
      ref: null,
      column: (path) => mergedColumn(windows, path),
      pairs: (path) => leaveOneOut(columnsOf(windows, path)),
    };
  }
  const { pinned } = state;
  if (pinned === null || pinned.ref !== plan.baseline.ref) return null;
  const column = (path: string): ColumnProfile | null => pinned.profile.columns.get(path) ?? null;
  return {
    windows: 1,
    rows: pinned.profile.rows,
    ref: pinned.ref,
    column,
    pairs: (path) => {
      const rest = column(path);
      return rest === null ? [] : columnsOf(windows, path).map((window) => ({ rest, window }));
    },
  };
}

function mergedColumn(windows: readonly BaselineWindow[], path: string): ColumnProfile | null {
  const known = merged.get(windows) ?? new Map<string, ColumnProfile | null>();
  merged.set(windows, known);
  let column = known.get(path);
  if (column === undefined) {
    const columns = columnsOf(windows, path);
    column = columns.length === 0 ? null : columns.reduce(mergeColumns);
    known.set(path, column);
  }
  return column;
}

/** One column of each window, of the kind that the newest window has (a contract change can alter it). */
function columnsOf(windows: readonly BaselineWindow[], path: string): readonly ColumnProfile[] {
  const columns = windows.flatMap((window) => window.profile.columns.get(path) ?? []);
  const kind = columns[columns.length - 1]?.kind;
  return columns.filter((column) => column.kind === kind);
}

/** Each column beside the merge of all others, by merges from both ends: about 3 merges a window. */
function leaveOneOut(columns: readonly ColumnProfile[]): readonly { rest: ColumnProfile; window: ColumnProfile }[] {
  if (columns.length < 2) return [];
  const after: (ColumnProfile | null)[] = [null];
  for (let i = columns.length - 1; i > 0; i--) after.unshift(mergeMaybe(columns[i] as ColumnProfile, after[0] ?? null));
  let before: ColumnProfile | null = null;
  return columns.map((window, i) => {
    const behind = after[i] ?? null;
    const rest = before === null ? behind : mergeMaybe(before, behind);
    before = before === null ? window : mergeColumns(before, window);
    return { rest: rest as ColumnProfile, window };
  });
}

function mergeMaybe(a: ColumnProfile, b: ColumnProfile | null): ColumnProfile {
  return b === null ? a : mergeColumns(a, b);
}
