import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CatalogDirectory } from "../../../src/adapters/catalog/catalog-directory.ts";
import type { CatalogRows } from "../../../src/adapters/catalog/catalog-rows.ts";
import { catalogSchema } from "../../../src/adapters/catalog/catalog-rows.ts";
import { PostgresDatabase } from "../../../src/adapters/catalog/postgres-database.ts";
import { postgresDirectory } from "../../../src/adapters/catalog/postgres-directory.ts";
import { postgresRows } from "../../../src/adapters/catalog/postgres-rows.ts";
import { SqliteDatabase } from "../../../src/adapters/catalog/sqlite-database.ts";
import { sqliteDirectory } from "../../../src/adapters/catalog/sqlite-directory.ts";
import { sqliteRows } from "../../../src/adapters/catalog/sqlite-rows.ts";
import { postgresHere, testPostgres } from "../../live/harness/test-postgres.ts";

interface Opened {
  readonly directory: CatalogDirectory;
  readonly rows: CatalogRows;
  readonly views: CatalogRows;
  /** The same names of another catalog in the same database. */
  readonly other: CatalogDirectory;
  close(): Promise<void>;
}

async function openSqlite(): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-directory-"));
  const database = await SqliteDatabase.open({ file: join(folder, "c.db"), random: Math.random, busyMsMax: 5000 }, catalogSchema);
  return {
    directory: sqliteDirectory(database, "sluice"),
    rows: sqliteRows(database, "sluice"),
    views: sqliteRows(database, "sluice", "VIEW"),
    other: sqliteDirectory(database, "other"),
    close: async () => {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openPostgres(): Promise<Opened> {
  const server = await testPostgres();
  const options = { url: await server.database(), password: null, tls: null, random: Math.random, patienceMs: 5000 };
  const database = await PostgresDatabase.open(options, catalogSchema);
  return {
    directory: postgresDirectory(database, "sluice"),
    rows: postgresRows(database, "sluice"),
    views: postgresRows(database, "sluice", "VIEW"),
    other: postgresDirectory(database, "other"),
    close: async () => {
      await database.close();
      await server.close();
    },
  };
}

describe.each([
  ["SQLite", true, openSqlite],
  ["PostgreSQL", postgresHere, openPostgres],
] as const)("names of a catalog in %s", (_name, isHere, open) => {
  let opened: Opened;
  beforeAll(async () => {
    if (isHere) opened = await open();
  }, 120_000);
  afterAll(async () => {
    if (isHere) await opened.close();
  });
  const test = it.skipIf(!isHere);
  const table = (namespace: string, name: string): { namespace: string; name: string } => ({ namespace, name });

  test("are namespaces that were made, that hold tables, and that stand above them", async () => {
    const { directory, rows, other } = opened;
    expect(await directory.create("a.b", { owner: "ann", exists: "x" })).toBe(true);
    expect(await directory.create("a.b", { owner: "bob" })).toBe(false);
    await rows.swap([{ table: table("x.y", "t"), from: null, to: "file:///m0" }]);
    expect(await directory.namespaces()).toEqual(["a", "a.b", "x", "x.y"]);
    expect(await other.namespaces()).toEqual([]);
    expect(await directory.properties("a.b")).toEqual({ owner: "ann" });
    await directory.update("a.b", ["owner", "gone"], { place: 'it\'s "here"' });
    expect(await directory.properties("a.b")).toEqual({ place: 'it\'s "here"' });
    // A namespace above others may be made though it is listed.
    expect(await directory.create("a", {})).toBe(true);
    expect(await directory.properties("nope")).toEqual({});
  });

  test("go only when nothing is in them, and tables only from where they stand", async () => {
    const { directory, rows } = opened;
    await directory.create("d", {});
    await directory.create("d.e", {});
    expect(await directory.drop("d")).toBe(false);
    expect(await directory.drop("d.e")).toBe(true);
    await rows.swap([{ table: table("d", "t"), from: null, to: "file:///m0" }]);
    expect(await directory.drop("d")).toBe(false);
    expect(await directory.dropNamed(table("d", "t"), "file:///m9")).toBe(false);
    expect(await directory.dropNamed(table("d", "t"), "file:///m0")).toBe(true);
    expect(await rows.location(table("d", "t"))).toBeNull();
    expect(await directory.drop("d")).toBe(true);
    expect(await directory.namespaces()).not.toContain("d");
  });

  test("are given to one table at a time", async () => {
    const { directory, rows } = opened;
    for (const name of ["a", "b"]) await rows.swap([{ table: table("r", name), from: null, to: `file:///${name}` }]);
    expect(await directory.rename("TABLE", table("r", "a"), table("r", "b"))).toBe("taken");
    expect(await directory.rename("TABLE", table("r", "z"), table("r", "y"))).toBe("missing");
    const races = await Promise.all(["a", "b"].map((name) => directory.rename("TABLE", table("r", name), table("s", "one"))));
    expect(races.toSorted()).toEqual(["renamed", "taken"]);
    expect(await rows.tables("s")).toEqual(["one"]);
  });

  test("are a table's or a view's, and never both", async () => {
    const { directory, rows, views } = opened;
    expect(await rows.swap([{ table: table("k", "t"), from: null, to: "file:///t" }])).toBeNull();
    expect(await views.swap([{ table: table("k", "v"), from: null, to: "file:///v" }])).toBeNull();
    expect([await rows.tables("k"), await views.tables("k")]).toEqual([["t"], ["v"]]);
    expect([await rows.location(table("k", "v")), await views.location(table("k", "t"))]).toEqual([null, null]);
    // With a first move that would have held: none is made.
    const first = { table: table("k", "new"), from: null, to: "file:///new" };
    expect(await views.swap([first, { table: table("k", "t"), from: null, to: "file:///x" }])).toEqual(table("k", "t"));
    expect(await views.swap([first, { table: table("k", "t"), from: "file:///t", to: "file:///x" }])).toEqual(table("k", "t"));
    expect(await rows.swap([first, { table: table("k", "v"), from: "file:///v", to: "file:///x" }])).toEqual(table("k", "v"));
    expect(await views.tables("k")).toEqual(["v"]);
    expect(await directory.rename("TABLE", table("k", "v"), table("k", "w"))).toBe("missing");
    expect(await directory.rename("VIEW", table("k", "v"), table("k", "t"))).toBe("taken");
    expect(await directory.rename("VIEW", table("k", "v"), table("k", "w"))).toBe("renamed");
    expect(await views.swap([{ table: table("k", "w"), from: "file:///v", to: "file:///v2" }])).toBeNull();
    expect(await views.location(table("k", "w"))).toBe("file:///v2");
    expect(await directory.drop("k")).toBe(false);
  });
});
