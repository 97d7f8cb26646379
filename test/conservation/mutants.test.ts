import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import avsc from "avsc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLake } from "../../src/adapters/lake/lake.ts";
import { commitDeletes } from "../adapters/lake/delete-files.ts";
import { moveLake, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { Rig } from "../crash/rig.ts";
import { sluice } from "../cli/sluice.ts";
import { produce } from "../live/harness/produce.ts";
import { pythonHere, pythonReaders } from "../live/harness/python-readers.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { readFields, readRows } from "./parquet-rows.ts";
import type { Table } from "./iceberg-files.ts";
import { ancestry, avroType, catalogTables, liveFiles, localPath, readTable } from "./iceberg-files.ts";

/** Runs a query that rewrites one Parquet file in place; DuckDB shares no code with what wrote it. */
async function rewrite(file: string, select: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`COPY (${select.replaceAll("FILE", `read_parquet('${file}')`)}) TO '${file}.new' (FORMAT parquet)`);
  connection.closeSync();
  renameSync(`${file}.new`, file);
}

/** Names the first manifest of a manifest list twice. */
async function doubleManifest(list: string): Promise<void> {
  const rows: unknown[] = [];
  let type = avroType("null");
  const decoder = avsc.createFileDecoder(list, { parseHook: (schema: unknown) => (type = avroType(schema)) });
  for await (const row of decoder) rows.push(row);
  const encoder = new avsc.streams.BlockEncoder(type);
  const blocks: Buffer[] = [];
  encoder.on("data", (block: Buffer) => blocks.push(block));
  const over = new Promise((resolve) => encoder.on("end", resolve));
  for (const row of [rows[0], ...rows]) encoder.write(row);
  encoder.end();
  await over;
  writeFileSync(list, Buffer.concat(blocks));
}

describe.skipIf(!kafkaHere.available)("the conservation checker", () => {
  let rig: Rig;
  let promotedFile: string;
  let quarantineFile: string;
  let promotedList: string;

  beforeAll(async () => {
    rig = await Rig.open((await sharedBroker()).bootstrap, { partitions: 2 });
    await rig.produce(700);
    const worker = rig.worker();
    await rig.caughtUp();
    expect(await rig.terminate(worker), rig.lastLog()).toBe(0);
    const tables = catalogTables(rig.catalogFile);
    const head = async (name: string): Promise<string> => {
      const table = readTable(tables.get(name) as string);
      return (await liveFiles(ancestry(table, "main")[0] as never))[0]?.path as string;
    };
    promotedFile = await head("sluice.orders");
    quarantineFile = await head("sluice.orders__quarantine");
    promotedList = localPath(ancestry(readTable(tables.get("sluice.orders") as string), "main")[0]?.manifestList as string);
  });
  afterAll(() => rig.close());

  it("finds nothing wrong with a table that is right", async () => {
    const report = await rig.check(true);
    expect(report.problems).toEqual([]);
    expect(report.promoted + report.quarantined + report.skipped).toBe(700);
    expect(report.dlq).toBe(report.quarantined);
  });

  const mutants: readonly [name: string, caught: RegExp, table: "promoted" | "quarantine", select: string][] = [
    ["drops a promoted row", /nowhere \(1\)/, "promoted", "SELECT * FROM FILE OFFSET 1"],
    ["doubles a promoted row", /promoted twice \(1\)/, "promoted", "SELECT * FROM FILE UNION ALL (SELECT * FROM FILE LIMIT 1)"],
    [
      "alters a field",
      /differs from its record \(1\).*amount/,
      "promoted",
      "SELECT * REPLACE (CASE WHEN id = (SELECT min(id) FROM FILE) THEN amount + 0.01 ELSE amount END AS amount) FROM FILE",
    ],
    [
      "shifts times by a microsecond",
      /differs from its record .*placed_at/,
      "promoted",
      "SELECT * REPLACE (placed_at + INTERVAL 1 MICROSECOND AS placed_at) FROM FILE",
    ],
    [
      "misroutes a row to another offset",
      /never produced|nowhere/,
      "promoted",
      "SELECT * REPLACE (_sluice_offset + 1000000 AS _sluice_offset) FROM FILE",
    ],
    [
      "swaps two partitions",
      /differs from its record/,
      "promoted",
      "SELECT * REPLACE (1 - _sluice_partition AS _sluice_partition) FROM FILE",
    ],
    [
      "promotes what is quarantined",
      /more than one place/,
      "promoted",
      "SELECT * FROM FILE UNION ALL SELECT * REPLACE (0 AS _sluice_partition, 5 AS _sluice_offset) FROM FILE WHERE id = (SELECT min(id) FROM FILE)",
    ],
    ["drops a quarantined row", /nowhere \(1\)/, "quarantine", "SELECT * FROM FILE OFFSET 1"],
    ["doubles a quarantined row", /quarantined twice \(1\)/, "quarantine", "SELECT * FROM FILE UNION ALL (SELECT * FROM FILE LIMIT 1)"],
    ["alters quarantined bytes", /quarantined bytes differ/, "quarantine", "SELECT * REPLACE (value || '\\x20'::BLOB AS value) FROM FILE"],
    ["loses a key", /quarantined bytes differ/, "quarantine", "SELECT * REPLACE (NULL::BLOB AS key) FROM FILE"],
    ["loses headers", /quarantined bytes differ/, "quarantine", "SELECT * REPLACE (headers[2:] AS headers) FROM FILE"],
    ["alters a timestamp", /quarantined bytes differ/, "quarantine", "SELECT * REPLACE (timestamp_ms + 1 AS timestamp_ms) FROM FILE"],
  ];

  it.each(mutants)("catches what %s", async (_name, caught, table, select) => {
    const file = table === "promoted" ? promotedFile : quarantineFile;
    copyFileSync(file, `${file}.kept`);
    try {
      await rewrite(file, select);
      expect((await rig.check(true)).problems.join("\n")).toMatch(caught);
    } finally {
      renameSync(`${file}.kept`, file);
    }
  });

  it("catches a file that is in main twice", async () => {
    copyFileSync(promotedList, `${promotedList}.kept`);
    try {
      await doubleManifest(promotedList);
      expect((await rig.check(true)).problems.join("\n")).toMatch(/added twice/);
    } finally {
      renameSync(`${promotedList}.kept`, promotedList);
    }
  });

  it("counts what a rollback withdrew as its own state, and catches what happens to it", async () => {
    const before = await rig.check(true);
    await rig.produce(200);
    const worker = rig.worker();
    await rig.caughtUp();
    expect(await rig.terminate(worker), rig.lastLog()).toBe(0);
    const all = await rig.check(true);
    const first = ancestry(readTable(catalogTables(rig.catalogFile).get("sluice.orders") as string), "main");
    const steps = first.findIndex((each) => each.summary["total-records"] === String(before.promoted));
    const back = await sluice(["rollback", "--to", `main~${steps}`, "-m", "mutants", "--config", rig.configFile]);
    expect(back.code, back.err).toBe(0);
    const report = await rig.check(true);
    expect(report.problems).toEqual([]);
    expect([report.promoted, report.withdrawn]).toEqual([before.promoted, all.promoted - before.promoted]);
    expect(report.quarantined).toBe(all.quarantined);

    const table = readTable(catalogTables(rig.catalogFile).get("sluice.orders") as string);
    const onMain = new Set((await liveFiles(ancestry(table, "main")[0] as never)).map((file) => file.path));
    const ref = Object.keys(table.refs).find((name) => name.startsWith("withdrawn/")) as string;
    const file = (await liveFiles(ancestry(table, ref)[0] as never)).find(({ path }) => !onMain.has(path))?.path as string;
    const cases: readonly [file: string, select: string, caught: RegExp][] = [
      [file, "SELECT * FROM FILE OFFSET 1", /nowhere \(1\)/],
      [file, "SELECT * REPLACE (amount + 0.01 AS amount) FROM FILE", /differs from its record.*amount/],
      [file, "SELECT * FROM FILE UNION ALL (SELECT * FROM FILE LIMIT 1)", /withdrawn twice \(1\)/],
      [promotedFile, `SELECT * FROM FILE UNION ALL (SELECT * FROM read_parquet('${file}') LIMIT 1)`, /more than one place \(1\)/],
    ];
    for (const [target, select, caught] of cases) {
      copyFileSync(target, `${target}.kept`);
      try {
        await rewrite(target, select);
        expect((await rig.check(true)).problems.join("\n")).toMatch(caught);
      } finally {
        renameSync(`${target}.kept`, target);
      }
    }
    const forth = await sluice(["rollforward", "-m", "mutants", "--config", rig.configFile]);
    expect(forth.code, forth.err).toBe(0);
    expect(await rig.check(true)).toEqual(all);
  }, 60_000);

  it("knows a table again after compaction and expiry, counts what was erased as its own state, and catches what is still there", async () => {
    const all = await rig.check(true);
    const command = async (...args: string[]): Promise<void> => {
      const run = await sluice([...args, "--config", rig.configFile]);
      expect(run.code, run.err + run.out).toBe(0);
    };
    await command("maintain", "compact", "--files-min", "2");
    await command("maintain", "expire", "--older-than", "1s", "--keep", "1");
    expect(await rig.check(true)).toEqual(all);

    const tableNow = (): Table => readTable(catalogTables(rig.catalogFile).get("sluice.orders") as string);
    const file = (await liveFiles(ancestry(tableNow(), "main")[0] as never))[0]?.path as string;
    copyFileSync(file, `${file}.kept`);
    const row = (await readRows(file)).find((each) => String(each["customer"]).length >= 4);
    await command("erase", "--where", `customer = ${String(row?.["customer"])}`, "-m", "asked for");
    const report = await rig.check(true);
    expect(report.problems).toEqual([]);
    expect(report.erased).toBeGreaterThan(0);
    expect([report.records, report.promoted + report.quarantined + report.erased]).toEqual([all.records, all.promoted + all.quarantined]);
    // The row comes back.
    const now = (await liveFiles(ancestry(tableNow(), "main")[0] as never)).find(({ path }) => path.includes("erase-"))?.path as string;
    renameSync(`${file}.kept`, `${now}.with`);
    copyFileSync(now, `${now}.kept`);
    renameSync(`${now}.with`, now);
    expect((await rig.check(true)).problems.join("\n")).toMatch(/erased and still there/);
    renameSync(`${now}.kept`, now);
  }, 60_000);

  it.skipIf(!pythonHere)(
    "counts what delete files of other programs take out as its own state, also once compaction has written the rest anew",
    async () => {
      const python = (await pythonReaders()) as string;
      const before = await rig.check(true);
      const tableNow = (): Table => readTable(catalogTables(rig.catalogFile).get("sluice.orders") as string);
      const file = (await liveFiles(ancestry(tableNow(), "main")[0] as never))[0]?.path as string;
      const rows = await readRows(file);
      const ids = readFields(file);
      const id = [...ids].find(([, name]) => name === "id")?.[0] as number;
      using scratch = scratchFolder();
      moveLake(scratch.folder, { folder: tableNow().root, catalog: rig.catalogFile, namespace: "sluice" });
      await commitDeletes(python, scratch.folder, [
        {
          kind: "positions",
          name: "p.parquet",
          rows: [
            [`file://${file}`, 0],
            [`file://${file}`, 2],
          ],
        },
        {
          kind: "values",
          name: "v.parquet",
          columns: [{ id, name: "id", type: "int64", values: [2, 5].map((i) => Number(rows[i]?.["id"])) }],
        },
      ]);
      const after = await rig.check(true);
      expect(after).toEqual({ ...before, promoted: before.promoted - 3, deleted: 3 });
      // What is missing without a delete file saying so is still missed.
      copyFileSync(file, `${file}.kept`);
      await rewrite(file, `SELECT * FROM FILE LIMIT ${rows.length - 1}`);
      expect((await rig.check(true)).problems.join("\n")).toMatch(/nowhere \(1\)/);
      renameSync(`${file}.kept`, file);
      const compacted = await sluice(["maintain", "compact", "--all-deletes", "--config", rig.configFile]);
      expect(compacted.code, compacted.err).toBe(0);
      expect(ancestry(tableNow(), "main")[0]?.summary["total-delete-files"]).toBe("0");
      expect(await rig.check(true)).toEqual(after);
    },
  );

  it("counts what retention took as its own state, and catches a row that went without its record", async () => {
    const before = await rig.check(true);
    const { root } = readTable(catalogTables(rig.catalogFile).get("sluice.orders") as string);
    const lake = await createLake({ folder: root, catalog: rig.catalogFile, namespace: "sluice", clock: { now: () => Date.now() } });
    const rule = {
      action: "expire",
      of: "rows",
      olderThan: null,
      column: null,
      unreadFor: null,
      bytesMax: 1,
      unowned: false,
      tagged: false,
      place: null,
    } as const;
    const rules = [{ ...rule, location: { file: "orders.odcs.yaml", line: 1, column: 1 } }];
    const contractHash = (await lake.state("orders")).activeContract as string;
    const [report] = await lake.maintenance.retain("orders", { contractHash, rules, isOwned: true }, "expire", false);
    await lake.close();
    expect(report?.rows).toBe(before.promoted);
    const after = await rig.check(true);
    expect([after.problems, after.promoted, after.expired]).toEqual([[], 0, before.promoted]);
    const { record } = JSON.parse(
      ancestry(readTable(catalogTables(rig.catalogFile).get("sluice.orders") as string), "main")[0]?.summary["sluice.detail"] as string,
    ) as { record: string };
    const stem = join(root, "content/retention", record.slice(0, 2), record);
    const path = existsSync(stem) ? stem : `${stem}.zst`;
    const kept = readFileSync(path);
    rmSync(path);
    writeFileSync(stem, JSON.stringify({ positions: {} }));
    expect((await rig.check(true)).problems.join("\n")).toMatch(/nowhere/);
    rmSync(stem);
    writeFileSync(path, kept);
  }, 60_000);

  it("catches records that are not read yet, and dead letters of records that are not quarantined", async () => {
    await produce(rig.bootstrap, `${rig.topic}.dlq`, [{ value: "x", headers: [["sluice.id", "t:0:424242"]] }]);
    await rig.produce(3);
    const { problems } = await rig.check(true);
    expect(problems.join("\n")).toMatch(/unread.*3 records/);
    expect(problems.join("\n")).toMatch(/dead letter of a record that is not quarantined/);
  });
});
