import type { FastifyInstance } from "fastify";
import { fastify } from "fastify";
import { SluiceError } from "../core/errors.ts";
import type { LaneStatus } from "../core/events.ts";
import type { IncidentQueries } from "./incidents.ts";
import { serveIncidents } from "./incidents.ts";

/** What a worker says of itself. */
export interface WorkerStatus {
  readonly lanes: readonly LaneStatus[];
  /** A fault of the source that is being retried. */
  readonly trouble: string | null;
  readonly phase: "starting" | "running" | "stopping";
}

/**
 * `ready`: it judges, or waits for records. `blocked`: it is well, and something waits for a person. `troubled`: a fault that passes by itself is
 * being retried.
 */
export type Health = "starting" | "ready" | "blocked" | "troubled" | "stopping";

/** A blocked partition or topic, and what it is blocked by. */
interface BlockedPart {
  readonly dataset: string;
  readonly topic: string;
  /** Null: the whole topic. */
  readonly partition: number | null;
  readonly code: string;
}

/** One word for a worker's state; trouble goes before blocks, for it hides how they stand. */
export function judgeHealth(status: WorkerStatus): Health {
  if (status.phase !== "running") return status.phase;
  if (status.trouble !== null || status.lanes.some((lane) => lane.trouble !== null)) return "troubled";
  return blockedParts(status).length > 0 ? "blocked" : "ready";
}

function blockedParts(status: WorkerStatus): readonly BlockedPart[] {
  return status.lanes.flatMap(({ dataset, topic, partitions, blocks }) => {
    const recorded = blocks.map(({ partition, code }) => ({ dataset, topic, partition, code }));
    const covered = (partition: number): boolean => blocks.some((one) => one.partition === null || one.partition === partition);
    // Suspended for a reason that the table does not record, such as a contract that is no longer the active one.
    const others = partitions.flatMap(({ partition, blocked }) =>
      blocked === null || covered(partition) ? [] : [{ dataset, topic, partition, code: blocked }],
    );
    return [...recorded, ...others];
  });
}

/**
 * Serves `/health/live` (200 as long as the process answers), `/health/ready` (200 only when `ready`, else 503 with the reason in words) and `/health`
 * (200 and everything, whatever it is), and incidents (`serveIncidents`). Rejects with CONFIG_INVALID where the port is taken. Answers the URL, for port 0.
 */
export async function startHealthServer(options: {
  readonly host: string;
  readonly port: number;
  readonly status: () => WorkerStatus;
  readonly incidents: IncidentQueries;
}): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { host, port, status, incidents } = options;
  const server: FastifyInstance = fastify({ logger: false, forceCloseConnections: true });
  server.get("/health/live", () => ({ status: "live" }));
  server.get("/health/ready", async (_request, reply) => {
    const current = status();
    const health = judgeHealth(current);
    await reply
      .code(health === "ready" ? 200 : 503)
      .send(JSON.stringify({ status: health, trouble: troubleOf(current), blocked: blockedParts(current) }));
  });
  server.get("/health", async (_request, reply) => {
    const current = status();
    const text = JSON.stringify({ status: judgeHealth(current), ...current }, (_key, each: unknown) =>
      typeof each === "bigint" ? each.toString() : each,
    );
    await reply.send(text);
  });
  serveIncidents(server, incidents);
  server.addHook("onSend", async (_request, reply) => {
    reply.header("content-type", "application/json; charset=utf-8");
    reply.header("cache-control", "no-store");
  });
  try {
    return { url: await server.listen({ host, port }), close: () => server.close() };
  } catch (cause) {
    await server.close();
    throw new SluiceError("CONFIG_INVALID", `http: ${host}:${port} can't be listened on: ${(cause as Error).message}`, { cause });
  }
}

function troubleOf(status: WorkerStatus): string | null {
  return status.trouble ?? status.lanes.find((lane) => lane.trouble !== null)?.trouble ?? null;
}
