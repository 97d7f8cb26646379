/** Keys that the server makes for clients, and that a worker uses: cut to what a token may, and enough for all that it may. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createLake, openServedLake } from "../../src/adapters/lake/lake.ts";
import { ForeignChanges } from "../../src/adapters/lake/foreign-changes.ts";
import type { ArchivePlace } from "../../src/adapters/storage/open-storage.ts";
import { createS3Storage } from "../../src/adapters/storage/s3-storage.ts";
import { sessionKeys } from "../../src/adapters/storage/session-keys.ts";
import type { Lake } from "../../src/core/ports.ts";
import type { RetentionRule } from "../../src/core/retention.ts";
import { startCatalogServer } from "../../src/rest-catalog/catalog-server.ts";
import { TokenGate } from "../../src/rest-catalog/token-gate.ts";
import { contract, makeWindow, partitions, row, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { contentKeys, s3Keys, testS3 } from "../live/harness/test-s3.ts";

const s3 = await testS3();
afterAll(() => s3?.close());

const tokens = [
  { name: "gate", token: "gate-secret-0123456789ab", scope: "worker", namespaces: null },
  { name: "lab", token: "lab-secret-0123456789abc", scope: "read", namespaces: null },
  { name: "editor", token: "editor-secret-0123456789", scope: "write", namespaces: null },
  { name: "static", token: "static-secret-0123456789", scope: "worker", namespaces: null, s3Keys },
] as const;

interface Served {
  readonly url: string;
  readonly place: (token: (typeof tokens)[number]["name"]) => Parameters<typeof createLake>[0];
  readonly load: (name: string, path?: string, headers?: Record<string, string>) => Promise<Loaded>;
  readonly made: readonly string[];
  readonly endpoint: string;
  readonly bucket: string;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Loaded {
  readonly status: number;
  readonly etag: string | null;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

const asks = { "x-iceberg-access-delegation": "vended-credentials" };

/** A catalog over a bucket that makes keys by AssumeRole; `now` is its clock; with an archive in the same bucket, if it is asked for. */
async function serve(now: () => number = () => Date.now(), lifeSeconds = 3600, isArchived = false): Promise<Served> {
  const scratch = scratchFolder();
  const { bucket } = await s3!.bucket();
  const { endpoint } = s3!;
  const where = { uri: `s3://${bucket}/lake`, region: "us-east-1", endpoint, pathStyle: true };
  const clock = { now };
  const own = { folder: scratch.folder, catalog: join(scratch.folder, "catalog.db"), namespace: "db", clock };
  const archivesWith = (credentials: typeof s3Keys | typeof contentKeys): ArchivePlace[] =>
    isArchived ? [{ name: "cold", folder: "", s3: { ...where, uri: `s3://${bucket}/cold`, credentials } }] : [];
  const { lake, storage, opened } = await openServedLake({
    ...own,
    s3: { ...where, credentials: s3Keys },
    archives: archivesWith(s3Keys),
  });
  const roleArn = "arn:aws:iam::123456789012:role/lake";
  const maker = sessionKeys({ roleArn, endpoint, region: "us-east-1", lifeSeconds, credentials: s3Keys });
  const made: string[] = [];
  const server = await startCatalogServer({
    lineage: null,
    host: "127.0.0.1",
    port: 0,
    gate: new TokenGate({ tokens, anonymous: "read", clock }),
    context: {
      storage,
      clock,
      catalog: opened.catalog,
      rows: opened.rows,
      views: opened.views,
      directory: opened.directory,
      consumption: opened.stores.consumption,
      guard: new ForeignChanges({ namespace: "db", storage }),
      uuid: randomUUID,
      random: Math.random,
      patienceMs: 60_000,
      clientProperties: { "s3.endpoint": endpoint, "s3.region": "us-east-1", "s3.path-style-access": "true" },
      makeKeys: async (wish) => {
        made.push(wish.name);
        return maker.make(wish);
      },
      observe: () => {},
    },
  });
  const tokenOf = (name: string): string => tokens.find((each) => each.name === name)?.token ?? "";
  return {
    url: server.url,
    made,
    endpoint,
    bucket,
    place: (name) => ({
      ...own,
      clock: { now: () => Date.now() },
      catalog: join(scratch.folder, `${name}.db`),
      s3: { ...where, credentials: contentKeys },
      archives: archivesWith(contentKeys),
      rest: {
        uri: server.url,
        warehouse: null,
        auth: { kind: "bearer", token: tokenOf(name) },
        tls: null,
        timeoutMs: 60_000,
        vended: true,
      },
    }),
    load: async (name, path = "orders", headers = asks) => {
      const response = await fetch(`${server.url}/v1/namespaces/db/tables/${path}`, {
        headers: { ...(name !== "" && { authorization: `Bearer ${tokenOf(name)}` }), ...headers },
      });
      const text = await response.text();
      return { status: response.status, etag: response.headers.get("etag"), body: text === "" ? null : JSON.parse(text) };
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      maker.close();
      await lake.close();
      scratch[Symbol.dispose]();
    },
  };
}

async function fill(lake: Lake): Promise<void> {
  await lake.activate(contract);
  await lake.recordStart("orders", [{ ...partitions[0]!, next: 0n }]);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2)] }));
}

/** The bucket as the keys of an answer reach it. */
function reach(served: Served, answer: Loaded): ReturnType<typeof createS3Storage> {
  const given = answer.body["storage-credentials"][0].config as Record<string, string>;
  return createS3Storage({
    bucket: served.bucket,
    prefix: "",
    region: "us-east-1",
    endpoint: served.endpoint,
    pathStyle: true,
    credentials: {
      accessKeyId: given["s3.access-key-id"]!,
      secretAccessKey: given["s3.secret-access-key"]!,
      sessionToken: given["s3.session-token"]!,
    },
    random: Math.random,
    patienceMs: 60_000,
    guardFolder: new URL(answer.body.metadata.location).pathname.slice(1),
  });
}

const archiving: RetentionRule = {
  action: "archive",
  of: "rows",
  olderThan: { count: 10, unit: "day" },
  column: null,
  unreadFor: null,
  bytesMax: null,
  unowned: false,
  place: "cold",
  tagged: false,
  location: { file: "orders.yaml", line: 1, column: 1 },
};

const reads = `
import os, sys, json
for name in list(os.environ):
    if name.startswith("AWS_"): del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
from pyiceberg.catalog.rest import RestCatalog
table = RestCatalog("lake", uri=sys.argv[1], token=sys.argv[2]).load_table("db.orders")
print(json.dumps(table.scan(selected_fields=("n",)).to_arrow()["n"].to_pylist()))
`;

describe.skipIf(s3 === null)("keys that are made for clients", () => {
  it.each(["gate", "static"] as const)(
    "are all that the worker %s reaches tables with, who makes a dataset and writes it",
    async (name) => {
      await using served = await serve();
      const lake = await createLake(served.place(name));
      await fill(lake);
      expect((await lake.state("orders"))?.positions).toMatchObject([{ next: 2n }]);
      await lake.close();
      // Another one begins with nothing but the table that is there.
      const next = await createLake(served.place(name));
      await next.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(3)] }));
      expect((await next.state("orders"))?.positions).toMatchObject([{ next: 3n }]);
      await next.close();
      expect(served.made.every((each) => each === "gate")).toBe(true);
    },
  );

  it("reach the table that was asked for, and nothing else", async () => {
    await using served = await serve();
    const lake = await createLake(served.place("gate"));
    await fill(lake);
    await lake.close();
    const read = await served.load("lab");
    const { location } = read.body.metadata as { location: string };
    expect(read.body["storage-credentials"]).toHaveLength(1);
    expect(read.body["storage-credentials"][0].prefix).toBe(`${location}/`);
    expect(read.body.config["client.refresh-credentials-endpoint"]).toBe("v1/namespaces/db/tables/orders/credentials");
    const own = new URL(location).pathname.slice(1);
    const quarantine = await served.load("lab", "orders__quarantine");
    const other = new URL(quarantine.body.metadata.location as string).pathname.slice(1);
    const reader = reach(served, read);
    const files = await Array.fromAsync(reader.list(own));
    expect(files.length).toBeGreaterThan(2);
    expect((await reader.read(files[0]!)).length).toBeGreaterThan(0);
    const refused = { code: "STORAGE_REFUSED" };
    await expect(Array.fromAsync(reader.list(other))).rejects.toMatchObject(refused);
    await expect(Array.fromAsync(reader.list("lake/content"))).rejects.toMatchObject(refused);
    await expect(reader.write(`${own}/data/x.parquet`, new Uint8Array([1]))).rejects.toMatchObject(refused);
    await expect(reader.delete(files[0]!)).rejects.toMatchObject(refused);
    const editor = reach(served, await served.load("editor"));
    await editor.write(`${own}/data/x.parquet`, new Uint8Array([1]));
    await expect(editor.write(`${other}/data/x.parquet`, new Uint8Array([1]))).rejects.toMatchObject(refused);
    // Files of a dataset are removed by maintenance, or by whoever may drop it.
    await expect(editor.delete(`${own}/data/x.parquet`)).rejects.toMatchObject(refused);
    reader.close();
    editor.close();
    const python = await pythonReaders();
    if (python !== null) expect(JSON.parse(await runPython(python, reads, [served.url, tokens[1].token]))).toEqual([1, 2]);
  });

  it("reach for a worker the table that was asked for, and let it delete there", async () => {
    await using served = await serve();
    const lake = await createLake(served.place("gate"));
    await fill(lake);
    await lake.activate({ ...contract, dataset: "visits" });
    await lake.close();
    const answer = await served.load("gate");
    const folderOf = async (name: string): Promise<string> =>
      new URL((await served.load("gate", name)).body.metadata.location as string).pathname.slice(1);
    const own = await folderOf("orders");
    expect(answer.body["storage-credentials"]).toMatchObject([{ prefix: `s3://${served.bucket}/${own}/` }]);
    const worker = reach(served, answer);
    await worker.write(`${own}/data/x.parquet`, new Uint8Array([1]));
    await worker.delete(`${own}/data/x.parquet`);
    // What is gone is told from what is forbidden.
    expect(await worker.exists(`${own}/data/x.parquet`)).toBe(false);
    const refused = { code: "STORAGE_REFUSED" };
    const elsewhere = [await folderOf("orders__quarantine"), await folderOf("visits"), "lake/content", "lake/views"];
    for (const folder of elsewhere) {
      await expect(worker.write(`${folder}/x`, new Uint8Array([1]))).rejects.toMatchObject(refused);
      await expect(worker.read(`${folder}/x`)).rejects.toMatchObject(refused);
      await expect(worker.delete(`${folder}/x`)).rejects.toMatchObject(refused);
    }
    worker.close();
    // Static keys are cut to nothing: they serve the whole warehouse.
    expect((await served.load("static")).body["storage-credentials"]).toMatchObject([{ prefix: `s3://${served.bucket}/lake/` }]);
  });

  it("are enough for a worker's maintenance of tables, with an archive too; what lies in no table's folder takes its own", async () => {
    await using served = await serve(() => Date.now(), 3600, true);
    let nowMs = Date.now();
    const lake = await createLake({ ...served.place("gate"), clock: { now: () => nowMs } });
    await fill(lake);
    const credentials = (await served.load("gate")).body["storage-credentials"] as readonly { readonly prefix: string }[];
    expect(credentials.map(({ prefix }) => prefix.replace(/[^/]*\/$/, ""))).toEqual([
      `s3://${served.bucket}/lake/tables/`,
      `s3://${served.bucket}/cold/tables/`,
    ]);
    nowMs += 20 * 86_400_000;
    await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(3, "ann@example.com")] }));
    const policy = { contractHash: contract.hash, rules: [archiving], isOwned: true };
    expect(await lake.maintenance.retain("orders", policy, "archive", false)).toMatchObject([{ files: 1 }]);
    await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
    expect((await lake.maintenance.expire("orders", { snapshotAgeMsMax: 0, snapshotsMin: 1 }, false)).files).toBeGreaterThan(0);
    const orphans = await lake.maintenance.removeOrphans(0, false);
    expect(orphans.contentsSkipped).toMatch(/tables/);
    const target = { kind: "column", column: "s", value: "ann@example.com" } as const;
    const erased = await lake.maintenance.erase("orders", { target, author: "ann", reason: "test" });
    expect(erased).toMatchObject({ rows: { promoted: 1 }, remaining: [] });
    await lake.close();
  });

  it("go to those who ask and show a token, are kept for half their life, and come alone from their endpoint", async () => {
    let aheadMs = 0;
    await using served = await serve(() => Date.now() + aheadMs);
    const lake = await createLake(served.place("gate"));
    await fill(lake);
    await lake.close();
    const before = served.made.length;
    expect((await served.load("", "orders", asks)).body["storage-credentials"]).toBeUndefined();
    expect((await served.load("lab", "orders", {})).body["storage-credentials"]).toBeUndefined();
    expect((await served.load("", "orders/credentials", {})).body).toEqual({ "storage-credentials": [] });
    expect(served.made.length).toBe(before);
    const first = await served.load("lab");
    const again = await served.load("lab", "orders", { ...asks, "if-none-match": first.etag! });
    expect(again.status).toBe(304);
    const alone = await served.load("lab", "orders/credentials", {});
    expect(alone.body).toEqual({ "storage-credentials": first.body["storage-credentials"] });
    expect(served.made.length).toBe(before + 1);
    aheadMs = 31 * 60_000;
    const later = await served.load("lab", "orders", { ...asks, "if-none-match": first.etag! });
    expect(later.status).toBe(200);
    const keyOf = (loaded: Loaded): unknown => loaded.body["storage-credentials"][0].config["s3.access-key-id"];
    expect(keyOf(later)).not.toBe(keyOf(first));
  });

  it("are asked for again before they end", async () => {
    let aheadMs = 0;
    const now = (): number => Date.now() + aheadMs;
    await using served = await serve(now, 240);
    const lake = await createLake({ ...served.place("gate"), clock: { now } });
    await fill(lake);
    const before = served.made.length;
    aheadMs = 121_000;
    await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(3)] }));
    expect((await lake.state("orders"))?.positions).toMatchObject([{ next: 3n }]);
    expect(served.made.length).toBeGreaterThan(before);
    await lake.close();
  });
});
