import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeLosslessJson } from "../../src/adapters/iceberg/lossless-json.ts";
import type { Update } from "../../src/adapters/iceberg/metadata-update.ts";
import { TableDraft } from "../../src/adapters/iceberg/table-draft.ts";
import type { NewManifest, TableIo } from "../../src/adapters/iceberg/table-io.ts";
import { readManifest, readManifestList } from "../../src/adapters/iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../../src/adapters/iceberg/table-metadata.ts";
import { snapshotOfRef } from "../../src/adapters/iceberg/table-metadata.ts";
import { createLake } from "../../src/adapters/lake/lake.ts";
import { expectConserved } from "../adapters/lake/conservation.ts";
import { contract, makeWindow, partitions, row } from "../adapters/lake/lake-fixture.ts";
import { operations, positionOf } from "../adapters/lake/lake-worker.ts";
import { readBranch } from "../adapters/lake/table-content.ts";
import type { Answered, CatalogFixture } from "./catalog-fixture.ts";
import { catalogFixture } from "./catalog-fixture.ts";

const tokens = [
  { name: "etl", token: "etl-secret-0123456789ab", scope: "write", namespaces: null },
  { name: "ann", token: "ann-secret-0123456789ab", scope: "admin", namespaces: null },
  { name: "gate", token: "gate-secret-0123456789a", scope: "worker", namespaces: ["db"] },
] as const;

let catalog: CatalogFixture;
let io: TableIo;
beforeEach(async () => {
  catalog = await catalogFixture({ anonymous: null, tokens });
  const { lake, context } = catalog;
  io = { storage: context.storage, uuid: randomUUID, randomBytes: (count) => randomBytes(count), probe: () => {} };
  await lake.activate(contract);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2)] }));
  await lake.commitWindow(makeWindow({ id: "h1", from: 2n, values: [row(66), "bad"], rejected: [1], verdict: "hold" }));
});
afterEach(() => catalog.close());

const as = (name: "etl" | "ann" | "gate"): Record<string, string> => ({
  authorization: `Bearer ${tokens.find((each) => each.name === name)?.token ?? ""}`,
  "content-type": "application/json",
});

async function commit(
  updates: readonly Update[] | readonly object[],
  { who = "etl", table = "orders" }: { who?: "etl" | "ann"; table?: string } = {},
): Promise<{ status: number; text: string }> {
  const body = writeLosslessJson({ requirements: [], updates });
  const response = await fetch(`${catalog.url}/v1/namespaces/db/tables/${table}`, { method: "POST", body, headers: as(who) });
  return { status: response.status, text: await response.text() };
}

const refused = (reason: RegExp): object => ({ status: 403, text: expect.stringMatching(reason) as string });

async function metadata(table = "orders"): Promise<TableMetadata> {
  const loaded = await catalog.context.catalog.load({ namespace: "db", name: table });
  if (loaded === null) throw new Error("there is no table");
  return loaded.metadata;
}

/** Updates that append these manifests to a branch, as a foreign program's commit would have them. */
async function appending(
  base: TableMetadata,
  manifests: readonly NewManifest[],
  change: { readonly parent?: Snapshot | null; readonly branch?: string; readonly summary?: Record<string, string> } = {},
): Promise<readonly Update[]> {
  const draft = new TableDraft(io, base);
  await draft.append({
    snapshotId: randomBytes(8).readBigUInt64BE() >> 1n,
    parent: change.parent === undefined ? snapshotOfRef(base, "main") : change.parent,
    branch: change.branch ?? "main",
    manifests,
    summary: change.summary ?? {},
    merges: null,
    nowMs: Date.now(),
  });
  await draft.written();
  return draft.updates;
}

async function manifestsOf(snapshot: Snapshot): Promise<readonly NewManifest[]> {
  const own = (await readManifestList(io.storage, snapshot)).filter((each) => each.addedSnapshotId === snapshot["snapshot-id"]);
  return own.map((manifest) => ({ manifest, addedBytes: 0n }));
}

const promoted = async (): Promise<readonly string[]> => (await readBranch(catalog.folder, "orders")).promoted;

describe("a worker", () => {
  it("does to the lake's tables all that Sluice does, through the server alone", async () => {
    const { folder, url } = catalog;
    const auth = { kind: "client", id: "gate", secret: "gate-secret-0123456789a", scope: "catalog", tokenUri: null } as const;
    const rest = { uri: url, warehouse: null, auth, tls: null, timeoutMs: 10_000 };
    const place = { folder, catalog: `${folder}/worker.db`, namespace: "db", rest };
    const lake = await createLake({ ...place, clock: { now: () => Date.now() } });
    const course = [
      "window",
      "publish",
      "hold",
      "drop",
      "replay",
      "window",
      "tag",
      "rollback",
      "rollforward",
      "compact",
      "expire",
    ] as const;
    for (const operation of course) await operations[operation]!(lake);
    const counts = await expectConserved(folder);
    expect(Object.values(counts).reduce((sum, each) => sum + each, 0)).toBe(Number(await positionOf(lake, 0)));
    await lake.activate({ ...contract, dataset: "more", hash: "sha256:m", text: "more" });
    expect(await catalog.lake.datasets()).toEqual(["more", "orders"]);
    expect(await catalog.consumption()).toEqual([]);
    expect(catalog.events.filter((event) => event.type === "catalog.refused")).toEqual([]);
    await lake.close();
  });

  it("is one in its token's namespaces only", async () => {
    const { ask } = catalog;
    await ask("POST", "/v1/namespaces", { namespace: ["lab"] }, as("ann"));
    const schema = { type: "struct", fields: [{ id: 1, name: "id", required: true, type: "long" }] };
    expect(await ask("POST", "/v1/namespaces/lab/tables", { name: "mine", schema }, as("gate"))).toMatchObject({ status: 403 });
  });
});

describe("what belongs to Sluice", () => {
  it("is not touched by others: properties, shape, versions, held branches, tags", async () => {
    const base = await metadata();
    const first = base.snapshots[0] as Snapshot;
    const ref = (name: string, type: "branch" | "tag" = "branch"): object => ({
      action: "set-snapshot-ref",
      "ref-name": name,
      type,
      "snapshot-id": first["snapshot-id"],
    });
    expect(await commit([{ action: "set-properties", updates: { "sluice.positions": "[]" } }], { who: "ann" })).toMatchObject(
      refused(/sluice\.positions/),
    );
    expect(await commit([{ action: "remove-properties", removals: ["sluice.positions"] }])).toMatchObject(refused(/sluice\.positions/));
    expect(await commit([{ action: "remove-snapshot-ref", "ref-name": "held/h1" }], { who: "ann" })).toMatchObject(refused(/hold drop/));
    expect(await commit([ref("held/h1")], { who: "ann" })).toMatchObject(refused(/hold publish/));
    expect(await commit([ref("held/new")])).toMatchObject(refused(/held window/));
    expect(await commit([ref("withdrawn/1", "tag")], { who: "ann" })).toMatchObject(refused(/sluice rollback/));
    expect(await commit([{ action: "remove-snapshots", "snapshot-ids": [first["snapshot-id"]] }], { who: "ann" })).toMatchObject(
      refused(/sluice maintain/),
    );
    expect(await commit([{ action: "upgrade-format-version", "format-version": 3 }], { who: "ann" })).toMatchObject(
      refused(/format version/),
    );
    const schema = {
      ...base.schemas[0],
      fields: [...(base.schemas[0]?.fields ?? []), { id: 99, name: "x", required: false, type: "int" }],
    };
    expect(await commit([{ action: "add-schema", schema }])).toMatchObject(refused(/needs admin/));
    expect((await commit([{ action: "add-schema", schema }], { who: "ann" })).status).toBe(200);
    expect((await commit([ref("v1", "tag")])).status).toBe(200);
    expect(await commit([{ action: "remove-snapshot-ref", "ref-name": "v1" }])).toMatchObject(refused(/v1 is a tag/));
    expect((await commit([{ action: "remove-snapshot-ref", "ref-name": "v1" }], { who: "ann" })).status).toBe(200);
    expect((await commit([{ action: "set-properties", updates: { "write.target-file-size-bytes": "1" } }])).status).toBe(200);
    expect(catalog.events.filter((event) => event.type === "catalog.refused").length).toBe(10);
    expect((await catalog.lake.state("orders")).positions[0]?.next).toBe(4n);
    expect((await catalog.lake.held("orders")).map((each) => each.windowId)).toEqual(["h1"]);
  });

  it("is not dropped, renamed or joined by tables of others without admin", async () => {
    const { ask } = catalog;
    const tables = "/v1/namespaces/db/tables";
    const schema = { type: "struct", fields: [{ id: 1, name: "id", required: true, type: "long" }] };
    expect(await ask("POST", tables, { name: "mine", schema }, as("ann"))).toMatchObject({ status: 403 });
    const moves = [
      { source: { namespace: ["db"], name: "orders" }, destination: { namespace: ["db"], name: "mine" } },
      { source: { namespace: ["lab"], name: "mine" }, destination: { namespace: ["db"], name: "mine" } },
    ];
    for (const body of moves) expect(await ask("POST", "/v1/tables/rename", body, as("ann"))).toMatchObject({ status: 403 });
    const location = (await ask("GET", `${tables}/orders`, undefined, as("etl"))).body["metadata-location"];
    const register = { name: "mine", "metadata-location": location };
    expect(await ask("POST", "/v1/namespaces/db/register", register, as("ann"))).toMatchObject({ status: 403 });
    // A second name, under which nothing would be guarded or recorded.
    await ask("POST", "/v1/namespaces", { namespace: ["lab"] }, as("etl"));
    expect(await ask("POST", "/v1/namespaces/lab/register", register, as("ann"))).toMatchObject({ status: 403 });
    expect(await ask("POST", "/v1/namespaces/db/properties", { updates: { a: "1" } }, as("etl"))).toMatchObject({ status: 403 });
    expect(await ask("DELETE", `${tables}/orders__quarantine?purgeRequested=true`, undefined, as("etl"))).toMatchObject({ status: 403 });
    expect(await ask("DELETE", `${tables}/orders`, undefined, as("etl"))).toMatchObject({ status: 403 });
    expect(await catalog.lake.datasets()).toEqual(["orders"]);
    expect(await ask("DELETE", `${tables}/orders`, undefined, as("ann"))).toMatchObject({ status: 204 });
    expect(await catalog.lake.datasets()).toEqual([]);
  });
});

describe("a dataset's folder", () => {
  /** A metadata file in the warehouse, as whoever has keys of a table's folder may write one. */
  const written = async (changes: Partial<TableMetadata>): Promise<string> => {
    const path = `drafts/${randomUUID()}.metadata.json`;
    const text = writeLosslessJson({ ...(await metadata()), ...changes });
    await catalog.context.storage.write(path, new TextEncoder().encode(text));
    return `${catalog.context.storage.root}/${path}`;
  };
  const register = async (location: string): Promise<Answered> => {
    const body = { name: `t${randomUUID()}`, "metadata-location": await written({ location, "table-uuid": randomUUID() }) };
    return catalog.ask("POST", "/v1/namespaces/lab/register", body, as("etl"));
  };

  it("is no other table's: not by another spelling, nor from inside or around it", async () => {
    const { ask, context } = catalog;
    await ask("POST", "/v1/namespaces", { namespace: ["lab"] }, as("etl"));
    const { location } = await metadata();
    const { root } = context.storage;
    for (const place of [location, location.replace("file:///", "file:/"), `${location}/data`]) {
      expect([place, (await register(place)).status]).toEqual([place, 403]);
    }
    const id = location.split("/").at(-1);
    for (const place of [root, `${root}/tables`, `${root}/views`, `${root}/content`, `${root}/content/decision`, `${root}/views/${id}`]) {
      expect([place, (await register(place)).status]).toEqual([place, 400]);
    }
    // Names that begin alike are others' folders.
    for (const place of [`${location}2`, `${root}/tables2`, `${root}/contents`, `${root}/views/mine`]) {
      expect([place, (await register(place)).status]).toEqual([place, 200]);
    }
  });

  it("is not taken by making a table of the same uuid", async () => {
    const { ask } = catalog;
    await ask("POST", "/v1/namespaces", { namespace: ["lab"] }, as("etl"));
    const base = await metadata();
    const body = {
      requirements: [{ type: "assert-create" }],
      updates: [
        { action: "assign-uuid", uuid: base["table-uuid"] },
        { action: "upgrade-format-version", "format-version": 2 },
        { action: "add-schema", schema: { type: "struct", "schema-id": 0, fields: [] }, "last-column-id": 0 },
        { action: "set-current-schema", "schema-id": -1 },
        { action: "add-spec", spec: { "spec-id": 0, fields: [] } },
        { action: "set-default-spec", "spec-id": -1 },
        { action: "add-sort-order", "sort-order": { "order-id": 0, fields: [] } },
        { action: "set-default-sort-order", "sort-order-id": -1 },
        { action: "set-location", location: base.location },
      ],
    };
    const twin = "/v1/namespaces/lab/tables/twin";
    for (const who of ["etl", "ann"] as const) expect(await ask("POST", twin, body, as(who))).toMatchObject({ status: 403 });
    const own = { ...body, updates: body.updates.with(0, { action: "assign-uuid", uuid: randomUUID() }) };
    expect(await ask("POST", twin, own, as("etl"))).toMatchObject({ status: 200 });
  });
});

describe("promise 4: main never comes to hold rows of held windows", () => {
  it("by no ref: main moves forward only, and not along a held branch", async () => {
    const base = await metadata();
    const main = (snapshot: Snapshot | undefined): object => ({
      action: "set-snapshot-ref",
      "ref-name": "main",
      type: "branch",
      "snapshot-id": snapshot?.["snapshot-id"],
    });
    const held = snapshotOfRef(base, "held/h1") as Snapshot;
    expect(await commit([main(held)], { who: "ann" })).toMatchObject(refused(/forward only|held window/));
    expect(await commit([main(base.snapshots[0])], { who: "ann" })).toMatchObject(refused(/sluice rollback/));
    expect(await commit([{ action: "remove-snapshot-ref", "ref-name": "main" }], { who: "ann" })).toMatchObject(
      refused(/main can't be removed/),
    );
    // A branch of the held window's, with main in its line: written over the held snapshot as its parent.
    const onHeld = await appending(base, [], { parent: held, branch: "mine" });
    expect((await commit(onHeld)).status).toBe(200);
    const after = await metadata();
    expect(await commit([main(snapshotOfRef(after, "mine") as Snapshot)])).toMatchObject({ status: 403 });
    expect(await promoted()).toEqual(["topic-a:0:0=1", "topic-a:0:1=2"]);
  });

  it("by no line: not even where main has been moved back to where the held window began, and its rows were rewritten", async () => {
    const base = await metadata();
    const held = snapshotOfRef(base, "held/h1") as Snapshot;
    const mine = (await appending(base, [], { branch: "mine" })).map((update) =>
      update.action === "add-snapshot"
        ? { ...update, snapshot: { ...update.snapshot, "parent-snapshot-id": held["snapshot-id"] } }
        : update,
    );
    expect((await commit(mine)).status).toBe(200);
    const loaded = await catalog.context.catalog.load({ namespace: "db", name: "orders" });
    const back = {
      action: "set-snapshot-ref",
      "ref-name": "main",
      type: "branch",
      "snapshot-id": held["parent-snapshot-id"] as bigint,
    } as const;
    if (loaded !== null) await catalog.context.catalog.commit([{ base: loaded, requirements: [], updates: [back] }]);
    const forward = { ...back, "snapshot-id": snapshotOfRef(await metadata(), "mine")?.["snapshot-id"] as bigint };
    expect(await commit([forward], { who: "ann" })).toMatchObject(refused(/is a held window's/));
  });

  it("by no file: a cherry-pick of its files is found in the manifests that it adds", async () => {
    const base = await metadata();
    const held = snapshotOfRef(base, "held/h1") as Snapshot;
    const picked = await appending(base, await manifestsOf(held));
    expect(await commit(picked)).toMatchObject(refused(/window h1, which was held/));
    expect(await commit(await appending(base, [], { summary: { "published-wap-id": "h1" } }))).toMatchObject(refused(/hold publish/));
    expect(await commit(await appending(base, [], { summary: { "sluice.window-id": "w9" } }))).toMatchObject(refused(/sluice\.window-id/));
    expect(await promoted()).toEqual(["topic-a:0:0=1", "topic-a:0:1=2"]);
    await catalog.lake.dropHeld("orders", "h1", { author: "ann", reason: "test" });
    // Dropped rows are in quarantine: they don't come to main either.
    const later = await metadata();
    expect(await commit(await appending(later, await manifestsOf(held)))).toMatchObject(refused(/window h1, which was held/));
  });

  it("and what was published may be rewritten: the line goes on", async () => {
    await catalog.lake.publishHeld("orders", "h1", { author: "ann", reason: "test" });
    const base = await metadata();
    const main = snapshotOfRef(base, "main") as Snapshot;
    const again = await appending(base, await manifestsOf(main));
    expect((await commit(again)).status).toBe(200);
    expect(await commit(again.map((update) => ({ ...update })))).toMatchObject({ status: 200 });
    await catalog.lake.commitWindow(makeWindow({ id: "w2", from: 4n, values: [row(4)] }));
    expect(await promoted()).toEqual(expect.arrayContaining(["topic-a:0:2=66", "topic-a:0:4=4"]));
  });

  it("while others may go on: a commit made from an older main is asked to begin anew, and a branch may be fast-forwarded to", async () => {
    const base = await metadata();
    const own = await manifestsOf(base.snapshots[0] as Snapshot);
    const stale = await appending(base, own);
    await catalog.lake.commitWindow(makeWindow({ id: "w2", from: 4n, values: [row(4)] }));
    expect(await commit(stale)).toMatchObject({ status: 409 });
    const fresh = await metadata();
    expect((await commit(await appending(fresh, [], { branch: "mine" }))).status).toBe(200);
    const mine = snapshotOfRef(await metadata(), "mine") as Snapshot;
    const forward = { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": mine["snapshot-id"] };
    expect((await commit([forward])).status).toBe(200);
    expect(await promoted()).toEqual(["topic-a:0:0=1", "topic-a:0:1=2", "topic-a:0:4=4"]);
    expect((await metadata())["snapshot-log"].at(-1)?.["snapshot-id"]).toBe(mine["snapshot-id"]);
  });

  it("nor may files from outside of the lake, nor anything move the quarantine table", async () => {
    const base = await metadata();
    const [manifest] = await manifestsOf(base.snapshots[1] ?? (base.snapshots[0] as Snapshot));
    if (manifest !== undefined) expect((await readManifest(io.storage, manifest.manifest)).length).toBeGreaterThan(0);
    const outside = (await appending(base, [])).map((update) =>
      update.action === "add-snapshot" ? { ...update, snapshot: { ...update.snapshot, "manifest-list": "file:///tmp/x.avro" } } : update,
    );
    expect(await commit(outside)).toMatchObject({ status: 400, text: expect.stringMatching(/outside/) as string });
    const climbing = outside.map((update) =>
      update.action === "add-snapshot"
        ? { ...update, snapshot: { ...update.snapshot, "manifest-list": `file://${catalog.folder}/../x.avro` } }
        : update,
    );
    expect(await commit(climbing)).toMatchObject({ status: 400, text: expect.stringMatching(/inside/) as string });
    const quarantine = await metadata("orders__quarantine");
    expect(await commit(await appending(quarantine, []), { table: "orders__quarantine", who: "ann" })).toMatchObject(
      refused(/moved by Sluice alone/),
    );
    const branch = await appending(quarantine, [], { branch: "mine" });
    expect((await commit(branch, { table: "orders__quarantine" })).status).toBe(200);
  });
});
