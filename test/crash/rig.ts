import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { CheckReport } from "../conservation/check.ts";
import { checkConservation } from "../conservation/check.ts";
import { catalogTables, readTable } from "../conservation/iceberg-files.ts";
import { produce } from "../live/harness/produce.ts";
import { createTopic, topicOffsets, uniqueTopic } from "../live/harness/topics.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const namespace = "sluice";
const dataset = "orders";

/** Records of which a declared share is bad: every 10th breaks a rule, every 31st is no JSON, every 97th is a tombstone. */
function orderRecords(count: number, from: number): { key: string; value: string | null; headers: [string, string][] }[] {
  return Array.from({ length: count }, (_, i) => {
    const id = from + i;
    const key = `k${id}`;
    const headers: [string, string][] = [["trace", `t${id}`]];
    if (id % 97 === 0) return { key, value: null, headers };
    if (id % 31 === 0) return { key, value: `{"id": ${id}, "customer": "c${id}"`, headers };
    const amount = id % 10 === 0 ? -1.5 : id / 100;
    const placedAt = new Date(1_700_000_000_000 + id * 1000).toISOString();
    return { key, value: `{"id": ${id}, "customer": "c${id}", "amount": ${amount}, "placed_at": "${placedAt}"}`, headers };
  });
}

/** A topic, a lake folder and the workers between them; workers are real processes of the command line. */
export class Rig {
  readonly bootstrap: string;
  readonly topic: string;
  readonly folder: string;
  readonly configFile: string;
  readonly #partitions: number;
  readonly #workers = new Set<ChildProcess>();
  readonly #ready = new WeakMap<ChildProcess, Promise<void>>();
  #produced = 0;
  #workerCount = 0;

  private constructor(bootstrap: string, topic: string, folder: string, partitions: number) {
    this.bootstrap = bootstrap;
    this.topic = topic;
    this.folder = folder;
    this.configFile = join(folder, "sluice.yaml");
    this.#partitions = partitions;
  }

  static async open(
    bootstrap: string,
    options: { partitions?: number; folder?: string; contract?: (text: string) => string; source?: string; lake?: string } = {},
  ): Promise<Rig> {
    const { partitions = 4, contract = (text: string) => text } = options;
    const topic = uniqueTopic("orders");
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), "sluice-crash-"));
    mkdirSync(folder, { recursive: true });
    const rig = new Rig(bootstrap, topic, folder, partitions);
    await createTopic(bootstrap, topic, { partitions });
    await createTopic(bootstrap, `${topic}.dlq`, { partitions: 1 });
    const text = readFileSync(new URL("orders.odcs.yaml", import.meta.url), "utf8").replace("TOPIC", topic);
    writeFileSync(join(folder, "orders.odcs.yaml"), contract(text));
    writeFileSync(
      rig.configFile,
      [
        `lake: { folder: lake, namespace: ${namespace}${options.lake === undefined ? "" : `, ${options.lake}`} }`,
        `source: { kind: kafka, brokers: ["${bootstrap}"], group: ${topic}, instanceId: rig, sessionTimeoutMs: 6000${options.source === undefined ? "" : `, ${options.source}`} }`,
        "datasets: [{ contract: orders.odcs.yaml }]",
        "dlq: { enabled: true }",
        "http: { port: 0 }",
        "log: { format: json }",
        "",
      ].join("\n"),
    );
    return rig;
  }

  get catalogFile(): string {
    return join(this.folder, "lake", "catalog.db");
  }

  async produce(count: number): Promise<void> {
    const records = orderRecords(count, this.#produced);
    this.#produced += count;
    const spread = records.map((record, i) => ({ ...record, partition: i % this.#partitions }));
    await produce(this.bootstrap, this.topic, spread);
  }

  /** Starts `sluice run`; its log goes to the rig's folder. */
  worker(environment: Readonly<Record<string, string>> = {}): ChildProcess {
    const name = `w${++this.#workerCount}`;
    const log = createWriteStream(join(this.folder, `${name}.log`));
    const child = spawn(join(root, "bin", "sluice"), ["run", "--config", this.configFile], {
      env: { ...process.env, SLUICE_WORKER: "rig", NO_COLOR: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    this.#workers.add(child);
    const ready = Promise.withResolvers<void>();
    child.stderr?.on("data", (chunk: Buffer) => {
      if (chunk.includes("partitions assigned")) ready.resolve();
    });
    child.on("exit", () => {
      this.#workers.delete(child);
      ready.resolve();
    });
    this.#ready.set(child, ready.promise);
    return child;
  }

  /** Stops one worker as an operator would, once it is up. Resolves with how it ended. */
  async terminate(child: ChildProcess): Promise<number | string> {
    child.kill("SIGCONT");
    await this.#ready.get(child);
    const over = exited(child);
    child.kill("SIGTERM");
    return await over;
  }

  /** Resolves when the table's positions have reached the end of every partition; rejects after `withinMs`, naming the lag. */
  async caughtUp(withinMs = 90_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const lag = await this.lag();
      if (lag === 0n) return;
      if (Date.now() > deadline) throw new Error(`timed out: lag is still ${lag} after ${withinMs} ms; ${this.lastLog()}`);
      await sleep(100);
    }
  }

  async lag(): Promise<bigint> {
    const ends = await topicOffsets(this.bootstrap, this.topic);
    let positions: { partition: number; next: string }[] = [];
    try {
      const location = catalogTables(this.catalogFile).get(`${namespace}.${dataset}`);
      if (location !== undefined) positions = JSON.parse(readTable(location).properties["sluice.positions"] ?? "[]") as typeof positions;
    } catch {
      // The catalog is not there yet, or busy: all of it is still to be read.
    }
    const next = new Map(positions.map((each) => [each.partition, BigInt(each.next)]));
    return ends.reduce((sum, end, partition) => sum + end.latest - (next.get(partition) ?? end.earliest), 0n);
  }

  lastLog(): string {
    const name = `w${this.#workerCount}`;
    try {
      return `log of ${name}: ${readFileSync(join(this.folder, `${name}.log`), "utf8").slice(-3000)}`;
    } catch {
      return "no log";
    }
  }

  /** Stops every worker: gracefully, which drains what is committed to the dead letter topic. */
  async stop(): Promise<void> {
    await Promise.all([...this.#workers].map((child) => this.terminate(child)));
  }

  async check(complete: boolean): Promise<CheckReport> {
    return await checkConservation({
      brokers: this.bootstrap.split(","),
      topic: this.topic,
      catalogFile: this.catalogFile,
      table: `${namespace}.${dataset}`,
      quarantineTable: `${namespace}.${dataset}__quarantine`,
      dlqTopic: `${this.topic}.dlq`,
      complete,
    });
  }

  async close(): Promise<void> {
    for (const child of this.#workers) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Resolves with how a process ended: its exit code, or the signal. */
export function exited(child: ChildProcess): Promise<number | string> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  if (child.signalCode !== null) return Promise.resolve(child.signalCode);
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal ?? "unknown")));
}
