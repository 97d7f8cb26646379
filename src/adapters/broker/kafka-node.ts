import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import type { JavaRuntime } from "./java-runtime.ts";
import { lastLines, moveInto } from "./kafka-jars.ts";
import { answersApiVersions } from "./ports.ts";
import { runCommand } from "./run-command.ts";

/** One Kafka process: its place, its settings, and who it ends with. */
export interface KafkaNodeSpec {
  readonly runtime: JavaRuntime;
  /** Settings, log and data; kept between starts. */
  readonly folder: string;
  readonly nodeId: number;
  /** Sixteen bytes in base64url; the same for all nodes of a cluster. */
  readonly clusterId: string;
  /** The whole of `server.properties` except node.id and log.dirs. */
  readonly properties: Readonly<Record<string, string>>;
  /** More arguments of Kafka's storage formatter, such as `--add-scram`. */
  readonly formatArguments: readonly string[];
  /** The listener whose answer means that the node is up. */
  readonly readyPort: number;
  readonly heapMib: number;
  /** The broker is stopped when this process ends, however it ends; null: it outlives everyone. */
  readonly owner: number | null;
  readonly javaOptions: readonly string[];
}

/** A running Kafka process. */
export interface KafkaNode {
  readonly pid: number;
  readonly logFile: string;
  /** Ends it cleanly (SIGTERM; SIGKILL after 20 s); resolves when it is gone. */
  readonly stop: () => Promise<void>;
  /** Ends it as a crash would (SIGKILL); resolves when it is gone. */
  readonly kill: () => Promise<void>;
}

const readyTimeoutMs = 90_000;
const stopTimeoutMs = 20_000;

/** Starts one node and resolves when it answers. Rejects with BROKER_FAILED and the end of its log. */
export async function startNode(spec: KafkaNodeSpec): Promise<KafkaNode> {
  mkdirSync(spec.folder, { recursive: true });
  const properties = join(spec.folder, "server.properties");
  writeFileSync(
    properties,
    renderProperties({ ...spec.properties, "node.id": String(spec.nodeId), "log.dirs": join(spec.folder, "data") }),
  );
  const logging = join(spec.folder, "log4j2.properties");
  writeFileSync(logging, loggingProperties);
  await formatStorage(spec);
  const logFile = join(spec.folder, "broker.log");
  const args = [
    `-Xmx${spec.heapMib}m`,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    ...(existsSync(spec.runtime.archive) ? [`-XX:SharedArchiveFile=${spec.runtime.archive}`] : []),
    ...spec.javaOptions,
    ...classPath(spec.runtime),
    `-Dlog4j2.configurationFile=${logging}`,
    "kafka.Kafka",
    properties,
  ];
  const log = openSync(logFile, "w");
  const child = spawn(spec.runtime.java, args, { cwd: spec.folder, stdio: ["ignore", log, log], detached: true });
  closeSync(log);
  child.unref();
  // A program that can't be started has no pid, and says so by this event only.
  child.on("error", () => undefined);
  if (child.pid === undefined) throw new SluiceError("BROKER_FAILED", `${spec.runtime.java} can't be started`);
  if (spec.owner !== null) watch(spec.owner, child.pid);
  await awaitReady(child, spec.readyPort, logFile);
  return { pid: child.pid, logFile, stop: () => stopProcess(child.pid as number), kill: () => killProcess(child.pid as number) };
}

/** Ends a process cleanly, by force after 20 s; resolves when it is gone. */
export async function stopProcess(pid: number): Promise<void> {
  signal(pid, "SIGTERM");
  const deadline = Date.now() + stopTimeoutMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return killProcess(pid);
    await sleep(25);
  }
}

/** SIGKILL; resolves when the process is gone. */
export async function killProcess(pid: number): Promise<void> {
  signal(pid, "SIGKILL");
  while (isAlive(pid)) await sleep(10);
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

/** Whether a process runs: a zombie, which no one has waited for yet, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
}

/** A new identity as Kafka writes them: 16 random bytes in base64url, not starting with a dash (its tools would read an option). */
export function randomKafkaId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? randomKafkaId() : id;
}

async function awaitReady(child: ChildProcess, port: number, logFile: string): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  while (!(await answersApiVersions(port))) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > deadline) {
      if (!ended) await killProcess(child.pid as number);
      const how = ended ? "ended while starting" : `did not answer within ${readyTimeoutMs / 1000} s`;
      const log = lastLines(readFileSync(logFile, "utf8"), 12);
      throw new SluiceError("BROKER_FAILED", `the Kafka broker ${how}; its log, ${logFile}, ends:\n${log}`, {
        details: { portTaken: /Address already in use/.test(log) },
      });
    }
    await sleep(20);
  }
}

/** Copies formatted storage from the cache, formatting it there first if needed (2 s), and gives the copy an identity of its own. */
async function formatStorage(spec: KafkaNodeSpec): Promise<void> {
  const storage = join(spec.folder, "data");
  if (existsSync(join(storage, "meta.properties"))) return;
  const key = createHash("sha256").update(JSON.stringify(spec.formatArguments)).digest("hex").slice(0, 12);
  const template = join(spec.runtime.cache, `storage-${key}`);
  if (!existsSync(template)) await formatTemplate(spec.runtime, template, spec.formatArguments);
  cpSync(template, storage, { recursive: true });
  const identity = { version: "1", "cluster.id": spec.clusterId, "node.id": String(spec.nodeId), "directory.id": randomKafkaId() };
  writeFileSync(join(storage, "meta.properties"), renderProperties(identity));
}

async function formatTemplate(runtime: JavaRuntime, template: string, formatArguments: readonly string[]): Promise<void> {
  const scratch = mkdtempSync(join(runtime.cache, "format-"));
  try {
    const properties = join(scratch, "server.properties");
    writeFileSync(
      properties,
      renderProperties({
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": "1@127.0.0.1:1",
        listeners: "PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": join(scratch, "data"),
      }),
    );
    const args = ["format", "-t", randomKafkaId(), "-c", properties, ...formatArguments];
    const java = ["-Xmx64m", "-XX:TieredStopAtLevel=1", ...classPath(runtime), "kafka.tools.StorageTool"];
    const result = await runCommand(runtime.java, [...java, ...args]);
    if (result.status !== 0) {
      throw new SluiceError("BROKER_FAILED", `Kafka can't format its storage: ${lastLines(result.stdout + result.stderr, 8)}`);
    }
    moveInto(join(scratch, "data"), template);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function classPath(runtime: JavaRuntime): string[] {
  return ["-cp", join(runtime.jars, "*")];
}

/** A Java properties file; backslashes are its escape character. */
function renderProperties(entries: Readonly<Record<string, string>>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value.replaceAll("\\", "\\\\")}\n`)
    .join("");
}

const loggingProperties = renderProperties({
  "rootLogger.level": "WARN",
  "rootLogger.appenderRefs": "out",
  "rootLogger.appenderRef.out.ref": "OUT",
  "appender.out.type": "Console",
  "appender.out.name": "OUT",
  "appender.out.layout.type": "PatternLayout",
  "appender.out.layout.pattern": "%d %p %c{1}: %m%n",
});

/** A broker must not outlive the process that it was started for, even one that is killed: a small shell looks once a second. */
function watch(owner: number, broker: number): void {
  const script = 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done; kill "$2" 2>/dev/null';
  spawn("/bin/sh", ["-c", script, "sh", String(owner), String(broker)], { stdio: "ignore", detached: true }).unref();
}
