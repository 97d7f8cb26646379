import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { compileJsonDecoder } from "../src/codecs/json-compiled/compile-json-decoder.ts";
import type { Batch } from "../src/core/batch.ts";
import { compileKernels } from "../src/rules/kernels/rule-kernels.ts";
import { compileValidator } from "../src/rules/compile-validator.ts";
import { Arena } from "../src/wasm/arena.ts";
import { copyBatch } from "../src/wasm/copy-batch.ts";
import { layoutBatch } from "../src/wasm/layout.ts";
import { makeResident } from "../src/wasm/resident-batch.ts";
import type { Bench } from "./bench.ts";
import { spread } from "./bench.ts";
import { peerPython } from "./peers/environment.ts";
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

/** The same rules on columns that are in memory already, row by row results: the kernels, DuckDB and Polars, one thread each. */
export const columns: Bench = {
  name: "columns",
  onDemand: true,
  async run(say) {
    const { path, faulty, repeated } = await peerRows();
    const contract = await twentyRules();
    const arena = new Arena();
    const layout = layoutBatch(contract.fields, arena, contract.rules.length);
    const validator = compileValidator(contract, compileKernels(contract, layout, arena));
    const decoder = compileJsonDecoder(contract, layout, arena);
    const records = await peerRecords(rows);
    const chunks: Batch[] = [];
    for (let from = 0; from < rows;) {
      const batch = decoder.decode(records, from);
      chunks.push(copyBatch(batch));
      from += batch.rows;
    }
    const own = (): number => {
      const window = validator.open();
      let bad = 0;
      for (const chunk of chunks) {
        const { rejected, violations } = window.add(makeResident(chunk, layout, arena));
        if (violations.length > 0) for (let row = 0; row < rejected.length; row++) bad += rejected[row] as number;
      }
      window.close();
      return bad;
    };
    const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
    const connection = await instance.connect();
    await connection.run(
      `create table rows as select row_number() over () as line, * from read_json('${path}', format = 'newline_delimited')`,
    );
    const duck = async (): Promise<number> => {
      const found = await connection.runAndReadAll(
        `with repeated as (select flight_id from rows where flight_id is not null group by 1 having count(*) > 1),
              judged as (select line, flight_id, ${mask} as mask from rows)
         select line, mask, repeated.flight_id is not null as again from judged left join repeated using (flight_id) where mask <> 0 or repeated.flight_id is not null`,
      );
      return found.currentRowCount;
    };
    const seconds = { own: [] as number[], duck: [] as number[] };
    for (let round = -1; round < rounds; round++) {
      let before = process.cpuUsage();
      if (own() !== faulty + repeated) throw new Error("the kernels found other rows");
      if (round >= 0) seconds.own.push(cpuSeconds(before));
      before = process.cpuUsage();
      if ((await duck()) !== faulty + 2 * repeated) throw new Error("DuckDB found other rows");
      if (round >= 0) seconds.duck.push(cpuSeconds(before));
      say(`round ${round + 1}`);
    }
    instance.closeSync();
    const python = await peerPython("frames", say);
    const script = fileURLToPath(new URL("peers/columns_polars.py", import.meta.url));
    const polars = spawnSync(python, [script, path, String(rounds)], {
      env: { ...process.env, POLARS_MAX_THREADS: "1" },
      encoding: "utf8",
    });
    if (polars.status !== 0) throw new Error(polars.stderr);
    const { bad, seconds: polarsSeconds } = JSON.parse(polars.stdout) as { bad: number; seconds: number[] };
    if (bad !== faulty + 2 * repeated) throw new Error("Polars found other rows");
    const all = { "kernels, columns copied in": seconds.own, DuckDB: seconds.duck, Polars: polarsSeconds };
    return {
      setup: `${rows} rows of 20 columns in memory, 20 rules, 1% bad rows, failing rows with their rules; CPU time, one thread each, ${rounds} rounds.`,
      measurements: Object.entries(all).map(([name, taken]) => ({
        name,
        rate: spread(taken.map((each) => rows / each)),
        cpuSecondsPerMillion: spread(taken.map((each) => (each / rows) * 1e6)),
        peakRssMb: null,
      })),
      comparisons: (["DuckDB", "Polars"] as const).map((name) => ({
        name: `kernels / ${name}`,
        ratio: spread(all[name].map((each, round) => each / (seconds.own[round] as number))),
        floor: 0.8,
        aim: 2,
      })),
    };
  },
};
