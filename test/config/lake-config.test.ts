import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/config.ts";
import type { LakeConfig } from "../../src/config/lake-config.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "sluice.yaml");
const rest = "source: { kind: kafka, brokers: [localhost:9092] }\ndatasets: [{ contract: a.yaml }]\n";

function lakeOf(text: string, environment: Record<string, string> = {}): LakeConfig {
  return parseConfig(file, `${rest}lake:\n${text.replaceAll(/^/gm, "  ")}`, environment).config.lake;
}

describe("a lake in S3", () => {
  it("takes keys from the chain, and Amazon's addresses, unless it is told others", () => {
    const lake = lakeOf("s3: { uri: s3://lake/sluice }");
    expect(lake.s3).toEqual({ uri: "s3://lake/sluice", region: null, endpoint: null, pathStyle: false, credentials: null });
  });

  it("takes a service of its own with keys from the environment", () => {
    const text = "s3:\n  uri: s3://lake\n  endpoint: https://minio:9000\n  accessKeyId: me\n  secretAccessKey: ${S3_SECRET}\n";
    const credentials = { accessKeyId: "me", secretAccessKey: "hush" };
    expect(lakeOf(text, { S3_SECRET: "hush" }).s3).toEqual({
      uri: "s3://lake",
      region: null,
      endpoint: "https://minio:9000",
      pathStyle: true,
      credentials,
    });
  });

  it.each([
    ["s3: { uri: 'http://lake' }", "wrong form"],
    ["s3: { uri: 's3://lake/a?b' }", "wrong form"],
    ["s3: {}", '"uri" is missing'],
    ["s3: { uri: 's3://lake', accessKeyId: me }", '"secretAccessKey"'],
    ["s3: { uri: 's3://lake', accessKeyId: me, secretAccessKey: hush }", "a secret may not stand in the configuration"],
    ["s3: { uri: 's3://lake', endpoint: 'https://me:hush@minio' }", "wrong form"],
  ])("says what is wrong with %s", (text, message) => {
    expect(() => lakeOf(text)).toThrow(message);
  });
});

describe("a catalog in PostgreSQL", () => {
  it("takes an address, with a password from the environment, from a file, or from nowhere", () => {
    const url = "postgres://sluice@db:5432/lake";
    writeFileSync(join(folder, "password"), "hush\n");
    expect(lakeOf(`postgres: { url: '${url}' }`).postgres).toEqual({ url, password: null, tls: null });
    expect(lakeOf(`postgres: { url: '${url}', password: '\${PW}' }`, { PW: "hush" }).postgres?.password).toBe("hush");
    const lake = lakeOf(`postgres: { url: '${url}', passwordFile: password, tls: {} }`);
    expect(lake.postgres).toEqual({ url, password: "hush", tls: { rejectUnauthorized: true } });
  });

  it.each([
    ["postgres: { url: 'postgres://sluice:hush@db/lake' }", "wrong form"],
    ["postgres: { url: 'postgres://db' }", "wrong form"],
    ["postgres: { url: 'postgres://db/lake', password: hush }", "a secret may not stand in the configuration"],
    ["postgres: { url: 'postgres://db/lake', password: '${PW}' }", "must name a user"],
    ["catalog: c.db\npostgres: { url: 'postgres://db/lake' }", "not in both"],
  ])("says what is wrong with %s", (text, message) => {
    expect(() => lakeOf(text, { PW: "hush" })).toThrow(message);
  });
});

describe("a REST catalog", () => {
  const uri = "https://catalog:8181/api/catalog";

  it("takes a token, or a client with its secret, or neither", () => {
    const plain = lakeOf(`rest: { uri: '${uri}' }`).rest;
    expect(plain).toEqual({ uri, warehouse: null, auth: null, tls: null, timeoutMs: 30_000, vended: false });
    writeFileSync(join(folder, "token"), "abc\n");
    const bearer = lakeOf(`rest: { uri: '${uri}', warehouse: prod, tokenFile: token }`).rest;
    expect(bearer).toMatchObject({ warehouse: "prod", auth: { kind: "bearer", token: "abc" } });
    const login = "clientId: me, clientSecret: '${S}', oauthUri: 'https://idp/token', scope: all";
    const client = lakeOf(`rest: { uri: '${uri}', ${login} }`, { S: "hush" });
    expect(client.rest?.auth).toEqual({ kind: "client", id: "me", secret: "hush", scope: "all", tokenUri: "https://idp/token" });
    expect(lakeOf(`rest: { uri: '${uri}' }\npostgres: { url: 'postgres://db/lake' }`).postgres).not.toBeNull();
  });

  it.each([
    ["rest: { uri: 'https://me:hush@catalog' }", "wrong form"],
    ["rest: { uri: 'https://catalog', clientId: me }", "give clientId with clientSecret"],
    ["rest: { uri: 'https://catalog', token: '${S}', tokenFile: token }", "not both"],
    ["rest: { uri: 'https://catalog', token: '${S}', clientId: me, clientSecret: '${S}' }", "give clientId with clientSecret"],
    ["rest: { uri: 'https://catalog', vended: true }", "keys are for a lake in S3"],
    ["rest: { uri: 'https://catalog', token: hush }", "a secret may not stand in the configuration"],
  ])("says what is wrong with %s", (text, message) => {
    expect(() => lakeOf(text, { S: "hush" })).toThrow(message);
  });
});
