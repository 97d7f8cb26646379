import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Bench } from "./bench.ts";
import { spread } from "./bench.ts";
import { deequJar, peerPython, peerVersions } from "./peers/environment.ts";
import { peerRows, type PeerRows } from "./peers/rows.ts";

const rounds = 3;
/** Rounds of those that take ten seconds and more. */
const slowRounds = 2;
const ours = "sluice check";

interface Contestant {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly rounds: number;
  /** Rows that it finds bad: some tools call every row of a repeated key bad, some the later ones. */
  readonly bad: number;
  readonly floor: number | null;
  readonly aim: number | null;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function contestants(rows: PeerRows, folder: string, say: (line: string) => void): Promise<readonly Contestant[]> {
  const frames = await peerPython("frames", say);
  const script = (name: string): string => here(`peers/${name}.py`);
  const all = rows.faulty + 2 * rows.repeated;
  const python = (
    name: string,
    interpreter: string,
    args: readonly string[],
    promised: [number, number] | null,
    times = rounds,
  ): Contestant => ({
    name,
    program: interpreter,
    args: ["-W", "ignore", ...args],
    rounds: times,
    bad: all,
    floor: promised?.[0] ?? null,
    aim: promised?.[1] ?? null,
  });
  return [
    {
      name: ours,
      program: here("../bin/sluice"),
      args: [
        "check",
        here("peers/twenty-rules.odcs.yaml"),
        rows.path,
        "--limit",
        "0",
        "--failures",
        join(folder, "sluice-failures.ndjson"),
        "--profile",
        join(folder, "sluice-profile.json"),
        "--parquet",
        join(folder, "sluice.parquet"),
        "--json",
      ],
      rounds,
      bad: rows.faulty + rows.repeated,
      floor: null,
      aim: null,
    },
    python("pandera on Polars", frames, [script("with_polars"), rows.path, folder, "pandera"], [2, 4]),
    python("Polars by hand", frames, [script("with_polars"), rows.path, folder, "hand"], null),
    python("DuckDB by hand", frames, [script("with_duckdb"), rows.path, folder, "2"], [2, 4]),
    python(
      "Great Expectations on pandas",
      await peerPython("great-expectations", say),
      [script("with_great_expectations"), rows.path, folder],
      [20, 60],
      slowRounds,
    ),
    python(
      "Deequ on Spark",
      await peerPython("deequ", say),
      [script("with_deequ"), rows.path, folder, await deequJar()],
      [20, 60],
      slowRounds,
    ),
  ];
}

/** Runs a whole process and answers its wall seconds, once its findings are those that all must have. */
function time(contestant: Contestant): Promise<number> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const child = spawn(contestant.program, contestant.args, { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += String(chunk)));
    child.stderr.on("data", (chunk) => (err += String(chunk)));
    child.on("error", reject);
    child.on("close", () => {
      const seconds = (performance.now() - begin) / 1000;
      const found = lastObject(out);
      const bad = found?.bad ?? found?.failed;
      if (bad === contestant.bad) resolve(seconds);
      else
        reject(new Error(`${contestant.name} found ${bad} bad rows, expected ${contestant.bad}\n${out.slice(-2000)}${err.slice(-4000)}`));
    });
  });
}

function lastObject(text: string): { readonly bad?: number; readonly failed?: number } | null {
  try {
    return JSON.parse(text) as { failed: number };
  } catch {
    const line = text
      .trim()
      .split("\n")
      .findLast((each) => each.includes('{"rows"'));
    return line === undefined ? null : (JSON.parse(line.slice(line.indexOf('{"rows"'))) as { bad: number });
  }
}

/** A whole process on NDJSON: twenty rules, every failing row with its rules, a profile of every column, Parquet of the rows that pass. */
export const peers: Bench = {
  name: "peers",
  onDemand: true,
  async run(say) {
    const rows = await peerRows();
    const folder = mkdtempSync(join(tmpdir(), "sluice-bench-peers-"));
    try {
      const all = await contestants(rows, folder, say);
      const seconds = new Map<string, number[]>(all.map(({ name }) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const contestant of all.filter((each) => round < each.rounds)) {
          const taken = await time(contestant);
          seconds.get(contestant.name)?.push(taken);
          say(`round ${round + 1}, ${contestant.name}: ${taken.toFixed(2)} s`);
        }
      }
      const own = seconds.get(ours) ?? [];
      return {
        setup: `${rows.rows} flights as NDJSON (400 bytes a row), 20 rules, 1% bad rows; whole processes, cached files, every core of the machine, in turn.`,
        versions: peerVersions("frames", "great-expectations", "deequ"),
        measurements: [...seconds].map(([name, taken]) => ({
          name,
          rate: spread(taken.map((each) => rows.rows / each)),
          cpuSecondsPerMillion: null,
          peakRssMb: null,
        })),
        comparisons: all
          .filter(({ name }) => name !== ours)
          .map(({ name, floor, aim }) => ({
            name: `${ours} / ${name}`,
            ratio: spread((seconds.get(name) ?? []).map((each, round) => each / (own[round] as number))),
            floor,
            aim,
          })),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
