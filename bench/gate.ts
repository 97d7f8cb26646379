import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openKafka } from "../src/adapters/broker/local-kafka.ts";
import { openAdmin } from "../src/adapters/kafka/admin.ts";
import { KafkaProducer } from "../src/adapters/kafka/producer.ts";
import type { Bench } from "./bench.ts";
import { spread } from "./bench.ts";
import type { ChildReport } from "./child.ts";
import { runChild } from "./child.ts";
import { flightTexts } from "./flights.ts";

/** Enough that compilers and first contacts are a small part of each run. */
const records = 3_000_000;
const rounds = 5;
const modes = ["bare", "kafkajs", "ajv", "gate"] as const;
const names = {
  bare: "bare consumer of the same client, record batches decoded",
  kafkajs: "bare kafkajs consumer",
  ajv: "JSON.parse + ajv per record in that consumer",
  gate: "whole gate, 2 threads, to committed snapshots",
};

/** Fills the topic `flights` (3 partitions). */
async function fill(bootstrap: string, say: (line: string) => void): Promise<void> {
  const connection = { brokers: [bootstrap], clientId: "bench-producer" };
  const admin = openAdmin(connection);
  await admin.createTopic("flights", { partitions: 3 });
  await admin.close();
  const producer = new KafkaProducer({ connection });
  let sent = 0;
  for await (const texts of flightTexts(records)) {
    await producer.send(texts.map((value) => ({ topic: "flights", key: null, value, headers: [], timestampMs: null })));
    sent += texts.length;
  }
  await producer.close();
  say(`${sent} records in the topic`);
}

/** The whole path on real flights, beside what a Node program would do at least: only read, and read + JSON.parse + ajv. */
export const gate: Bench = {
  name: "gate",
  async run(say) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-bench-broker-"));
    const { kafka, choice } = await openKafka({ folder, heapMib: 512 });
    if (kafka === null) throw new Error(`there is no Kafka to measure with: ${choice.reason}`);
    try {
      await fill(kafka.bootstrap, say);
      const child = fileURLToPath(new URL("gate-child.ts", import.meta.url));
      const reports: Record<(typeof modes)[number], ChildReport[]> = { bare: [], kafkajs: [], ajv: [], gate: [] };
      for (let round = 1; round <= rounds; round++) {
        for (const mode of modes) {
          const report = await runChild(
            child,
            [mode, kafka.bootstrap, String(records)],
            // kafkajs is at its best with Node's own settings.
            mode === "kafkajs" ? [] : undefined,
          );
          reports[mode].push(report);
          say(
            `round ${round}, ${mode}: ${report.seconds.toFixed(1)} s, ${report.cpuSeconds.toFixed(1)} CPU s, ${Math.round(report.peakRssMb)} MB`,
          );
        }
      }
      const rate = (report: ChildReport): number => report.records / report.seconds;
      const ratios = (peer: "bare" | "kafkajs" | "ajv"): number[] =>
        reports.gate.map((own, round) => rate(own) / rate(reports[peer][round] as ChildReport));
      return {
        setup: `${records} flights as JSON in a topic of 3 partitions on a broker of this machine; each contestant in a fresh process, ${rounds} rounds in turn. The gate has windows of 21 MiB and judges in one thread beside the main one.`,
        measurements: modes.map((mode) => ({
          name: names[mode],
          rate: spread(reports[mode].map(rate)),
          cpuSecondsPerMillion: spread(reports[mode].map((report) => (report.cpuSeconds / report.records) * 1e6)),
          peakRssMb: spread(reports[mode].map((report) => report.peakRssMb)),
        })),
        comparisons: [
          { name: "whole gate / bare kafkajs consumer", ratio: spread(ratios("kafkajs")), floor: 0.8, aim: 1.5 },
          { name: "whole gate / bare consumer of ours", ratio: spread(ratios("bare")), floor: 0.35, aim: 0.7 },
          { name: "whole gate / JSON.parse + ajv", ratio: spread(ratios("ajv")), floor: null, aim: null },
        ],
      };
    } finally {
      await kafka.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
