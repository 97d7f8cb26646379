import type { DriftPlan } from "../core/contract.ts";
import type { ColumnProfile } from "../core/profile.ts";
import type { BaselineWindow, DriftState, PinnedProfile } from "./drift-state.ts";
import type { DriftMeasure } from "./drift-test.ts";
import { PooledColumn } from "./pooled-column.ts";
import { seasonOf } from "./season.ts";

/** What windows are compared with. */
export interface Baseline {
  readonly windows: number;
  readonly rows: number;
  readonly ref: string | null;
  /** Of a seasonal baseline: its season. */
  readonly season: string | null;
  /** The baseline's merged profile of a column; null where no window has it. */
  readonly column: (path: string) => ColumnProfile | null;
  /** Pairs of (rest, window) of a column for its spread: each window against the others, or against a pinned baseline. */
  readonly pairs: (path: string) => readonly Pair[];
  /** What its windows were like beside each other, by stream: for as long as it stays as it is, which is while a tick is open. */
  readonly spreads: Map<string, readonly Spread[]>;
}

/** How far one window was from the others. */
export type Spread = Pick<DriftMeasure, "energy" | "expected">;

interface Pair {
  readonly rest: ColumnProfile;
  readonly window: ColumnProfile;
}

type Columns = Map<string, ColumnProfile | null>;

/** Merged columns by list of windows: the lists are immutable, and stay the same while a tick is open. */
const merged = new WeakMap<readonly BaselineWindow[], Columns>();
/** The windows of each season, by the list of all. */
const seasons = new WeakMap<readonly BaselineWindow[], Map<string, readonly BaselineWindow[]>>();
/** A season's days without the one that is going on, by the list of all. */
const withoutLast = new WeakMap<readonly BaselineWindow[], { readonly date: string; readonly earlier: readonly BaselineWindow[] }>();
/** Spreads by list of windows, and what else they were compared with. */
const spreads = new WeakMap<readonly BaselineWindow[], { readonly pinned: PinnedProfile | null; readonly byStream: Baseline["spreads"] }>();
/** Pairs that a seasonal baseline's spread is judged by, at most: the newest. */
const pairsMax = 60;

/** The baseline that a plan asks for, for a window of the given time; null where a profile from elsewhere was not given. */
export function chooseBaseline(plan: DriftPlan, state: DriftState, atMs: number): Baseline | null {
  const { baseline } = plan;
  if (baseline.kind === "rolling")
    return {
      ...ofWindows(state.windows, null),
      pairs: (path) => leaveOneOut(columnsOf(state.windows, path)),
      spreads: spreadsOf(state, null),
    };
  if (baseline.kind === "seasonal") {
    const season = seasonOf(baseline, atMs);
    const bySeason = seasonsOf(state.windows);
    const earlier = earlierDays(bySeason.get(season.name) ?? [], season.date, baseline.windows);
    // Pooled: one season alone has too few days to say how they vary.
    const pairs = (path: string): Pair[] =>
      [...bySeason.values()].flatMap((windows) => leaveOneOut(columnsOf(windows, path))).slice(-pairsMax);
    return { ...ofWindows(earlier, season.name), pairs, spreads: spreadsOf(state, null) };
  }
  const ref = baseline.kind === "pinned" ? baseline.ref : baseline.dataset;
  const { pinned, windows } = state;
  if (pinned === null || pinned.ref !== ref) return null;
  const column = (path: string): ColumnProfile | null => pinned.profile.columns.get(path) ?? null;
  return {
    windows: pinned.windows ?? 1,
    rows: pinned.profile.rows,
    ref,
    season: null,
    column,
    pairs: (path) => {
      const rest = column(path);
      return rest === null ? [] : columnsOf(windows, path).map((window) => ({ rest, window }));
    },
    spreads: spreadsOf(state, pinned),
  };
}

function spreadsOf({ windows }: DriftState, pinned: PinnedProfile | null): Baseline["spreads"] {
  let known = spreads.get(windows);
  if (known === undefined || known.pinned !== pinned) {
    known = { pinned, byStream: new Map() };
    spreads.set(windows, known);
  }
  return known.byStream;
}

function ofWindows(windows: readonly BaselineWindow[], season: string | null): Omit<Baseline, "pairs" | "spreads"> {
  const rows = windows.reduce((sum, window) => sum + window.profile.rows, 0);
  return { windows: windows.length, rows, ref: null, season, column: (path) => mergedColumn(windows, path) };
}

function seasonsOf(windows: readonly BaselineWindow[]): ReadonlyMap<string, readonly BaselineWindow[]> {
  let known = seasons.get(windows);
  if (known === undefined) {
    known = Map.groupBy(windows, (window) => window.season?.name ?? "");
    seasons.set(windows, known);
  }
  return known;
}

/** A season's days without that which is going on. The list itself where it is all of them: what was merged of it is known by the list. */
function earlierDays(windows: readonly BaselineWindow[], date: string, limit: number): readonly BaselineWindow[] {
  const last = windows.at(-1);
  if (last?.season?.date !== date && windows.length <= limit) return windows;
  const known = withoutLast.get(windows);
  if (known?.date === date) return known.earlier;
  const earlier = windows.filter((window) => window.season?.date !== date).slice(-limit);
  withoutLast.set(windows, { date, earlier });
  return earlier;
}

function mergedColumn(windows: readonly BaselineWindow[], path: string): ColumnProfile | null {
  const known = merged.get(windows) ?? (new Map() as Columns);
  merged.set(windows, known);
  let column = known.get(path);
  if (column === undefined) {
    const columns = columnsOf(windows, path);
    column = columns.length === 0 ? null : new PooledColumn(columns);
    known.set(path, column);
  }
  return column;
}

/** One column of each window, of the kind that the newest window has (a contract change can alter it). */
function columnsOf(windows: readonly BaselineWindow[], path: string): readonly ColumnProfile[] {
  const columns: ColumnProfile[] = [];
  let isMixed = false;
  for (const window of windows) {
    const column = window.profile.columns.get(path);
    if (column === undefined) continue;
    isMixed ||= column.kind !== columns[0]?.kind && columns.length > 0;
    columns.push(column);
  }
  if (!isMixed) return columns;
  const kind = columns.at(-1)?.kind;
  return columns.filter((column) => column.kind === kind);
}

/** Each column beside all others together. */
function leaveOneOut(columns: readonly ColumnProfile[]): readonly Pair[] {
  if (columns.length < 2) return [];
  return columns.map((window, i) => ({ rest: new PooledColumn(columns.toSpliced(i, 1)), window }));
}
