import { existsSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonReaders, runPython } from "../live/harness/python-readers.ts";
import type { Answered, CatalogFixture } from "./catalog-fixture.ts";
import { catalogFixture } from "./catalog-fixture.ts";

const schema = { type: "struct", "schema-id": 3, fields: [{ id: 1, name: "n", type: "long", required: false }] };

function version(sql: string): Record<string, unknown> {
  return {
    "version-id": 1,
    "schema-id": 0,
    "timestamp-ms": 1000,
    summary: { "engine-name": "test" },
    representations: [{ type: "sql", sql, dialect: "spark" }],
    "default-namespace": ["lab"],
  };
}

function created(name: string, sql = "select n from db.orders", properties: Record<string, string> = {}): Record<string, unknown> {
  return { name, schema, "view-version": version(sql), properties };
}

function replacing(sql: string, requirements: unknown[] = []): Record<string, unknown> {
  return {
    requirements,
    updates: [
      { action: "add-view-version", "view-version": version(sql) },
      { action: "set-current-view-version", "view-version-id": -1 },
    ],
  };
}

const tokens = [
  { name: "reader", token: "reader-secret-0123456789", scope: "read", namespaces: ["lab"] },
  { name: "writer", token: "writer-secret-0123456789", scope: "write", namespaces: ["lab"] },
  { name: "viewer", token: "viewer-secret-0123456789", scope: "write", namespaces: ["many"] },
] as const;

const views = "/v1/namespaces/lab/views";

describe("views of the catalog", () => {
  let catalog: CatalogFixture;
  let ask: CatalogFixture["ask"];
  beforeAll(async () => {
    catalog = await catalogFixture({ tokens });
    ({ ask } = catalog);
    await ask("POST", "/v1/namespaces", { namespace: ["lab"] });
    await ask("POST", "/v1/namespaces", { namespace: ["other"] });
  });
  afterAll(() => catalog.close());

  const fileOf = (answer: Answered): string => new URL(answer.body["metadata-location"] as string).pathname;
  const error = ({ status, body }: Answered): unknown => [status, body?.error?.type, body?.error?.message];

  it("are made, loaded, replaced and dropped with their files", async () => {
    const made = await ask("POST", views, created("v", "select 1", { comment: "first" }));
    expect(made.status).toBe(200);
    expect(made.body.metadata).toMatchObject({ "current-version-id": 1, properties: { comment: "first" }, schemas: [{ "schema-id": 0 }] });
    const loaded = await ask("GET", `${views}/v`);
    expect(loaded.body).toEqual(made.body);
    expect((await ask("HEAD", `${views}/v`)).status).toBe(204);
    const etag = loaded.headers.get("etag")!;
    expect(etag).toBe(made.headers.get("etag"));
    expect((await ask("GET", `${views}/v`, undefined, { "if-none-match": etag })).status).toBe(304);
    const uuid = made.body.metadata["view-uuid"] as string;
    const replaced = await ask("POST", `${views}/v`, replacing("select 2", [{ type: "assert-view-uuid", uuid }]));
    expect(replaced.body.metadata).toMatchObject({ "view-uuid": uuid, "current-version-id": 2 });
    expect((await ask("GET", `${views}/v`, undefined, { "if-none-match": etag })).status).toBe(200);
    // The same once more changes nothing, not even a file.
    expect((await ask("POST", `${views}/v`, replacing("select 2"))).body["metadata-location"]).toBe(replaced.body["metadata-location"]);
    const wrong = await ask("POST", `${views}/v`, replacing("select 3", [{ type: "assert-view-uuid", uuid: randomUUID() }]));
    expect(error(wrong)).toEqual([409, "CommitFailedException", expect.stringContaining("UUID does not match")]);
    const lost = await ask("POST", `${views}/v`, { updates: [{ action: "set-current-view-version", "view-version-id": 77 }] });
    expect(lost.status).toBe(409);
    expect((await ask("POST", `${views}/v`, { updates: [{ action: "add-snapshot" }] })).status).toBe(400);
    expect([made, replaced].map((each) => existsSync(fileOf(each)))).toEqual([true, true]);
    expect((await ask("DELETE", `${views}/v`)).status).toBe(204);
    expect([made, replaced].map((each) => existsSync(fileOf(each)))).toEqual([false, false]);
    const missing = [404, "NoSuchViewException", "View does not exist: lab.v"];
    for (const method of ["GET", "DELETE"]) expect(error(await ask(method, `${views}/v`))).toEqual(missing);
    expect((await ask("HEAD", `${views}/v`)).status).toBe(404);
    expect(error(await ask("POST", `${views}/v`, replacing("select 4")))).toEqual(missing);
  });

  it("share names with tables, and each is only what it is", async () => {
    await ask("POST", views, created("one"));
    const table = await ask("POST", "/v1/namespaces/lab/tables", { name: "two", schema });
    expect(table.status).toBe(200);
    const taken = (thing: string, name: string): unknown => [409, "AlreadyExistsException", `${thing} already exists: lab.${name}`];
    expect(error(await ask("POST", views, created("one")))).toEqual(taken("View", "one"));
    expect(error(await ask("POST", views, created("two")))).toEqual(taken("Table with same name", "two"));
    expect(error(await ask("POST", "/v1/namespaces/lab/tables", { name: "one", schema }))).toEqual(taken("View with same name", "one"));
    const commit = { requirements: [{ type: "assert-create" }], updates: [{ action: "assign-uuid", uuid: randomUUID() }] };
    expect(error(await ask("POST", "/v1/namespaces/lab/tables/one", commit))).toEqual(taken("View with same name", "one"));
    expect((await ask("GET", "/v1/namespaces/lab/tables/one")).body.error.type).toBe("NoSuchTableException");
    expect((await ask("DELETE", "/v1/namespaces/lab/tables/one")).status).toBe(404);
    expect((await ask("GET", `${views}/two`)).body.error.type).toBe("NoSuchViewException");
    expect((await ask("GET", views)).body.identifiers).toEqual([{ namespace: ["lab"], name: "one" }]);
    expect((await ask("GET", "/v1/namespaces/lab/tables")).body.identifiers).toEqual([{ namespace: ["lab"], name: "two" }]);
    const renames = (source: string, destination: string, namespace = "lab"): unknown => ({
      source: { namespace: ["lab"], name: source },
      destination: { namespace: [namespace], name: destination },
    });
    const refused = (from: string, to: string, kind: string): unknown => [
      409,
      "AlreadyExistsException",
      `Cannot rename lab.${from} to lab.${to}. ${kind} already exists`,
    ];
    expect(error(await ask("POST", "/v1/views/rename", renames("one", "two")))).toEqual(refused("one", "two", "Table"));
    expect(error(await ask("POST", "/v1/tables/rename", renames("two", "one")))).toEqual(refused("two", "one", "View"));
    expect((await ask("POST", "/v1/views/rename", renames("two", "three"))).body.error.type).toBe("NoSuchViewException");
    expect((await ask("POST", "/v1/tables/rename", renames("one", "three"))).body.error.type).toBe("NoSuchTableException");
    expect((await ask("POST", "/v1/views/rename", renames("one", "three", "nowhere"))).body.error.type).toBe("NoSuchNamespaceException");
    const before = await ask("GET", `${views}/one`);
    expect((await ask("POST", "/v1/views/rename", renames("one", "three", "other"))).status).toBe(204);
    expect((await ask("GET", "/v1/namespaces/other/views/three")).body).toEqual(before.body);
    expect((await ask("DELETE", "/v1/namespaces/other")).body.error.type).toBe("NamespaceNotEmptyException");
    expect((await ask("DELETE", "/v1/namespaces/other/views/three")).status).toBe(204);
    expect((await ask("DELETE", "/v1/namespaces/other")).status).toBe(204);
  });

  it("come in pages", async () => {
    await ask("POST", "/v1/namespaces", { namespace: ["many"] });
    for (const name of ["a", "b", "c"]) await ask("POST", "/v1/namespaces/many/views", created(name));
    const first = await ask("GET", "/v1/namespaces/many/views?pageSize=2");
    expect(first.body.identifiers.map((each: { name: string }) => each.name)).toEqual(["a", "b"]);
    const second = await ask("GET", `/v1/namespaces/many/views?pageSize=2&pageToken=${first.body["next-page-token"]}`);
    expect(second.body).toEqual({ identifiers: [{ namespace: ["many"], name: "c" }] });
  });

  it("are made by those who may write, and in no namespace of datasets", async () => {
    const as = (name: string): Record<string, string> => ({ authorization: `Bearer ${name}-secret-0123456789` });
    expect((await ask("POST", views, created("scoped"), as("reader"))).status).toBe(403);
    expect((await ask("POST", views, created("scoped"), as("writer"))).status).toBe(200);
    expect((await ask("GET", `${views}/scoped`, undefined, as("reader"))).status).toBe(200);
    expect((await ask("GET", "/v1/namespaces/many/views/a", undefined, as("reader"))).status).toBe(403);
    expect((await ask("POST", `${views}/scoped`, replacing("x"), as("reader"))).status).toBe(403);
    const away = { source: { namespace: ["lab"], name: "scoped" }, destination: { namespace: ["many"], name: "s" } };
    expect((await ask("POST", "/v1/views/rename", away, as("writer"))).status).toBe(403);
    const refused = await ask("POST", "/v1/namespaces/db/views", created("orders"));
    expect([refused.status, refused.body.error.type]).toEqual([403, "ForbiddenException"]);
  });

  it("take all changes of many at once", async () => {
    await ask("POST", views, created("busy", "select 0", { "version.history.num-entries": "20" }));
    const all = await Promise.all(Array.from({ length: 8 }, (_, i) => ask("POST", `${views}/busy`, replacing(`select ${i + 1}`))));
    expect(all.map((each) => each.status)).toEqual(all.map(() => 200));
    const { metadata } = (await ask("GET", `${views}/busy`)).body;
    expect(metadata["current-version-id"]).toBe(9);
    const texts = metadata.versions.map((each: { representations: { sql: string }[] }) => each.representations[0]!.sql);
    expect(new Set(texts)).toEqual(new Set(Array.from({ length: 9 }, (_, i) => `select ${i}`)));
    const makers = await Promise.all(Array.from({ length: 4 }, () => ask("POST", views, created("once"))));
    expect(makers.map((each) => each.status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
  });

  it("can be put back under a name by their file, where they let it be", async () => {
    const kept = await ask("POST", views, created("kept", "select 1", { "gc.enabled": "false" }));
    await ask("DELETE", `${views}/kept`);
    const register = (name: string, location: unknown): Promise<Answered> =>
      ask("POST", "/v1/namespaces/lab/register-view", { name, "metadata-location": location });
    const location = kept.body["metadata-location"];
    const back = await register("back", location);
    expect(back.body).toEqual(kept.body);
    expect(error(await register("back", location))).toEqual([409, "AlreadyExistsException", "View already exists: lab.back"]);
    expect(error(await register("two", location))).toEqual([409, "AlreadyExistsException", "Table with same name already exists: lab.two"]);
    const table = await ask("GET", "/v1/namespaces/lab/tables/two");
    for (const wrong of ["file:///etc/passwd", `${location}x`, table.body["metadata-location"]]) {
      expect([wrong, (await register("wrong", wrong)).status]).toEqual([wrong, 400]);
    }
    // A folder that another view's file stands in stays.
    await ask("POST", `${views}/back`, { updates: [{ action: "remove-properties", removals: ["gc.enabled"] }] });
    await register("second", location);
    await ask("DELETE", `${views}/back`);
    expect((await ask("GET", `${views}/second`)).status).toBe(200);
  });

  it("have their files where they ask for it, but not among those of tables", async () => {
    const root = catalog.context.storage.root;
    const path = { "write.metadata.path": `${root}/elsewhere/` };
    const made = await ask("POST", views, created("placed", "select 1", path));
    expect(made.body["metadata-location"]).toMatch(new RegExp(`^${root}/elsewhere/00000-`));
    for (const [i, wanted] of ["file:///tmp/x", `${root}/tables/1/metadata`, `${root}/content`].entries()) {
      const own = await ask("POST", views, created(`own${i}`, "select 1", { "write.metadata.path": wanted }));
      expect(own.body["metadata-location"]).toMatch(new RegExp(`^${root}/views/${own.body.metadata["view-uuid"]}/metadata/00000-`));
    }
  });

  it("are seen by PyIceberg", async () => {
    const python = await pythonReaders();
    if (python === null) return;
    const script = `
import sys, json
from pyiceberg.catalog.rest import RestCatalog
c = RestCatalog("lake", uri=sys.argv[1], token=sys.argv[2])
print(json.dumps([c.view_exists("many.a"), c.view_exists("many.z"), c.list_views("many"), c.list_tables("many")]))
c.drop_view("many.a")
`;
    const seen = JSON.parse(await runPython(python, script, [catalog.url, tokens[2].token]));
    expect(seen).toEqual([true, false, [["many", "a"], ["many", "b"], ["many", "c"]], []]); // prettier-ignore
    expect((await ask("HEAD", "/v1/namespaces/many/views/a")).status).toBe(404);
  });
});
