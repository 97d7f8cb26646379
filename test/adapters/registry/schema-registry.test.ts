import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate, makeAuthority } from "../../../src/adapters/broker/certificates.ts";
import type { SchemaRegistryOptions } from "../../../src/adapters/registry/schema-registry.ts";
import { createSchemaRegistry } from "../../../src/adapters/registry/schema-registry.ts";
import type { SchemaRegistry } from "../../../src/core/ports.ts";
import { registryHere, testRegistry } from "../../live/harness/test-registry.ts";
import type { TestRegistry } from "../../live/harness/test-registry.ts";

const open: SchemaRegistry[] = [];
const connect = (url: string, more: Partial<SchemaRegistryOptions> = {}): SchemaRegistry => {
  const registry = createSchemaRegistry({
    url,
    auth: null,
    tls: null,
    timeoutMs: 5000,
    now: () => Date.now(),
    random: () => 0,
    confirmMs: 10,
    ...more,
  });
  open.push(registry);
  return registry;
};
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

describe.skipIf(!registryHere)("a real registry", () => {
  let real: TestRegistry;
  beforeAll(async () => {
    real = await testRegistry();
  });
  afterAll(() => real.close());

  const record = (name: string, fields: readonly object[]): object => ({ type: "record", name, fields });

  it("gives schemas of every type, and what they refer to, deepest first", async () => {
    const money = await real.register("common.Money", record("common.Money", [{ name: "cents", type: "long" }]));
    const line = { name: "common.Money", subject: "common.Money", version: 1 };
    await real.register("common.Line", record("common.Line", [{ name: "price", type: "common.Money" }]), { references: [line] });
    const order = await real.register("orders-value", record("Order", [{ name: "line", type: "common.Line" }]), {
      references: [{ name: "common.Line", subject: "common.Line", version: 1 }],
    });
    const json = await real.register("json-value", { type: "object", properties: { id: { type: "string" } } }, { type: "JSON" });
    await real.register("base", 'syntax = "proto3"; package base; message Base { int64 x = 1; }', { type: "PROTOBUF" });
    const proto = await real.register("proto-value", 'syntax = "proto3"; import "base.proto"; message Order { base.Base base = 1; }', {
      type: "PROTOBUF",
      references: [{ name: "base.proto", subject: "base", version: 1 }],
    });
    const registry = connect(real.url);
    expect(await registry.schema(String(money))).toEqual({
      found: true,
      schema: { type: "avro", text: expect.stringContaining("cents") as string, references: [] },
    });
    const found = await registry.schema(String(order));
    expect(found.found && found.schema.references.map((each) => each.name)).toEqual(["common.Money", "common.Line"]);
    expect(await registry.schema(String(json))).toMatchObject({ found: true, schema: { type: "json" } });
    expect(await registry.schema(String(proto))).toMatchObject({
      found: true,
      schema: { type: "protobuf", references: [{ name: "base.proto", text: expect.stringContaining("message Base") as string }] },
    });
  });

  it("says that an id is unknown, and that it is down, and answers again when it is up", async () => {
    const registry = connect(real.url);
    const id = String(await real.register("kept-value", record("Kept", [{ name: "x", type: "int" }])));
    expect(await registry.schema("987654")).toEqual({
      found: false,
      fault: "unknown",
      message: `the schema registry at ${real.url} has no schema 987654`,
    });
    await real.stop();
    await expect(registry.schema(id)).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE", retryable: true });
    await real.start();
    expect(await registry.schema(id)).toMatchObject({ found: true });
    await real.stop();
    expect(await registry.schema(id)).toMatchObject({ found: true });
    await real.start();
  });

  it("takes a 404 of a wrong address for trouble, not for an unknown id", async () => {
    const registry = connect(real.url.replace("/v7", "/v7/nowhere"));
    await expect(registry.schema("1")).rejects.toMatchObject({
      code: "REGISTRY_UNAVAILABLE",
      message: expect.stringContaining("check its URL") as string,
    });
  });
});

describe("a registry that misbehaves", () => {
  type Answer = (path: string, response: ServerResponse, headers: Readonly<Record<string, unknown>>) => void;
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function serve(answer: Answer): Promise<{ readonly url: string; readonly paths: string[] }> {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? "");
      answer(request.url ?? "", response, request.headers);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`, paths };
  }

  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };

  it("asks for GUIDs by their own path, and keeps references apart by subject and version", async () => {
    const guid = "89791762-2336-186f-9674-180a8c90c4b8";
    const { url, paths } = await serve((path, response) =>
      path.startsWith("/base/schemas/guids/")
        ? json(response, 200, { schema: "{}", schemaType: "JSON", references: [{ name: "a b", subject: "s/1", version: 3 }] })
        : json(response, 200, { schema: '{"x":1}', schemaType: "JSON" }),
    );
    expect(await connect(url).schema(guid)).toEqual({
      found: true,
      schema: { type: "json", text: "{}", references: [{ name: "a b", text: '{"x":1}' }] },
    });
    expect(paths).toEqual([`/base/schemas/guids/${guid}`, "/base/subjects/s%2F1/versions/3"]);
  });

  it("takes a registry that has no addresses for GUIDs for trouble, and says what may be the matter", async () => {
    const { url } = await serve((_path, response) => void response.writeHead(404).end());
    await expect(connect(url).schema("89791762-2336-186f-9674-180a8c90c4b8")).rejects.toMatchObject({
      code: "REGISTRY_UNAVAILABLE",
      message: expect.stringContaining("knows schemas by their GUIDs") as string,
    });
  });

  it("sends credentials, and waits when they are refused", async () => {
    const seen: unknown[] = [];
    const { url } = await serve((_path, response, headers) => {
      seen.push(headers["authorization"]);
      json(response, 403, { message: "no" });
    });
    const basic = connect(url, { auth: { kind: "basic", username: "u", password: "p:ä" } });
    await expect(basic.schema("1")).rejects.toMatchObject({ code: "REGISTRY_REFUSED", retryable: true });
    const bearer = connect(url, { auth: { kind: "bearer", token: "t0" } });
    await expect(bearer.schema("1")).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
    // A refusal is not tried again at once: accounts get locked.
    expect(seen).toEqual([`Basic ${Buffer.from("u:p:ä").toString("base64")}`, "Bearer t0"]);
  });

  it("speaks TLS with a certificate of its own, and trusts only the authorities that it is told of", async () => {
    const authority = makeAuthority("test authority");
    const server = issueCertificate(authority, { commonName: "registry", dnsNames: [], addresses: ["127.0.0.1"] });
    const client = issueCertificate(authority, { commonName: "sluice", dnsNames: [], addresses: [] });
    const secure = createSecureServer(
      { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
      (_request, response) => json(response, 200, { schema: '"int"' }),
    );
    servers.push(secure);
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    const tls = { ca: authority.cert, ...client, rejectUnauthorized: true };
    expect(await connect(url, { tls }).schema("1")).toMatchObject({ found: true });
    const { cert: _cert, key: _key, ...anonymous } = tls;
    await expect(connect(url, { tls: anonymous }).schema("1")).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    await expect(connect(url).schema("1")).rejects.toMatchObject({
      code: "REGISTRY_UNAVAILABLE",
      message: expect.stringMatching(/certificate|self-signed/) as string,
    });
  });

  it("tries again after errors and silence, asks once for many, and remembers", async () => {
    let count = 0;
    const { url } = await serve((_path, response) => {
      count++;
      if (count === 1) json(response, 500, { message: "leader election" });
      else if (count === 2) return;
      else json(response, 200, { schema: '"string"' });
    });
    const registry = connect(url, { timeoutMs: 200 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => registry.schema("7")));
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatchObject({ found: true, schema: { type: "avro", text: '"string"' } });
    await registry.schema("7");
    expect(count).toBe(3);
  });

  it("asks twice before an id counts as unknown, then not for a minute", async () => {
    let now = 0;
    let known = false;
    const { url, paths } = await serve((_path, response) =>
      known ? json(response, 200, { schema: '"int"' }) : json(response, 404, { error_code: 40403, message: "Schema not found" }),
    );
    const registry = connect(url, { now: () => now });
    expect(await registry.schema("5")).toMatchObject({ found: false, fault: "unknown" });
    expect(await registry.schema("5")).toMatchObject({ found: false });
    expect(paths).toHaveLength(2);
    known = true;
    now = 60_001;
    expect(await registry.schema("5")).toMatchObject({ found: true });
  });

  it("forgets the schema that was not used for longest", async () => {
    const { url, paths } = await serve((_path, response) => json(response, 200, { schema: '"int"' }));
    const registry = connect(url, { cachedMax: 2 });
    for (const id of ["1", "2", "1", "3", "1", "2"]) await registry.schema(id);
    expect(paths.map((path) => path.split("/").at(-1))).toEqual(["1", "2", "3", "2"]);
  });

  it("names references that lead nowhere or in a circle, types that it does not know, and answers that are no schema", async () => {
    const { url } = await serve((path, response) => {
      if (path.endsWith("/ids/1")) json(response, 200, { schema: "{}", references: [{ name: "gone", subject: "gone", version: 1 }] });
      else if (path.endsWith("/ids/2")) json(response, 200, { schema: "{}", references: [{ name: "a", subject: "a", version: 1 }] });
      else if (path.includes("/subjects/a/")) json(response, 200, { schema: "{}", references: [{ name: "a", subject: "a", version: 1 }] });
      else if (path.endsWith("/ids/3")) json(response, 200, { schema: "{}", schemaType: "XSD" });
      else if (path.endsWith("/ids/4")) response.end("<html>");
      else json(response, 404, { error_code: 40401, message: "Subject not found" });
    });
    const registry = connect(url);
    expect(await registry.schema("1")).toMatchObject({
      found: false,
      fault: "reference",
      message: expect.stringContaining("gone") as string,
    });
    expect(await registry.schema("2")).toMatchObject({
      found: false,
      fault: "reference",
      message: expect.stringContaining("a -> a") as string,
    });
    expect(await registry.schema("3")).toMatchObject({ found: false, fault: "type", message: expect.stringContaining("XSD") as string });
    await expect(registry.schema("4")).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  });
});
