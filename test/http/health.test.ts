import { describe, expect, it } from "vitest";
import type { LaneStatus } from "../../src/core/events.ts";
import type { WorkerStatus } from "../../src/http/health.ts";
import type { IncidentQueries } from "../../src/http/incidents.ts";
import { judgeHealth, startHealthServer } from "../../src/http/health.ts";

const partition = { partition: 0, topicId: "t", position: 12345678901234567n, end: null, blocked: null };
const lane: LaneStatus = {
  dataset: "orders",
  topic: "orders",
  contract: { version: "1", hash: "sha256:x" },
  contractError: null,
  partitions: [partition],
  blocks: [],
  openWindow: null,
  queuedBytes: 0,
  totals: { records: 0, promoted: 0, quarantined: 0, held: 0, skipped: 0, windows: 0 },
  newestCommittedTimestampMs: null,
  trouble: null,
};
const none: IncidentQueries = { find: () => Promise.resolve([]), describe: () => ({ downstream: "", steps: [] }) };
const running: WorkerStatus = { lanes: [lane], trouble: null, phase: "running" };
const blocked: WorkerStatus = { ...running, lanes: [{ ...lane, partitions: [{ ...partition, blocked: "CONTRACT_SUPERSEDED" }] }] };
/** Blocked before it could begin: no partition is there to say so. */
const unbegun: WorkerStatus = {
  ...running,
  lanes: [{ ...lane, partitions: [], blocks: [{ partition: null, code: "SOURCE_IDENTITY_CHANGED", message: "created again" }] }],
};

describe("a worker is", () => {
  it.each<[string, WorkerStatus]>([
    ["starting", { ...running, phase: "starting" }],
    ["ready", running],
    ["blocked", blocked],
    ["blocked", unbegun],
    ["troubled", { ...running, trouble: "no broker can be reached" }],
    ["troubled", { ...running, lanes: [{ ...lane, trouble: "disk full" }] }],
    ["stopping", { ...blocked, phase: "stopping" }],
  ])("%s", (health, status) => {
    expect(judgeHealth(status)).toBe(health);
  });
});

it("serves live, ready and healthy-but-blocked as different answers", async () => {
  let status = running;
  const server = await startHealthServer({ host: "127.0.0.1", port: 0, status: () => status, incidents: none });
  const get = async (path: string): Promise<[number, Record<string, unknown>]> => {
    const response = await fetch(server.url + path);
    return [response.status, (await response.json()) as Record<string, unknown>];
  };
  try {
    expect(await get("/health/live")).toEqual([200, { status: "live" }]);
    expect(await get("/health/ready")).toEqual([200, { status: "ready", trouble: null, blocked: [] }]);
    status = blocked;
    expect(await get("/health/live")).toEqual([200, { status: "live" }]);
    expect(await get("/health/ready")).toEqual([
      503,
      {
        status: "blocked",
        trouble: null,
        blocked: [{ dataset: "orders", topic: "orders", partition: 0, code: "CONTRACT_SUPERSEDED" }],
      },
    ]);
    status = unbegun;
    expect((await get("/health/ready"))[1]).toMatchObject({
      blocked: [{ topic: "orders", partition: null, code: "SOURCE_IDENTITY_CHANGED" }],
    });
    status = blocked;
    const [code, whole] = await get("/health");
    expect(code).toBe(200);
    expect(whole).toMatchObject({ status: "blocked", phase: "running", lanes: [{ partitions: [{ position: "12345678901234567" }] }] });
    status = { ...running, trouble: "no broker can be reached" };
    expect(await get("/health/ready")).toEqual([503, { status: "troubled", trouble: "no broker can be reached", blocked: [] }]);
    await expect(
      startHealthServer({ host: "127.0.0.1", port: Number(new URL(server.url).port), status: () => status, incidents: none }),
    ).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  } finally {
    await server.close();
  }
});
