import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/config.ts";
import type { HttpConfig } from "../../src/config/http-config.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "sluice.yaml");
const rest = "source: { kind: kafka, brokers: [localhost:9092] }\ndatasets: [{ contract: a.yaml }]\n";
const environment = { A: "a-secret-0123456789", B: "b-secret-0123456789" };

function httpOf(catalog: string): HttpConfig {
  return parseConfig(file, `${rest}http: { catalog: ${catalog} }\n`, environment).config.http;
}

describe("who may use the catalog", () => {
  it("is named by tokens, from the environment or from files", () => {
    writeFileSync(join(folder, "token"), `${environment.B}\n`);
    const tokens =
      '[{ name: a, token: "${A}" }, { name: b, tokenFile: token, scope: write, namespaces: [lab], s3: { accessKeyId: K, secretAccessKey: "${A}" } }]';
    expect(httpOf(`{ enabled: true, port: 0, tokens: ${tokens} }`).catalog).toEqual({
      enabled: true,
      host: "127.0.0.1",
      port: 0,
      anonymous: null,
      tokens: [
        { name: "a", token: environment.A, scope: "read", namespaces: null, s3Keys: null },
        {
          name: "b",
          token: environment.B,
          scope: "write",
          namespaces: ["lab"],
          s3Keys: { accessKeyId: "K", secretAccessKey: environment.A },
        },
      ],
      sessions: null,
    });
    const sessions = httpOf('{ tokens: [{ name: a, token: "${A}" }], sessions: { roleArn: "arn:aws:iam::1:role/lake" } }').catalog.sessions;
    expect(sessions).toEqual({ roleArn: "arn:aws:iam::1:role/lake", endpoint: null, seconds: 3600 });
  });

  it.each([
    ["nobody could", "{ enabled: true }", /nobody could use the catalog/],
    ["a token without a secret", "{ tokens: [{ name: a }] }", /one of token and tokenFile/],
    ["a name twice", '{ tokens: [{ name: a, token: "${A}" }, { name: a, token: "${B}" }] }', /there twice/],
    ["a token twice", '{ tokens: [{ name: a, token: "${A}" }, { name: b, token: "${A}" }] }', /there twice/],
    ["a secret in the file", "{ tokens: [{ name: a, token: a-secret-0123456789 }] }", /a secret may not stand in the configuration/],
    [
      "a bucket's secret in the file",
      '{ tokens: [{ name: a, token: "${A}", s3: { accessKeyId: K, secretAccessKey: hush } }] }',
      /a secret may not stand/,
    ],
    ["a scope that there is not", '{ tokens: [{ name: a, token: "${A}", scope: all }] }', /scope/],
  ])("is refused where it is unclear: %s", (_what, catalog, message) => {
    expect(() => httpOf(catalog)).toThrow(message);
  });
});
