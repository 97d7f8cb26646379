/** Keys of the bucket that a token's clients are handed: only those, and only where they ask. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openCatalog } from "../../src/adapters/catalog/open-catalog.ts";
import { ForeignChanges } from "../../src/adapters/lake/foreign-changes.ts";
import { createLake } from "../../src/adapters/lake/lake.ts";
import { openStorage } from "../../src/adapters/storage/open-storage.ts";
import { startCatalogServer } from "../../src/rest-catalog/catalog-server.ts";
import { TokenGate } from "../../src/rest-catalog/token-gate.ts";
import { contract, makeWindow, partitions, row, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { s3Keys, testS3 } from "../live/harness/test-s3.ts";

const s3 = await testS3();
afterAll(() => s3?.close());

const handed = { name: "handed", token: "handed-secret-0123456789", scope: "read", namespaces: null, s3Keys } as const;
const own = { name: "own", token: "own-secret-0123456789abc", scope: "read", namespaces: null } as const;

const reads = `
import os, sys, json
for name in list(os.environ):
    if name.startswith("AWS_"): del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
from pyiceberg.catalog.rest import RestCatalog
table = RestCatalog("lake", uri=sys.argv[1], credential=sys.argv[2], scope="catalog").load_table("db.orders")
print(json.dumps(table.scan(selected_fields=("n",)).to_arrow()["n"].to_pylist()))
`;

describe.skipIf(s3 === null)("keys of the bucket", () => {
  it("are handed to clients of their token that ask, who then read with none of their own", async () => {
    using scratch = scratchFolder();
    const { bucket } = await s3!.bucket();
    const place = {
      folder: scratch.folder,
      catalog: join(scratch.folder, "catalog.db"),
      namespace: "db",
      s3: { uri: `s3://${bucket}/lake`, region: "us-east-1", endpoint: s3!.endpoint, pathStyle: true, credentials: s3Keys },
    };
    const clock = { now: () => Date.now() };
    const files = await openStorage(place, { random: Math.random, patienceMs: 60_000 });
    const ports = { storage: files.storage, clock, uuid: randomUUID, random: Math.random, probe: () => {}, patienceMs: 60_000 };
    const opened = await openCatalog(place, ports);
    const lake = await createLake({ ...place, clock });
    await lake.activate(contract);
    await lake.recordStart("orders", [{ ...partitions[0]!, next: 0n }]);
    await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2)] }));
    const where = { "s3.endpoint": s3!.endpoint, "s3.region": "us-east-1", "s3.path-style-access": "true" };
    const server = await startCatalogServer({
      lineage: null,
      host: "127.0.0.1",
      port: 0,
      gate: new TokenGate({ tokens: [handed, own], anonymous: null, clock }),
      context: {
        ...ports,
        catalog: opened.catalog,
        rows: opened.rows,
        views: opened.views,
        directory: opened.directory,
        consumption: opened.stores.consumption,
        guard: new ForeignChanges({ namespace: "db", storage: files.storage }),
        clientProperties: where,
        observe: () => {},
      },
    });
    const load = async (
      token: string,
      headers: Record<string, string>,
    ): Promise<{ config: unknown; etag: string | null; text: string }> => {
      const response = await fetch(`${server.url}/v1/namespaces/db/tables/orders`, {
        headers: { authorization: `Bearer ${token}`, ...headers },
      });
      const text = await response.text();
      return { config: (JSON.parse(text) as { config: unknown }).config, etag: response.headers.get("etag"), text };
    };
    const asks = { "x-iceberg-access-delegation": "remote-signing, vended-credentials" };
    const given = await load(handed.token, asks);
    expect(given.config).toEqual({ ...where, "s3.access-key-id": s3Keys.accessKeyId, "s3.secret-access-key": s3Keys.secretAccessKey });
    const unasked = await load(handed.token, {});
    const others = await load(own.token, asks);
    for (const each of [unasked, others]) {
      expect(each.config).toEqual(where);
      expect(each.text).not.toContain(s3Keys.secretAccessKey);
      // Who held one answer and asks for the other is not told that nothing has changed.
      expect(each.etag).not.toBe(given.etag);
    }
    const python = await pythonReaders();
    if (python !== null) expect(JSON.parse(await runPython(python, reads, [server.url, `${handed.name}:${handed.token}`]))).toEqual([1, 2]);
    await server.close();
    await lake.close();
    await opened.close();
    files.close();
  });
});
