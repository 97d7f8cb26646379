import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DuckDBInstance } from "@duckdb/node-api";
import { createFileSource } from "../src/adapters/files/file-source.ts";
import { schemaOfContract } from "../src/adapters/iceberg/table-schema.ts";
import type { SourceListener } from "../src/core/ports.ts";
import { compile } from "../src/gate/compiled.ts";
import type { SettledRows } from "../src/gate/judged-rows.ts";
import { WindowJudge } from "../src/gate/window-judge.ts";
import { profileQuery, rowRules } from "./duckdb-queries.ts";
import { twentyRules } from "./twenty-rules.ts";

/** What one run of a contestant's work found, and what it took. */
export interface DuckdbBenchRun {
  readonly bad: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
}

const [contestant, path, folder] = process.argv.slice(2) as ["engine" | "duckdb" | "duckdb-plain", string, string];

/** The engine in this thread: reads lines, judges, profiles, writes the rows that pass as Parquet and the others' reasons as NDJSON. Answers the bad rows. */
async function prepareEngine(): Promise<() => Promise<number>> {
  const contract = await twentyRules();
  const { schema } = schemaOfContract(contract, null);
  const compiled = compile(contract, "compiled");
  return async () => {
    const judge = new WindowJudge(compiled, { schema, tick: () => 0 });
    const options = { topic: "flights", paths: [path], bytesInFlightMax: 32 << 20, identity: "path", reuseMemory: true } as const;
    const source = createFileSource(options);
    const over = Promise.withResolvers<void>();
    const listener: SourceListener = {
      assigned: (partitions) => source.resolve(partitions, { at: "earliest" }),
      revoked: () => Promise.resolve(),
      lost: () => {},
      records: (run) => {
        if (run.records.count > 0) judge.add(run.records);
        run.release();
      },
      blocked: ({ error }) => over.reject(error),
      trouble: (error) => {
        if (error !== null) over.reject(error);
      },
      ended: () => over.resolve(),
    };
    await source.start(listener);
    await over.promise;
    await source.close();
    return writeSettled(judge.settle(0));
  };
}

function writeSettled({ files, rejected, profile, passedRows }: SettledRows): number {
  const [file] = files;
  if (file?.recordCount !== passedRows) throw new Error("rows were lost");
  writeFileSync(join(folder, "engine-failures.ndjson"), rejected.map((each) => `${JSON.stringify(each)}\n`).join(""));
  writeFileSync(join(folder, "engine-profile.json"), JSON.stringify(profile.columns));
  writeFileSync(join(folder, "engine.parquet"), Buffer.concat(file.pieces));
  return rejected.length;
}

/** DuckDB with one thread, every statement as a person would write it. Answers the bad rows, each row of a repeated key among them. */
async function prepareDuckdb(): Promise<() => Promise<number>> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  await connection.run("set enable_progress_bar = false; set TimeZone = 'UTC'");
  const { mask, reasons, columns } = rowRules();
  const failures = join(folder, "duckdb-failures.ndjson");
  const passed = join(folder, "duckdb.parquet");
  return async () => {
    await connection.run("drop table if exists rows; drop table if exists repeated");
    await connection.run(
      `create temp table rows as select row_number() over () as line, *, ${mask} as mask from read_json('${path}', format = 'newline_delimited', columns = {${columns}})`,
    );
    await connection.run(
      "create temp table repeated as select flight_id from rows where flight_id is not null group by 1 having count(*) > 1",
    );
    await connection.run(
      `copy (select line, ${reasons} as reasons from (select rows.*, repeated.flight_id is not null as again from rows left join repeated using (flight_id)) where mask <> 0 or again order by line) to '${failures}' (format json)`,
    );
    const good = "(select * exclude (line, mask) from rows where mask = 0 and flight_id not in (select flight_id from repeated))";
    const aggregates = await connection.runAndReadAll(
      "select count(*), avg(dep_delay_min), count(*) filter (air_time_min is null) / count(*) from rows",
    );
    const profile = await connection.runAndReadAll(profileQuery(good, contestant === "duckdb"));
    if (aggregates.currentRowCount !== 1 || profile.currentRowCount !== 1) throw new Error("DuckDB answered something else");
    await connection.run(`copy ${good} to '${passed}' (format parquet, compression zstd)`);
    return readFileSync(failures, "latin1").split("\n").length - 1;
  };
}

// Each line of standard input is one run, each line of output what it took: between runs the other contestant has the machine.
const work = await (contestant === "engine" ? prepareEngine() : prepareDuckdb());
for await (const _ of createInterface({ input: process.stdin })) {
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const bad = await work();
  const { user, system } = process.cpuUsage(cpu);
  const run: DuckdbBenchRun = {
    bad,
    seconds: (performance.now() - begin) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
  };
  process.stdout.write(`${JSON.stringify(run)}\n`);
}
rmSync(folder, { recursive: true, force: true });
process.exit(0);
