import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CatalogFixture } from "./catalog-fixture.ts";
import { catalogFixture } from "./catalog-fixture.ts";

let catalog: CatalogFixture;
let ask: CatalogFixture["ask"];
beforeAll(async () => {
  catalog = await catalogFixture();
  ({ ask } = catalog);
});
afterAll(() => catalog.close());

const schema = {
  type: "struct",
  fields: [
    { id: 7, name: "id", required: true, type: "long" },
    { id: 9, name: "tags", required: false, type: { type: "list", "element-id": 4, element: "string", "element-required": false } },
    { id: 1, name: "day", required: false, type: "date" },
  ],
  "identifier-field-ids": [7],
};
const path = (namespace: string, table = ""): string =>
  `/v1/namespaces/${encodeURIComponent(namespace.replaceAll(".", "\u001f"))}${table === "" ? "" : `/tables/${encodeURIComponent(table)}`}`;
const namespace = async (...levels: string[]): Promise<void> => void (await ask("POST", "/v1/namespaces", { namespace: levels }));
const error = (status: number, type: string, message: RegExp): object => ({
  status,
  body: { error: { code: status, type, message: expect.stringMatching(message) as string } },
});

describe("configuration", () => {
  it("names every endpoint that is served, and they are all the ones that it names", async () => {
    const { status, body } = await ask("GET", "/v1/config?warehouse=x");
    expect(status).toBe(200);
    expect(body).toMatchObject({ defaults: {}, overrides: {} });
    expect(body.endpoints).toContain("POST /v1/{prefix}/transactions/commit");
    for (const endpoint of body.endpoints as string[]) {
      const [method, template] = endpoint.split(" ") as [string, string];
      const answer = await ask(
        method,
        template
          .replace("/{prefix}", "")
          .replace("{namespace}", "nowhere")
          .replace(/\{(table|view)\}/, "none"),
      );
      expect([endpoint, answer.body?.error?.type]).not.toEqual([endpoint, "NoSuchEndpointException"]);
    }
    const page = readFileSync(new URL("../../docs/reference/rest-catalog.md", import.meta.url), "utf8");
    const documented = [...page.matchAll(/^\| `((?:GET|POST|HEAD|DELETE) \/v1\/\{prefix\}[^`]*)` \|/gm)].map((match) => match[1]);
    expect(new Set(documented)).toEqual(new Set(body.endpoints as string[]));
    expect(documented.length).toBe(body.endpoints.length);
    expect(await ask("GET", "/v1/namespaces/x/functions")).toMatchObject(error(404, "NoSuchEndpointException", /No route/));
  });

  it("answers what is no request in the specification's words", async () => {
    const post = (body: string, type = "application/json"): Promise<Response> =>
      fetch(`${catalog.url}/v1/namespaces`, { method: "POST", body, headers: { "content-type": type } });
    expect((await post("{")).status).toBe(400);
    expect((await post("[]")).status).toBe(400);
    expect(((await (await post('{"namespace":7}')).json()) as { error: object }).error).toMatchObject({
      type: "BadRequestException",
      code: 400,
    });
    expect((await post(`{"namespace":["deep"],"properties":${"[".repeat(20_000)}${"]".repeat(20_000)}}`)).status).toBe(400);
    expect((await post('{"namespace":["late"]}', "text/plain")).status).toBe(200);
    expect((await fetch(`${catalog.url}/v1/namespaces/%FF`)).status).toBe(400);
  });
});

describe("namespaces", () => {
  it("nest, carry properties, and are listed level by level, in pages", async () => {
    await namespace("acc");
    await namespace("acc", "tax");
    for (const level of ["a", "b", "c", "d", "e"]) await namespace("acc", "tax", level);
    expect(await ask("POST", "/v1/namespaces", { namespace: ["acc", "tax"] })).toMatchObject(
      error(409, "AlreadyExistsException", /Namespace already exists: acc\.tax/),
    );
    expect((await ask("GET", "/v1/namespaces?parent=acc")).body).toEqual({ namespaces: [["acc", "tax"]] });
    expect((await ask("GET", "/v1/namespaces")).body.namespaces).toEqual(expect.arrayContaining([["acc"], ["db"]]));
    const first = await ask("GET", "/v1/namespaces?parent=acc%1Ftax&pageToken&pageSize=2");
    expect(first.body.namespaces).toEqual([
      ["acc", "tax", "a"],
      ["acc", "tax", "b"],
    ]);
    // What comes and goes between pages hides nothing.
    await ask("DELETE", path("acc.tax.a"));
    const second = await ask("GET", `/v1/namespaces?parent=acc%1Ftax&pageSize=2&pageToken=${first.body["next-page-token"]}`);
    expect(second.body.namespaces).toEqual([
      ["acc", "tax", "c"],
      ["acc", "tax", "d"],
    ]);
    const last = await ask("GET", `/v1/namespaces?parent=acc%1Ftax&pageSize=2&pageToken=${second.body["next-page-token"]}`);
    expect(last.body).toEqual({ namespaces: [["acc", "tax", "e"]] });
    expect(await ask("GET", "/v1/namespaces?parent=nope")).toMatchObject(error(404, "NoSuchNamespaceException", /nope/));
    expect(await ask("GET", "/v1/namespaces?pageToken=x")).toMatchObject(error(400, "BadRequestException", /pageToken/));
  });

  it("have properties that are set, removed and named where they were missing", async () => {
    await ask("POST", "/v1/namespaces", { namespace: ["p"], properties: { owner: "ann", place: "here" } });
    expect(await ask("HEAD", path("p"))).toMatchObject({ status: 204, body: null });
    expect(await ask("HEAD", path("q"))).toMatchObject({ status: 404, body: null });
    const answer = await ask("POST", `${path("p")}/properties`, { removals: ["place", "gone"], updates: { owner: "bob" } });
    expect(answer.body).toEqual({ updated: ["owner"], removed: ["place"], missing: ["gone"] });
    expect((await ask("GET", path("p"))).body).toEqual({ namespace: ["p"], properties: { owner: "bob" } });
    expect(await ask("POST", `${path("p")}/properties`, { removals: ["a"], updates: { a: "1" } })).toMatchObject(
      error(422, "UnprocessableEntityException", /key a/),
    );
  });

  it("go when they are empty", async () => {
    await namespace("full", "inner");
    expect(await ask("DELETE", path("full"))).toMatchObject(error(409, "NamespaceNotEmptyException", /full/));
    await ask("POST", `${path("full.inner")}/tables`, { name: "t", schema });
    expect(await ask("DELETE", path("full.inner"))).toMatchObject(error(409, "NamespaceNotEmptyException", /full/));
    await ask("DELETE", path("full.inner", "t"));
    expect((await ask("DELETE", path("full.inner"))).status).toBe(204);
    expect(await ask("DELETE", path("full.inner"))).toMatchObject(error(404, "NoSuchNamespaceException", /full\.inner/));
    expect(await ask("POST", "/v1/namespaces", { namespace: ["a.b"] })).toMatchObject(error(400, "BadRequestException", /no dot/));
    expect(await ask("POST", "/v1/namespaces", { namespace: [] })).toMatchObject(error(400, "BadRequestException", /empty/));
  });
});

describe("tables", () => {
  it("are made with ids of their own, in a folder of their id, whatever was asked for", async () => {
    await namespace("t");
    const wanted = {
      name: "we/ird name ü",
      location: "file:///etc",
      schema,
      "partition-spec": { fields: [{ "source-id": 1, "field-id": 5000, name: "day_year", transform: "year" }] },
      "write-order": { "order-id": 4, fields: [{ transform: "identity", "source-id": 7, direction: "desc", "null-order": "nulls-last" }] },
      properties: { "format-version": "3", a: "b" },
    };
    const { status, body, headers } = await ask("POST", `${path("t")}/tables`, wanted);
    expect(status).toBe(200);
    const { metadata } = body;
    expect(metadata).toMatchObject({
      "format-version": 3,
      location: `file://${catalog.folder}/tables/${metadata["table-uuid"]}`,
      "last-column-id": 4,
      properties: { a: "b" },
      "partition-specs": [{ "spec-id": 0, fields: [{ "source-id": 3, "field-id": 1000, transform: "year" }] }],
      "sort-orders": [{ "order-id": 1, fields: [{ "source-id": 1 }] }],
      "next-row-id": 0,
    });
    expect(metadata.schemas[0].fields.map((field: { id: number }) => field.id)).toEqual([1, 2, 3]);
    expect(metadata.schemas[0]).toMatchObject({ "identifier-field-ids": [1], fields: [{}, { type: { "element-id": 4 } }, {}] });
    expect(JSON.parse(readFileSync(fileURLToPath(body["metadata-location"]), "utf8"))).toEqual(metadata);
    const loaded = await ask("GET", path("t", wanted.name));
    expect(loaded.body).toEqual(body);
    expect(headers.get("etag")).toBe(loaded.headers.get("etag"));
    expect(await ask("POST", `${path("t")}/tables`, wanted)).toMatchObject(
      error(409, "AlreadyExistsException", /Table already exists: t\./),
    );
    expect(await ask("POST", `${path("nope")}/tables`, wanted)).toMatchObject(error(404, "NoSuchNamespaceException", /nope/));
  });

  it("refuse what no table could be, and say what is wrong with it", async () => {
    await namespace("r");
    const bad = (change: object): Promise<object> => ask("POST", `${path("r")}/tables`, { name: "x", schema, ...change });
    const nested = Array.from({ length: 80 }).reduce<unknown>(
      (inner) => ({ type: "list", "element-id": 1, element: inner, "element-required": false }),
      "int",
    );
    expect(await bad({ schema: { ...schema, fields: [{ id: 1, name: "x", required: true, type: nested }] } })).toMatchObject(
      error(400, "BadRequestException", /nests deeper/),
    );
    expect(await bad({ schema: { type: "struct", fields: [{ id: "1", name: "x", type: "int" }] } })).toMatchObject(
      error(400, "BadRequestException", /id must be a whole number/),
    );
    expect(await bad({ "partition-spec": { fields: [{ "source-id": 99, name: "x", transform: "identity" }] } })).toMatchObject(
      error(400, "BadRequestException", /source column 99/),
    );
    expect(await bad({ properties: { "format-version": "9" } })).toMatchObject(error(400, "BadRequestException", /v9/));
    expect(await bad({ name: "" })).toMatchObject(error(400, "BadRequestException", /name/));
    expect((await ask("GET", `${path("r")}/tables`)).body).toEqual({ identifiers: [] });
  });

  it("can be staged: nothing is there before the commit that makes them", async () => {
    await namespace("s");
    const staged = await ask("POST", `${path("s")}/tables`, { name: "t", schema, "stage-create": true });
    expect(staged.body["metadata-location"]).toBeUndefined();
    expect((await ask("HEAD", path("s", "t"))).status).toBe(404);
    const { metadata } = staged.body;
    const updates = [
      { action: "assign-uuid", uuid: metadata["table-uuid"] },
      { action: "upgrade-format-version", "format-version": 2 },
      { action: "add-schema", schema: metadata.schemas[0] },
      { action: "set-current-schema", "schema-id": -1 },
      { action: "add-spec", spec: { fields: [] } },
      { action: "set-default-spec", "spec-id": -1 },
      { action: "add-sort-order", "sort-order": { "order-id": 0, fields: [] } },
      { action: "set-default-sort-order", "sort-order-id": -1 },
      { action: "set-location", location: "file:///elsewhere" },
    ];
    const commit = { requirements: [{ type: "assert-create" }], updates };
    const made = await ask("POST", path("s", "t"), commit);
    expect(made).toMatchObject({ status: 200, body: { metadata: { location: metadata.location, "table-uuid": metadata["table-uuid"] } } });
    // The reply was lost, and the client sends the commit again: it is the same table.
    expect((await ask("POST", path("s", "t"), commit)).body).toEqual(made.body);
    const other = updates.with(0, { action: "assign-uuid", uuid: crypto.randomUUID() });
    expect(await ask("POST", path("s", "t"), { ...commit, updates: other })).toMatchObject(
      error(409, "CommitFailedException", /Requirement failed: table already exists/),
    );
    const wild = updates.with(0, { action: "assign-uuid", uuid: "../../etc" });
    expect(await ask("POST", path("s", "u"), { ...commit, updates: wild })).toMatchObject(error(400, "BadRequestException", /uuid/));
    expect(await ask("POST", path("s", "u"), { requirements: [], updates })).toMatchObject(error(404, "NoSuchTableException", /s\.u/));
  });

  it("are listed in pages, renamed across namespaces, and registered by their metadata file", async () => {
    await namespace("l");
    await namespace("m");
    for (const name of ["c", "a", "b"]) await ask("POST", `${path("l")}/tables`, { name, schema });
    const first = await ask("GET", `${path("l")}/tables?pageSize=2`);
    expect(first.body.identifiers).toEqual(["a", "b"].map((name) => ({ namespace: ["l"], name })));
    expect((await ask("GET", `${path("l")}/tables?pageToken=${first.body["next-page-token"]}`)).body).toEqual({
      identifiers: [{ namespace: ["l"], name: "c" }],
    });
    const rename = (from: [string, string], to: [string, string]): Promise<object> =>
      ask("POST", "/v1/tables/rename", {
        source: { namespace: [from[0]], name: from[1] },
        destination: { namespace: [to[0]], name: to[1] },
      });
    const before = await ask("GET", path("l", "a"));
    expect(await rename(["l", "a"], ["m", "z"])).toMatchObject({ status: 204 });
    expect((await ask("GET", path("m", "z"))).body).toEqual(before.body);
    expect(await rename(["l", "a"], ["m", "y"])).toMatchObject(error(404, "NoSuchTableException", /l\.a/));
    expect(await rename(["l", "b"], ["m", "z"])).toMatchObject(error(409, "AlreadyExistsException", /m\.z/));
    expect(await rename(["l", "b"], ["nope", "z"])).toMatchObject(error(404, "NoSuchNamespaceException", /nope/));
    const location = before.body["metadata-location"];
    const register = (name: string, body: object): Promise<object> => ask("POST", `${path("m")}/register`, { name, ...body });
    expect(await register("again", { "metadata-location": location })).toMatchObject({
      status: 200,
      body: { "metadata-location": location },
    });
    expect(await register("again", { "metadata-location": location })).toMatchObject(error(409, "AlreadyExistsException", /m\.again/));
    expect(await register("again", { "metadata-location": location, overwrite: true })).toMatchObject({ status: 200 });
    expect(await register("no", { "metadata-location": "file:///etc/passwd" })).toMatchObject(error(400, "BadRequestException", /outside/));
    const climbing = `file://${catalog.folder}/../../etc/passwd`;
    expect(await register("no", { "metadata-location": climbing })).toMatchObject(error(400, "BadRequestException", /inside/));
    const broken = join(catalog.folder, "broken.json");
    writeFileSync(broken, "{");
    expect(await register("no", { "metadata-location": `file://${broken}` })).toMatchObject(
      error(400, "BadRequestException", /no metadata file/),
    );
    const missing = `file://${catalog.folder}/none.json`;
    expect(await register("no", { "metadata-location": missing })).toMatchObject(error(400, "BadRequestException", /no metadata file/));
  });

  it("keep what they were loaded with: an ETag answers 304 until they change", async () => {
    await namespace("e");
    await ask("POST", `${path("e")}/tables`, { name: "t", schema });
    const load = (etag?: string | null, query = ""): Promise<Awaited<ReturnType<typeof ask>>> =>
      ask("GET", `${path("e", "t")}${query}`, undefined, etag ? { "if-none-match": etag } : {});
    const etag = (await load()).headers.get("etag");
    expect(await load(etag)).toMatchObject({ status: 304, body: null });
    expect(await load(`W/${etag}, "other"`)).toMatchObject({ status: 304 });
    expect(await load(etag, "?snapshots=refs")).toMatchObject({ status: 200 });
    const commit = { requirements: [], updates: [{ action: "set-properties", updates: { a: "1" } }] };
    const committed = await ask("POST", path("e", "t"), commit);
    expect(await load(etag)).toMatchObject({ status: 200, body: { metadata: { properties: { a: "1" } } } });
    expect((await load()).headers.get("etag")).toBe(committed.headers.get("etag"));
    expect(await load(null, "?snapshots=some")).toMatchObject(error(400, "BadRequestException", /all or refs/));
  });

  it("are dropped with or without their files, and only with their own", async () => {
    await namespace("d");
    const make = async (name: string): Promise<{ location: string; folder: string }> => {
      const { body } = await ask("POST", `${path("d")}/tables`, { name, schema });
      return { location: body["metadata-location"], folder: fileURLToPath(body.metadata.location) };
    };
    const kept = await make("kept");
    await ask("DELETE", path("d", "kept"));
    expect(existsSync(fileURLToPath(kept.location))).toBe(true);
    const shared = await make("shared");
    await ask("POST", `${path("d")}/register`, { name: "twin", "metadata-location": shared.location });
    await ask("DELETE", `${path("d", "twin")}?purgeRequested=true`);
    expect(existsSync(fileURLToPath(shared.location))).toBe(true);
    // A statistics file that stands elsewhere is another's.
    const statistics = { "snapshot-id": 1, "statistics-path": shared.location, "file-size-in-bytes": 1 };
    const gone = await make("gone");
    await ask("POST", path("d", "gone"), { requirements: [], updates: [{ action: "set-statistics", statistics }] });
    expect((await ask("DELETE", `${path("d", "gone")}?purgeRequested=true`)).status).toBe(204);
    expect(readdirSync(join(gone.folder, "metadata"))).toEqual([]);
    expect(existsSync(fileURLToPath(shared.location))).toBe(true);
    expect(await ask("DELETE", path("d", "gone"))).toMatchObject(error(404, "NoSuchTableException", /d\.gone/));
  });

  it("are told from tables whose metadata file is gone", async () => {
    await namespace("g");
    const { body } = await ask("POST", `${path("g")}/tables`, { name: "t", schema });
    const { rmSync } = await import("node:fs");
    rmSync(fileURLToPath(body["metadata-location"]));
    expect(await ask("GET", path("g", "t"))).toMatchObject(error(404, "NotFoundException", /Failed to open input stream/));
    expect((await ask("DELETE", `${path("g", "t")}?purgeRequested=true`)).status).toBe(204);
  });
});
