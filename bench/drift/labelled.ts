import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../src/adapters/broker/run-command.ts";
import type { Contract, DriftCheckPlan, DriftPlan } from "../../src/core/contract.ts";
import type { DriftOutcome, DriftResult } from "../../src/core/drift.ts";
import type { Profile } from "../../src/core/profile.ts";
import type { DriftState } from "../../src/drift/index.ts";
import { emptyDriftState, foldDrift, judgeDrift, limitDefaultOf } from "../../src/drift/index.ts";
import type { Bench, BenchTable } from "../bench.ts";
import { peerPython } from "../peers/environment.ts";
import type { ColumnValues } from "./column-profiles.ts";
import { columnContract, kindsOf, profileColumns } from "./column-profiles.ts";
import type { Score } from "./labelled-alarms.ts";
import { graceWindows, learnedWindows, scoreAlarms, scoreText, sumScores } from "./labelled-alarms.ts";
import type { TickScores } from "./score-detectors.ts";
import { meanDetectors, streamDetectors } from "./score-detectors.ts";

/** A series as the packages have it, with its labelled changes and river's alarms, both by rows. */
interface Series {
  readonly name: string;
  readonly windowRows: number;
  readonly columns: Readonly<Record<string, ColumnValues>>;
  readonly changes: readonly number[];
  readonly peers: Readonly<Record<string, readonly number[]>>;
}

const wantedTicks = 200;
const detection = { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: wantedTicks } } as const;
/** A fifth of the default effect size. */
const smallPsi = 0.02;
/** After so many windows of one alarm a person calls what came the new normal. */
const rebaseWindows = 5;

/** PSI of each column, the share of its nulls, and the correlations of up to twelve numbers. */
function planOf(kinds: ReadonlyMap<string, "number" | "text">, policy: "warn" | "observe", psiLimit: number | null): DriftPlan {
  const checks: DriftCheckPlan[] = [...kinds.keys()].flatMap((column) => [
    { column, tests: ["psi"], policy, limit: psiLimit },
    { column, tests: ["null-share"], policy, limit: null },
  ]);
  const [first, ...others] = [...kinds].flatMap(([name, kind]) => (kind === "number" ? [name] : []));
  if (first !== undefined && others.length > 0)
    checks.push({ column: first, tests: ["correlation"], with: others.slice(0, 11), policy, limit: null });
  return { baseline: { kind: "rolling", windows: learnedWindows }, detection, tick: { rows: 1, seconds: 3600 }, warmupWindows: 5, checks };
}

/** Judges and commits windows one by one, in the state that came before. */
function step(
  contract: Contract,
  state: DriftState,
  window: number,
  profile: Profile,
): { readonly outcome: DriftOutcome; readonly state: DriftState } {
  const input = { windowId: `w${window}`, openedAtMs: window, closedAtMs: window, profile };
  const outcome = judgeDrift(contract, state, input);
  return { outcome, state: foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift: outcome }) };
}

/** The windows in which an alarm began. */
function alarmsOf(contract: Contract, profiles: readonly Profile[]): readonly number[] {
  const alarms: number[] = [];
  let state = emptyDriftState;
  let since: number | null = null;
  profiles.forEach((profile, window) => {
    const judged = step(contract, state, window, profile);
    ({ state } = judged);
    if (judged.outcome.status !== "warn") {
      since = null;
      return;
    }
    if (since === null) alarms.push(window);
    since ??= window;
    if (window - since < rebaseWindows - 1) return;
    // As `sluice drift rebase` has it: what came before is forgotten.
    state = emptyDriftState;
    for (let at = since; at <= window; at++) ({ state } = step(contract, state, at, profiles[at] as Profile));
    since = null;
  });
  return alarms;
}

/** What one tick has to say where alarms have no consequence. */
interface QuietTick {
  readonly scores: TickScores;
  /** Streams whose change is as large as their limit. */
  readonly effects: ReadonlySet<string>;
  readonly isBreak: boolean;
}

function quietTicks(contract: Contract, profiles: readonly Profile[], psiLimit: number): readonly QuietTick[] {
  let state = emptyDriftState;
  return profiles.map((profile, window) => {
    const judged = step(contract, state, window, profile);
    ({ state } = judged);
    const { results } = judged.outcome;
    const streamOf = ({ test, column }: DriftResult): string => `${test} ${column}`;
    const limitOf = ({ test }: DriftResult): number => (test === "psi" ? psiLimit : limitDefaultOf(test));
    return {
      scores: new Map(results.flatMap((each) => (each.evidence === undefined ? [] : [[streamOf(each), each.evidence.score]]))),
      effects: new Set(results.filter((each) => (each.statistic ?? 0) > limitOf(each)).map(streamOf)),
      isBreak: results.some((each) => each.foundBy === "break"),
    };
  });
}

type Scores = Map<string, Score[]>;

async function play(series: Series, gates: Scores, detectors: Scores): Promise<BenchTable["rows"][number]> {
  const columns = new Map(Object.entries(series.columns));
  const kinds = kindsOf(columns);
  const plain = await columnContract(kinds);
  const rows = Math.max(...[...columns.values()].map((values) => values.length));
  const windows = Math.floor(rows / series.windowRows);
  const watching = { ...plain, drift: planOf(kinds, "warn", null) };
  const profiles = Array.from({ length: windows }, (_, window) =>
    profileColumns(watching, columns, window * series.windowRows, (window + 1) * series.windowRows),
  );
  const windowOf = (row: number): number => Math.floor(row / series.windowRows);
  const changes = series.changes.map(windowOf);
  const cell: Record<string, string | number> = {
    series: series.name,
    columns: columns.size,
    "windows x rows": `${windows} x ${series.windowRows}`,
  };
  const add = (to: Scores, name: string, alarms: readonly number[]): void => {
    const score = scoreAlarms(alarms, changes, windows);
    to.set(name, [...(to.get(name) ?? []), score]);
    if (to === gates) cell[name] = scoreText(score);
  };
  add(gates, "sluice, default limits", alarmsOf(watching, profiles));
  add(gates, `sluice, PSI ${smallPsi}`, alarmsOf({ ...plain, drift: planOf(kinds, "warn", smallPsi) }, profiles));
  for (const [name, alarms] of Object.entries(series.peers))
    add(
      gates,
      name,
      [...new Set(alarms.map(windowOf))].filter((window) => window < windows),
    );
  const ticks = quietTicks({ ...plain, drift: planOf(kinds, "observe", smallPsi) }, profiles, smallPsi);
  const streams = Math.max(...ticks.map((tick) => tick.scores.size));
  const all = [...meanDetectors(2 * wantedTicks), ...streamDetectors(2 * wantedTicks, streams)];
  for (const { name, add: hear } of all) {
    const heard = ticks.map((tick) => ({ tick, suspects: hear(tick.scores) }));
    const alarms = (isAlarm: (each: (typeof heard)[number]) => boolean): readonly number[] =>
      heard.flatMap((each, window) => (isAlarm(each) ? [window] : []));
    add(
      detectors,
      `${name}, alone`,
      alarms(({ suspects }) => suspects.length > 0),
    );
    add(
      detectors,
      `${name}, with effect and breaks`,
      alarms(({ tick, suspects }) => tick.isBreak || suspects.some((each) => tick.effects.has(each))),
    );
  }
  return cell;
}

function summarize(title: string, scores: Scores): BenchTable {
  const rows = [...scores].map(([name, each]) => {
    const { changes, delays, falseAlarms, quiet } = sumScores(each);
    const sorted = delays.toSorted((a, b) => a - b);
    return {
      detector: name,
      changes,
      found: delays.length,
      "median windows until then": sorted[(sorted.length - 1) >> 1] ?? "",
      "quiet windows": quiet,
      "false alarms": falseAlarms,
      "a false alarm every": falseAlarms === 0 ? "" : Math.round(quiet / falseAlarms),
    };
  });
  return { title, rows };
}

/** Series with labels, from packages: what is found of their changes, and how often nothing is found to be something. */
export const driftLabelled: Bench = {
  name: "drift-labelled",
  onDemand: true,
  async run(say) {
    const python = await peerPython("labelled", say);
    const folder = mkdtempSync(join(tmpdir(), "sluice-bench-labelled-"));
    const bySeries: BenchTable = { title: "series", rows: [] };
    const [gates, detectors]: [Scores, Scores] = [new Map(), new Map()];
    try {
      const script = fileURLToPath(new URL("../peers/labelled_series.py", import.meta.url));
      const { status, stderr } = await runCommand(python, [script, folder]);
      if (status !== 0) throw new Error(stderr.slice(-4000));
      for (const file of readdirSync(folder).toSorted()) {
        const row = await play(JSON.parse(readFileSync(join(folder, file), "utf8")) as Series, gates, detectors);
        bySeries.rows.push(row);
        say(JSON.stringify(row));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return {
      setup: `Series with labelled changes, cut into windows. A change counts as found by an alarm that begins within ${graceWindows} windows and before the next change; an alarm is false where nothing has changed in the last ${graceWindows}; the first ${learnedWindows} windows are for learning. Sluice: PSI and share of nulls of each column and the correlations of up to twelve, 20 rolling windows, a false alarm wanted every ${wantedTicks} windows; after ${rebaseWindows} windows of an alarm a person rebases. river's detectors with their defaults, on scaled values of each column.`,
      comparisons: [],
      measurements: [],
      tables: [
        bySeries,
        summarize("all series", gates),
        summarize(`detectors on the same scores, each with a false alarm in ${2 * wantedTicks} windows by its own law`, detectors),
      ],
    };
  },
};
