import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ended, sluice, start } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-catalog-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const config = join(folder, "sluice.yaml");
const secret = { LAB_TOKEN: "lab-secret-0123456789" };

/** What a started command prints, until a text of it is there. */
async function printed(child: ChildProcess, stream: "stdout" | "stderr", pattern: RegExp): Promise<string> {
  let text = "";
  child[stream]?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const until = Date.now() + 120_000;
  for (;;) {
    const match = pattern.exec(text)?.[1];
    if (match !== undefined) return match;
    if (Date.now() > until || child.exitCode !== null) throw new Error(`timed out: it never printed ${pattern}: ${text}`);
    await sleep(50);
  }
}

async function get(url: string, path: string, token?: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}${path}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

beforeAll(async () => {
  mkdirSync(join(folder, "input"));
  const orders = Array.from(
    { length: 50 },
    (_, id) => `{"id": ${id}, "customer": "c", "amount": 1, "placed_at": "2024-01-01T00:00:00Z"}\n`,
  );
  writeFileSync(join(folder, "input/orders.ndjson"), orders.join(""));
  const contract = readFileSync(resolve(import.meta.dirname, "../crash/orders.odcs.yaml"), "utf8").replace("TOPIC", "orders");
  writeFileSync(join(folder, "orders.odcs.yaml"), contract);
  writeFileSync(
    config,
    `lake: { folder: lake }
source: { kind: files, paths: [input] }
datasets: [{ contract: orders.odcs.yaml }]
http: { enabled: false, catalog: { port: 0, tokens: [{ name: lab, token: "\${LAB_TOKEN}" }] } }
log: { format: json }
`,
  );
  expect((await sluice(["run", "--config", config], { env: secret })).code).toBe(0);
}, 120_000);

describe("sluice catalog serve", () => {
  it("serves the lake until it is stopped, and leaves a record of who read", async () => {
    const server = start(["catalog", "serve", "--config", config, "--json"], secret);
    const over = ended(server);
    const url = await printed(server, "stdout", /"url":"([^"]+)"/);
    expect((await get(url, "/v1/namespaces/sluice/tables")).status).toBe(401);
    const listed = await get(url, "/v1/namespaces/sluice/tables", secret.LAB_TOKEN);
    expect(listed.body["identifiers"]).toEqual(["orders", "orders__quarantine"].map((name) => ({ namespace: ["sluice"], name })));
    expect((await get(url, "/v1/namespaces/sluice/tables/orders", secret.LAB_TOKEN)).status).toBe(200);
    server.kill("SIGTERM");
    expect((await over).code).toBe(0);
    const { createLake } = await import("../../src/adapters/lake/lake.ts");
    const lake = await createLake({
      folder: join(folder, "lake"),
      catalog: join(folder, "lake/catalog.db"),
      namespace: "sluice",
      clock: { now: () => Date.now() },
    });
    try {
      const [read] = await Array.fromAsync(lake.consumption.of("orders"));
      expect(read).toMatchObject({ kind: "load", reader: "lab", snapshotId: (await lake.state("orders")).mainSnapshotId });
    } finally {
      await lake.close();
    }
  });

  it("opens to anyone only where it is told to, and says what is wrong with a command line", async () => {
    const server = start(["catalog", "serve", "-c", config, "--anonymous", "read", "--port", "0"], secret);
    const over = ended(server);
    const url = await printed(server, "stdout", /catalog at (\S+)/);
    expect((await get(url, "/v1/config")).status).toBe(200);
    const taken = await sluice(["catalog", "serve", "-c", config, "--port", new URL(url).port], { env: secret });
    expect([taken.code, taken.err.includes("CONFIG_INVALID")]).toEqual([1, true]);
    server.kill("SIGINT");
    expect((await over).code).toBe(0);
    const wrong = await sluice(["catalog", "serve", "-c", config, "--port", "70000"], { env: secret });
    expect([wrong.code, wrong.err.includes("--port")]).toEqual([2, true]);
  });
});

describe("a worker whose catalog is Sluice's own", () => {
  it("goes on with the datasets that the server protects from others", async () => {
    const gate = { GATE_TOKEN: "gate-secret-0123456789" };
    const env = { ...secret, ...gate };
    const served = join(folder, "served.yaml");
    const tokens = '{ name: lab, scope: admin, token: "${LAB_TOKEN}" }, { name: gate, scope: worker, token: "${GATE_TOKEN}" }';
    writeFileSync(
      served,
      readFileSync(config, "utf8").replace(/tokens: \[.*\]/, () => `tokens: [${tokens}]`),
    );
    const server = start(["catalog", "serve", "--config", served, "--json"], env);
    const over = ended(server);
    const url = await printed(server, "stdout", /"url":"([^"]+)"/);
    mkdirSync(join(folder, "later"), { recursive: true });
    const lines = [51, 52, -1].map((id) => `{"id": ${id}, "customer": "c${id}", "amount": ${id}, "placed_at": "2026-03-01T00:00:00Z"}\n`);
    writeFileSync(join(folder, "later/orders.ndjson"), lines.join(""));
    const asWorker = (name: string, clientId: string, secretOf: string): string => {
      const path = join(folder, name);
      writeFileSync(
        path,
        `lake: { folder: lake, catalog: "${folder}/own-${name}.db", rest: { uri: "${url}", clientId: ${clientId}, clientSecret: "\${${secretOf}}" } }
source: { kind: files, paths: [later] }
datasets: [{ contract: orders.odcs.yaml }]
http: { enabled: false }
`,
      );
      return path;
    };
    const lab = asWorker("lab.yaml", "lab", "LAB_TOKEN");
    const refused = await sluice(["tag", "create", "mine", "--reason", "test", "--config", lab], { env });
    expect([refused.code === 0, refused.err.includes("Sluice's own")], refused.err).toEqual([false, true]);
    const worker = asWorker("gate.yaml", "gate", "GATE_TOKEN");
    const run = await sluice(["run", "--config", worker], { env });
    expect(run, run.err).toMatchObject({ code: 0 });
    const status = JSON.parse((await sluice(["status", "--json", "--config", worker], { env })).out) as object;
    expect(status).toMatchObject({ datasets: [{ dataset: "orders", records: 53, openQuarantine: 51 }] });
    // The server's own lake is the same one.
    const tagged = await sluice(["tag", "create", "after", "--reason", "test", "--config", config], { env });
    expect(tagged, tagged.err).toMatchObject({ code: 0 });
    const seen = await get(url, "/v1/namespaces/sluice/tables/orders", secret.LAB_TOKEN);
    expect(seen.body["metadata"]).toMatchObject({ refs: { after: { type: "tag" } } });
    server.kill("SIGTERM");
    expect((await over).code).toBe(0);
  });
});

describe("sluice run", () => {
  it("serves the catalog beside its work where it is enabled", async () => {
    const with_ = join(folder, "with.yaml");
    writeFileSync(with_, readFileSync(config, "utf8").replace("catalog: { port: 0", "catalog: { enabled: true, port: 0"));
    // Enough for the worker to be at it while it is asked.
    const many = Array.from(
      { length: 600_000 },
      (_, id) => `{"id": ${id}, "customer": "c", "amount": 1, "placed_at": "2024-01-01T00:00:00Z"}\n`,
    );
    writeFileSync(join(folder, "input/more.ndjson"), many.join(""));
    const worker = start(["run", "--config", with_], secret);
    const over = ended(worker);
    const url = await printed(worker, "stderr", /"url":"([^"]+)","msg":"the catalog is served"/);
    expect((await get(url, "/v1/namespaces/sluice/tables/orders", secret.LAB_TOKEN)).status).toBe(200);
    const taken = await sluice(["run", "--config", with_], { env: { ...secret, SLUICE_HTTP_CATALOG_PORT: new URL(url).port } });
    expect([taken.code, taken.err.includes("the catalog can't listen on")]).toEqual([1, true]);
    worker.kill("SIGTERM");
    expect((await over).code).toBe(0);
    const elsewhere = join(folder, "elsewhere.yaml");
    writeFileSync(elsewhere, readFileSync(config, "utf8").replace("lake: { folder: lake }", "lake: { rest: { uri: http://127.0.0.1:1 } }"));
    const twice = await sluice(["catalog", "serve", "--config", elsewhere], { env: secret });
    expect([twice.code, twice.err.includes("a REST catalog already")]).toEqual([1, true]);
  });
});
