import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Bench } from "./bench.ts";
import { spread } from "./bench.ts";
import { heapFlags } from "./child.ts";
import type { DuckdbBenchRun } from "./duckdb-child.ts";
import { peerRows } from "./peers/rows.ts";

const rounds = 7;
/** Rounds before the measured ones: compilers warm up, the file is cached. */
const warmUps = 2;
const contestants = ["engine", "duckdb", "duckdb-plain"] as const;
type Contestant = (typeof contestants)[number];

/** A contestant's process, prepared once; `run` has it do all of the work again. */
interface Child {
  run(): Promise<DuckdbBenchRun>;
  close(): void;
}

function start(contestant: Contestant, path: string): Child {
  const script = fileURLToPath(new URL("duckdb-child.ts", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-duckdb-"));
  const flags = ["--disable-warning=ExperimentalWarning", "--expose-gc", ...heapFlags];
  const child = spawn(process.execPath, [...flags, script, contestant, path, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    run: async () => {
      child.stdin.write("run\n");
      const line = await lines.next();
      if (line.done === true) throw new Error(`the process of ${contestant} ended`);
      return JSON.parse(line.value) as DuckdbBenchRun;
    },
    close: () => {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** NDJSON to Parquet through twenty rules and a profile, one thread each, each contestant in a process of its own: the work alone, without its start. */
export const duckdb: Bench = {
  name: "duckdb",
  async run(say) {
    const { path, rows, faulty, repeated } = await peerRows();
    // DuckDB's query calls every row of a repeated key bad, ours the later ones.
    const expected = { engine: faulty + repeated, duckdb: faulty + 2 * repeated, "duckdb-plain": faulty + 2 * repeated };
    const children = { engine: start("engine", path), duckdb: start("duckdb", path), "duckdb-plain": start("duckdb-plain", path) };
    const runs: Record<Contestant, DuckdbBenchRun[]> = { engine: [], duckdb: [], "duckdb-plain": [] };
    try {
      for (let round = -warmUps; round < rounds; round++) {
        for (const name of contestants) {
          const run = await children[name].run();
          if (run.bad !== expected[name]) throw new Error(`${name} found ${run.bad} bad rows, expected ${expected[name]}`);
          if (round < 0) continue;
          runs[name].push(run);
          say(
            `round ${round + 1}, ${name}: ${run.seconds.toFixed(2)} s, ${run.cpuSeconds.toFixed(2)} CPU s, ${Math.round(run.peakRssMb)} MB`,
          );
        }
      }
    } finally {
      for (const child of Object.values(children)) child.close();
    }
    const ratio = (peer: "duckdb" | "duckdb-plain", part: "seconds" | "cpuSeconds"): number[] =>
      runs[peer].map((other, round) => other[part] / (runs.engine[round] as DuckdbBenchRun)[part]);
    const names = {
      engine: "engine, one thread",
      duckdb: "DuckDB, one thread",
      "duckdb-plain": "DuckDB, one thread, profile without frequent values",
    };
    return {
      setup: `${rows} flights as NDJSON (400 bytes a row), 20 rules, 1% bad rows with every reason, a profile of every column, zstd Parquet of the rows that pass; a process each, one thread, no start-up, ${rounds} rounds in turn.`,
      measurements: contestants.map((name) => ({
        name: names[name],
        rate: spread(runs[name].map(({ seconds }) => rows / seconds)),
        cpuSecondsPerMillion: spread(runs[name].map(({ cpuSeconds }) => (cpuSeconds / rows) * 1e6)),
        peakRssMb: spread(runs[name].map(({ peakRssMb }) => peakRssMb)),
      })),
      comparisons: [
        { name: "engine / DuckDB, CPU time", ratio: spread(ratio("duckdb", "cpuSeconds")), floor: 3, aim: 6 },
        { name: "engine / DuckDB, wall time", ratio: spread(ratio("duckdb", "seconds")), floor: null, aim: null },
        {
          name: "engine / DuckDB without frequent values, CPU time",
          ratio: spread(ratio("duckdb-plain", "cpuSeconds")),
          floor: null,
          aim: null,
        },
      ],
    };
  },
};
