import { jsonCodec } from "../../src/codecs/json.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract, DriftPlan } from "../../src/core/contract.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../src/drift/index.ts";
import { profileBatch } from "../../src/sketches/index.ts";
import type { Bench, BenchTable } from "../bench.ts";
import { flightTexts } from "../flights.ts";
import { textRecords } from "../text-records.ts";
import { flightsContract } from "./flight-days.ts";
import { windowsOfReference } from "./counted-rule.ts";
import { flightColumns, flightSplits } from "./flight-splits.ts";
import { wantedTicks } from "./quiet-run.ts";
import type { QuietStream } from "./quiet-streams.ts";
import { normalStream, variations } from "./quiet-streams.ts";
import type { Random } from "./random.ts";
import { randomOf } from "./random.ts";
import { playRawChanges, rawSettings, shifts } from "./raw-changes.ts";
import { SluiceRule } from "./sluice-rule.ts";

const windows = Number(process.env["SLUICE_DRIFT_WINDOWS"] ?? 80);
/** Seeded runs with changes. */
const runs = Number(process.env["SLUICE_DRIFT_RUNS"] ?? 3);
const columns = 10;
const flightsOfYear = 336_776;

/** A stream both ways: as counts, and as the records that they would be counts of. */
interface Sample {
  readonly counted: QuietStream;
  readonly contract: Contract;
  readonly columns: readonly string[];
  readonly open: (random: Random) => () => readonly Buffer[];
}

const rolling = { kind: "rolling", windows: windowsOfReference } as const;
const planOf = (names: readonly string[], baseline: DriftPlan["baseline"], tests: readonly string[]): DriftPlan => ({
  baseline,
  detection: { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: wantedTicks } },
  tick: { rows: 1, seconds: 1 },
  warmupWindows: 4,
  checks: names.map((column) => ({ column, tests, policy: "warn", limit: 0 })),
});

async function normalSample(name: string, variation: "alike" | "mild", rows: number): Promise<Sample> {
  const names = Array.from({ length: columns }, (_, column) => `c${column}`);
  const properties = names.map((column) => `      - { name: ${column}, logicalType: number, physicalType: double }\n`).join("");
  const text = `apiVersion: v3.1.0
kind: DataContract
id: normal
version: 1.0.0
status: active
schema:
  - name: normal
    physicalName: normal
    physicalType: topic
    logicalType: object
    properties:
${properties}`;
  const { contract } = await loadContract("normal.odcs.yaml", () => Promise.resolve(text));
  return {
    counted: normalStream(name, variation, { columns, rows }),
    contract,
    columns: names,
    open: (random) => {
      const moves = names.map(() => variations[variation](random));
      let window = 0;
      return () => {
        const means = moves.map((shift) => shift(window));
        window++;
        return normalTexts(random, rows, means);
      };
    },
  };
}

function normalTexts(random: Random, rows: number, means: readonly number[]): readonly Buffer[] {
  return Array.from({ length: rows }, () => {
    const values = means.map((mean, column) => `"c${column}":${(mean + random.normal()).toFixed(6)}`);
    return Buffer.from(`{${values.join(",")}}`);
  });
}

async function flightSample(rows: number): Promise<Sample> {
  const flights: Buffer[] = [];
  for await (const texts of flightTexts(flightsOfYear)) flights.push(...texts);
  return {
    counted: (await flightSplits([rows]))[0] as QuietStream,
    contract: await flightsContract(),
    columns: flightColumns,
    open: (random) => () => Array.from({ length: rows }, () => flights[Math.floor(random.uniform() * flights.length)] as Buffer),
  };
}

interface Played {
  readonly scores: number[];
  alarms: number;
}

/** Real records, decoded, profiled and judged by the project. */
function playRows(sample: Sample, seed: number): Played {
  const contract = { ...sample.contract, drift: planOf(sample.columns, rolling, ["psi"]) };
  const decode = jsonCodec.compile(contract);
  const draw = sample.open(randomOf(seed));
  const played: Played = { scores: [], alarms: 0 };
  let state = emptyDriftState;
  for (let window = 0; window < windows; window++) {
    const profile = profileBatch(contract, decode(textRecords("rows", draw())), null);
    const closedAtMs = window * 60_000;
    const input = { windowId: `w${window}`, openedAtMs: closedAtMs, closedAtMs, profile };
    const drift = judgeDrift(contract, state, input);
    state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift });
    if (drift.status === "warn") played.alarms++;
    for (const { evidence } of drift.results) if (evidence !== undefined) played.scores.push(evidence.score);
  }
  return played;
}

/** The same stream as counts. */
function playCounts(sample: Sample, seed: number): Played {
  const rule = new SluiceRule("counts", wantedTicks, { baseline: "rolling", limit: 0, hasGate: true });
  const draw = sample.counted.open(randomOf(seed));
  let alarms = 0;
  for (let window = 0; window < windows; window++) if (rule.judge(draw(window), "").length > 0) alarms++;
  return { scores: sample.columns.flatMap((_, column) => rule.scores(column)), alarms };
}

/** The largest gap between two samples' distributions. */
function gapOf(a: Float64Array, b: Float64Array): number {
  let [i, j, most] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const at = Math.min(a[i] as number, b[j] as number);
    while (i < a.length && (a[i] as number) <= at) i++;
    while (j < b.length && (b[j] as number) <= at) j++;
    most = Math.max(most, Math.abs(i / a.length - j / b.length));
  }
  return most;
}

/** Mean, median, and what one in 20 and one in 100 exceeds. */
function describe(sorted: Float64Array): string {
  const at = (share: number): string => (sorted[Math.floor(share * sorted.length)] as number).toFixed(2);
  const mean = sorted.reduce((sum, score) => sum + score, 0) / sorted.length;
  return `${mean.toFixed(2)}: ${at(0.5)}, ${at(0.95)}, ${at(0.99)}`;
}

function compareScores(sample: Sample): BenchTable["rows"][number] {
  const [byRows, byCounts] = [playRows(sample, 61), playCounts(sample, 62)];
  const [a, b] = [Float64Array.from(byRows.scores).sort(), Float64Array.from(byCounts.scores).sort()];
  return {
    stream: sample.counted.name,
    rows: sample.counted.rows,
    windows,
    "scores of rows": describe(a),
    "scores of counts": describe(b),
    "largest gap": gapOf(a, b).toFixed(3),
    // Kolmogorov and Smirnov's of two samples.
    "1% exceed": (1.6276 * Math.sqrt(1 / a.length + 1 / b.length)).toFixed(3),
    "windows flagged": `${byRows.alarms}, ${byCounts.alarms}`,
  };
}

function findChanges(sample: Sample, deviation: number): BenchTable["rows"] {
  const { contract, columns: names, counted } = sample;
  const stream = {
    contract,
    columns,
    deviation,
    plan: (baseline: DriftPlan["baseline"], tests: readonly string[]) => planOf(names, baseline, tests),
    draw: (random: Random, means: readonly number[]) => normalTexts(random, counted.rows, means),
  };
  const played = Array.from({ length: runs }, (_, run) => playRawChanges(stream, 70 + run));
  return rawSettings.map(({ name }, i) => ({
    stream: counted.name,
    rows: counted.rows,
    setting: name,
    "quiet windows flagged": played.reduce((sum, each) => sum + (each[i]?.flagged ?? 0), 0),
    ...Object.fromEntries(shifts.map((shift, at) => [`${shift} sigma`, played.map((each) => each[i]?.delays[at] ?? "none").join(", ")])),
  }));
}

/** Scores of real records beside those of drawn counts, which the benches of false alarms and changes are made of; and changes in real records. */
export const driftRows: Bench = {
  name: "drift-rows",
  onDemand: true,
  async run(say) {
    const alike = await normalSample("alike", "alike", 10_000);
    const mild = await normalSample("mild variation", "mild", 10_000);
    const found = [...findChanges(alike, 0), ...findChanges(mild, 0.05)];
    for (const row of found) say(JSON.stringify(row));
    const samples = [
      await normalSample("alike", "alike", 1000),
      alike,
      await normalSample("mild variation", "mild", 1000),
      mild,
      await flightSample(1000),
      await flightSample(10_000),
    ];
    const scores = samples.map((sample) => {
      const row = compareScores(sample);
      say(JSON.stringify(row));
      return row;
    });
    return {
      setup: `${windows} windows of each stream without drift, as records that are decoded, profiled and judged, and as counts in bins; PSI against 20 rolling windows, any effect. Scores: mean; median, and what one in 20 and one in 100 exceeds. Changes of real records: after 200 quiet windows the mean of one of ${columns} columns moves; windows until it is flagged, of 20, in ${runs} seeded runs.`,
      comparisons: [],
      measurements: [],
      tables: [
        { title: "scores of rows and of counts", rows: scores },
        { title: "changes of real records", rows: found },
      ],
    };
  },
};
