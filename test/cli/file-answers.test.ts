import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { ended, sluice, start } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-file-answers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = join(folder, "sluice.yaml");
const file = join(folder, "input/orders.ndjson");
const count = 30_000;
const orders = (amount: number): string =>
  Array.from(
    { length: count },
    (_, id) => `{"id": ${id}, "customer": "c${id}", "amount": ${amount}, "placed_at": "2024-01-01T00:00:00Z"}\n`,
  ).join("");

interface StatusJson {
  readonly datasets: readonly { readonly promoted: number; readonly blocks: readonly { readonly code: string }[] }[];
}

async function status(): Promise<{ code: number | null; promoted: number; blocks: readonly { readonly code: string }[] }> {
  const { code, out } = await sluice(["status", "--config", config, "--json"]);
  const [one] = (JSON.parse(out) as StatusJson).datasets;
  return { code, promoted: one?.promoted ?? 0, blocks: one?.blocks ?? [] };
}

describe("a file that was partly read, and changed", () => {
  let begun = 0;

  beforeEach(async () => {
    for (const old of ["lake", "input"]) rmSync(join(folder, old), { recursive: true, force: true });
    mkdirSync(join(folder, "input"), { recursive: true });
    writeFileSync(file, orders(1));
    const contract = readFileSync(resolve(import.meta.dirname, "../crash/orders.odcs.yaml"), "utf8").replace("TOPIC", "orders");
    writeFileSync(join(folder, "orders.odcs.yaml"), contract);
    writeFileSync(
      config,
      "lake: { folder: lake }\nsource: { kind: files, paths: [input] }\ndatasets: [{ contract: orders.odcs.yaml }]\nhttp: { enabled: false }\n",
    );
    // Contract, start, first window: then there is a position within the file.
    await sluice(["run", "--config", config], { env: { SLUICE_CRASH_AT: "catalog.after-commit:4" } });
    begun = (await status()).promoted;
    expect([begun > 0, begun < count]).toEqual([true, true]);
    writeFileSync(file, orders(2));
  });

  it("is read from its start by the running worker, when a person accepts it", async () => {
    const worker = start(["run", "--config", config]);
    const over = ended(worker);
    try {
      while ((await status()).blocks.length === 0) await sleep(100);
      const shown = await sluice(["source", "status", "--config", config]);
      expect([shown.code, shown.out.includes(`sluice source accept --config ${config}`)]).toEqual([3, true]);
      const reset = await sluice(["source", "reset", "--to", "earliest", "--config", config]);
      expect([reset.code, reset.err.includes("sluice source accept")]).toEqual([2, true]);
      const { code, err } = await sluice(["source", "accept", "--config", config, "-m", "replaced on purpose"]);
      expect([code, err]).toEqual([0, ""]);
      expect((await over).code).toBe(0);
    } finally {
      worker.kill("SIGKILL");
    }
    expect(await status()).toEqual({ code: 0, promoted: begun + count, blocks: [] });
    expect((await sluice(["source", "accept", "--config", config])).code).toBe(1);
  });

  it("is read on from where it stood, when its content comes back before the answer", async () => {
    const worker = start(["run", "--config", config]);
    const over = ended(worker);
    while ((await status()).blocks.length === 0) await sleep(100);
    worker.kill("SIGTERM");
    expect((await over).code).toBe(0);
    writeFileSync(file, orders(1));
    const { code, out } = await sluice(["source", "accept", "--config", config, "--json"]);
    expect([code, (JSON.parse(out) as { removed: unknown[] }).removed]).toEqual([0, []]);
    expect((await sluice(["run", "--config", config])).code).toBe(0);
    expect(await status()).toEqual({ code: 0, promoted: count, blocks: [] });
  });
});
