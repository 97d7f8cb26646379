import { afterEach, expect, it } from "vitest";
import { SluiceError } from "../../src/core/errors.ts";
import { contract, makeWindow, partitions, row } from "../adapters/lake/lake-fixture.ts";
import { datasetUsage } from "../../src/trace/dataset-usage.ts";
import { traceJob } from "../../src/trace/trace-job.ts";
import type { CatalogFixture } from "./catalog-fixture.ts";
import { catalogFixture } from "./catalog-fixture.ts";

let catalog: CatalogFixture;
let now = 1_700_000_100_000;
afterEach(() => catalog.close());

async function started(options: Parameters<typeof catalogFixture>[0] = {}): Promise<string> {
  catalog = await catalogFixture({ now: () => now, ...options });
  const { lake } = catalog;
  await lake.activate(contract);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), "bad"], rejected: [1] }));
  return (await lake.state("orders")).mainSnapshotId as string;
}

const orders = "/v1/namespaces/db/tables/orders";
const spark = { "user-agent": "spark/4", "x-sluice-job": "train", "x-sluice-run": "run-7" };

it("records every load: which version, who, for which job; the same again within a minute once", async () => {
  const main = await started();
  await catalog.ask("GET", orders, undefined, spark);
  now += 30_000;
  const { headers } = await catalog.ask("GET", orders, undefined, spark);
  await catalog.ask("HEAD", orders);
  await catalog.ask("GET", orders, undefined, { ...spark, "x-sluice-run": "run-8" });
  const load = { dataset: "orders", snapshotId: main, kind: "load", reader: "anonymous", job: "train", details: { userAgent: "spark/4" } };
  expect(await catalog.consumption()).toEqual([
    { ...load, runId: "run-7", atMs: now - 30_000 },
    { ...load, runId: "run-8", atMs: now },
  ]);
  now += 60_000;
  // What was answered with "not modified" was read too.
  expect(await catalog.ask("GET", orders, undefined, { ...spark, "if-none-match": headers.get("etag") ?? "" })).toMatchObject({
    status: 304,
  });
  expect(await catalog.consumption()).toHaveLength(3);
  await catalog.lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(2)] }));
  await catalog.ask("GET", orders, undefined, spark);
  expect((await catalog.consumption()).at(-1)?.snapshotId).toBe((await catalog.lake.state("orders")).mainSnapshotId);
  const updates = [{ action: "set-snapshot-ref", "ref-name": "v1", type: "tag", "snapshot-id": 0 }];
  const text = JSON.stringify({ updates }).replace('"snapshot-id":0', `"snapshot-id":${main}`);
  await fetch(`${catalog.url}${orders}`, { method: "POST", body: text, headers: { "content-type": "application/json" } });
  await catalog.ask("GET", orders, undefined, spark);
  expect((await catalog.consumption()).at(-1)?.details).toEqual({ refs: JSON.stringify({ v1: main }), userAgent: "spark/4" });
});

it("records who loads a quarantine table, under its own name: neither a reading of the dataset nor a version of it", async () => {
  const main = await started();
  const rejected = "/v1/namespaces/db/tables/orders__quarantine";
  await catalog.ask("GET", rejected, undefined, spark);
  const [quarantineId] = (await Array.fromAsync(catalog.lake.history("orders", 0n))).map((each) => each.quarantineSnapshotId);
  expect(quarantineId).not.toBe(main);
  expect(await catalog.consumption()).toMatchObject([
    { dataset: "orders__quarantine", snapshotId: quarantineId, kind: "load", reader: "anonymous", job: "train", runId: "run-7", atMs: now },
  ]);
  expect(await datasetUsage(catalog.lake, "orders", 0)).toMatchObject({
    lastRead: null,
    readings: 0,
    lastQuarantineRead: { atMs: now, by: "train" },
  });
  await catalog.ask("GET", orders, undefined, spark);
  const readings = await traceJob(catalog.lake, "train", null);
  expect(readings.map((each) => [each.dataset, each.isDataset, each.version?.snapshot.snapshotId ?? null])).toEqual([
    ["orders__quarantine", false, null],
    ["orders", true, main],
  ]);
});

it("does not take what a worker loads for a reading", async () => {
  const token = "gate-secret-0123456789";
  await started({ anonymous: null, tokens: [{ name: "gate", token, scope: "worker", namespaces: null }] });
  const headers = { authorization: `Bearer ${token}` };
  expect(await catalog.ask("GET", orders, undefined, headers)).toMatchObject({ status: 200 });
  expect(await catalog.ask("GET", `${orders}__quarantine`, undefined, headers)).toMatchObject({ status: 200 });
  expect(await catalog.consumption()).toEqual([]);
});

it("records the scans that readers report, with filter and columns; commits are no reads", async () => {
  const main = await started();
  const report = `{"report-type":"scan-report","table-name":"lake.db.orders","snapshot-id":${main},"schema-id":0,
    "filter":{"type":"gt","term":"n","value":9007199254740993},"projected-field-ids":[1],"projected-field-names":["n"],"metrics":{}}`;
  const post = async (body: string): Promise<number> =>
    (await fetch(`${catalog.url}${orders}/metrics`, { method: "POST", body, headers: { "content-type": "application/json", ...spark } }))
      .status;
  expect(await post(report)).toBe(204);
  expect(
    await post(
      '{"report-type":"commit-report","table-name":"orders","snapshot-id":1,"sequence-number":1,"operation":"append","metrics":{}}',
    ),
  ).toBe(204);
  expect(await post('{"report-type":"scan-report"}')).toBe(400);
  expect(await catalog.consumption()).toEqual([
    {
      dataset: "orders",
      snapshotId: main,
      kind: "scan",
      reader: "anonymous",
      job: "train",
      runId: "run-7",
      atMs: now,
      details: { columns: "n", filter: '{"type":"gt","term":"n","value":9007199254740993}', userAgent: "spark/4" },
    },
  ]);
  expect(catalog.events.filter((event) => event.type === "catalog.read")).toEqual([
    { type: "catalog.read", dataset: "orders", kind: "scan" },
  ]);
});

it("shows nobody a version that it can't record", async () => {
  let full = true;
  await started({
    consumption: (log) => ({
      of: (dataset, filter) => log.of(dataset, filter),
      record: (all) => (full ? Promise.reject(new SluiceError("STORAGE_FULL", "the disk is full")) : log.record(all)),
    }),
  });
  expect(await catalog.ask("GET", orders)).toMatchObject({ status: 503, body: { error: { type: "ServiceUnavailableException" } } });
  full = false;
  expect((await catalog.ask("GET", orders)).status).toBe(200);
  expect(await catalog.consumption()).toHaveLength(1);
});
