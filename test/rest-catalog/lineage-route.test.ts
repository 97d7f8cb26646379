import { afterAll, beforeAll, expect, it } from "vitest";
import { contract, makeWindow, partitions, row } from "../adapters/lake/lake-fixture.ts";
import type { CatalogFixture } from "./catalog-fixture.ts";
import { catalogFixture } from "./catalog-fixture.ts";

const tokens = [
  { name: "trainer", token: "t1", scope: "read", namespaces: ["db"] },
  { name: "stranger", token: "t2", scope: "read", namespaces: ["elsewhere"] },
] as const;
let catalog: CatalogFixture;
let snapshotId: string;
beforeAll(async () => {
  catalog = await catalogFixture({ anonymous: null, tokens });
  const { lake } = catalog;
  await lake.activate(contract);
  const starts = partitions.map((key) => ({ ...key, next: 0n }));
  await lake.recordStart("orders", starts);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  snapshotId = (await lake.refs.resolve("orders", "main")).snapshotId;
});
afterAll(() => catalog.close());

const event = (more: object = {}): object => ({
  eventType: "START",
  eventTime: "2100-01-01T00:00:00Z",
  job: { namespace: "ml", name: "train" },
  run: { runId: "r1" },
  inputs: [{ namespace: "file", name: "/w/db/orders", facets: { version: { datasetVersion: snapshotId } } }],
  ...more,
});

it("an event of OpenLineage ties a run to a snapshot, for who may read the tables", async () => {
  const post = async (body: object, token: string | null): Promise<[number, unknown]> => {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const answer = await catalog.ask("POST", "/api/v1/lineage", body, headers);
    return [answer.status, answer.body];
  };
  expect(await post(event(), "t1")).toEqual([201, { recorded: 1, ignored: 0 }]);
  expect((await catalog.consumption()).map(({ kind, job, runId, snapshotId: read }) => [kind, job, runId, read])).toEqual([
    ["declared", "train", "r1", snapshotId],
  ]);
  const refused = (status: number, message: RegExp): unknown => [
    status,
    { error: expect.objectContaining({ message: expect.stringMatching(message) as string }) as object },
  ];
  expect(await post(event(), null)).toEqual(refused(401, /bearer token/));
  expect(await post(event(), "t2")).toEqual(refused(403, /no access to namespace db/));
  expect(await post(event({ run: {} }), "t1")).toEqual(refused(400, /run.runId is missing/));
  expect(await catalog.consumption()).toHaveLength(1);
});
