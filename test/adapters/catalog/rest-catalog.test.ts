import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { RestCatalog } from "../../../src/adapters/catalog/rest-catalog.ts";
import type { RestCatalogOptions } from "../../../src/adapters/catalog/rest-catalog.ts";
import { describeCatalog, emptyTable, set } from "../../contract-suites/catalog.ts";
import type { ToxicHttp } from "../../fixtures/toxic-http.ts";
import { toxicHttp } from "../../fixtures/toxic-http.ts";
import { oneTableAtATime } from "../../live/harness/one-table-at-a-time.ts";
import { ownRestCatalog, restClient } from "../../live/harness/own-rest-catalog.ts";
import { testRestCatalog } from "../../live/harness/test-rest-catalog.ts";

const java = await testRestCatalog();
const own = await ownRestCatalog();
const plain = await ownRestCatalog();
const single = await oneTableAtATime(plain.uri);
afterAll(async () => {
  await single.close();
  await plain.close();
  await java?.close();
  await own.close();
});

const patient = { tls: null, timeoutMs: 60_000, random: Math.random, patienceMs: 6000, probe: () => {} };

function open(uri: string, changes: Partial<RestCatalogOptions> = {}): Promise<RestCatalog> {
  return RestCatalog.open({ uri, warehouse: null, auth: null, ...patient, ...changes });
}

describe.skipIf(java === null)("Iceberg's own REST catalog", () => {
  describeCatalog({
    name: "Iceberg's own REST catalog",
    // It checks a transaction's requirements and then commits its tables one by one: of two at once, one may be accepted and dropped.
    lacks: { jointCommitsUnderRaces: true, names: ["per%cent"] },
    start: async () => ({
      root: `file://${java!.warehouse}`,
      open: async () => {
        const catalog = await open(java!.uri);
        await catalog.createNamespace("db");
        return { catalog, close: async () => catalog.close() };
      },
    }),
    stop: async () => {},
  });
});

describeCatalog({
  name: "Sluice's own REST catalog",
  start: async () => ({
    root: `file://${own.warehouse}`,
    open: async () => {
      const catalog = await open(own.uri, { auth: restClient });
      await catalog.createNamespace("db");
      return { catalog, close: async () => catalog.close() };
    },
  }),
  stop: async () => {},
});

describeCatalog({
  name: "a REST catalog without transactions",
  lacks: { jointCommits: true },
  start: async () => ({
    root: `file://${plain.warehouse}`,
    open: async () => {
      const catalog = await open(single.uri, { auth: restClient });
      await catalog.createNamespace("db");
      return { catalog, close: async () => catalog.close() };
    },
  }),
  stop: async () => {},
});

describe("being let in", () => {
  it("takes a bearer token, and says plainly who is refused", async () => {
    const bearer = await open(own.uri, { auth: { kind: "bearer", token: restClient.secret } });
    expect(await bearer.list("nowhere")).toEqual([]);
    bearer.close();
    await expect(open(own.uri)).rejects.toMatchObject({ code: "CATALOG_REFUSED", message: expect.stringContaining("401") });
    const wrong = open(own.uri, { auth: { ...restClient, secret: "wrong" } });
    await expect(wrong).rejects.toMatchObject({ code: "CATALOG_REFUSED", message: expect.not.stringContaining("wrong") });
  });

  it("renews a token that the server no longer takes, and one that is about to end", async () => {
    const given: string[] = [];
    const asked: string[] = [];
    let valid = "";
    const server = createServer((request, reply) => {
      request.resume().on("end", () => {
        reply.setHeader("content-type", "application/json");
        if (request.url === "/v1/oauth/tokens") {
          valid = randomUUID();
          given.push(valid);
          reply.end(JSON.stringify({ access_token: valid, token_type: "bearer", expires_in: given.length === 1 ? 3600 : 0 }));
          return;
        }
        const known = request.headers.authorization === `Bearer ${valid}`;
        asked.push(`${known ? 200 : 419} ${request.url}`);
        reply.writeHead(known ? 200 : 419).end(JSON.stringify(known ? { identifiers: [] } : { error: { message: "expired" } }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const catalog = await open(uri, { auth: restClient });
    expect(given).toHaveLength(1);
    await catalog.list("db");
    expect(given).toHaveLength(1);
    valid = "another";
    await catalog.list("db");
    expect(given).toHaveLength(2);
    // That one ends at once.
    await catalog.list("db");
    expect(given).toHaveLength(3);
    expect(asked.filter((each) => each.startsWith("419"))).toHaveLength(1);
    catalog.close();
    server.close();
    server.closeAllConnections();
  });

  it("learns from a server that does not say so that it can't change two tables at once", async () => {
    const silent = await oneTableAtATime(plain.uri, "nothing");
    const catalog = await open(silent.uri, { auth: restClient });
    await catalog.createNamespace("db");
    expect(catalog.isJoint).toBe(true);
    const tables = ["s", "t"].map((name) => ({ namespace: "db", name }));
    await catalog.commit(tables.map((table) => ({ table, create: emptyTable(`file://${plain.warehouse}`) })));
    const bases = await Promise.all(tables.map((table) => catalog.load(table)));
    const both = (): ReturnType<RestCatalog["commit"]> => catalog.commit(bases.map((base) => set(base!, "both")));
    expect(await both()).toMatchObject({ status: "conflict" });
    expect(catalog.isJoint).toBe(false);
    await expect(both()).rejects.toMatchObject({ code: "CATALOG_UNSUPPORTED" });
    expect(silent.asked()).toBe(1);
    expect(await Promise.all(tables.map((table) => catalog.load(table)))).toEqual(bases);
    catalog.close();
    await silent.close();
  });

  it("says that a server is not there, or is something else", async () => {
    const away = open("http://127.0.0.1:1", { patienceMs: 100 });
    await expect(away).rejects.toMatchObject({ code: "CATALOG_FAILED", message: expect.stringContaining("ECONNREFUSED") });
    await expect(open(`${own.uri}/elsewhere`)).rejects.toMatchObject({ code: "CATALOG_REFUSED", message: expect.stringContaining("404") });
  });
});

describe("through a network that fails", () => {
  let proxy: ToxicHttp;
  let catalog: RestCatalog;
  let name = "";
  const table = (): { namespace: string; name: string } => ({ namespace: "db", name });
  const down = { kind: "status", status: 503, code: "ServiceUnavailable" } as const;
  beforeEach(async () => {
    proxy = await toxicHttp(own.uri);
    catalog = await open(proxy.endpoint, { auth: restClient, timeoutMs: 1500 });
    await catalog.createNamespace("db");
    name = `t${randomUUID()}`;
    await catalog.commit([
      { table: table(), create: emptyTable(`file://${own.warehouse}`) },
      { table: { namespace: "db", name: `${name}__quarantine` }, create: emptyTable(`file://${own.warehouse}`) },
    ]);
  });
  afterEach(async () => {
    catalog.close();
    await proxy.close();
  });

  it.each([
    down,
    { kind: "status", status: 429, code: "SlowDown" },
    { kind: "lost-reply" },
    { kind: "truncated-reply" },
    { kind: "silence" },
  ] as const)("reads meet $kind $status and go on", async (toxic) => {
    proxy.poison("GET", /tables\//, [toxic, toxic]);
    expect((await catalog.load(table()))?.table).toEqual(table());
  });

  it("a commit that the server throttles is sent again", async () => {
    const base = (await catalog.load(table()))!;
    proxy.poison("POST", /tables\//, [{ kind: "status", status: 429, code: "TooManyRequests" }]);
    expect(await catalog.commit([set(base, "x")])).toMatchObject({ status: "committed" });
  });

  it.each([{ kind: "lost-reply" }, { kind: "bad-gateway-after" }, { kind: "truncated-reply" }] as const)(
    "a commit that meets $kind is unknown, is never sent twice, and was made",
    async (toxic) => {
      const base = (await catalog.load(table()))!;
      proxy.poison("POST", /tables\//, [toxic]);
      const before = proxy.seen.length;
      await expect(catalog.commit([set(base, "x")])).rejects.toMatchObject({ code: "COMMIT_UNKNOWN", cause: { code: "CATALOG_FAILED" } });
      expect(proxy.seen.length).toBe(before + 1);
      expect((await catalog.load(table()))?.metadata.properties["value"]).toBe("x");
    },
  );

  it.each([{ kind: "truncated-request" }, { kind: "silence" }, down] as const)(
    "a commit that meets $kind is unknown as well, and was not made",
    async (toxic) => {
      const base = (await catalog.load(table()))!;
      const quarantine = (await catalog.load({ namespace: "db", name: `${name}__quarantine` }))!;
      proxy.poison("POST", /transactions/, [toxic]);
      const commit = catalog.commit([set(base, "x"), set(quarantine, "x")]);
      await expect(commit).rejects.toMatchObject({ code: "COMMIT_UNKNOWN" });
      expect((await catalog.load(table()))?.metadata.properties["value"]).toBeUndefined();
    },
  );

  it("makes the second table again where the first was not made with it", async () => {
    const wanted = `t${randomUUID()}`;
    const creates = [wanted, `${wanted}__quarantine`].map((each) => ({
      table: { namespace: "db", name: each },
      create: emptyTable(`file://${own.warehouse}`),
    }));
    proxy.poison("POST", new RegExp(`tables/${wanted}$`), [{ kind: "status", status: 502, code: "BadGateway" }]);
    await expect(catalog.commit(creates)).rejects.toMatchObject({ code: "COMMIT_UNKNOWN" });
    expect(await catalog.list("db")).toContain(`${wanted}__quarantine`);
    expect(await catalog.load(creates[0]!.table)).toBeNull();
    expect(await catalog.commit(creates)).toMatchObject({ status: "committed", tables: [{ table: { name: wanted } }, {}] });
  });
});
