import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { compileJsonDecoder } from "../src/codecs/json-compiled/compile-json-decoder.ts";
import type { Batch } from "../src/core/batch.ts";
import type { Records } from "../src/core/records.ts";
import { compileKernels } from "../src/rules/kernels/rule-kernels.ts";
import { compileValidator } from "../src/rules/compile-validator.ts";
import { Arena } from "../src/wasm/arena.ts";
import { copyBatch } from "../src/wasm/copy-batch.ts";
import { layoutBatch } from "../src/wasm/layout.ts";
import { makeResident } from "../src/wasm/resident-batch.ts";
import type { Bench } from "./bench.ts";
import { spread } from "./bench.ts";
import { peerPython, peerVersions } from "./peers/environment.ts";
import { peerRows } from "./peers/rows.ts";
import { peerRecords, twentyRules } from "./twenty-rules.ts";

const rows = 1_000_000;
const rounds = 5;

/** One bit a rule, as a person would write it. */
const mask = [
  ...["flight_id", "carrier", "origin", "dest", "sched_hour"].map((name) => `${name} is null`),
  ...[
    ["distance_mi", 10, 5500],
    ["dep_delay_min", -60, 1500],
    ["air_time_min", 15, 720],
    ["sched_dep_hhmm", 0, 2359],
    ["flight_number", 1, 9999],
  ].map(([name, low, high]) => `${name} < ${low} or ${name} > ${high}`),
  "carrier not in ('9E','AA','AS','B6','DL','EV','F9','FL','HA','MQ','OO','UA','US','VX','WN','YV')",
  "origin not in ('EWR','JFK','LGA')",
  "not regexp_matches(tailnum, '^[ND][0-9A-Z]{2,5}$')",
  "not regexp_matches(dest, '^[A-Z]{3}$')",
  "air_time_min > distance_mi",
]
  .map((test, i) => `(case when ${test} then ${2 ** i} else 0 end)`)
  .join(" | ");

function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** The same records in another order, the same one each time. */
function shuffled(records: Records): Records {
  const valueStart = records.valueStart.slice();
  const valueLength = records.valueLength.slice();
  let state = 1;
  for (let i = records.count - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const k = Math.floor((state / 2 ** 32) * (i + 1));
    for (const spans of [valueStart, valueLength]) {
      const span = spans[i] as number;
      spans[i] = spans[k] as number;
      spans[k] = span;
    }
  }
  return { ...records, valueStart, valueLength };
}

/** Judges columns as they stand, and counts the rows that fail. */
async function openKernels(): Promise<{ columnsOf(records: Records): Batch[]; judge(chunks: readonly Batch[]): number }> {
  const contract = await twentyRules();
  const arena = new Arena();
  const layout = layoutBatch(contract.fields, arena, contract.rules.length);
  const validator = compileValidator(contract, compileKernels(contract, layout, arena));
  const decoder = compileJsonDecoder(contract, layout, arena);
  return {
    columnsOf(records) {
      const chunks: Batch[] = [];
      for (let from = 0; from < records.count;) {
        const batch = decoder.decode(records, from);
        chunks.push(copyBatch(batch));
        from += batch.rows;
      }
      return chunks;
    },
    judge(chunks) {
      const window = validator.open();
      let bad = 0;
      for (const chunk of chunks) {
        const { rejected, violations } = window.add(makeResident(chunk, layout, arena));
        if (violations.length > 0) for (let row = 0; row < rejected.length; row++) bad += rejected[row] as number;
      }
      window.close();
      return bad;
    },
  };
}

/** DuckDB with the rows in a table of this name, and in one where they are shuffled. */
async function openDuckdb(path: string): Promise<{ judge(table: string): Promise<number>; close(): void }> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  await connection.run(
    `create table rows as select row_number() over () as line, * from read_json('${path}', format = 'newline_delimited')`,
  );
  await connection.run("create table shuffled as select * from rows order by hash(line)");
  return {
    async judge(table) {
      const found = await connection.runAndReadAll(
        `with repeated as (select flight_id from ${table} where flight_id is not null group by 1 having count(*) > 1),
              judged as (select line, flight_id, ${mask} as mask from ${table})
         select line, mask, repeated.flight_id is not null as again from judged left join repeated using (flight_id) where mask <> 0 or repeated.flight_id is not null`,
      );
      return found.currentRowCount;
    },
    close: () => instance.closeSync(),
  };
}

/** CPU seconds of each round, after one that is not counted; rejects where the work finds another number of rows. */
async function measured(work: () => number | Promise<number>, expected: number): Promise<number> {
  const before = process.cpuUsage();
  const found = await work();
  if (found !== expected) throw new Error(`${found} rows were found, expected ${expected}`);
  return cpuSeconds(before);
}

/** CPU seconds of Polars' rounds, with the rows in their order or shuffled. */
async function polarsSeconds(path: string, order: string, expected: number, say: (line: string) => void): Promise<number[]> {
  const python = await peerPython("frames", say);
  const script = fileURLToPath(new URL("peers/columns_polars.py", import.meta.url));
  const polars = spawnSync(python, [script, path, String(rounds), order], {
    env: { ...process.env, POLARS_MAX_THREADS: "1" },
    encoding: "utf8",
  });
  if (polars.status !== 0) throw new Error(polars.stderr);
  const { bad, seconds } = JSON.parse(polars.stdout) as { bad: number; seconds: number[] };
  if (bad !== expected) throw new Error("Polars found other rows");
  return seconds;
}

/** The same rules on columns that are in memory already, row by row results: the kernels, DuckDB and Polars, one thread each; with keys that rise, and shuffled. */
export const columns: Bench = {
  name: "columns",
  onDemand: true,
  async run(say) {
    const { path, faulty, repeated } = await peerRows();
    const kernels = await openKernels();
    const records = await peerRecords(rows);
    const chunks = { rows: kernels.columnsOf(records), shuffled: kernels.columnsOf(shuffled(records)) };
    const duck = await openDuckdb(path);
    const orders = ["rows", "shuffled"] as const;
    const taken = new Map<string, number[]>();
    const note = (name: string, order: string, seconds: number): void => {
      const key = order === "rows" ? name : `${name}, rows shuffled`;
      taken.set(key, [...(taken.get(key) ?? []), seconds]);
    };
    for (let round = -1; round < rounds; round++) {
      for (const order of orders) {
        const own = await measured(() => kernels.judge(chunks[order]), faulty + repeated);
        const other = await measured(() => duck.judge(order), faulty + 2 * repeated);
        if (round < 0) continue;
        note("kernels", order, own);
        note("DuckDB", order, other);
      }
      say(`round ${round + 1}`);
    }
    duck.close();
    for (const order of orders) {
      for (const seconds of await polarsSeconds(path, order, faulty + 2 * repeated, say)) note("Polars", order, seconds);
    }
    return {
      setup: `${rows} rows of 20 columns in memory, 20 rules, 1% bad rows, failing rows with their rules; CPU time, one thread each, ${rounds} rounds. The kernels copy the columns in first. As the rows stand the unique key rises.`,
      versions: peerVersions("frames"),
      measurements: [...taken].map(([name, seconds]) => ({
        name,
        rate: spread(seconds.map((each) => rows / each)),
        cpuSecondsPerMillion: spread(seconds.map((each) => (each / rows) * 1e6)),
        peakRssMb: null,
      })),
      comparisons: ["", ", rows shuffled"].flatMap((order) =>
        ["DuckDB", "Polars"].map((name) => ({
          name: `kernels / ${name}${order}`,
          ratio: spread(
            (taken.get(name + order) as number[]).map(
              (each, round) => each / ((taken.get(`kernels${order}`) as number[])[round] as number),
            ),
          ),
          floor: 0.8,
          aim: 2,
        })),
      ),
    };
  },
};
