import { writeSync } from "node:fs";
import { span } from "../../src/core/records.ts";
import type { PartitionKey } from "../../src/core/position.ts";
import type { MakeSource } from "./source-bench.ts";

/** Runs one source until it is killed, from earliest, and prints what its listener is told, a line each. */
export async function runWorker(make: MakeSource, [bootstrap = "", topic = "", groupId = ""]: readonly string[]): Promise<void> {
  const say = (line: string): void => void writeSync(1, `${line}\n`);
  const each = (what: string, partitions: readonly PartitionKey[]): void => {
    for (const key of partitions) say(`${what} ${key.topic}/${key.partition}`);
  };
  const source = make({
    connection: { brokers: bootstrap.split(","), clientId: "source-worker" },
    groupId,
    topics: [topic],
    sessionTimeoutMs: 6000,
    rebalanceTimeoutMs: 10_000,
    heartbeatIntervalMs: 200,
    fetchWaitMs: 100,
    metadataRefreshMs: 500,
  });
  await source.start({
    assigned(partitions) {
      each("assigned", partitions);
      return source.resolve(partitions, { at: "earliest" });
    },
    async revoked(partitions) {
      each("revoked", partitions);
    },
    lost: (partitions) => each("lost", partitions),
    records(run) {
      for (let row = 0; row < run.records.count; row++) say(`record ${String(span(run.records, "value", row))}`);
      run.release();
    },
    blocked: ({ error }) => say(`blocked ${error.message}`),
    trouble: (error) => say(`trouble ${error?.message ?? "over"}`),
    ended: () => say("ended"),
  });
}
