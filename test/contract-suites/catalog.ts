import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Catalog, LoadedTable, TableChange, TableName } from "../../src/adapters/catalog/catalog.ts";
import type { Update } from "../../src/adapters/iceberg/metadata-update.ts";
import { quarantineLastColumnId, quarantineSchema } from "../../src/adapters/iceberg/quarantine-schema.ts";
import type { TableMetadata } from "../../src/adapters/iceberg/table-metadata.ts";
import { newTableMetadata } from "../../src/adapters/iceberg/table-metadata.ts";

/** One client of the catalog under test. */
export interface CatalogClient {
  readonly catalog: Catalog;
  readonly close: () => Promise<void>;
}

/** A catalog to judge; every client sees the same tables. The namespace `db` is there. */
export interface CatalogSubject {
  readonly name: string;
  /** What this one is known not to do. */
  readonly lacks?: { readonly jointCommits?: true; readonly jointCommitsUnderRaces?: true; readonly names?: readonly string[] };
  readonly start: () => Promise<{
    /** The warehouse's URI: a table's files are in `tables/<uuid>` below it. */
    readonly root: string;
    readonly open: () => Promise<CatalogClient>;
  }>;
  readonly stop: () => Promise<void>;
}

type Started = Awaited<ReturnType<CatalogSubject["start"]>>;

const named = (name: string): TableName => ({ namespace: "db", name });

/** A change as Sluice makes them: it moves main, and requires where main was. */
export function set(base: LoadedTable, value: string): TableChange {
  const { metadata } = base;
  const main = metadata.refs["main"]?.["snapshot-id"] ?? null;
  const id = randomBytes(8).readBigUInt64BE() >> 1n;
  const snapshot = {
    "snapshot-id": id,
    ...(main !== null && { "parent-snapshot-id": main }),
    "sequence-number": metadata["last-sequence-number"] + 1n,
    "timestamp-ms": metadata["last-updated-ms"] + 1,
    "manifest-list": `${metadata.location}/metadata/snap-${id}.avro`,
    summary: { operation: "append" },
    "schema-id": 0,
  };
  return {
    base,
    requirements: [
      { type: "assert-table-uuid", uuid: metadata["table-uuid"] },
      { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": main },
    ],
    updates: [
      { action: "set-properties", updates: { value } },
      { action: "add-snapshot", snapshot },
      { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": id },
    ],
  };
}

export function emptyTable(root: string): TableMetadata {
  const table = { schema: quarantineSchema, lastColumnId: quarantineLastColumnId, properties: {} };
  const uuid = randomUUID();
  return newTableMetadata({ uuid, location: `${root}/tables/${uuid}`, ...table, nowMs: Date.now() });
}

/** What every catalog does: it points to a version of each table, and moves it by compare-and-swap, several together where it can. */
export function describeCatalog(subject: CatalogSubject): void {
  const isSingle = subject.lacks?.jointCommits === true;
  describe(`${subject.name} as catalog`, () => {
    let started: Started;
    let clients: CatalogClient[] = [];
    const open = async (): Promise<Catalog> => {
      const client = await started.open();
      clients.push(client);
      return client.catalog;
    };
    const create = (catalog: Catalog, ...names: string[]): ReturnType<Catalog["commit"]> =>
      catalog.commit(names.map((name) => ({ table: named(name), create: emptyTable(started.root) })));
    beforeAll(async () => {
      started = await subject.start();
    }, 120_000);
    afterAll(async () => {
      for (const client of clients) await client.close();
      clients = [];
      await subject.stop();
    });

    it("shows a table that one client made to every other", async () => {
      const [one, two] = [await open(), await open()];
      expect(await one.load(named("made"))).toBeNull();
      const outcome = await create(one, "made");
      expect(outcome).toMatchObject({ status: "committed", tables: [{ table: named("made") }] });
      const loaded = (await two.load(named("made")))!;
      expect(loaded.metadata["current-snapshot-id"]).toBe(-1n);
      expect(loaded.metadata.location).toBe(`${started.root}/tables/${loaded.metadata["table-uuid"]}`);
      expect(loaded.metadata.schemas).toMatchObject([{ fields: quarantineSchema.fields }]);
      expect(outcome.status === "committed" && outcome.tables[0]).toEqual(loaded);
      expect(await two.list("db")).toContain("made");
      expect(await two.list("other")).toEqual([]);
    });

    it("refuses to make a table that exists, whoever made it", async () => {
      const [one, two] = [await open(), await open()];
      await create(one, "once");
      const before = await one.load(named("once"));
      expect(await create(two, "once")).toMatchObject({ status: "conflict", message: expect.stringContaining("once") });
      expect(await one.load(named("once"))).toEqual(before);
    });

    it("says whether it moves several tables at once; one that does not moves none of them", async () => {
      const catalog = await open();
      expect(catalog.isJoint).toBe(!isSingle);
      if (!isSingle) return;
      await create(catalog, "p", "q");
      const bases = [(await catalog.load(named("p")))!, (await catalog.load(named("q")))!];
      const both = catalog.commit(bases.map((base) => set(base, "both")));
      await expect(both).rejects.toMatchObject({ code: "CATALOG_UNSUPPORTED", retryable: false });
      expect(await Promise.all(["p", "q"].map((name) => catalog.load(named(name))))).toEqual(bases);
    });

    it.skipIf(isSingle)("moves several tables or none", async () => {
      const [one, two] = [await open(), await open()];
      await create(one, "a", "b");
      const [a, b] = [(await one.load(named("a")))!, (await one.load(named("b")))!];
      expect(await two.commit([set((await two.load(named("b")))!, "two")])).toMatchObject({ status: "committed" });
      expect(await one.commit([set(a, "one"), set(b, "one")])).toMatchObject({ status: "conflict", message: expect.stringContaining("b") });
      expect((await one.load(named("a")))?.metadata.properties["value"]).toBeUndefined();
      expect((await one.load(named("b")))?.metadata.properties["value"]).toBe("two");
      const fresh = [(await one.load(named("a")))!, (await one.load(named("b")))!] as const;
      const outcome = await one.commit(fresh.map((base) => set(base, "both")));
      expect(outcome).toMatchObject({ status: "committed" });
      const seen = [await two.load(named("a")), await two.load(named("b"))];
      expect(seen.map((each) => each?.metadata.properties["value"])).toEqual(["both", "both"]);
      expect(outcome.status === "committed" && outcome.tables).toEqual(seen);
    });

    it("lets one of many writers win each version", async () => {
      const first = await open();
      await create(first, "raced");
      const catalogs = await Promise.all(Array.from({ length: 4 }, open));
      let commits = 0;
      await Promise.all(
        catalogs.map(async (catalog) => {
          for (let i = 0; i < 5;) {
            const base = (await catalog.load(named("raced")))!;
            const count = Number(base.metadata.properties["value"] ?? 0) + 1;
            if ((await catalog.commit([set(base, String(count))])).status !== "committed") continue;
            commits++;
            i++;
          }
        }),
      );
      expect(commits).toBe(20);
      expect((await first.load(named("raced")))?.metadata.properties["value"]).toBe("20");
    });

    it.skipIf(isSingle || subject.lacks?.jointCommitsUnderRaces === true)(
      "does not let writers of several tables wait in a circle",
      async () => {
        const first = await open();
        await create(first, "x", "y");
        const catalogs = await Promise.all(Array.from({ length: 4 }, open));
        await Promise.all(
          catalogs.map(async (catalog, writer) => {
            const order = writer % 2 === 0 ? ["x", "y"] : ["y", "x"];
            for (let i = 0; i < 4;) {
              const bases = [];
              for (const name of order) bases.push((await catalog.load(named(name)))!);
              const next = (base: LoadedTable): string => String(Number(base.metadata.properties["value"] ?? 0) + 1);
              if ((await catalog.commit(bases.map((base) => set(base, next(base))))).status === "committed") i++;
            }
          }),
        );
        const values = [await first.load(named("x")), await first.load(named("y"))].map((each) => each?.metadata.properties["value"]);
        expect(values).toEqual(["16", "16"]);
      },
    );

    it("keeps snapshots, branches and 64-bit ids as they are, and checks what a change requires", async () => {
      const [one, two] = [await open(), await open()];
      await create(one, "wide");
      const base = (await one.load(named("wide")))!;
      const id = 2n ** 62n + 1n;
      const snapshot = {
        "snapshot-id": id,
        "sequence-number": 1n,
        "timestamp-ms": base.metadata["last-updated-ms"] + 1,
        "manifest-list": `${base.metadata.location}/metadata/snap.avro`,
        summary: { operation: "append", "sluice.n": "9007199254740993" },
        "schema-id": 0,
      };
      const moves: readonly Update[] = [
        { action: "add-snapshot", snapshot },
        { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": id },
        { action: "set-snapshot-ref", "ref-name": "held/w1", type: "branch", "snapshot-id": id },
      ];
      const requirements = [{ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": null }] as const;
      expect(await one.commit([{ base, requirements, updates: moves }])).toMatchObject({ status: "committed" });
      const loaded = (await two.load(named("wide")))!;
      expect(loaded.metadata.snapshots).toEqual([snapshot]);
      expect(loaded.metadata.refs).toEqual({
        main: { type: "branch", "snapshot-id": id },
        "held/w1": { type: "branch", "snapshot-id": id },
      });
      expect(loaded.metadata["current-snapshot-id"]).toBe(id);
      const outcome = await two.commit([{ base: loaded, requirements, updates: [{ action: "set-properties", updates: { late: "1" } }] }]);
      expect(outcome).toMatchObject({ status: "conflict", message: expect.stringContaining("main") });
      const removal: readonly Update[] = [{ action: "remove-snapshot-ref", "ref-name": "held/w1" }];
      await two.commit([{ base: loaded, requirements: [], updates: removal }]);
      expect(Object.keys((await one.load(named("wide")))!.metadata.refs)).toEqual(["main"]);
    });

    const names = ["with space", "Größe", "a-b_c", "per%cent", "UPPER"].filter((name) => subject.lacks?.names?.includes(name) !== true);
    it.each(names)("takes %j as a table's name", async (name) => {
      const catalog = await open();
      await create(catalog, name);
      await catalog.commit([set((await catalog.load(named(name)))!, name)]);
      expect((await (await open()).load(named(name)))?.metadata.properties["value"]).toBe(name);
      expect(await catalog.list("db")).toContain(name);
    });
  });
}
