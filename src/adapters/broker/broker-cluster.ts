import { join } from "node:path";
import type { BrokerOptions } from "./broker.ts";
import { randomKafkaId, startNode } from "./kafka-node.ts";
import type { KafkaNode } from "./kafka-node.ts";
import { freePorts } from "./ports.ts";
import { clusterProperties } from "./properties.ts";

/** A running cluster on loopback; nodes have the ids 1, 2, 3. */
export interface BrokerCluster {
  /** All addresses, comma-separated. */
  readonly bootstrap: string;
  readonly brokers: readonly string[];
  /** The process of a node, or null while it is down. */
  readonly pid: (nodeId: number) => number | null;
  /** SIGKILL; does nothing to a node that is down. */
  readonly kill: (nodeId: number) => Promise<void>;
  /** Ends a node cleanly: it hands its leaderships over first. */
  readonly stopNode: (nodeId: number) => Promise<void>;
  /** Starts a node that is down again, with its data. */
  readonly restart: (nodeId: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a cluster of three brokers (each also a controller): three replicas, two in sync. About 6 s and 600 MB. Rejects with BROKER_FAILED. */
export async function startCluster(options: Omit<BrokerOptions, "port">): Promise<BrokerCluster> {
  const ports = await freePorts(6);
  const places = [1, 2, 3].map((nodeId, index) => ({
    nodeId,
    port: ports[index] as number,
    controllerPort: ports[index + 3] as number,
  }));
  const clusterId = randomKafkaId();
  const running = new Map<number, KafkaNode>();

  const start = async (nodeId: number): Promise<void> => {
    const index = nodeId - 1;
    const node = await startNode({
      runtime: options.runtime,
      folder: join(options.folder, `node-${nodeId}`),
      nodeId,
      clusterId,
      properties: { ...clusterProperties(places, index), ...options.settings },
      formatArguments: [],
      readyPort: (places[index] as { port: number }).port,
      heapMib: options.heapMib ?? 256,
      owner: options.owner === undefined ? process.pid : options.owner,
      javaOptions: options.javaOptions ?? [],
    });
    running.set(nodeId, node);
  };
  const end = async (nodeId: number, how: "stop" | "kill"): Promise<void> => {
    const node = running.get(nodeId);
    running.delete(nodeId);
    await node?.[how]();
  };
  const endAll = (how: "stop" | "kill") => Promise.all(places.map(({ nodeId }) => end(nodeId, how)));

  const started = await Promise.allSettled(places.map(({ nodeId }) => start(nodeId)));
  const failed = started.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await endAll("kill");
    throw failed.reason;
  }
  const brokers = places.map(({ port }) => `127.0.0.1:${port}`);
  return {
    bootstrap: brokers.join(","),
    brokers,
    pid: (nodeId) => running.get(nodeId)?.pid ?? null,
    kill: (nodeId) => end(nodeId, "kill"),
    stopNode: (nodeId) => end(nodeId, "stop"),
    restart: (nodeId) => (running.has(nodeId) ? Promise.resolve() : start(nodeId)),
    // Nodes that wait for each other to hand over would take a minute to leave one by one.
    stop: async () => void (await endAll("kill")),
  };
}
