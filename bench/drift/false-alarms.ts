import { chiSquaredQuantile } from "../../src/drift/chi-squared.ts";
import type { Bench, BenchTable } from "../bench.ts";
import type { CountedRule, Counts } from "./counted-stream.ts";
import { FixedRule, peerStatistics, SluiceRule } from "./counted-stream.ts";
import { drawCounts } from "./normal-bins.ts";
import type { Random } from "./random.ts";
import { randomOf } from "./random.ts";

/** Seeded runs of each setting; 200 take some hours. */
const runs = Number(process.env["SLUICE_DRIFT_RUNS"] ?? 5);
/** Windows of a run; streams of many columns are shorter. */
const windowsMost = 3000;
const columnWindowsMost = 60_000;
const wantedTicks = 200;

/** How the columns' means move from window to window where nothing drifts, in standard deviations. */
interface Setting {
  readonly name: string;
  readonly isExchangeable: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly seasonal?: boolean;
  readonly shifts: (random: Random) => (window: number) => number;
}

const none = (): (() => number) => () => 0;
const mild = (random: Random) => () => 0.05 * random.normal();
/** Student's t of 2 degrees. */
const heavy = (random: Random) => () => (0.03 * random.normal()) / Math.sqrt(-Math.log(1 - random.uniform()));
const autocorrelated = (random: Random): (() => number) => {
  const phi = 0.8;
  let level = 0;
  return () => (level = phi * level + 0.05 * Math.sqrt(1 - phi * phi) * random.normal());
};
const weekly = (random: Random) => (window: number) =>
  0.2 * Math.sin((2 * Math.PI * window) / 24) + (Math.floor(window / 24) % 7 >= 5 ? 0.1 : 0) + 0.02 * random.normal();

const settings: readonly Setting[] = [
  { name: "alike", isExchangeable: true, columns: 10, rows: 1000, shifts: none },
  { name: "alike", isExchangeable: true, columns: 10, rows: 10_000, shifts: none },
  { name: "alike", isExchangeable: true, columns: 10, rows: 100_000, shifts: none },
  { name: "alike", isExchangeable: true, columns: 50, rows: 10_000, shifts: none },
  { name: "alike", isExchangeable: true, columns: 200, rows: 10_000, shifts: none },
  { name: "mild variation", isExchangeable: true, columns: 10, rows: 10_000, shifts: mild },
  { name: "mild variation", isExchangeable: true, columns: 10, rows: 100_000, shifts: mild },
  { name: "heavy-tailed variation", isExchangeable: true, columns: 10, rows: 10_000, shifts: heavy },
  { name: "autocorrelated .8", isExchangeable: false, columns: 10, rows: 10_000, shifts: autocorrelated },
  { name: "hours and weekdays", isExchangeable: false, columns: 10, rows: 10_000, seasonal: true, shifts: weekly },
];

interface Tally {
  windows: number;
  alarms: number;
  flagged: number;
}

function windowsOf({ columns }: Setting): number {
  return Math.min(windowsMost, columnWindowsMost / columns);
}

/** Plays one stream to all rules. An alarm that goes on is one. */
function play(setting: Setting, seed: number, rules: readonly CountedRule[], tallies: Map<string, Tally>): void {
  const random = randomOf(seed);
  const shifts = Array.from({ length: setting.columns }, () => setting.shifts(random));
  const alarmed = new Set<CountedRule>();
  for (let window = 0; window < windowsOf(setting); window++) {
    const counts: Counts[] = shifts.map((shift) => drawCounts(random, setting.rows, shift(window)));
    const season = setting.seasonal === true ? String(window % 168) : "";
    for (const rule of rules) {
      const tally = tallies.get(rule.name) ?? { windows: 0, alarms: 0, flagged: 0 };
      tallies.set(rule.name, tally);
      const isAlarm = rule.judge(counts, season).length > 0;
      tally.windows++;
      if (isAlarm) tally.flagged++;
      if (isAlarm && !alarmed.has(rule)) tally.alarms++;
      if (isAlarm) alarmed.add(rule);
      else alarmed.delete(rule);
    }
  }
}

/** The mean of windows between alarms that is too small with a chance of 5%: the lower bound of a Poisson count. */
function betweenAtLeast({ windows, alarms }: Tally): number {
  return windows / (chiSquaredQuantile(0.05, 2 * (alarms + 1)) / 2);
}

/** Streams without drift: how far apart alarms are, and those of others' rules on the same streams. */
export const driftFalseAlarms: Bench = {
  name: "drift-false-alarms",
  onDemand: true,
  run(say) {
    const rows: BenchTable["rows"] = [];
    for (const setting of settings) {
      const tallies = new Map<string, Tally>();
      for (let run = 0; run < runs; run++) {
        const depth = setting.seasonal === true ? { depth: 4 } : {};
        const rules = [
          new SluiceRule("evidence alone, no effect size", wantedTicks, { limit: 0, ...depth }),
          new SluiceRule("as shipped", wantedTicks, { limit: 0.1, ...depth }),
          ...peerStatistics.map((each) => new FixedRule(each)),
        ];
        play(setting, 1000 * run + setting.columns + setting.rows, rules, tallies);
      }
      const row: Record<string, string | number> = {
        stream: setting.name,
        exchangeable: setting.isExchangeable ? "yes" : "no",
        columns: setting.columns,
        rows: setting.rows,
        windows: runs * windowsOf(setting),
      };
      for (const [name, tally] of tallies) {
        const between = tally.alarms === 0 ? "none" : Math.round(tally.windows / tally.alarms);
        row[name] =
          `${tally.alarms} (${between}, at least ${Math.round(betweenAtLeast(tally))}; ${((100 * tally.flagged) / tally.windows).toFixed(1)}%)`;
      }
      rows.push(row);
      say(JSON.stringify(row));
    }
    return Promise.resolve({
      setup: `${runs} seeded runs of up to ${windowsMost} windows each, false alarms wanted every ${wantedTicks} windows of a dataset; counts in forty bins are drawn, not rows. Of each rule: alarms (windows between them, with the lower 95% bound; share of windows flagged). Others' rules compare with the first 20 windows.`,
      comparisons: [],
      measurements: [],
      tables: [{ title: "alarms where nothing drifts", rows }],
    });
  },
};
