/** Two hosts share a lake in S3 under a catalog in PostgreSQL, one of them dies at a commit, and others read what is there. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exited, Rig } from "../crash/rig.ts";
import { produce } from "../live/harness/produce.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { postgresHere, testPostgres } from "../live/harness/test-postgres.ts";
import { s3Keys, testS3 } from "../live/harness/test-s3.ts";

const pyiceberg = `
import sys, json
from pyiceberg.catalog.sql import SqlCatalog
url, endpoint, key, secret = sys.argv[1:5]
catalog = SqlCatalog("sluice", uri=url.replace("postgres://", "postgresql+psycopg2://"), init_catalog_tables="false", **{
    "s3.endpoint": endpoint, "s3.access-key-id": key, "s3.secret-access-key": secret, "s3.region": "us-east-1"})
t = catalog.load_table("sluice.orders")
q = catalog.load_table("sluice.orders__quarantine")
print(json.dumps({
    "location": t.metadata_location,
    "ids": sorted(t.scan().to_arrow()["id"].to_pylist()),
    "quarantined": sorted(json.loads(value)["id"] for value in q.scan().to_arrow()["value"].to_pylist()),
}))
`;

const duckdb = `
import sys, json
${duckdbWithIceberg}
import re
location, endpoint, key, secret = sys.argv[1:5]
_folder = os.path.dirname(importlib.util.find_spec("duckdb_extension_httpfs").origin)
duck.load_extension(glob.glob(os.path.join(_folder, "extensions", "*", "httpfs.duckdb_extension"))[0])
duck.sql(f"CREATE SECRET (TYPE s3, KEY_ID '{key}', SECRET '{secret}', REGION 'us-east-1', ENDPOINT '{endpoint.split('//')[1]}', URL_STYLE 'path', USE_SSL false)")
print(json.dumps([row[0] for row in duck.sql(f"SELECT id FROM iceberg_scan('{location}') ORDER BY id").fetchall()]))
`;

const [database, s3] = await Promise.all([postgresHere ? testPostgres() : null, testS3()]);
afterAll(async () => {
  await Promise.all([database?.close(), s3?.close()]);
});

const bad = (id: number): boolean => id % 10 === 0;

function orders(from: number, count: number): { key: string; value: string; partition: number }[] {
  return Array.from({ length: count }, (_, i) => {
    const id = from + i;
    const value = JSON.stringify({ id, customer: `c${id}`, amount: bad(id) ? -1.5 : id / 100, placed_at: "2026-03-01T00:00:00Z" });
    return { key: `k${id}`, value, partition: id % 4 };
  });
}

describe.skipIf(!pythonHere || !kafkaHere.available || database === null || s3 === null)("a lake that two hosts share", () => {
  let one: Rig;
  let url = "";
  let environment: Record<string, string> = {};
  beforeAll(async () => {
    url = await database!.database();
    const { bucket, endpoint } = await s3!.bucket();
    const lake = `postgres: { url: "${url}" }, s3: { uri: "s3://${bucket}/team/lake", endpoint: "${endpoint}" }`;
    one = await Rig.open((await sharedBroker()).bootstrap, { lake });
    environment = { AWS_ACCESS_KEY_ID: s3Keys.accessKeyId, AWS_SECRET_ACCESS_KEY: s3Keys.secretAccessKey };
  }, 120_000);
  afterAll(() => one.close());

  const status = async (): Promise<{ readonly records: number; readonly lag: string }> => {
    const sluice = join(import.meta.dirname, "../../bin/sluice");
    const args = ["status", "--json", "--config", one.configFile];
    // What waits in quarantine is a finding, and its exit code says so.
    const { stdout } = await promisify(execFile)(sluice, args, { env: { ...process.env, ...environment } });
    const [dataset] = (JSON.parse(stdout) as { readonly datasets: { readonly records: number; readonly lag: string }[] }).datasets;
    return dataset ?? { records: 0, lag: "?" };
  };
  const promotedAll = async (count: number): Promise<void> => {
    for (let tries = 0; ; tries++) {
      const now = await status();
      if (Number(now.records) === count) return;
      if (tries > 60) throw new Error(`after a minute: ${JSON.stringify(now)}; ${one.lastLog()}`);
      await sleep(500);
    }
  };

  it(
    "loses and doubles nothing where one of them dies right after a commit, and is read by PyIceberg and DuckDB",
    { timeout: 240_000 },
    async () => {
      const first = one.worker({ ...environment, SLUICE_SOURCE_INSTANCE_ID: "host-1", SLUICE_CRASH_AT: "offsets.before-commit:1" });
      const second = one.worker({ ...environment, SLUICE_SOURCE_INSTANCE_ID: "host-2", SLUICE_WORKER: "rig-2" });
      let count = 0;
      const dead = exited(first);
      // Until the first one has had partitions, and has committed a window of them.
      for (let isAlive = true; isAlive; count += 200) {
        if (count > 20_000) throw new Error(`the first worker does not commit; ${one.lastLog()}`);
        await produce(one.bootstrap, one.topic, orders(count + 1, 200));
        isAlive = await Promise.race([dead.then(() => false), sleep(1000).then(() => true)]);
      }
      expect(await dead).toBe("SIGKILL");
      const again = one.worker({ ...environment, SLUICE_SOURCE_INSTANCE_ID: "host-1" });
      await promotedAll(count);
      await one.terminate(again);
      await one.terminate(second);
      // Nothing of the tables is on either host.
      expect(existsSync(join(one.folder, "lake"))).toBe(false);

      const python = (await pythonReaders()) as string;
      const keys = [s3!.endpoint, s3Keys.accessKeyId, s3Keys.secretAccessKey];
      const ids = Array.from({ length: count }, (_, i) => i + 1);
      const read = JSON.parse(await runPython(python, pyiceberg, [url, ...keys])) as Record<string, unknown>;
      expect(read["ids"]).toEqual(ids.filter((id) => !bad(id)));
      expect(read["quarantined"]).toEqual(ids.filter(bad));
      expect(JSON.parse(await runPython(python, duckdb, [read["location"] as string, ...keys]))).toEqual(read["ids"]);
    },
  );
});
