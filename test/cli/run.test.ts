import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { produce } from "../live/harness/produce.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { createTopic, deleteTopic, uniqueTopic } from "../live/harness/topics.ts";
import { ended, sluice, start } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const orders = readFileSync(resolve(import.meta.dirname, "../crash/orders.odcs.yaml"), "utf8");
const records = (from: number): { value: string }[] =>
  Array.from({ length: 20 }, (_, i) => ({
    value: JSON.stringify({ id: from + i, customer: "c1", amount: i % 5 === 0 ? -1 : 1, placed_at: "2024-01-01T00:00:00Z" }),
  }));

async function until(what: string, holds: () => Promise<boolean> | boolean, withinMs = 120_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`timed out: not within ${withinMs} ms: ${what}`);
    await sleep(200);
  }
}

describe.skipIf(!kafkaHere.available)("sluice run", () => {
  it(
    "judges, reloads contracts, blocks on a topic that was created again, takes the answer, and ends with 0",
    { timeout: 600_000 },
    async () => {
      const { bootstrap } = await sharedBroker();
      const topic = uniqueTopic("orders");
      const contract = join(folder, "orders.odcs.yaml");
      const good = orders.replace("TOPIC", topic);
      writeFileSync(contract, good);
      const config = join(folder, "sluice.yaml");
      writeFileSync(
        config,
        `source: { kind: kafka, brokers: ["${bootstrap}"], group: ${topic}, sessionTimeoutMs: 6000 }\ndatasets: [{ contract: orders.odcs.yaml }]\nhttp: { port: 0 }\nlog: { format: json }\n`,
      );
      await createTopic(bootstrap, topic);
      await produce(bootstrap, topic, records(0));
      const worker: ChildProcess = start(["run", "--config", config, "--json"]);
      let out = "";
      let log = "";
      worker.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
      worker.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
      const over = ended(worker);
      try {
        const promoted = (): number =>
          out
            .slice(0, out.lastIndexOf("\n") + 1)
            .split("\n")
            .filter(Boolean)
            .reduce((sum, line) => sum + (JSON.parse(line) as { counts: { promoted: number } }).counts.promoted, 0);
        await until("the first records are promoted", () => promoted() === 16);
        const url = /"url":"([^"]+)"/.exec(log)?.[1] ?? "";
        const ready = async (): Promise<[number, string]> => {
          const response = await fetch(`${url}/health/ready`);
          return [response.status, ((await response.json()) as { status: string }).status];
        };
        expect(await ready()).toEqual([200, "ready"]);

        writeFileSync(contract, good.replace("logicalType: string", "logicalType: sting"));
        await until("the broken contract is refused", () => log.includes("contract refused, the old one stays in force"));
        expect(await ready()).toEqual([200, "ready"]);
        writeFileSync(contract, good.replace("version: 1.0.0", "version: 1.0.1"));
        await until("the corrected contract is taken", () => /"contract":"1\.0\.1"/.test(log));

        await deleteTopic(bootstrap, topic);
        await createTopic(bootstrap, topic);
        await produce(bootstrap, topic, records(100));
        await until("the new topic is refused", async () => (await ready())[1] === "blocked");
        expect((await ready())[0]).toBe(503);
        const status = await sluice(["source", "status", "--config", config]);
        expect([status.code, status.out.includes("SOURCE_IDENTITY_CHANGED"), status.out.includes("sluice source accept")]).toEqual([
          3,
          true,
          true,
        ]);
        expect(promoted()).toBe(16);
        const accepted = await sluice(["source", "accept", "--config", config, "-m", "re-created on purpose"]);
        expect([accepted.code, accepted.err]).toEqual([0, ""]);
        await until("the new topic is read from its start", () => promoted() === 32);
        expect(await ready()).toEqual([200, "ready"]);
      } catch (error) {
        throw new Error(`${String(error)}\n${log.slice(-3000)}`, { cause: error });
      } finally {
        worker.kill("SIGTERM");
      }
      expect((await over).code).toBe(0);
      const after = await sluice(["status", "--config", config, "--json"]);
      expect(after.code).toBe(0);
      expect(JSON.parse(after.out)).toMatchObject({
        datasets: [{ records: 40, promoted: 32, quarantined: 8, held: 0, lag: "0", blocks: [] }],
      });
    },
  );
});
