/**
 * `npm run record:alerts`: runs real workers for 23 minutes, does to them what the alert rules are about, and writes what they exposed to
 * recorded-run.json, a scrape every 15 seconds, for `promtool test rules`. Needs Kafka and, to mount a small disk, root.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { openKafka } from "../../src/adapters/broker/local-kafka.ts";
import { freePorts } from "../../src/adapters/broker/ports.ts";
import { openProducer } from "../live/harness/produce.ts";
import type { TestRecord } from "../live/harness/produce.ts";
import { createTopic, deleteTopic } from "../live/harness/topics.ts";
import { Recorder } from "./recording.ts";
import { contractOf, scrape, until, WorkerProcess } from "./rig.ts";

const intervalSeconds = 15;
const diskMib = 192;
const file = join(import.meta.dirname, "recorded-run.json");
const rules = readFileSync(resolve(import.meta.dirname, "../../deploy/prometheus/sluice.rules.yaml"), "utf8");
const used = new Set([...rules.matchAll(/\b(?:sluice|messaging)_[a-z_]+/g)].map((match) => match[0]));
const hourMs = 3600_000;

const folder = mkdtempSync(join(tmpdir(), "sluice-record-"));
const lakeFolder = join(folder, "a", "lake");
mkdirSync(lakeFolder, { recursive: true });
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${diskMib}m`, "tmpfs", lakeFolder], { encoding: "utf8" });
if (mounted.status !== 0) throw new Error(`a small disk can't be mounted: ${mounted.stderr}`);
const { kafka, choice } = await openKafka({ folder: join(folder, "broker"), owner: process.pid });
if (kafka === null) throw new Error(`there is no Kafka: ${choice.reason}`);
const { bootstrap } = kafka;

/** Takes lineage events, until it is told not to. */
let sinkIsUp = true;
const sink = createServer((request, response) => {
  request.resume();
  response.statusCode = sinkIsUp ? 201 : 503;
  response.end();
});
await new Promise<void>((settle) => sink.listen(0, "127.0.0.1", settle));
const sinkUrl = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`;

const [portA, portB] = (await freePorts(2)) as [number, number];
const configOf = (group: string, port: number, datasets: readonly string[], more: string): string => `worker: ${group}
source: { kind: kafka, brokers: ["${bootstrap}"], group: ${group}, sessionTimeoutMs: 6000 }
lake: { folder: lake }
datasets: [${datasets.map((dataset) => `{ contract: ${dataset}.odcs.yaml }`).join(", ")}]
http: { port: 0 }
telemetry: { prometheusPort: ${port} }
engine: { threads: 1 }
log: { format: json }
${more}`;
const a = new WorkerProcess(
  join(folder, "a"),
  configOf(
    "a",
    portA,
    ["orders", "returns", "refunds"],
    `maintenance: { intervalMs: 60000, filesMin: 2 }\nlineage: { transports: [{ kind: http, url: "${sinkUrl}" }] }\n`,
  ),
  { orders: contractOf("orders"), returns: contractOf("returns"), refunds: contractOf("refunds") },
);
// Every record is a window of its own: its commits are all that it has time for.
const b = new WorkerProcess(join(folder, "b"), configOf("b", portB, ["clicks"], "maintenance: { enabled: false }\n"), {
  clicks: contractOf("clicks", { windowRows: 1 }),
});
for (const topic of ["orders", "returns", "refunds", "clicks"]) await createTopic(bootstrap, topic);

/** How what is produced looks now; changed by the faults. */
const feed = { badShare: 0, nullCustomers: false, amountScale: 1, refundsAgeMs: 2 * hourMs, stopped: new Set<string>(), isOn: true };
let id = 0;
function record(topic: string): TestRecord {
  const n = id++;
  const isFaulty = topic === "orders";
  const bad = isFaulty && (n * 7919) % 100 < feed.badShare * 100;
  const amount = bad ? -1 : ((n * 37) % 100) * (isFaulty ? feed.amountScale : 1);
  const customer = isFaulty && feed.nullCustomers ? null : `c${n % 50}`;
  return { value: JSON.stringify({ id: n, customer, amount }), timestampMs: Date.now() - (topic === "refunds" ? feed.refundsAgeMs : 0) };
}
const perSecond: Readonly<Record<string, number>> = { orders: 30, returns: 8, refunds: 4 };
const producer = openProducer(bootstrap);
async function produceOn(): Promise<void> {
  while (feed.isOn) {
    for (const [topic, count] of Object.entries(perSecond)) {
      if (feed.stopped.has(topic)) continue;
      const records = Array.from({ length: count }, () => record(topic));
      // A topic that is being made again is not to be written to for a moment.
      await producer.send(topic, records).catch(() => undefined);
    }
    await sleep(1000);
  }
}
async function produceClicks(): Promise<void> {
  for (; feed.isOn; await sleep(120)) await producer.send("clicks", [record("clicks")]);
}

const recorder = new Recorder(used, intervalSeconds);
let beganMs = 0;
let catalog: DatabaseSync | null = null;
const ballast = join(lakeFolder, "ballast");
/** What is done, and at which second. */
const steps: readonly (readonly [number, string, () => unknown])[] = [
  [60, "sink is down", () => (sinkIsUp = false)],
  [90, "bad records", () => (feed.badShare = 0.6)],
  [240, "good records", () => (feed.badShare = 0)],
  [250, "null customers", () => (feed.nullCustomers = true)],
  [262, "customers again", () => (feed.nullCustomers = false)],
  [
    290,
    "topic is made again",
    async () => {
      feed.stopped.add("returns");
      await deleteTopic(bootstrap, "returns");
      await createTopic(bootstrap, "returns");
      feed.stopped.delete("returns");
    },
  ],
  [330, "amounts shift", () => (feed.amountScale = 4)],
  [
    400,
    "contract is broken",
    () => a.writeContract("orders", contractOf("orders", { version: 2 }).replace("logicalType: string", "logicalType: sting")),
  ],
  [420, "amounts are back", () => (feed.amountScale = 1)],
  [450, "source is accepted", () => a.command("source", "accept", "--dataset", "returns", "-m", "made again on purpose")],
  [
    490,
    "held windows are dropped",
    () => {
      const { held } = JSON.parse(a.command("hold", "list", "--dataset", "orders", "--json")) as { held: { windowId: string }[] };
      for (const { windowId } of held) a.command("hold", "drop", windowId, "--dataset", "orders", "-m", "sensor fault");
    },
  ],
  [500, "disk is full", () => writeFileSync(ballast, Buffer.alloc(freeBytes() - Math.floor(diskMib * 1024 * 1024 * 0.06)))],
  [520, "contract is mended", () => a.writeContract("orders", contractOf("orders", { version: 2 }))],
  [600, "sink is back", () => (sinkIsUp = true)],
  [640, "refunds are new", () => (feed.refundsAgeMs = 0)],
  [670, "disk has space", () => rmSync(ballast)],
  [
    690,
    "catalog is locked",
    () => {
      catalog = new DatabaseSync(join(lakeFolder, "catalog.db"));
      catalog.exec("PRAGMA busy_timeout = 20000; BEGIN IMMEDIATE");
    },
  ],
  [1140, "catalog is free", () => catalog?.close()],
  [1200, "worker is killed", () => a.end("SIGKILL")],
  [1365, "worker is back", () => a.start()],
  [1440, "end", () => undefined],
];

function freeBytes(): number {
  const { stdout } = spawnSync("df", ["--output=avail", "-B1", lakeFolder], { encoding: "utf8" });
  return Number(stdout.split("\n")[1]);
}

async function takeOn(lastSecond: number): Promise<void> {
  for (let at = 0; at <= lastSecond; at += intervalSeconds) {
    await sleep(Math.max(0, beganMs + at * 1000 - Date.now()));
    const [ofA, ofB] = await Promise.all([scrape(portA), scrape(portB)]);
    recorder.take(
      new Map([
        ["sluice-a:9464", ofA],
        ["sluice-b:9464", ofB],
      ]),
    );
  }
}

try {
  a.start();
  b.start();
  const producing = Promise.all([produceOn(), produceClicks()]);
  await until("both workers commit", async () =>
    (await Promise.all([portA, portB].map(scrape))).every((found) =>
      [...(found?.keys() ?? [])].some((series) => series.startsWith("sluice_windows_total")),
    ),
  );
  beganMs = Date.now();
  const taking = takeOn(steps.at(-1)?.[0] ?? 0);
  for (const [second, name, act] of steps) {
    await sleep(Math.max(0, beganMs + second * 1000 - Date.now()));
    recorder.mark(name);
    console.log(`${second} s: ${name}`);
    await act();
  }
  await taking;
  feed.isOn = false;
  await producing;
  writeFileSync(file, `${JSON.stringify(recorder.finish(), null, 1)}\n`);
  console.log(`written: ${file}`);
} finally {
  await a.end("SIGTERM");
  await b.end("SIGTERM");
  await producer.close();
  sink.close();
  await kafka.stop();
  spawnSync("umount", [lakeFolder]);
  rmSync(folder, { recursive: true, force: true });
}
