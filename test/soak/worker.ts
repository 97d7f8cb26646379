/**
 * `npm run test:soak:worker`: three days of a whole worker in thirty minutes. A real Kafka, traffic as days have it (a night has a tenth of noon), bad records, dead
 * letters, events, lineage, drift, tables that are looked after twice an "hour", a new contract now and then. Fails where the third day takes more memory, open
 * files or threads than the second did at the same hours, or where a record is in no place or in two.
 */
import { spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openKafka } from "../../src/adapters/broker/local-kafka.ts";
import { freePorts } from "../../src/adapters/broker/ports.ts";
import { KafkaProducer } from "../../src/adapters/kafka/producer.ts";
import { flightTexts } from "../../bench/flights.ts";
import { scrape, until } from "../alerts/rig.ts";
import type { Scrape } from "../alerts/rig.ts";
import { createTopic } from "../live/harness/topics.ts";
import { Days } from "./days.ts";
import type { Sample } from "./days.ts";

const minutes = Number(process.env["SLUICE_SOAK_MINUTES"] ?? "30");
const totalMs = minutes * 60_000;
const days = new Days(totalMs, 3);
/** Records a second at noon: about what the broker, the producer and the worker can do beside each other on two cores. */
const noonRate = Number(process.env["SLUICE_SOAK_RATE"] ?? "40000");
const batch = 2000;
const contractEveryMs = days.dayMs / 6;
/** Files of the lake come and go: so many may be open by chance. */
const openFilesSlack = 16;
const contractText = readFileSync(resolve(import.meta.dirname, "../../schemas/examples/flights.odcs.yaml"), "utf8");

/** The example contract at a version; a drift that the joins of repeated years bring about must not hold windows for a person. */
function contractOf(version: number): string {
  return contractText.replace("version: 1.0.0", `version: 1.0.${version}`).replaceAll("policy: hold", "policy: warn");
}

function damaged(value: Buffer, i: number): Buffer {
  if (i % 97 === 0) return value.subarray(0, value.length >> 1);
  if (i % 89 === 0) return Buffer.from(value.toString().replace(/"carrier":"[^"]*"/, '"carrier":"??"'));
  // A quarter of a megabyte of a field that the contract does not name.
  if (i % 90_001 === 0) return Buffer.from(value.toString().replace("}", `,"note":"${"x".repeat(250_000)}"}`));
  return value;
}

/** What the worker holds of the machine now. */
interface Holding extends Sample {
  readonly files: number;
  readonly threads: number;
}

function holdingOf(pid: number, atMs: number): Holding {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return { atMs, mb: field("VmRSS") / 1024, files: readdirSync(`/proc/${pid}/fd`).length, threads: field("Threads") };
}

function sumOf(series: Scrape | null, prefix: string): number {
  return [...(series ?? [])].filter(([name]) => name.startsWith(prefix)).reduce((sum, [, value]) => sum + value, 0);
}

const folder = mkdtempSync(join(tmpdir(), "sluice-soak-"));
const { kafka, choice } = await openKafka({ folder: join(folder, "broker"), owner: process.pid, heapMib: 512 });
if (kafka === null) throw new Error(`there is no Kafka to soak with: ${choice.reason}`);
const [port] = (await freePorts(1)) as [number];
writeFileSync(
  join(folder, "sluice.yaml"),
  `worker: w1
source: { kind: kafka, brokers: ["${kafka.bootstrap}"], group: soak }
lake: { folder: lake }
datasets: [{ contract: flights.odcs.yaml }]
dlq: { enabled: true }
events: { enabled: true }
lineage: { transports: [{ kind: file, path: lineage.ndjson }] }
http: { port: 0 }
telemetry: { prometheusPort: ${port} }
maintenance: { intervalMs: ${Math.max(1000, Math.round(days.dayMs / 48))}, snapshotAgeMsMax: 60000, snapshotsMin: 20, snapshotsMax: 50, fileBytesTarget: 16777216 }
`,
);
writeFileSync(join(folder, "flights.odcs.yaml"), contractOf(0));
const day = { "retention.ms": "120000", "segment.bytes": String(16 << 20) };
await createTopic(kafka.bootstrap, "flights", { partitions: 3, configs: day });
await createTopic(kafka.bootstrap, "flights.dlq", { partitions: 1, configs: day });
await createTopic(kafka.bootstrap, "sluice.events", { configs: day });
const worker = spawn(resolve(import.meta.dirname, "../../bin/sluice"), ["run", "--config", join(folder, "sluice.yaml")], {
  stdio: ["ignore", "ignore", "pipe"],
});
worker.stderr.pipe(createWriteStream(join(folder, "worker.log")));
const gone = new Promise((settle) => worker.once("exit", settle));
const pid = worker.pid as number;
const connection = { brokers: [kafka.bootstrap], clientId: "soak-producer" };
const producer = new KafkaProducer({ connection });
const failures: string[] = [];
const holdings: Holding[] = [];
const committed = async (): Promise<number> => sumOf(await scrape(port), "sluice_records_total{");
let sent = 0;
try {
  await until("the worker answers", async () => (await scrape(port)) !== null);
  const begin = performance.now();
  let version = 0;
  let nextHolding = 0;
  let due = begin;
  for await (const texts of flightTexts(Number.MAX_SAFE_INTEGER)) {
    const atMs = performance.now() - begin;
    if (atMs >= totalMs) break;
    const traffic = days.trafficAt(atMs);
    for (let i = 0; i < texts.length; i += batch) {
      const values = texts.slice(i, i + batch).map((value, j) => damaged(value, sent + j));
      await producer.send(values.map((value) => ({ topic: "flights", key: null, value, headers: [], timestampMs: null })));
      sent += values.length;
      due += (values.length / (noonRate * traffic)) * 1000;
      // Behind its pace, the producer sends as fast as it can, but makes nothing up.
      due = Math.max(due, performance.now() - 1000);
      if (due > performance.now()) await sleep(due - performance.now());
    }
    if (atMs / contractEveryMs >= version + 1) writeFileSync(join(folder, "flights.odcs.yaml"), contractOf(++version));
    if (atMs < nextHolding) continue;
    nextHolding = atMs + 2000;
    const holding = holdingOf(pid, atMs);
    holdings.push(holding);
    const done = await committed();
    if (holdings.length % 15 === 0) {
      console.log(
        `hour ${days.hourAt(atMs).toFixed(1)}: ${sent} sent, ${done} committed, ${Math.round(holding.mb)} MB, ${holding.files} files, ${holding.threads} threads`,
      );
    }
    // Retention is two minutes: nothing may wait for so long.
    while (sent - (await committed()) > noonRate * 30) await sleep(500);
  }
  await until("everything sent is committed", async () => (await committed()) >= sent);
  await sleep(5000);
  const last = await scrape(port);
  const done = sumOf(last, "sluice_records_total{");
  if (producer.counts.resent === 0 && done !== sent) failures.push(`${sent} records were sent, ${done} committed`);
  for (const [name, value] of last ?? []) {
    if (/^sluice_(commit_failures|engine_losses|windows_lost|sink_failures)_total/.test(name) && value > 0) console.log(`${name} ${value}`);
  }
} finally {
  worker.kill("SIGTERM");
  const code = await gone;
  if (code !== 0) failures.push(`the worker ended with ${String(code)}`);
  await producer.close();
  await kafka.stop();
}
console.log(`${sent} records in ${minutes} minutes`);
if (!days.isFlat(holdings)) failures.push("the last day takes more memory");
const [before, latest] = days.afternoons(holdings);
for (const kind of ["files", "threads"] as const) {
  const most = (part: readonly Holding[]): number => Math.max(...part.map((each) => each[kind]));
  if (most(latest) > most(before) + openFilesSlack)
    failures.push(`open ${kind} became more: at most ${most(before)}, then ${most(latest)}`);
}
for (const failure of failures) console.log(`failed: ${failure}`);
if (failures.length === 0) rmSync(folder, { recursive: true, force: true });
else console.log(`what was logged is in ${folder}`);
console.log(failures.length === 0 ? "1 passed, 0 failed" : "0 passed, 1 failed");
process.exit(failures.length === 0 ? 0 : 1);
