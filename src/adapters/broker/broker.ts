import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import type { JavaRuntime } from "./java-runtime.ts";
import { isAlive, randomKafkaId, startNode, stopProcess, killProcess } from "./kafka-node.ts";
import type { KafkaNode } from "./kafka-node.ts";
import { answersApiVersions, freePorts } from "./ports.ts";
import { singleNodeProperties } from "./properties.ts";

/** A running Kafka broker on loopback. */
export interface Broker {
  /** `127.0.0.1:<port>`, without TLS or credentials. */
  readonly bootstrap: string;
  readonly port: number;
  readonly pid: number;
  readonly folder: string;
  readonly logFile: string;
  /** Ends it cleanly; the data stays in its folder and `startBroker` with the same folder goes on with it. */
  readonly stop: () => Promise<void>;
  /** SIGKILL. */
  readonly kill: () => Promise<void>;
}

export interface BrokerOptions {
  readonly runtime: JavaRuntime;
  /** Its data, settings and log. */
  readonly folder: string;
  /** Default: a free one. */
  readonly port?: number;
  /** More broker settings, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default 256. */
  readonly heapMib?: number;
  /** The broker stops when this process ends; default: the calling one; null: it outlives everyone (`findBroker` finds it again). */
  readonly owner?: number | null;
  readonly javaOptions?: readonly string[];
}

const startAttemptsMax = 3;

/** Starts one broker (KRaft, loopback only), ready in about 2 s where `warmUp` has run before. Rejects with BROKER_FAILED. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const clusterId = randomKafkaId();
  for (let attempt = 1; ; attempt++) {
    const [freePort, controllerPort] = (await freePorts(2)) as [number, number];
    const port = options.port ?? freePort;
    try {
      const node = await startNode({
        runtime: options.runtime,
        folder: options.folder,
        nodeId: 1,
        clusterId,
        properties: { ...singleNodeProperties({ port, controllerPort }), ...options.settings },
        formatArguments: [],
        readyPort: port,
        heapMib: options.heapMib ?? 256,
        owner: options.owner === undefined ? process.pid : options.owner,
        javaOptions: options.javaOptions ?? [],
      });
      return recordBroker(options.folder, port, node);
    } catch (error) {
      // Between finding a free port and the broker's bind another process may have taken it.
      const again = error instanceof SluiceError && error.details["portTaken"] === true && options.port === undefined;
      if (!again || attempt === startAttemptsMax) throw error;
    }
  }
}

/** The broker that already runs in this folder (started by any process), or null. */
export async function findBroker(folder: string): Promise<Broker | null> {
  let note: { port: number; pid: number };
  try {
    note = JSON.parse(readFileSync(join(folder, noteName), "utf8")) as { port: number; pid: number };
  } catch {
    return null;
  }
  if (!isAlive(note.pid) || !(await answersApiVersions(note.port))) return null;
  const logFile = join(folder, "broker.log");
  const { pid } = note;
  return brokerOf(folder, note.port, { pid, logFile, stop: () => stopProcess(pid), kill: () => killProcess(pid) });
}

const noteName = "broker.json";

function recordBroker(folder: string, port: number, node: KafkaNode): Broker {
  writeFileSync(join(folder, noteName), JSON.stringify({ port, pid: node.pid }));
  return brokerOf(folder, port, node);
}

function brokerOf(folder: string, port: number, node: KafkaNode): Broker {
  const forget = () => rmSync(join(folder, noteName), { force: true });
  return {
    bootstrap: `127.0.0.1:${port}`,
    port,
    pid: node.pid,
    folder,
    logFile: node.logFile,
    stop: () => node.stop().then(forget),
    kill: () => node.kill().then(forget),
  };
}
