import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { catalogSchema } from "../../../src/adapters/catalog/catalog-rows.ts";
import { postgresConsumption, postgresConsumptionSchema } from "../../../src/adapters/catalog/postgres-consumption.ts";
import { cursorSchema } from "../../../src/adapters/catalog/cursor-schema.ts";
import { incidentSchema } from "../../../src/adapters/catalog/incident-schema.ts";
import { postgresCursors } from "../../../src/adapters/catalog/postgres-cursors.ts";
import { postgresIncidents } from "../../../src/adapters/catalog/postgres-incidents.ts";
import { PostgresDatabase } from "../../../src/adapters/catalog/postgres-database.ts";
import { postgresRows } from "../../../src/adapters/catalog/postgres-rows.ts";
import { SqlCatalog } from "../../../src/adapters/catalog/sql-catalog.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { describeCatalog, emptyTable, set } from "../../contract-suites/catalog.ts";
import { describeStores } from "../../contract-suites/catalog-stores.ts";
import { postgresHere, testPostgres } from "../../live/harness/test-postgres.ts";
import { postgresProxy } from "./postgres-proxy.ts";

const server = postgresHere ? await testPostgres() : null;
afterAll(() => server?.close());

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const schema = catalogSchema + cursorSchema + postgresConsumptionSchema + incidentSchema;

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-postgres-"));
  folders.push(folder);
  return folder;
}

function openDatabase(url: string, patienceMs = 5000): Promise<PostgresDatabase> {
  return PostgresDatabase.open({ url, password: null, tls: null, random: Math.random, patienceMs }, schema);
}

function catalogOver(database: PostgresDatabase, folder: string): SqlCatalog {
  const rows = postgresRows(database, "sluice");
  const storage = createLocalStorage(folder);
  return new SqlCatalog({ rows, storage, clock: { now: () => Date.now() }, uuid: randomUUID, probe: () => {} });
}

describe.skipIf(server === null)("PostgreSQL", () => {
  describeCatalog({
    name: "PostgreSQL",
    start: async () => {
      const folder = newFolder();
      const url = await server!.database();
      return {
        root: `file://${folder}`,
        open: async () => {
          const database = await openDatabase(url);
          await postgresRows(database, "sluice").createNamespace("db");
          return { catalog: catalogOver(database, folder), close: () => database.close() };
        },
      };
    },
    stop: async () => {},
  });

  let shared: Promise<string> | null = null;
  describeStores({
    name: "PostgreSQL",
    open: async (lake) => {
      shared ??= server!.database();
      const database = await openDatabase(await shared);
      const stores = { cursors: postgresCursors(database, lake), consumption: postgresConsumption(database, lake) };
      return { ...stores, incidents: postgresIncidents(database, lake), close: () => database.close() };
    },
    stop: async () => {},
  });

  it("lays its rows out as PyIceberg's SqlCatalog and Java's JdbcCatalog, and opens at once in many processes", async () => {
    const url = await server!.database();
    const folder = newFolder();
    const databases = await Promise.all(Array.from({ length: 6 }, () => openDatabase(url)));
    const catalog = catalogOver(databases[0]!, folder);
    for (const database of databases) await postgresRows(database, "sluice").createNamespace("db");
    await catalog.commit([{ table: { namespace: "db", name: "a" }, create: emptyTable(`file://${folder}`) }]);
    const loaded = (await catalog.load({ namespace: "db", name: "a" }))!;
    await catalog.commit([set(loaded, "x")]);
    expect(await server!.run(url, "SELECT * FROM iceberg_namespace_properties")).toEqual([
      { catalog_name: "sluice", namespace: "db", property_key: "exists", property_value: "true" },
    ]);
    expect(await server!.run(url, "SELECT * FROM iceberg_tables")).toEqual([
      {
        catalog_name: "sluice",
        table_namespace: "db",
        table_name: "a",
        metadata_location: expect.stringMatching(/\/metadata\/00001-[0-9a-f-]{36}\.metadata\.json$/),
        previous_metadata_location: loaded.metadataLocation,
        iceberg_type: "TABLE",
      },
    ]);
    for (const database of databases) await database.close();
  });

  it("says plainly who is refused, and that a server is not there", async () => {
    const url = await server!.database();
    const away = openDatabase("postgres://sluice@127.0.0.1:1/lake", 100);
    await expect(away).rejects.toMatchObject({ code: "CATALOG_FAILED", retryable: true, message: expect.stringContaining("ECONNREFUSED") });
    await expect(openDatabase(url.replace(/\/[^/]*$/, "/nowhere"))).rejects.toMatchObject({ code: "CATALOG_REFUSED" });
    await expect(openDatabase(url.replace("sluice@", "nobody@"))).rejects.toMatchObject({ code: "CATALOG_REFUSED" });
    await server!.run(url, "CREATE ROLE reader LOGIN");
    await expect(openDatabase(url.replace("sluice@", "reader@"))).rejects.toMatchObject({ code: "CATALOG_REFUSED" });
  });

  it("logs in with a password, whatever is in it", async () => {
    const password = "p%25ä:@/ w'\"";
    const url = (await server!.database()).replace("sluice@", "secured@");
    const role = `CREATE ROLE secured LOGIN SUPERUSER PASSWORD '${password.replaceAll("'", "''")}'`;
    await server!.run(url.replace("secured@", "sluice@"), role);
    const open = (given: string | null): Promise<PostgresDatabase> =>
      PostgresDatabase.open({ url, password: given, tls: null, random: Math.random, patienceMs: 500 }, schema);
    await (await open(password)).close();
    await expect(open("wrong")).rejects.toMatchObject({ code: "CATALOG_REFUSED" });
    await expect(open(null)).rejects.toMatchObject({ code: "CATALOG_REFUSED" });
  });

  it("is told apart from other catalogs in the same database", async () => {
    const url = await server!.database();
    const database = await openDatabase(url);
    const [one, two] = [postgresRows(database, "one"), postgresRows(database, "two")];
    const table = { namespace: "db", name: "a" };
    await one.swap([{ table, from: null, to: "file:///one" }]);
    expect(await two.location(table)).toBeNull();
    expect(await two.swap([{ table, from: null, to: "file:///two" }])).toBeNull();
    expect([await one.location(table), await two.location(table)]).toEqual(["file:///one", "file:///two"]);
    await database.close();
  });

  it("waits for a server that restarts", async () => {
    const url = await server!.database();
    const database = await openDatabase(url, 15_000);
    await server!.crash();
    const asked = postgresRows(database, "sluice").tables("db");
    await server!.start();
    expect(await asked).toEqual([]);
    await database.close();
  });

  describe("where a commit's reply is lost", () => {
    let proxy: Awaited<ReturnType<typeof postgresProxy>>;
    let url: string;
    let folder: string;
    let database: PostgresDatabase;
    let catalog: SqlCatalog;
    const table = { namespace: "db", name: "a" };
    beforeEach(async () => {
      proxy = await postgresProxy(server!.port);
      url = await server!.database();
      folder = newFolder();
      database = await openDatabase(url.replace(/:\d+\//, `:${proxy.port}/`), 1500);
      catalog = catalogOver(database, folder);
      await catalog.commit([{ table, create: emptyTable(`file://${folder}`) }]);
    });
    afterEach(async () => {
      await database.close();
      await proxy.close();
    });
    const now = async (): Promise<unknown> =>
      (await server!.run(url, "SELECT metadata_location FROM iceberg_tables"))[0]?.["metadata_location"];

    it("a commit that never arrived has certainly failed, and its metadata file goes", async () => {
      const base = (await catalog.load(table))!;
      proxy.fail("lost-request");
      await expect(catalog.commit([set(base, "x")])).rejects.toMatchObject({ code: "CATALOG_FAILED", retryable: true });
      expect(await now()).toBe(base.metadataLocation);
      expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith(".json"))).toHaveLength(1);
      expect(await catalog.commit([set(base, "x")])).toMatchObject({ status: "committed" });
    });

    it.each(["lost-reply", "late-request"] as const)("a commit that arrived is known to have been made: %s", async (fault) => {
      const base = (await catalog.load(table))!;
      proxy.fail(fault);
      expect(await catalog.commit([set(base, "x")])).toMatchObject({ status: "committed" });
      expect((await catalog.load(table))?.metadata.properties).toEqual({ value: "x" });
      expect(await now()).toBe((await catalog.load(table))?.metadataLocation);
    });

    it.each(["lost-reply", "late-request", "lost-request"] as const)("a new table is made once, or not: %s", async (fault) => {
      proxy.fail(fault);
      const create = catalog.commit([{ table: { namespace: "db", name: "b" }, create: emptyTable(`file://${folder}`) }]);
      if (fault === "lost-request") await expect(create).rejects.toMatchObject({ code: "CATALOG_FAILED" });
      else expect(await create).toMatchObject({ status: "committed" });
      expect(await catalog.list("db")).toEqual(fault === "lost-request" ? ["a"] : ["a", "b"]);
    });

    it("a commit whose server is gone is unknown, and keeps its metadata file", async () => {
      const base = (await catalog.load(table))!;
      proxy.fail("lost-server");
      await expect(catalog.commit([set(base, "x")])).rejects.toMatchObject({ code: "COMMIT_UNKNOWN" });
      proxy.heal();
      expect((await catalog.load(table))?.metadata.properties).toEqual({ value: "x" });
    });
  });
});
