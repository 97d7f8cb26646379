import type { Bench, BenchTable } from "../bench.ts";
import type { CountedRule, Counts } from "./counted-stream.ts";
import { FixedRule, peerStatistics, SluiceRule } from "./counted-stream.ts";
import { drawCounts, fineBins } from "./normal-bins.ts";
import type { Random } from "./random.ts";
import { randomOf } from "./random.ts";

/** Seeded runs of each change. */
const runs = Number(process.env["SLUICE_DRIFT_RUNS"] ?? 5);
const quietWindows = 300;
const changedWindows = 100;
const calibrationWindows = 1000;
const wantedTicks = 200;
const rows = 10_000;

/** What happens to the first column from the change on. */
interface Change {
  readonly name: string;
  readonly columns: number;
  /** Standard deviations that its mean moves by, so many windows after the change. */
  readonly shift?: (since: number) => number;
  /** Share of all records that goes from one tenth of the values to another. */
  readonly swap?: number;
}

const changes: readonly Change[] = [
  { name: ".05 sigma", columns: 10, shift: () => 0.05 },
  { name: ".1 sigma", columns: 10, shift: () => 0.1 },
  { name: ".25 sigma", columns: 10, shift: () => 0.25 },
  { name: "1% swapped", columns: 10, swap: 0.01 },
  { name: "2% swapped", columns: 10, swap: 0.02 },
  { name: "5% swapped", columns: 10, swap: 0.05 },
  { name: "gradual, to .25 sigma in 50 windows", columns: 10, shift: (since) => 0.25 * Math.min(1, since / 50) },
  { name: "recurring: .25 sigma in 5 windows of 10", columns: 10, shift: (since) => (since % 10 < 5 ? 0.25 : 0) },
  { name: ".25 sigma in one of 100 columns", columns: 100, shift: () => 0.25 },
];

/** How much windows differ where nothing changes, in standard deviations of their means. */
const variations = [
  { name: "alike", deviation: 0 },
  { name: "mild variation", deviation: 0.05 },
] as const;

function drawWindow(random: Random, deviation: number, change: Change, since: number | null): Counts[] {
  return Array.from({ length: change.columns }, (_, column) => {
    const isChanged = column === 0 && since !== null;
    const shift = deviation * random.normal() + (isChanged ? (change.shift?.(since) ?? 0) : 0);
    const counts = drawCounts(random, rows, shift);
    if (isChanged && change.swap !== undefined) {
      // From the first tenth to the last: each of the tenth's four fine bins by a quarter.
      for (let i = 0; i < 4; i++) {
        const moved = random.binomial(counts[i] as number, Math.min(1, change.swap * 10));
        counts[i] = (counts[i] as number) - moved;
        counts[fineBins - 1 - i] = (counts[fineBins - 1 - i] as number) + moved;
      }
    }
    return counts;
  });
}

/** Thresholds at which others' statistics alarm once in `wantedTicks` quiet windows, as measured. */
function calibrate(deviation: number, change: Change): readonly number[] {
  const random = randomOf(4711 + change.columns);
  const rules = peerStatistics.map((each) => new FixedRule(each));
  const greatest = rules.map((): number[] => []);
  const all = calibrationWindows * Math.min(1, 10 / change.columns);
  for (let window = 0; window < all; window++) {
    const counts = drawWindow(random, deviation, change, null);
    rules.forEach((rule, i) => {
      const values = rule.measure(counts).map(({ value }) => value);
      if (values.length > 0) (greatest[i] as number[]).push(Math.max(...values));
    });
  }
  const allowed = Math.max(1, Math.round(all / wantedTicks));
  return greatest.map((values) => values.toSorted((a, b) => b - a)[allowed] as number);
}

interface Found {
  readonly delays: number[];
  falseAlarms: number;
}

function play(deviation: number, change: Change, seed: number, rules: readonly CountedRule[], found: Map<string, Found>): void {
  const random = randomOf(seed);
  const done = new Set<CountedRule>();
  const alarmed = new Set<CountedRule>();
  for (let window = 0; window < quietWindows + changedWindows; window++) {
    const since = window < quietWindows ? null : window - quietWindows;
    const counts = drawWindow(random, deviation, change, since);
    for (const rule of rules) {
      const tally = found.get(rule.name) ?? { delays: [], falseAlarms: 0 };
      found.set(rule.name, tally);
      const flagged = rule.judge(counts, "");
      if (since === null && flagged.length > 0 && !alarmed.has(rule)) tally.falseAlarms++;
      if (flagged.length > 0) alarmed.add(rule);
      else alarmed.delete(rule);
      if (since !== null && flagged.includes(0) && !done.has(rule)) {
        done.add(rule);
        tally.delays.push(since + 1);
      }
    }
  }
}

function summary({ delays, falseAlarms }: Found): string {
  const sorted = delays.toSorted((a, b) => a - b);
  const median = sorted.length === 0 ? "" : `, after ${sorted[Math.floor((sorted.length - 1) / 2)]}`;
  return `${Math.round((100 * delays.length) / runs)}%${median} (${falseAlarms})`;
}

/** Changes of one column: how often and how soon they are found, at the same rate of false alarms. */
export const driftDetection: Bench = {
  name: "drift-detection",
  onDemand: true,
  run(say) {
    const table: BenchTable["rows"] = [];
    for (const { name, deviation } of variations) {
      for (const change of changes) {
        const limits = calibrate(deviation, change);
        const found = new Map<string, Found>();
        for (let run = 0; run < runs; run++) {
          const rules = [
            new SluiceRule("evidence alone", wantedTicks, { limit: 0 }),
            new SluiceRule("limit .01", wantedTicks, { limit: 0.01 }),
            new SluiceRule("limit .1, the default", wantedTicks, { limit: 0.1 }),
            ...peerStatistics.map((each, i) => {
              return new FixedRule(each, { name: `${each.name.split(/ [p>]| \(/)[0]}, calibrated`, value: limits[i] as number });
            }),
            ...peerStatistics.map((each) => new FixedRule(each)),
          ];
          play(deviation, change, 31 * run + 7, rules, found);
        }
        const row: Record<string, string> = { windows: name, change: change.name };
        for (const [rule, tally] of found) row[rule] = summary(tally);
        table.push(row);
        say(JSON.stringify(row));
      }
    }
    return Promise.resolve({
      setup: `${runs} seeded runs of ${quietWindows} quiet windows of ${rows} rows and ${changedWindows} changed ones; one column changes. Share of runs that found it, median windows until then, (false alarms in the quiet windows of all runs). Calibrated: others' statistics with thresholds that ${calibrationWindows} quiet windows exceeded once in ${wantedTicks}, the rate that the project's were asked for.`,
      comparisons: [],
      measurements: [],
      tables: [{ title: "changes found", rows: table }],
    });
  },
};
