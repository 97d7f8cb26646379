import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { ownRestCatalog, restClient } from "../live/harness/own-rest-catalog.ts";
import { postgresHere, testPostgres } from "../live/harness/test-postgres.ts";
import { s3Keys, testS3 } from "../live/harness/test-s3.ts";
import { sluice } from "./sluice.ts";

const [database, s3, rest] = await Promise.all([postgresHere ? testPostgres() : null, testS3(), ownRestCatalog()]);
afterAll(async () => {
  await Promise.all([database?.close(), s3?.close(), rest.close()]);
});

const password = "hush-hush";

/** A `lake` section, and the variables that it takes its secrets from. */
interface Written {
  readonly lake: string;
  readonly env: Record<string, string>;
}

async function inPostgres(): Promise<Written> {
  const url = await database!.database();
  const roles = await database!.run(url, "SELECT 1 FROM pg_roles WHERE rolname = 'secured'");
  if (roles.length === 0) await database!.run(url, `CREATE ROLE secured LOGIN SUPERUSER PASSWORD '${password}'`);
  return { lake: `{ postgres: { url: "${url.replace("sluice@", "secured@")}", password: "\${SECRET}" } }`, env: { SECRET: password } };
}

async function inS3(): Promise<Written> {
  const { bucket, endpoint } = await s3!.bucket();
  const keys = `accessKeyId: ${s3Keys.accessKeyId}, secretAccessKey: "\${SECRET}"`;
  return { lake: `{ s3: { uri: "s3://${bucket}/a/b", endpoint: "${endpoint}", ${keys} } }`, env: { SECRET: s3Keys.secretAccessKey } };
}

async function inRest(): Promise<Written> {
  const login = `clientId: ${restClient.id}, clientSecret: "\${SECRET}"`;
  return {
    lake: `{ folder: ${rest.warehouse}, namespace: cli, rest: { uri: "${rest.uri}", ${login} } }`,
    env: { SECRET: restClient.secret },
  };
}

const order = (id: number, amount: number): string => JSON.stringify({ id, customer: `c${id}`, amount, placed_at: "2026-03-01T00:00:00Z" });

describe.each([
  { name: "PostgreSQL", here: database !== null, write: inPostgres, refusal: "CATALOG_REFUSED" },
  { name: "S3", here: s3 !== null, write: inS3, refusal: null },
  { name: "a REST catalog", here: true, write: inRest, refusal: "CATALOG_REFUSED" },
])("a lake in $name from the command line", ({ name, here, write, refusal }) => {
  it.runIf(here)("runs, shows what there is, and says who is refused", async () => {
    using scratch = scratchFolder();
    const { lake, env } = await write();
    const contract = readFileSync(join(import.meta.dirname, "../crash/orders.odcs.yaml"), "utf8").replace("TOPIC", "orders");
    writeFileSync(join(scratch.folder, "orders.odcs.yaml"), contract);
    writeFileSync(join(scratch.folder, "orders.ndjson"), `${[order(1, 2), order(2, -1), order(3, 4)].join("\n")}\n`);
    const config = join(scratch.folder, "sluice.yaml");
    const source = `{ kind: files, paths: [${scratch.folder}/orders.ndjson] }`;
    writeFileSync(config, `lake: ${lake}\nsource: ${source}\ndatasets: [{ contract: orders.odcs.yaml }]\nhttp: { enabled: false }\n`);
    const command = (args: readonly string[], changed = env): ReturnType<typeof sluice> =>
      sluice([...args, "--config", config], { env: changed });

    const run = await command(["run"]);
    expect(run, run.err).toMatchObject({ code: 0 });
    const status = JSON.parse((await command(["status", "--json"])).out) as { datasets: { records: number; openQuarantine: number }[] };
    expect(status.datasets).toMatchObject([{ dataset: "orders", openQuarantine: 1 }]);
    expect((await command(["quarantine", "list"])).out).toContain("amount");
    expect((await command(["snapshots"])).code).toBe(0);
    // Of a lake in S3, only its catalog is here.
    expect(existsSync(join(scratch.folder, "sluice-lake/tables"))).toBe(name === "PostgreSQL");
    if (refusal === null) return;
    const refused = await command(["status"], { SECRET: "wrong" });
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain(refusal);
    expect(refused.err + refused.out).not.toContain("wrong");
  });
});
