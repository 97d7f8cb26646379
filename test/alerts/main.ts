/**
 * `npm run test:alerts`: faults in data and source reach a person through a real Prometheus and a real Alertmanager, as deploy/ configures them: one
 * message when it begins, one when it is over, and no other. Time goes thirty times as fast: every duration of rules and routes is divided.
 */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { openKafka } from "../../src/adapters/broker/local-kafka.ts";
import { freePorts } from "../../src/adapters/broker/ports.ts";
import { findTool } from "../deploy/tools.ts";
import { openProducer } from "../live/harness/produce.ts";
import { createTopic, deleteTopic } from "../live/harness/topics.ts";
import { contractOf, scrape, until, WorkerProcess } from "./rig.ts";

const speed = 30;
const deploy = resolve(import.meta.dirname, "../../deploy");
const prometheus = findTool("the way of an alert", "prometheus");
const alertmanager = findTool("the way of an alert", "alertmanager", "prometheus-alertmanager");

/** Divides every duration (`5m`, `30s`) of a configuration; seconds in expressions are data's, and stay. */
function hurry(text: string): string {
  const millis = { s: 1000, m: 60_000, h: 3600_000 } as const;
  return text.replaceAll(
    /(\[|(?:for|interval|wait|timeout|_interval): )(\d+)([smh])\b/g,
    (_all, before: string, count: string, unit: "s" | "m" | "h") => {
      return `${before}${Math.max(1, Math.round((Number(count) * millis[unit]) / speed / 1000))}s`;
    },
  );
}

/** What Alertmanager sends. */
interface Notice {
  readonly receiver: string;
  readonly status: "firing" | "resolved";
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

interface Receiver {
  readonly url: string;
  readonly notices: readonly Notice[];
  close(): void;
}

async function startReceiver(): Promise<Receiver> {
  const notices: Notice[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      notices.push(JSON.parse(body) as Notice);
      response.end();
    });
  });
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, notices, close: () => server.close() };
}

const children: ChildProcess[] = [];
function launch(name: string, folder: string, args: readonly string[]): void {
  const child = spawn(name, [...args], { stdio: ["ignore", "pipe", "pipe"] });
  const log = createWriteStream(join(folder, `${name}.log`));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  children.push(child);
}

/** Starts both, as deploy/ configures them but for addresses and pace. */
async function startWatch(folder: string, worker: number, receiver: string): Promise<void> {
  const [ofPrometheus, ofAlertmanager] = (await freePorts(2)) as [number, number];
  mkdirSync(folder);
  const read = (file: string): string => readFileSync(join(deploy, file), "utf8");
  writeFileSync(join(folder, "sluice.rules.yaml"), hurry(read("prometheus/sluice.rules.yaml")));
  const scraped = hurry(read("prometheus/prometheus.yml"))
    .replace("sluice:9464", `127.0.0.1:${worker}`)
    .replaceAll("alertmanager:9093", `127.0.0.1:${ofAlertmanager}`)
    .replace("localhost:9090", `127.0.0.1:${ofPrometheus}`);
  writeFileSync(join(folder, "prometheus.yml"), scraped);
  // `url_file` is known from 0.26 on; the address is no secret here.
  const routed = hurry(read("alertmanager/alertmanager.yml")).replaceAll(/url_file: \/run\/secrets\/(\w+)_url/g, `url: ${receiver}/$1`);
  writeFileSync(join(folder, "alertmanager.yml"), routed);
  launch(alertmanager.name, folder, [
    `--config.file=${join(folder, "alertmanager.yml")}`,
    `--storage.path=${join(folder, "alerts")}`,
    `--web.listen-address=127.0.0.1:${ofAlertmanager}`,
    "--cluster.listen-address=",
  ]);
  launch(prometheus.name, folder, [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "series")}`,
    `--web.listen-address=127.0.0.1:${ofPrometheus}`,
  ]);
  const answers = async (port: number): Promise<boolean> =>
    await fetch(`http://127.0.0.1:${port}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
  await until("Prometheus and Alertmanager are ready", async () => (await answers(ofPrometheus)) && (await answers(ofAlertmanager)));
}

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-alerts-"));
  const { kafka, choice } = await openKafka({ folder: join(folder, "broker"), owner: process.pid });
  if (kafka === null) {
    console.log(`skipped: ${choice.reason}`);
    return;
  }
  const { bootstrap } = kafka;
  const receiver = await startReceiver();
  const [port] = (await freePorts(1)) as [number];
  const config = `worker: w1
source: { kind: kafka, brokers: ["${bootstrap}"], group: alerts, sessionTimeoutMs: 6000 }
lake: { folder: lake }
datasets: [{ contract: orders.odcs.yaml }]
http: { port: 0 }
telemetry: { prometheusPort: ${port} }
`;
  const worker = new WorkerProcess(join(folder, "worker"), config, { orders: contractOf("orders", { drift: false, windowSeconds: 1 }) });
  await createTopic(bootstrap, "orders");
  const producer = openProducer(bootstrap);
  const feed = { badShare: 0, isOn: true, isPaused: false };
  const feeding = (async (): Promise<void> => {
    for (let id = 0; feed.isOn; await sleep(500)) {
      if (feed.isPaused) continue;
      const values = Array.from({ length: 20 }, () => ({
        id: id++,
        customer: "c1",
        amount: (id * 7) % 20 < feed.badShare * 20 ? -1 : id % 100,
      }));
      await producer
        .send(
          "orders",
          values.map((each) => ({ value: JSON.stringify(each) })),
        )
        .catch(() => undefined);
    }
  })();
  try {
    worker.start();
    await until("the worker commits", async () =>
      [...((await scrape(port))?.keys() ?? [])].some((one) => one.startsWith("sluice_windows_total")),
    );
    await startWatch(join(folder, "watch"), port, receiver.url);
    // The machine's disk and cores are not the scenario's.
    const ours = (): readonly Notice[] => receiver.notices.filter((one) => one.alerts.some((each) => each.labels["dataset"] === "orders"));
    const told = (alert: string, status: string): number =>
      ours().filter((one) => one.alerts.some((each) => each.labels["alertname"] === alert && each.status === status)).length;
    await sleep(15_000);
    check("nothing is told while all is well", ours().length, 0);

    feed.badShare = 0.5;
    await until("the share of quarantined records is told", () => told("SluiceQuarantineRate", "firing") > 0);
    feed.badShare = 0;
    await until("its recovery is told", () => told("SluiceQuarantineRate", "resolved") > 0);

    feed.isPaused = true;
    await deleteTopic(bootstrap, "orders");
    await createTopic(bootstrap, "orders");
    feed.isPaused = false;
    await until("the blocked partition is told", () => told("SluiceBlocked", "firing") > 0);
    worker.command("source", "accept", "-m", "made again on purpose");
    await until("its recovery is told", () => told("SluiceBlocked", "resolved") > 0);

    // Long enough for a second message of any route.
    await sleep(25_000);
    const all = ours().map((one) => `${one.receiver} ${one.status} ${one.alerts.map((each) => each.labels["alertname"]).join(" ")}`);
    check("one message when it begins and one when it is over", all, [
      "tickets firing SluiceQuarantineRate",
      "tickets resolved SluiceQuarantineRate",
      "pager firing SluiceBlocked",
      "pager resolved SluiceBlocked",
    ]);
    const [first] = ours()[2]?.alerts ?? [];
    check(
      "it says what, where, and where to read on",
      [first?.labels["dataset"], first?.annotations["runbook_url"]],
      ["orders", "https://github.com/example/sluice/blob/main/docs/how-to/runbooks/blocked-partition.md"],
    );
  } finally {
    feed.isOn = false;
    await feeding;
    await producer.close();
    for (const child of children) child.kill("SIGTERM");
    await worker.end("SIGTERM");
    receiver.close();
    await kafka.stop();
    if (process.exitCode === undefined) rmSync(folder, { recursive: true, force: true });
    else console.log(`what was logged is in ${folder}`);
  }
}

let passed = 0;
function check(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) {
    passed++;
    console.log(`passed: ${what}`);
    return;
  }
  process.exitCode = 1;
  throw new Error(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
}

if (prometheus.available && alertmanager.available) {
  await run().catch((error: unknown) => {
    process.exitCode = 1;
    console.error(error);
  });
  console.log(`${passed} passed, ${process.exitCode === undefined ? 0 : 1} failed`);
}
