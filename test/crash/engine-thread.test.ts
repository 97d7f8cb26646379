import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createKafkaSource } from "../../src/adapters/kafka/kafka-source.ts";
import { createLake } from "../../src/adapters/lake/lake.ts";
import { engineThreadOptions } from "../../src/cli/engine-thread-options.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { GateEvent } from "../../src/core/events.ts";
import type { Engine, WindowPlan } from "../../src/gate/engine.ts";
import { createEnginePool } from "../../src/gate/engine-pool.ts";
import { Gate } from "../../src/gate/gate.ts";
import { checkConservation } from "../conservation/check.ts";
import { produce } from "../live/harness/produce.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { createTopic, uniqueTopic } from "../live/harness/topics.ts";

const fallsMin = 4;
const partitions = 3;
let folder = "";

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const name of ["SLUICE_TEST_FAULTS", "SLUICE_TEST_FAULTS_FILE", "SLUICE_TEST_FAULTS_SO_FAR"]) delete process.env[name];
});

/** Threads that fall by the plan: `e`xit, `t`hrow, `h`ang. */
function failingEngine(faults: string, happened: string): Engine {
  Object.assign(process.env, { SLUICE_TEST_FAULTS: faults, SLUICE_TEST_FAULTS_FILE: happened });
  const pool = createEnginePool(1, {
    ...engineThreadOptions(256),
    silenceMsMax: 4000,
    entry: new URL("failing-engine-entry.ts", import.meta.url),
  });
  return {
    open: (plan: WindowPlan) => {
      // A thread takes its environment as it starts.
      process.env["SLUICE_TEST_FAULTS_SO_FAR"] = String(existsSync(happened) ? readFileSync(happened, "utf8").length : 0);
      return pool.open(plan);
    },
    close: () => pool.close(),
  };
}

describe.skipIf(!kafkaHere.available)("engine threads that fall, under a gate on real Kafka", () => {
  it("lose and double nothing, and the main thread keeps its time", { timeout: 240_000 }, async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("engine");
    folder = mkdtempSync(join(tmpdir(), "sluice-engine-"));
    const happened = join(folder, "happened");
    await createTopic(bootstrap, topic, { partitions });
    const text = readFileSync(new URL("orders.odcs.yaml", import.meta.url), "utf8").replace("TOPIC", topic);
    const { contract } = await loadContract("orders.odcs.yaml", () => Promise.resolve(text));
    const catalog = join(folder, "catalog.db");
    const clock = { now: () => Date.now() };
    const lake = await createLake({ folder: join(folder, "lake"), catalog, namespace: "sluice", clock });
    const source = createKafkaSource({
      connection: { brokers: [bootstrap], clientId: "engine" },
      groupId: topic,
      topics: [topic],
      sessionTimeoutMs: 6000,
    });
    const engine = failingEngine("ethetthe", happened);
    const events: GateEvent[] = [];
    const gate = new Gate({
      lake,
      source,
      engine,
      engineKind: "compiled",
      contracts: [contract],
      clock,
      observe: (event) => void events.push(event),
      probe: () => {},
      worker: "engine",
      producer: "test",
      windowBytesMax: 1 << 24,
      start: { at: "earliest" },
    });
    await gate.activate();
    const done = gate.run();
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    const fallen = (): number => (existsSync(happened) ? readFileSync(happened, "utf8").length : 0);
    let records = 0;
    // On a slow machine fewer, larger windows are judged, and it takes more records for as many falls.
    for (; records < 3000 || fallen() < fallsMin; records += 500) {
      const batch = Array.from({ length: 500 }, (_, i) => {
        const id = records + i;
        const value =
          id % 31 === 0 ? "{" : JSON.stringify({ id, customer: `c${id}`, amount: id % 10 === 0 ? -1 : id, placed_at: new Date(id * 1000) });
        return { key: `k${id}`, value: id % 97 === 0 ? null : value, partition: id % partitions };
      });
      await produce(bootstrap, topic, batch);
      await sleep(200);
    }
    const deadline = Date.now() + 120_000;
    while ((gate.status().lanes[0]?.partitions.reduce((sum, each) => sum + Number(each.position), 0) ?? 0) < records) {
      if (Date.now() > deadline)
        throw new Error(
          `timed out: not done: ${events
            .slice(-20)
            .map((each) => each.type)
            .join(", ")}`,
        );
      await Promise.race([done, sleep(50)]);
    }
    delay.disable();
    await gate.stop();
    await done;
    await engine.close();
    await lake.close();
    expect(events.filter((event) => event.type === "engine.lost").length).toBeGreaterThan(1);
    // No session ended: heartbeats went on, the hung threads notwithstanding.
    expect(events.filter((event) => event.type === "partitions.lost" || event.type === "window.lost")).toEqual([]);
    expect(events.filter((event) => event.type === "partitions.assigned").length).toBe(1);
    expect(delay.count).toBeGreaterThan(100);
    const report = await checkConservation({
      brokers: [bootstrap],
      topic,
      catalogFile: catalog,
      table: "sluice.orders",
      quarantineTable: "sluice.orders__quarantine",
      dlqTopic: null,
      complete: true,
    });
    expect(report.problems).toEqual([]);
    expect(report.promoted + report.quarantined + report.skipped).toBe(records);
  });
});
