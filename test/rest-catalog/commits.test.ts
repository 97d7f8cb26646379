import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { openCatalog } from "../../src/adapters/catalog/open-catalog.ts";
import type { CatalogFixture } from "./catalog-fixture.ts";
import { catalogFixture } from "./catalog-fixture.ts";

let catalog: CatalogFixture;
let ask: CatalogFixture["ask"];
beforeAll(async () => {
  catalog = await catalogFixture();
  ({ ask } = catalog);
  await ask("POST", "/v1/namespaces", { namespace: ["n"] });
});
afterAll(() => catalog.close());

const schema = { type: "struct", fields: [{ id: 1, name: "id", required: true, type: "long" }] };
const make = (name: string): Promise<unknown> => ask("POST", "/v1/namespaces/n/tables", { name, schema });
const commit = (name: string, body: object): ReturnType<CatalogFixture["ask"]> => ask("POST", `/v1/namespaces/n/tables/${name}`, body);
const set = (updates: Record<string, string>): object => ({ action: "set-properties", updates });
// JSON.stringify can't write ids beyond 2^53: they stand as text that is replaced.
const longs = (value: object): string => JSON.stringify(value).replaceAll(/"#(\d+)"/g, "$1");
const send = async (path: string, value: object): Promise<{ status: number; text: string }> => {
  const response = await fetch(`${catalog.url}${path}`, {
    method: "POST",
    body: longs(value),
    headers: { "content-type": "application/json" },
  });
  return { status: response.status, text: await response.text() };
};
const append = (id: string, sequence: number, parent: string | null): object[] => [
  {
    action: "add-snapshot",
    snapshot: {
      "snapshot-id": `#${id}`,
      ...(parent !== null && { "parent-snapshot-id": `#${parent}` }),
      "sequence-number": sequence,
      "timestamp-ms": Date.now() + sequence,
      "manifest-list": `file:///x/${id}.avro`,
      summary: { operation: "append" },
      "schema-id": 0,
    },
  },
  { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": `#${id}` },
];
const big = ["9223372036854775801", "9223372036854775802", "9223372036854775803"] as const;

it("makes commits that meet again over what the other left, while their requirements hold: none is lost", async () => {
  await make("busy");
  const names = Array.from({ length: 40 }, (_, i) => `k${i}`);
  const others = Array.from({ length: 20 }, (_, i) => `o${i}`);
  // A worker, or another server, commits to the same table on a connection of its own.
  const other = await openCatalog(
    { catalog: join(catalog.folder, "catalog.db"), namespace: "db" },
    { ...catalog.context, probe: () => {} },
  );
  const commitBeside = async (name: string): Promise<void> => {
    for (;;) {
      const base = await other.catalog.load({ namespace: "n", name: "busy" });
      if (base === null) throw new Error("there is no table");
      const updates = [{ action: "set-properties", updates: { [name]: "1" } }] as const;
      if ((await other.catalog.commit([{ base, requirements: [], updates }])).status === "committed") return;
    }
  };
  // One of them stands exactly between the server's reading and its commit.
  const spy = vi.spyOn(catalog.context.catalog, "commit").mockImplementationOnce(async (changes) => {
    await commitBeside("between");
    return catalog.context.catalog.commit(changes);
  });
  const beside = others.reduce((done, name) => done.then(() => commitBeside(name)), Promise.resolve());
  const answers = await Promise.all(names.map((name) => commit("busy", { requirements: [], updates: [set({ [name]: "1" })] })));
  await beside;
  await other.close();
  spy.mockRestore();
  expect(new Set(answers.map((each) => each.status))).toEqual(new Set([200]));
  const { body } = await ask("GET", "/v1/namespaces/n/tables/busy");
  expect(Object.keys(body.metadata.properties)).toEqual(expect.arrayContaining([...names, ...others, "between"]));
  expect(catalog.events.some((event) => event.type === "catalog.retried")).toBe(true);
}, 60_000);

it("refuses a commit whose requirements no longer hold, and keeps 64-bit ids on the way in and out", async () => {
  await make("ids");
  const first = { requirements: [{ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": null }], updates: append(big[0], 1, null) };
  const done = await send("/v1/namespaces/n/tables/ids", first);
  expect(done).toMatchObject({ status: 200, text: expect.stringContaining(`"current-snapshot-id":${big[0]}`) as string });
  const second = (expected: string): object => ({
    requirements: [{ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": `#${expected}` }],
    updates: append(big[1], 2, big[0]),
  });
  const refused = await send("/v1/namespaces/n/tables/ids", second(big[2]));
  expect(refused.status).toBe(409);
  expect(JSON.parse(refused.text).error).toMatchObject({
    type: "CommitFailedException",
    message: expect.stringContaining(big[2]) as string,
  });
  expect((await send("/v1/namespaces/n/tables/ids", second(big[0]))).status).toBe(200);
  // Its reply was lost, and main has moved on since: the client is told that it is done, or it would clean up files that are in use.
  const again = await send("/v1/namespaces/n/tables/ids", first);
  expect(again).toMatchObject({ status: 200, text: expect.stringContaining(`"current-snapshot-id":${big[1]}`) as string });
  const stale = { requirements: [], updates: append(big[2], 2, big[1]) };
  expect((await send("/v1/namespaces/n/tables/ids", stale)).status).toBe(409);
  const refs = await (await fetch(`${catalog.url}/v1/namespaces/n/tables/ids?snapshots=refs`)).text();
  expect(refs).toContain(`"snapshots":[{"snapshot-id":${big[1]}`);
  expect(refs).not.toContain(`{"snapshot-id":${big[0]},"sequence-number"`);
});

it("changes several tables at once, or none", async () => {
  for (const name of ["x", "y"]) await make(name);
  const change = (name: string, value: string, requirements: object[] = []): object => ({
    identifier: { namespace: ["n"], name },
    requirements,
    updates: [set({ v: value })],
  });
  const value = async (name: string): Promise<string> => (await ask("GET", `/v1/namespaces/n/tables/${name}`)).body.metadata.properties.v;
  const transact = (...changes: object[]): ReturnType<CatalogFixture["ask"]> =>
    ask("POST", "/v1/transactions/commit", { "table-changes": changes });
  expect(await transact(change("x", "1"), change("y", "1"))).toMatchObject({ status: 204 });
  const failing = await transact(change("x", "2"), change("y", "2", [{ type: "assert-current-schema-id", "current-schema-id": 9 }]));
  expect(failing).toMatchObject({
    status: 409,
    body: { error: { type: "CommitFailedException", message: expect.stringMatching(/current schema changed/) as string } },
  });
  expect(await transact(change("x", "2"), change("nope", "2"))).toMatchObject({
    status: 404,
    body: { error: { type: "NoSuchTableException" } },
  });
  expect(await transact(change("x", "2"), change("x", "3"))).toMatchObject({ status: 400 });
  expect([await value("x"), await value("y")]).toEqual(["1", "1"]);
  const racing = await Promise.all(Array.from({ length: 12 }, (_, i) => transact(change("x", `${i}`), change("y", `${i}`))));
  expect(new Set(racing.map((each) => each.status))).toEqual(new Set([204]));
  expect(await value("x")).toBe(await value("y"));
}, 30_000);

it("leaves a table's files where they are, whatever a client says", async () => {
  await make("placed");
  const before = (await ask("GET", "/v1/namespaces/n/tables/placed")).body.metadata.location;
  const moved = await commit("placed", { updates: [{ action: "set-location", location: "file:///etc" }, set({ a: "1" })] });
  expect(moved).toMatchObject({ status: 200, body: { metadata: { location: before, properties: { a: "1" } } } });
});

it("refuses what the specification does not know, naming it", async () => {
  await make("odd");
  const refused = (body: object): Promise<object> => commit("odd", body);
  const bad = (message: RegExp): object => ({
    status: 400,
    body: { error: { type: "BadRequestException", message: expect.stringMatching(message) as string } },
  });
  expect(await refused({ updates: [{ action: "explode" }] })).toMatchObject(bad(/no update "explode"/));
  expect(await refused({ updates: [{ action: "constructor" }] })).toMatchObject(bad(/no update "constructor"/));
  expect(await refused({ requirements: [{ type: "assert-luck" }], updates: [] })).toMatchObject(bad(/no requirement "assert-luck"/));
  expect(await refused({ updates: [{ action: "set-current-schema", "schema-id": "0" }] })).toMatchObject(
    bad(/schema-id must be a whole number/),
  );
  expect(await refused({ updates: [{ action: "set-snapshot-ref", "ref-name": "a", type: "tag", "snapshot-id": 1.5 }] })).toMatchObject(
    bad(/64-bit/),
  );
  expect(await refused({ updates: [{ action: "set-snapshot-ref", "ref-name": "a", type: "tag", "snapshot-id": 5 }] })).toMatchObject(
    bad(/does not have/),
  );
  expect(await refused({ updates: [{ action: "upgrade-format-version", "format-version": 4 }] })).toMatchObject(
    bad(/unsupported format version: v4/),
  );
  expect(await refused({ updates: [set({ a: 1 as unknown as string })] })).toMatchObject(bad(/object of texts/));
  expect(await refused({})).toMatchObject(bad(/updates must be a list/));
});

it("says that the state is unknown where it is: a client must not clean up then", async () => {
  await make("lost");
  const { catalog: real } = catalog.context;
  const { SluiceError } = await import("../../src/core/errors.ts");
  const commitReal = real.commit.bind(real);
  real.commit = async (changes) => {
    await commitReal(changes);
    throw new SluiceError("COMMIT_UNKNOWN", "the reply was lost");
  };
  try {
    const answer = await commit("lost", { updates: [set({ a: "1" })] });
    expect(answer).toMatchObject({ status: 500, body: { error: { type: "CommitStateUnknownException" } } });
    real.commit = () => Promise.reject(new SluiceError("CATALOG_BUSY", "busy"));
    expect(await commit("lost", { updates: [set({ a: "2" })] })).toMatchObject({
      status: 503,
      body: { error: { type: "ServiceUnavailableException" } },
    });
    real.commit = () => Promise.reject(new Error("secret detail of a bug"));
    const bug = await commit("lost", { updates: [set({ a: "3" })] });
    expect(bug).toMatchObject({ status: 500, body: { error: { type: "InternalServerError" } } });
    expect(JSON.stringify(bug.body)).not.toContain("secret");
    expect(catalog.events.some((event) => event.type === "catalog.failed" && event.message.includes("secret detail"))).toBe(true);
  } finally {
    real.commit = commitReal;
  }
  await sleep(0);
});
