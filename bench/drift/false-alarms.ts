import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { chiSquaredQuantile } from "../../src/drift/chi-squared.ts";
import type { Bench, BenchTable } from "../bench.ts";
import { QuietResults } from "./quiet-results.ts";
import type { Tally } from "./quiet-run.ts";
import { wantedTicks, windowsOfRun } from "./quiet-run.ts";
import type { QuietStream } from "./quiet-streams.ts";

/** Seeded runs of each stream, at most. */
const runs = Number(process.env["SLUICE_DRIFT_RUNS"] ?? 200);
/** What the bench may take; what it has by then counts, and the next one goes on from there. */
const minutes = Number(process.env["SLUICE_DRIFT_MINUTES"] ?? 30);
const processes = Number(process.env["SLUICE_DRIFT_PROCESSES"] ?? 1);
/** A run costs as many times as many columns: of wide streams there are fewer as long as narrow ones have runs to play. */
const columnsOfRun = 10;

type Described = Omit<QuietStream, "open">;

interface Job {
  readonly stream: number;
  readonly seed: number;
}

/** Every run's turn: the first of all streams, then the second, the wide streams' as often as their columns allow, and what is left of these at the end. */
function turns(streams: readonly Described[]): readonly Job[] {
  const every = streams.map(({ columns }) => Math.max(1, Math.round(columns / columnsOfRun)));
  return Array.from({ length: runs * Math.max(...every) }, (_, round) => round).flatMap((round) =>
    every.flatMap((each, stream) => (round % each === 0 && round / each < runs ? [{ stream, seed: round / each }] : [])),
  );
}

/** The lower 95% bound of windows between alarms: a Poisson count's. */
function betweenAtLeast(windows: number, alarms: number): number {
  return windows / (chiSquaredQuantile(0.05, 2 * (alarms + 1)) / 2);
}

async function playAll(results: QuietResults, endsAtMs: number, say: (line: string) => void): Promise<readonly Described[]> {
  const jobs: Job[] = [];
  let described: readonly Described[] = [];
  const work = async (): Promise<void> => {
    const child = fork(fileURLToPath(new URL("quiet-child.ts", import.meta.url)));
    const failed = once(child, "exit").then(([code]) => {
      throw new Error(`a process that plays runs ended with ${code}`);
    });
    failed.catch(() => undefined);
    const answer = async <T>(): Promise<T> => ((await Promise.race([once(child, "message"), failed])) as [T])[0];
    const streams = await answer<readonly Described[]>();
    if (described.length === 0) {
      described = streams;
      jobs.push(...turns(streams).filter(({ stream, seed }) => results.read(stream, seed) === null));
      say(`${jobs.length} runs to play, into ${results.folder}`);
    }
    for (let job = jobs.shift(); job !== undefined && Date.now() < endsAtMs; job = jobs.shift()) {
      child.send(job);
      results.write(job.stream, job.seed, await answer<readonly Tally[]>());
    }
    child.disconnect();
  };
  await Promise.all(Array.from({ length: processes }, work));
  return described;
}

function summarize(results: QuietResults, streams: readonly Described[]): BenchTable["rows"] {
  return streams.flatMap(({ name, columns, rows, isExchangeable }, stream) => {
    const played = Array.from({ length: runs }, (_, seed) => results.read(stream, seed)).filter((each) => each !== null);
    const windows = windowsOfRun * played.length;
    const row: Record<string, string | number> = { stream: name, exchangeable: isExchangeable ? "yes" : "no", columns, rows };
    row["runs"] = played.length;
    const names = played[0]?.map(({ rule }) => rule) ?? [];
    names.forEach((rule, i) => {
      const sum = (key: "alarms" | "flagged"): number => played.reduce((all, tallies) => all + (tallies[i]?.[key] ?? 0), 0);
      const alarms = sum("alarms");
      const between = alarms === 0 ? "none" : Math.round(windows / alarms);
      const share = ((100 * sum("flagged")) / windows).toFixed(1);
      row[rule] = `${alarms} (${between}, at least ${Math.round(betweenAtLeast(windows, alarms))}; ${share}%)`;
    });
    return played.length === 0 ? [] : [row];
  });
}

/** Streams without drift: how far apart alarms are, and those of others' rules on the same streams. */
export const driftFalseAlarms: Bench = {
  name: "drift-false-alarms",
  onDemand: true,
  async run(say) {
    const results = new QuietResults();
    const streams = await playAll(results, Date.now() + minutes * 60_000, say);
    const rows = summarize(results, streams);
    return {
      setup: `Seeded runs of ${windowsOfRun} windows each, false alarms wanted every ${wantedTicks} windows of a dataset; counts in bins are drawn, not rows. Of each rule: alarms (windows between them, with the lower 95% bound; share of windows flagged). Others' rules compare with the first 20 windows.`,
      comparisons: [],
      measurements: [],
      tables: [{ title: "alarms where nothing drifts", rows }],
    };
  },
};
