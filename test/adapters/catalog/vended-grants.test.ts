import { describe, expect, it } from "vitest";
import { vendedGrants } from "../../../src/adapters/catalog/vended-grants.ts";

const properties = { "s3.access-key-id": "k", "s3.secret-access-key": "s" };
const keys = { accessKeyId: "k", secretAccessKey: "s" };
const location = "s3a://b/lake/tables/1";

describe("the keys of an answer", () => {
  it("in its config are for the table's folder", () => {
    expect(vendedGrants({ config: properties }, location)).toEqual([{ prefix: "s3://b/lake/tables/1/", keys }]);
    const session = { ...properties, "s3.session-token": "t", "s3.session-token-expires-at-ms": "5000" };
    expect(vendedGrants({ config: session }, location)[0]?.keys).toEqual({ ...keys, sessionToken: "t", expiration: new Date(5000) });
  });

  it("with a prefix that covers the table come before those in its config", () => {
    const wide = { prefix: "s3://b/lake", config: { ...properties, "s3.access-key-id": "wide" } };
    const elsewhere = { prefix: "s3a://other/", config: properties };
    const both = vendedGrants({ config: properties, "storage-credentials": [wide, elsewhere] }, location);
    expect(both.map((each) => [each.prefix, each.keys.accessKeyId])).toEqual([
      ["s3://b/lake", "wide"],
      ["s3://other/", "k"],
    ]);
    expect(vendedGrants({ config: properties, "storage-credentials": [elsewhere] }, location)).toHaveLength(2);
  });

  it.each([
    ["nothing", undefined],
    ["no keys", { config: { "s3.region": "r" } }],
    ["half of a pair", { config: { "s3.access-key-id": "k" } }],
    ["another store's", { "storage-credentials": [{ prefix: "gs://b/", config: { "gcs.oauth2.token": "t" } }] }],
    ["no list", { "storage-credentials": "s3" }],
    ["no objects", { config: "s3", "storage-credentials": [null, 3, { prefix: 3 }] }],
  ])("are none in an answer with %s", (_what, body) => {
    expect(vendedGrants(body, location)).toEqual([]);
  });
});
