import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { Kafka, logLevel } from "kafkajs";
import { createKafkaSource } from "../src/adapters/kafka/kafka-source.ts";
import { createLake } from "../src/adapters/lake/lake.ts";
import { openEngine } from "../src/cli/engine.ts";
import { loadContract } from "../src/contract/load-contract.ts";
import type { Source, SourceListener, SourceRun } from "../src/core/ports.ts";
import { span } from "../src/core/records.ts";
import { Gate } from "../src/gate/gate.ts";
import { beginReport } from "./child.ts";
import { flightsSchema } from "./flights.ts";

const [mode, bootstrap, count] = process.argv.slice(2) as ["bare" | "kafkajs" | "ajv" | "gate", string, string];
const wanted = Number(count);
const source: Source = createKafkaSource({
  connection: { brokers: [bootstrap], clientId: "bench" },
  groupId: `bench-${mode}-${process.pid}-${Date.now()}`,
  topics: ["flights"],
  reuseMemory: true,
});
/** As a worker has it that holds 64 MiB in flight. */
const windowBytesMax = 21 << 20;
const report = beginReport();

/** Takes every run, hands its records to `take`, and gives it back. */
async function consume(take: (run: SourceRun) => void): Promise<void> {
  const over = Promise.withResolvers<void>();
  let seen = 0;
  const listener: SourceListener = {
    assigned: (partitions) => source.resolve(partitions, { at: "earliest" }),
    revoked: async () => {},
    lost: () => {},
    records: (run) => {
      take(run);
      seen += run.records.count;
      run.release();
      if (seen >= wanted) over.resolve();
    },
    blocked: ({ error }) => over.reject(error),
    trouble: () => {},
    ended: () => {},
  };
  await source.start(listener);
  await over.promise;
}

/** As its documentation shows it, a batch at a time. */
async function consumeByKafkajs(): Promise<void> {
  const consumer = new Kafka({ brokers: [bootstrap], clientId: "bench", logLevel: logLevel.NOTHING }).consumer({
    groupId: `bench-kafkajs-${process.pid}-${Date.now()}`,
  });
  await consumer.connect();
  await consumer.subscribe({ topic: "flights", fromBeginning: true });
  const over = Promise.withResolvers<void>();
  let seen = 0;
  await consumer.run({
    eachBatch: ({ batch }) => {
      seen += batch.messages.length;
      if (seen >= wanted) over.resolve();
      return Promise.resolve();
    },
  });
  await over.promise;
}

async function parseAndValidate(): Promise<void> {
  const ajv = new Ajv2020({ strict: false });
  (addFormats as unknown as (target: Ajv2020) => void)(ajv);
  const validate = ajv.compile(flightsSchema);
  let valid = 0;
  await consume(({ records }) => {
    for (let row = 0; row < records.count; row++) {
      const bytes = span(records, "value", row) as Uint8Array;
      if (validate(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")))) valid++;
    }
  });
  if (valid < wanted * 0.9) throw new Error(`only ${valid} of ${wanted} were valid: the peer's schema does not fit the data`);
}

async function wholeGate(): Promise<void> {
  const file = fileURLToPath(new URL("../schemas/examples/flights.odcs.yaml", import.meta.url));
  const { contract: example } = await loadContract(file, (path) => Promise.resolve(readFileSync(path, "utf8")));
  // The example's windows of 10,000 rows are for people to watch: under load, windows close by bytes.
  const contract = { ...example, window: { rows: 1_000_000, bytes: windowBytesMax, seconds: 5 } };
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const clock = { now: () => Date.now() };
  const lake = await createLake({ folder, catalog: join(folder, "catalog.db"), namespace: "bench", clock });
  const engine = openEngine({ kind: "compiled", threads: 1, heapMib: 512 });
  const gate = new Gate({
    lake,
    source,
    contracts: [contract],
    start: { at: "earliest" },
    clock,
    engine,
    engineKind: "compiled",
    probe: () => {},
    worker: "bench",
    producer: "bench",
    windowBytesMax,
    observe: () => {},
  });
  // What is left when all is judged is committed now, instead of when its window's time is up.
  const poll = setInterval(() => {
    const lane = gate.status().lanes[0];
    if (lane === undefined || lane.queuedBytes > 0 || lane.totals.records + (lane.openWindow?.rows ?? 0) < wanted) return;
    clearInterval(poll);
    void gate.stop();
  }, 20);
  await gate.activate();
  await gate.run();
  const { promoted } = gate.status().lanes[0]?.totals ?? { promoted: 0 };
  if (promoted < wanted * 0.9) throw new Error(`only ${promoted} of ${wanted} were promoted: the contract does not fit the data`);
  await engine.close();
  await lake.close();
  rmSync(folder, { recursive: true });
}

if (mode === "bare") await consume(() => {});
else if (mode === "kafkajs") await consumeByKafkajs();
else if (mode === "ajv") await parseAndValidate();
else await wholeGate();
report(wanted);
await source.close();
process.exit(0);
