import type { Bench, BenchTable } from "../bench.ts";
import type { Change, Variation } from "./changes.ts";
import { changes, drawWindow } from "./changes.ts";
import type { CountedRule } from "./counted-rule.ts";
import { FixedRule, peerStatistics, PeerStatistics } from "./fixed-rule.ts";
import { randomOf } from "./random.ts";
import { alarmsOf, thresholdAt } from "./same-rate.ts";
import type { SluiceSetting } from "./sluice-rule.ts";
import { SluiceRule } from "./sluice-rule.ts";

/** Seeded runs of each change; of streams of many columns, a quarter. */
const runs = Number(process.env["SLUICE_DRIFT_RUNS"] ?? 40);
const manyColumns = 100;
/** As many as scores are kept, and what is learned from first. */
const quietWindows = 520;
const changedWindows = 100;
/** Windows without a change that thresholds are fitted on. */
const fittingWindows = 3000;
const wantedTicks = 200;
const rows = 10_000;

const variations: readonly Variation[] = [
  { name: "alike", ofMeans: 0, ofNulls: 0 },
  { name: "mild variation", ofMeans: 0.05, ofNulls: 0.1 },
];

const settings: readonly { readonly name: string; readonly setting: SluiceSetting }[] = [
  { name: "rolling, any effect", setting: { baseline: "rolling", limit: 0, hasGate: true } },
  { name: "pinned, any effect", setting: { baseline: "pinned", limit: 0, hasGate: true } },
  { name: "as shipped (rolling, limit .1)", setting: { baseline: "rolling", limit: 0.1, hasGate: true } },
];

type Stream = Pick<Change, "of" | "columns">;

const ours = (): readonly SluiceRule[] => settings.map(({ name, setting }) => new SluiceRule(name, wantedTicks, setting));
const runsOf = ({ columns }: Stream): number => Math.ceil(columns > manyColumns ? runs / 4 : runs);

/** What quiet runs of a stream say. */
interface Fitted {
  readonly windows: number;
  /** By setting: alarms, and windows that had one. */
  readonly alarms: readonly number[];
  readonly flagged: readonly number[];
  /** By others' statistic: raises as many alarms as the setting of ours that raises most. */
  readonly thresholds: readonly number[];
}

function fitThresholds(stream: Stream, variation: Variation): Fitted {
  const alarms = settings.map(() => 0);
  const flagged = settings.map(() => 0);
  const values = peerStatistics.map((): Float64Array[] => []);
  const windows = Math.ceil(stream.columns > manyColumns ? fittingWindows / 2 : fittingWindows);
  const count = Math.ceil(runsOf(stream) / 2);
  for (let run = 0; run < count; run++) {
    const random = randomOf(40_000 + 17 * run + stream.columns);
    const [rules, peers] = [ours(), new PeerStatistics()];
    const flags = rules.map(() => new Uint8Array(windows));
    const most = peerStatistics.map(() => new Float64Array(windows));
    for (let window = 0; window < windows; window++) {
      const counted = drawWindow(random, rows, stream, { variation, since: null });
      rules.forEach((rule, i) => ((flags[i] as Uint8Array)[window] = rule.judge(counted, "").length > 0 ? 1 : 0));
      const measured = peers.measure(counted);
      most.forEach((each, i) => (each[window] = measured?.[i]?.reduce((a, b) => Math.max(a, b)) ?? 0));
    }
    flags.forEach((each, i) => {
      alarms[i] = (alarms[i] as number) + alarmsOf(each, 0);
      flagged[i] = (flagged[i] as number) + each.reduce((sum, flag) => sum + flag, 0);
    });
    most.forEach((each, i) => values[i]?.push(each));
  }
  const thresholds = values.map((each) => thresholdAt(each, Math.max(...alarms)));
  return { windows: windows * count, alarms, flagged, thresholds };
}

/** Windows from the change on until the changed column is flagged; null: not found. */
function play(change: Change, variation: Variation, seed: number, rules: readonly CountedRule[]): readonly (number | null)[] {
  const random = randomOf(seed);
  const delays = rules.map((): number | null => null);
  const flagged = rules.map(() => false);
  for (let window = 0; window < quietWindows + changedWindows; window++) {
    const since = window < quietWindows ? null : window - quietWindows;
    const counted = drawWindow(random, rows, change, { variation, since });
    rules.forEach((rule, i) => {
      const isFlagged = rule.judge(counted, "").includes(0);
      // A false alarm that goes on found nothing.
      if (since !== null && isFlagged && flagged[i] === false) delays[i] ??= since + 1;
      if (since === null || !isFlagged) flagged[i] = isFlagged;
    });
  }
  return delays;
}

/** The median counts runs that did not find it as later than any; with how many did. */
function summary(delays: readonly (number | null)[]): string {
  const sorted = delays.map((delay) => delay ?? Infinity).toSorted((a, b) => a - b);
  const found = delays.filter((delay) => delay !== null).length;
  if (found === 0) return "none";
  const median = sorted[Math.floor((sorted.length - 1) / 2)] as number;
  const share = found === delays.length ? "" : ` (${Math.round((100 * found) / delays.length)}%)`;
  return `${median === Infinity ? `>${changedWindows}` : median}${share}`;
}

/** Changes of one column: how often and how soon they are found, at the same measured rate of false alarms. */
export const driftDetection: Bench = {
  name: "drift-detection",
  onDemand: true,
  run(say) {
    const found: BenchTable["rows"] = [];
    const rates: BenchTable["rows"] = [];
    const fitted = new Map<string, Fitted>();
    for (const variation of variations) {
      for (const change of changes) {
        const key = `${variation.name}, ${change.columns} columns' ${change.of}`;
        const fit = fitted.get(key) ?? fitThresholds(change, variation);
        if (!fitted.has(key)) {
          const row: Record<string, string | number> = { stream: key, windows: fit.windows };
          settings.forEach(({ name }, i) => (row[`alarms (windows), ${name}`] = `${fit.alarms[i]} (${fit.flagged[i]})`));
          peerStatistics.forEach(({ name }, i) => (row[`threshold, ${name}`] = Number((fit.thresholds[i] as number).toPrecision(3))));
          rates.push(row);
          say(JSON.stringify(row));
        }
        fitted.set(key, fit);
        const names = [...settings, ...peerStatistics].map(({ name }) => name);
        const delays = names.map((): (number | null)[] => []);
        for (let run = 0; run < runsOf(change); run++) {
          const peers = new PeerStatistics();
          const theirs = peerStatistics.map(({ name }, i) => new FixedRule(peers, i, { name, limit: fit.thresholds[i] as number }));
          play(change, variation, 31 * run + 7, [...ours(), ...theirs]).forEach((delay, i) => delays[i]?.push(delay));
        }
        const row: Record<string, string> = { windows: variation.name, change: change.name };
        names.forEach((name, i) => (row[name] = summary(delays[i] as (number | null)[])));
        found.push(row);
        say(JSON.stringify(row));
      }
    }
    return Promise.resolve({
      setup: `${runs} seeded runs (of 200 columns, a quarter) of ${quietWindows} quiet windows of ${rows} rows and ${changedWindows} changed ones; one column changes. Median windows until it is flagged (share of runs that flagged it, where not all). Ours: one false alarm in ${wantedTicks} windows asked for, any effect size but for the default. Others' statistics, of each window against the first 20, have thresholds by which quiet runs of the same stream raise as many false alarms as that of ours that raised most.`,
      comparisons: [],
      measurements: [],
      tables: [
        { title: "changes found", rows: found },
        { title: "false alarms in quiet runs, and the thresholds fitted to them", rows: rates },
      ],
    });
  },
};
