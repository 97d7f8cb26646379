import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TokenGate } from "../../src/rest-catalog/token-gate.ts";
import type { CatalogFixture } from "./catalog-fixture.ts";
import { catalogFixture } from "./catalog-fixture.ts";

const tokens = [
  { name: "spark", token: "spark-secret-0123456789", scope: "read", namespaces: null },
  { name: "etl", token: "etl-secret-0123456789ab", scope: "write", namespaces: ["lab"] },
  { name: "ann", token: "ann-secret-0123456789ab", scope: "admin", namespaces: null },
] as const;
let now = 1_000_000;
const gate = new TokenGate({ tokens, anonymous: null, clock: { now: () => now } });
const form = (fields: Record<string, string>): URLSearchParams => new URLSearchParams(fields);
const credentials = (id: string, secret: string, scope = "catalog"): URLSearchParams =>
  form({ grant_type: "client_credentials", client_id: id, client_secret: secret, scope });
const given = (answer: { body: Readonly<Record<string, unknown>> }): string => answer.body["access_token"] as string;

describe("tokens", () => {
  it("speak for who they were given to; anything else is a 401", () => {
    expect(gate.principal("Bearer spark-secret-0123456789")).toMatchObject({ name: "spark", scope: "read" });
    for (const header of [undefined, "", "Bearer", "Bearer x", "Basic eA==", "Bearer spark-secret-012345678", "Bearer sluice1.e30.x"]) {
      expect(() => gate.principal(header)).toThrow(expect.objectContaining({ status: 401, type: "NotAuthorizedException" }));
    }
    const open = new TokenGate({ tokens: [], anonymous: "read", clock: { now: () => now } });
    expect(open.principal(undefined)).toMatchObject({ name: "anonymous", scope: "read" });
    expect(() => open.principal("Bearer wrong")).toThrow(expect.objectContaining({ status: 401 }));
  });

  it("are given out for credentials, last an hour, and are exchanged for fresh ones", () => {
    now = 1_000_000;
    const answer = gate.exchange(credentials("etl", "etl-secret-0123456789ab"), undefined);
    expect(answer).toMatchObject({ status: 200, body: { token_type: "bearer", expires_in: 3600, scope: "write" } });
    const token = given(answer);
    expect(gate.principal(`Bearer ${token}`)).toMatchObject({ name: "etl", scope: "write", namespaces: ["lab"] });
    now += 3_599_999;
    const exchange = form({ grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", subject_token: token });
    const fresh = given(gate.exchange(exchange, `Bearer ${token}`));
    now += 1;
    expect(() => gate.principal(`Bearer ${token}`)).toThrow(expect.objectContaining({ status: 419 }));
    expect(gate.exchange(exchange, undefined)).toMatchObject({ status: 401, body: { error: "invalid_grant" } });
    expect(gate.principal(`Bearer ${fresh}`)).toMatchObject({ name: "etl" });
  });

  it("may be narrower than the client, never wider, and end with its secret", () => {
    const narrow = given(gate.exchange(credentials("ann", "ann-secret-0123456789ab", "read"), undefined));
    expect(gate.principal(`Bearer ${narrow}`)).toMatchObject({ name: "ann", scope: "read" });
    const wider = form({ grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", subject_token: narrow, scope: "admin" });
    expect(gate.exchange(wider, undefined)).toMatchObject({ status: 400, body: { error: "invalid_scope" } });
    expect(gate.exchange(credentials("spark", "spark-secret-0123456789", "admin"), undefined)).toMatchObject({ status: 400 });
    const changed = new TokenGate({
      tokens: [{ ...tokens[2], token: "another-secret-012345" }],
      anonymous: null,
      clock: { now: () => now },
    });
    expect(() => changed.principal(`Bearer ${narrow}`)).toThrow(expect.objectContaining({ status: 401 }));
    const cut = new TokenGate({ tokens: [{ ...tokens[1], scope: "read" }], anonymous: null, clock: { now: () => now } });
    const wide = given(gate.exchange(credentials("etl", "etl-secret-0123456789ab"), undefined));
    expect(cut.principal(`Bearer ${wide}`)).toMatchObject({ scope: "read" });
  });

  it("can't be forged: a changed claim or signature is a 401", () => {
    const [mark, claims = "", signature] = given(gate.exchange(credentials("spark", "spark-secret-0123456789"), undefined)).split(".");
    const text = Buffer.from(claims, "base64url").toString().replace('"read"', '"admin"');
    for (const forged of [
      `${mark}.${Buffer.from(text).toString("base64url")}.${signature}`,
      `${mark}.${claims}.${signature}A`,
      `${mark}.${claims}.`,
    ]) {
      expect(() => gate.principal(`Bearer ${forged}`)).toThrow(expect.objectContaining({ status: 401 }));
    }
  });

  it("are refused with OAuth's own errors", () => {
    expect(gate.exchange(credentials("etl", "wrong"), undefined)).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    expect(gate.exchange(form({ grant_type: "password" }), undefined)).toMatchObject({
      status: 400,
      body: { error: "unsupported_grant_type" },
    });
    const basic = `Basic ${Buffer.from("etl:etl-secret-0123456789ab").toString("base64")}`;
    expect(gate.exchange(form({ grant_type: "client_credentials" }), basic)).toMatchObject({ status: 200 });
  });
});

describe("scopes", () => {
  let catalog: CatalogFixture;
  beforeAll(async () => {
    catalog = await catalogFixture({ anonymous: null, tokens });
  });
  afterAll(() => catalog.close());
  const as = (name: string): Record<string, string> => ({
    authorization: `Bearer ${tokens.find((each) => each.name === name)?.token ?? ""}`,
  });
  const schema = { type: "struct", fields: [{ id: 1, name: "id", required: true, type: "long" }] };

  it("hold at every endpoint, each in its namespace", async () => {
    const { ask } = catalog;
    const status = async (who: string | null, method: string, path: string, body?: unknown): Promise<number> =>
      (await ask(method, path, body, who === null ? {} : as(who))).status;
    expect(await status(null, "GET", "/v1/config")).toBe(401);
    expect(await status(null, "POST", "/v1/no/such/place", {})).toBe(404);
    // Nothing that a stranger sends is read: this is no JSON.
    expect((await fetch(`${catalog.url}/v1/namespaces`, { method: "POST", body: "{" })).status).toBe(401);
    const form = new URLSearchParams({ grant_type: "x".repeat(100_000) });
    expect((await fetch(`${catalog.url}/v1/oauth/tokens`, { method: "POST", body: form })).status).toBe(413);
    expect(await status("spark", "GET", "/v1/config")).toBe(200);
    expect(await status("ann", "POST", "/v1/namespaces", { namespace: ["hr"] })).toBe(200);
    expect(await status("spark", "POST", "/v1/namespaces", { namespace: ["x"] })).toBe(403);
    expect(await status("etl", "POST", "/v1/namespaces", { namespace: ["x"] })).toBe(403);
    expect(await status("etl", "POST", "/v1/namespaces", { namespace: ["lab", "a"] })).toBe(200);
    expect(await status("etl", "POST", "/v1/namespaces/lab%1Fa/tables", { name: "t", schema })).toBe(200);
    expect(await status("etl", "POST", "/v1/namespaces/hr/tables", { name: "t", schema })).toBe(403);
    expect(await status("ann", "POST", "/v1/namespaces/hr/tables", { name: "t", schema })).toBe(200);
    expect(await status("etl", "GET", "/v1/namespaces/hr/tables/t")).toBe(403);
    expect(await status("spark", "GET", "/v1/namespaces/hr/tables/t")).toBe(200);
    expect(await status("spark", "DELETE", "/v1/namespaces/hr/tables/t")).toBe(403);
    const commit = { updates: [{ action: "set-properties", updates: { a: "1" } }] };
    expect(await status("spark", "POST", "/v1/namespaces/hr/tables/t", commit)).toBe(403);
    const identifier = { namespace: ["hr"], name: "t" };
    expect(await status("etl", "POST", "/v1/transactions/commit", { "table-changes": [{ identifier, ...commit }] })).toBe(403);
    const inLab = { namespace: ["lab", "a"], name: "t" };
    expect(await status("etl", "POST", "/v1/tables/rename", { source: identifier, destination: inLab })).toBe(403);
    expect(await status("etl", "POST", "/v1/tables/rename", { source: inLab, destination: identifier })).toBe(403);
    const listed = await ask("GET", "/v1/namespaces", undefined, as("etl"));
    expect(listed.body.namespaces).toEqual([["lab"]]);
  });

  it("are had over HTTP by OAuth's form", async () => {
    const response = await fetch(`${catalog.url}/v1/oauth/tokens`, {
      method: "POST",
      body: form({ grant_type: "client_credentials", client_id: "spark", client_secret: tokens[0].token, scope: "catalog" }),
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect((await catalog.ask("GET", "/v1/config", undefined, { authorization: `Bearer ${token}` })).status).toBe(200);
  });
});
