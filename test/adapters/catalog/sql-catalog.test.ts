import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { LoadedTable, TableChange } from "../../../src/adapters/catalog/catalog.ts";
import { consumptionSchema, createConsumptionLog } from "../../../src/adapters/catalog/consumption-table.ts";
import { incidentSchema } from "../../../src/adapters/catalog/incident-schema.ts";
import { createIncidentStore } from "../../../src/adapters/catalog/incident-tables.ts";
import { cursorSchema } from "../../../src/adapters/catalog/cursor-schema.ts";
import { createCursors } from "../../../src/adapters/catalog/outbox-cursors.ts";
import { catalogSchema } from "../../../src/adapters/catalog/catalog-rows.ts";
import { SqlCatalog } from "../../../src/adapters/catalog/sql-catalog.ts";
import { SqliteDatabase } from "../../../src/adapters/catalog/sqlite-database.ts";
import { sqliteRows } from "../../../src/adapters/catalog/sqlite-rows.ts";
import { quarantineLastColumnId, quarantineSchema } from "../../../src/adapters/iceberg/quarantine-schema.ts";
import type { TableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";
import { newTableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { describeCatalog } from "../../contract-suites/catalog.ts";
import { describeStores } from "../../contract-suites/catalog-stores.ts";

const suiteFolders: string[] = [];
let folder: string;
let databases: SqliteDatabase[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-catalog-"));
  databases = [];
});
afterEach(() => {
  for (const database of databases) database.close();
  rmSync(folder, { recursive: true, force: true });
});

const clock = { now: () => Date.now() };

async function openDatabase(): Promise<SqliteDatabase> {
  const database = await SqliteDatabase.open(
    { file: join(folder, "c.db"), random: Math.random, busyMsMax: 5000 },
    catalogSchema + cursorSchema,
  );
  databases.push(database);
  return database;
}

async function openCatalog(): Promise<SqlCatalog> {
  const database = await openDatabase();
  const rows = sqliteRows(database, "sluice");
  return new SqlCatalog({ rows, storage: createLocalStorage(folder), clock, uuid: randomUUID, probe: () => {} });
}

const named = (name: string) => ({ namespace: "db", name });

function newTable(name: string): TableMetadata {
  return newTableMetadata({
    uuid: randomUUID(),
    location: `file://${folder}/${name}`,
    schema: quarantineSchema,
    lastColumnId: quarantineLastColumnId,
    properties: {},
    nowMs: 1,
  });
}

const set = (base: LoadedTable, value: string): TableChange => ({
  base,
  requirements: [{ type: "assert-table-uuid", uuid: base.metadata["table-uuid"] }],
  updates: [{ action: "set-properties", updates: { value } }],
});

describeCatalog({
  name: "SQLite",
  start: async () => {
    const shared = mkdtempSync(join(tmpdir(), "sluice-catalog-"));
    suiteFolders.push(shared);
    return {
      root: `file://${shared}`,
      open: async () => {
        const file = join(shared, "c.db");
        const database = await SqliteDatabase.open({ file, random: Math.random, busyMsMax: 5000 }, catalogSchema);
        const rows = sqliteRows(database, "sluice");
        await rows.createNamespace("db");
        const catalog = new SqlCatalog({ rows, storage: createLocalStorage(shared), clock, uuid: randomUUID, probe: () => {} });
        return { catalog, close: async () => database.close() };
      },
    };
  },
  stop: async () => {
    for (const each of suiteFolders) rmSync(each, { recursive: true, force: true });
  },
});

let storesFile: string | null = null;
describeStores({
  name: "SQLite",
  open: async (lake) => {
    storesFile ??= join(mkdtempSync(join(tmpdir(), "sluice-stores-")), "c.db");
    const options = { file: storesFile, random: Math.random, busyMsMax: 5000 };
    const database = await SqliteDatabase.open(options, cursorSchema + consumptionSchema + incidentSchema);
    const consumption = createConsumptionLog(database, lake);
    const incidents = createIncidentStore(database, lake);
    return { cursors: createCursors(database, clock, lake), consumption, incidents, close: async () => database.close() };
  },
  stop: async () => rmSync(dirname(storesFile ?? ""), { recursive: true, force: true }),
});

it("lays its rows out as PyIceberg's SqlCatalog and Java's JdbcCatalog", async () => {
  const catalog = await openCatalog();
  const rows = sqliteRows(await openDatabase(), "sluice");
  await rows.createNamespace("db");
  await rows.createNamespace("db");
  await catalog.commit([{ table: named("a"), create: newTable("a") }]);
  const loaded = (await catalog.load(named("a")))!;
  await catalog.commit([set(loaded, "x")]);
  const raw = new DatabaseSync(join(folder, "c.db"));
  expect(raw.prepare("SELECT * FROM iceberg_namespace_properties").all()).toEqual([
    { catalog_name: "sluice", namespace: "db", property_key: "exists", property_value: "true" },
  ]);
  const [row, ...rest] = raw.prepare("SELECT * FROM iceberg_tables").all();
  expect(rest).toEqual([]);
  expect(row).toMatchObject({ catalog_name: "sluice", table_namespace: "db", table_name: "a", iceberg_type: "TABLE" });
  expect(row?.["previous_metadata_location"]).toBe(loaded.metadataLocation);
  expect(row?.["metadata_location"]).toMatch(/\/a\/metadata\/00001-[0-9a-f-]{36}\.metadata\.json$/);
  expect(raw.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  raw.close();
});

it("moves several tables or none", async () => {
  const [one, two] = [await openCatalog(), await openCatalog()];
  await one.commit([
    { table: named("a"), create: newTable("a") },
    { table: named("b"), create: newTable("b") },
  ]);
  const [a, b] = [(await one.load(named("a")))!, (await one.load(named("b")))!];
  expect(await two.commit([set((await two.load(named("b")))!, "two")])).toMatchObject({ status: "committed" });
  const files = readdirSync(join(folder, "a/metadata"));
  expect(await one.commit([set(a, "one"), set(b, "one")])).toMatchObject({ status: "conflict", message: expect.stringContaining("db.b") });
  expect(readdirSync(join(folder, "a/metadata"))).toEqual(files);
  expect((await one.load(named("a")))?.metadata.properties).toEqual({});
  expect((await one.load(named("b")))?.metadata.properties).toEqual({ value: "two" });
  expect(await one.commit([{ table: named("a"), create: newTable("again") }])).toMatchObject({ status: "conflict" });
  expect(await one.list("db")).toEqual(["a", "b"]);
  expect(await one.list("other")).toEqual([]);
  expect(await one.load(named("c"))).toBeNull();
});

it("sees a conflict that comes while the metadata is being written, and leaves nothing of it behind", async () => {
  const database = await openDatabase();
  const other = await openCatalog();
  let interrupt = async (): Promise<void> => {};
  const local = createLocalStorage(folder);
  const storage = {
    ...local,
    write: async (path: string, bytes: Uint8Array) => {
      await local.write(path, bytes);
      await interrupt();
    },
  };
  const catalog = new SqlCatalog({ rows: sqliteRows(database, "sluice"), storage, clock, uuid: randomUUID, probe: () => {} });
  await catalog.commit([{ table: named("a"), create: newTable("a") }]);
  const base = (await catalog.load(named("a")))!;
  interrupt = async () => {
    interrupt = async () => {};
    await other.commit([set((await other.load(named("a")))!, "faster")]);
  };
  expect(await catalog.commit([set(base, "slower")])).toMatchObject({ status: "conflict" });
  expect((await catalog.load(named("a")))?.metadata.properties).toEqual({ value: "faster" });
  expect(readdirSync(join(folder, "a/metadata"))).toHaveLength(2);
});

it("names the table whose metadata file is gone or damaged", async () => {
  const catalog = await openCatalog();
  await catalog.commit([{ table: named("a"), create: newTable("a") }]);
  const storage = createLocalStorage(folder);
  const [file] = readdirSync(join(folder, "a/metadata"));
  await storage.delete(`a/metadata/${file}`);
  const fresh = await openCatalog();
  await expect(fresh.load(named("a"))).rejects.toMatchObject({ code: "TABLE_CORRUPT", message: expect.stringContaining("db.a") });
  await storage.write(`a/metadata/${file}`, new TextEncoder().encode("{"));
  await expect(fresh.load(named("a"))).rejects.toMatchObject({ code: "TABLE_CORRUPT" });
});
