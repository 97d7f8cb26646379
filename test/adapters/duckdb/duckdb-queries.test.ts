import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDuckDbQueries } from "../../../src/adapters/duckdb/duckdb-queries.ts";
import { QueryProcess } from "../../../src/adapters/duckdb/query-process.ts";
import type { SqlAnswer, SqlEngine } from "../../../src/core/sql-queries.ts";

let folder: string;
let parquet: Uint8Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-duckdb-"));
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(
    `COPY (SELECT i AS id, i % 3 AS kind, i / 4.0 AS price, CAST(i AS DECIMAL(9, 2)) AS exact FROM range(1000) t(i)) TO '${folder}/rows.parquet'`,
  );
  instance.closeSync();
  parquet = readFileSync(join(folder, "rows.parquet"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const engine = createDuckDbQueries({ timeoutMs: 1500, memoryMiB: 64 });

function ask(...sql: string[]): Promise<readonly SqlAnswer[]> {
  return askOf(engine, ...sql);
}

async function askOf(queries: SqlEngine, ...sql: string[]): Promise<readonly SqlAnswer[]> {
  const half = parquet.length >> 1;
  return queries.run(
    sql.map((each, i) => ({ rule: `rule ${i}`, sql: each })),
    "orders",
    [[parquet.subarray(0, half), parquet.subarray(half)]],
  );
}

const fault = (answer: SqlAnswer | undefined): string => (answer !== undefined && "fault" in answer ? answer.fault : "");

describe("SQL over a window", () => {
  it("answers numbers of every kind", async () => {
    const answers = await ask(
      "SELECT count(*) FROM orders",
      'SELECT avg(price) FROM "orders" WHERE kind = 1;',
      "SELECT max(exact) FROM orders",
      "SELECT bool_and(id >= 0) FROM orders",
      "WITH k AS (SELECT kind, count(*) n FROM orders GROUP BY 1) SELECT max(n) - min(n) FROM k",
      "SELECT 170141183460469231731687303715884105727",
    );
    expect(answers).toEqual([{ value: 1000 }, { value: 124.75 }, { value: 999 }, { value: 1 }, { value: 1 }, { value: 2 ** 127 }]);
  });

  it("names what is wrong with a query, and still runs the others", async () => {
    const answers = await ask(
      "SELECT count(*) FROM order",
      "SELECT id FROM orders",
      "SELECT 1, 2",
      "SELECT NULL",
      "SELECT 'a'",
      "SELECT 1; SELECT 2",
      "SELECT count(*) FROM orders",
    );
    expect(fault(answers[0])).toMatch(/syntax error|Parser Error/);
    expect(fault(answers[1])).toContain("one number");
    expect(fault(answers[2])).toContain("2 columns");
    expect(fault(answers[3])).toContain("NULL");
    expect(fault(answers[4])).toContain("no number");
    expect(fault(answers[5])).toContain("one statement");
    expect(answers[6]).toEqual({ value: 1000 });
  });

  it("can't read or write files, reach the network, load extensions, or change settings", async () => {
    writeFileSync(join(folder, "secret.csv"), "a\n1\n");
    const answers = await ask(
      `SELECT count(*) FROM read_csv('${folder}/secret.csv')`,
      `SELECT count(*) FROM '${folder}/rows.parquet'`,
      "SELECT count(*) FROM read_text('/etc/passwd')",
      "SELECT count(*) FROM glob('/*')",
      "SELECT count(*) FROM read_parquet('https://127.0.0.1:1/x.parquet')",
      `COPY orders TO '${folder}/out.csv'`,
      "SET enable_external_access = true",
      "PRAGMA memory_limit = '10GB'",
      "INSTALL httpfs",
      "LOAD httpfs",
      `ATTACH '${folder}/other.db'`,
      "DROP TABLE orders",
      "INSERT INTO orders SELECT * FROM orders",
      "CREATE TABLE x (a INT)",
      "EXPORT DATABASE 'x'",
      "SELECT count(*) FROM orders",
    );
    for (const each of answers.slice(0, -1)) expect(fault(each)).not.toBe("");
    expect(answers.at(-1)).toEqual({ value: 1000 });
  });

  it("ends a query that takes too long or too much memory, and goes on", async () => {
    const answers = await ask(
      "SELECT count(*) FROM range(100000000000) a(i) WHERE i % 7 = hash(i) % 7",
      "SELECT length(list(i::VARCHAR || repeat('x', 1000))::VARCHAR) FROM range(10000000) t(i)",
      "SELECT count(*) FROM orders",
    );
    expect(fault(answers[0])).toContain("longer than 1.5 s");
    expect(fault(answers[1])).not.toBe("");
    expect(answers[2]).toEqual({ value: 1000 });
  });

  // Where the system does not say how much memory a process has, only time ends it.
  it.runIf(existsSync("/proc/self/status"))(
    "ends a function that makes one text of gigabytes, of which DuckDB's limit knows nothing, and goes on",
    async () => {
      const patient = createDuckDbQueries({ timeoutMs: 120_000, memoryMiB: 64 });
      const answers = await askOf(
        patient,
        "SELECT 1",
        "SELECT length(repeat('x', 4000000000))",
        "SELECT max(length(repeat('x', 1000000000 + id::INT))) FROM orders",
        "SELECT count(*) FROM orders",
      );
      expect(answers[0]).toEqual({ value: 1 });
      for (const each of answers.slice(1, 3)) expect(fault(each)).toBe("the query took more than 192 MiB of memory");
      expect(answers[3]).toEqual({ value: 1000 });
    },
  );

  it.runIf(existsSync("/proc/self/status"))("a query is judged by what it takes itself, whatever those before it left behind", async () => {
    const patient = createDuckDbQueries({ timeoutMs: 120_000, memoryMiB: 64 });
    // By itself below the limit of 192 MiB; what one took stays with the allocator while the next one runs.
    const large = (i: number): string =>
      `SELECT length(repeat('${i}', ${50 << 20})) + length(repeat('y', ${50 << 20} + id::INT)) FROM orders WHERE id = ${i}`;
    const answers = await askOf(patient, ...Array.from({ length: 8 }, (_, i) => large(i)));
    expect(answers).toEqual(Array.from({ length: 8 }, (_, i) => ({ value: (100 << 20) + i })));
  });

  it.runIf(process.platform === "linux")("leaves no row behind, even of a process that is killed in the middle of a query", async () => {
    const files = (): string[] => readdirSync(folder).filter((name) => name.startsWith("sluice-sql-"));
    const program = `
      import { readFileSync } from "node:fs";
      import { createDuckDbQueries } from ${JSON.stringify(new URL("../../../src/adapters/duckdb/duckdb-queries.ts", import.meta.url).href)};
      const rows = readFileSync(${JSON.stringify(join(folder, "rows.parquet"))});
      setTimeout(() => process.kill(process.pid, "SIGKILL"), 3000);
      await createDuckDbQueries({ timeoutMs: 120_000 }).run([{ rule: "r", sql: "SELECT count(*) FROM range(100000000000) a(i) WHERE i % 7 = hash(i) % 7" }], "orders", [[rows]]);`;
    const { signal } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program], {
      env: { ...process.env, TMPDIR: folder },
    });
    expect(signal).toBe("SIGKILL");
    expect(files()).toEqual([]);
  });

  it("every window is a world of its own", async () => {
    expect(await ask("SELECT count(*) FROM orders")).toEqual([{ value: 1000 }]);
    expect(await ask("SELECT count(*) FROM information_schema.tables")).toEqual([{ value: 1 }]);
  });

  it("says so where rows can't be read, or its process is gone, and answers in another one", async () => {
    await expect(engine.run([{ rule: "r", sql: "SELECT 1" }], "orders", [[Buffer.from("no Parquet")]])).rejects.toThrow(
      /too small to be a Parquet file/,
    );
    expect(await ask("SELECT count(*) FROM orders")).toEqual([{ value: 1000 }]);
    const path = join(folder, "rows.parquet");
    const window = { table: "orders", paths: [path], queries: ["SELECT count(*) FROM orders"], timeoutMs: 120_000, memoryMiB: 64 };
    const lone = new QueryProcess();
    expect(await lone.ask(window)).toEqual({ answers: [{ value: 1000 }], end: null });
    expect(lone.isAlive).toBe(true);
    lone.kill();
    expect(lone.isAlive).toBe(false);
    await expect(lone.ask(window)).rejects.toThrow();
  });
});
