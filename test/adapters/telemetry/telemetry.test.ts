import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { logs, metrics, trace } from "@opentelemetry/api";
import { createLog, logEvents } from "../../../src/adapters/telemetry/log.ts";
import { startTelemetry } from "../../../src/adapters/telemetry/telemetry.ts";
import { SluiceError } from "../../../src/core/errors.ts";
import type { GateEvent, LaneStatus } from "../../../src/core/events.ts";
import { makeDecision } from "../../fixtures/decision.ts";

const lane: LaneStatus = {
  dataset: "flights",
  topic: "flights",
  contract: { version: "1", hash: "h" },
  contractError: null,
  partitions: [
    { partition: 0, topicId: "t", position: 90n, end: 100n, blocked: null },
    { partition: 1, topicId: "t", position: 5n, end: null, blocked: "SOURCE_IDENTITY_CHANGED" },
  ],
  blocks: [{ partition: null, code: "SOURCE_IDENTITY_CHANGED", message: "created again" }],
  openWindow: null,
  queuedBytes: 0,
  totals: { records: 0, promoted: 0, quarantined: 0, held: 0, skipped: 0, windows: 0 },
  newestCommittedTimestampMs: 1_000_000,
  trouble: null,
};
const watched = {
  lanes: () => [lane],
  bytesInFlight: () => 4096,
  sinks: () => [
    { sink: "dlq", dataset: "flights", waitingSinceMs: 1_000_500 },
    { sink: "lineage-http", dataset: "flights", waitingSinceMs: null },
  ],
  incidents: () => new Map([["flights", []]]),
  lake: () => ({ held: new Map([["flights", { windows: 2, oldestMs: 947_500 }]]), disk: { freeBytes: 250, sizeBytes: 1000 } }),
  mainBusyMs: () => 1500,
  engineThreads: 2,
  startedMs: 900_000,
  now: () => 1_007_500,
};
const producerContext = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const events: GateEvent[] = [
  { type: "run.received", dataset: "flights", partition: { topic: "flights", topicId: "t", partition: 0 }, records: 10, bytes: 1000 },
  {
    type: "batch.judged",
    dataset: "flights",
    window: 1,
    rows: 10,
    faults: 0,
    rejected: 1,
    startMs: 1_700_000_000_000,
    decodeMs: 3,
    validateMs: 2,
    profileMs: 1,
    encodeMs: 4,
  },
  {
    type: "window.committed",
    window: 1,
    decision: makeDecision(),
    snapshotId: "77",
    attempts: 1,
    commitStartMs: 1_700_000_010_000,
    commitMs: 40,
    traceparents: [producerContext, "nonsense"],
  },
  {
    type: "commit.failed",
    dataset: "flights",
    windowId: "w",
    error: new SluiceError("STORAGE_FULL", "disk full"),
    attempt: 1,
    retryInMs: 100,
  },
  { type: "engine.lost", dataset: "flights", error: new SluiceError("ENGINE_THREAD_LOST", "gone"), attempt: 1 },
  { type: "engine.fallback", dataset: "flights", reason: "a rule" },
];

/** An OTLP/HTTP receiver that keeps what it is sent. */
async function receiver(): Promise<{ url: string; bodies: Map<string, string[]>; close: () => Promise<void> }> {
  const bodies = new Map<string, string[]>();
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      bodies.set(request.url ?? "", [...(bodies.get(request.url ?? "") ?? []), body]);
      response.setHeader("content-type", "application/json");
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, bodies, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

afterEach(() => {
  trace.disable();
  metrics.disable();
  logs.disable();
});

describe("telemetry", () => {
  it("sends metrics, one trace a window with links to producers, and logs by OTLP", async () => {
    const otlp = await receiver();
    const telemetry = await startTelemetry({ worker: "w1", version: "0.1.0", otlpEndpoint: otlp.url, prometheus: null, watched });
    const quiet = new Writable({ write: (_chunk, _encoding, done) => done() });
    const log = createLog({ level: "info", worker: "w1", version: "0.1.0", destination: quiet, text: false, otel: telemetry.logger });
    const write = logEvents(log);
    for (const event of events) {
      telemetry.observe(event);
      write(event);
    }
    await telemetry.shutdown();
    await otlp.close();
    const traces = (otlp.bodies.get("/v1/traces") ?? []).join("");
    for (const name of ["process flights", "decode", "validate", "profile", "commit"]) expect(traces).toContain(`"name":"${name}"`);
    expect(traces).toContain("0af7651916cd43dd8448eb211c80319c");
    expect(traces).toContain("messaging.batch.message_count");
    const measured = (otlp.bodies.get("/v1/metrics") ?? []).join("");
    for (const name of [
      "messaging.client.consumed.messages",
      "messaging.process.duration",
      "sluice.records",
      "sluice.rule.failures",
      "sluice.windows",
      "sluice.commit.duration",
      "sluice.lag.records",
    ]) {
      expect(measured).toContain(`"name":"${name}"`);
    }
    const logged = (otlp.bodies.get("/v1/logs") ?? []).join("");
    expect(logged).toContain("window committed");
    expect(logged).toContain("disk full");
  });

  it("serves Prometheus, with lag by partition and blocked partitions", async () => {
    let lanes = [lane];
    const port = await freePort();
    const telemetry = await startTelemetry({
      worker: "w1",
      version: "0.1.0",
      otlpEndpoint: null,
      prometheus: { host: "127.0.0.1", port },
      watched: { ...watched, lanes: () => lanes },
    });
    for (const event of events) telemetry.observe(event);
    const scrape = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const text = await scrape();
    // Partitions that went to another worker, and stops that were answered, must not stand at their last value.
    lanes = [{ ...lane, partitions: [], blocks: [] }];
    const later = await scrape();
    await telemetry.shutdown();
    expect(later).toMatch(/sluice_lag_records\{[^}]*partition="0"[^}]*\} 0/);
    expect(later).toMatch(/sluice_blocked\{[^}]*partition="1"[^}]*\} 0/);
    expect(later).not.toMatch(/sluice_blocked\{[^}]*\} 1/);
    expect(text).toMatch(/sluice_records_total\{[^}]*outcome="quarantined"[^}]*\} 1/);
    expect(text).toMatch(/sluice_lag_records\{[^}]*partition="0"[^}]*\} 10/);
    expect(text).toMatch(/sluice_lag_time(_seconds)?\{[^}]*\} 7\.5/);
    expect(text).toMatch(/sluice_blocked\{[^}]*partition="1"[^}]*\} 1/);
    expect(text).toMatch(/sluice_freshness\{[^}]*\} 7\.5/);
    expect(text).toMatch(/sluice_held_windows\{[^}]*\} 2/);
    expect(text).toMatch(/sluice_held_time\{[^}]*\} 60/);
    expect(text).toMatch(/sluice_sink_lag\{[^}]*sink="dlq"[^}]*\} 7/);
    expect(text).toMatch(/sluice_sink_lag\{[^}]*sink="lineage-http"[^}]*\} 0/);
    expect(text).toMatch(/sluice_disk_free(\{\})? 250/);
    expect(text).toMatch(/sluice_main_busy_total(\{\})? 1\.5/);
    expect(text).toMatch(/sluice_contract_refused\{[^}]*\} 0/);
    // The reference says what each metric is called here.
    const page = readFileSync(new URL("../../../docs/reference/telemetry.md", import.meta.url), "utf8");
    const exposed = [...text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1] as string).filter((name) => name !== "target_info");
    expect(exposed.length).toBeGreaterThanOrEqual(10);
    for (const name of exposed) expect(page).toContain(`| \`${name}\` |`);
    expect(text).toMatch(/sluice_commit_failures_total\{[^}]*code="STORAGE_FULL"[^}]*\} 1/);
  });

  it("a worker that has committed nothing is as late as it is old, and not up to date", async () => {
    const port = await freePort();
    const telemetry = await startTelemetry({
      worker: "w1",
      version: "0.1.0",
      otlpEndpoint: null,
      prometheus: { host: "127.0.0.1", port },
      watched: { ...watched, lanes: () => [{ ...lane, newestCommittedTimestampMs: null }] },
    });
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await telemetry.shutdown();
    expect(text).toMatch(/sluice_lag_time\{[^}]*\} 107\.5/);
    expect(text).toMatch(/sluice_freshness\{[^}]*\} 107\.5/);
  });

  it("a receiver that is down costs nothing but its signals", async () => {
    const port = await freePort();
    const telemetry = await startTelemetry({
      worker: "w1",
      version: "0.1.0",
      otlpEndpoint: `http://127.0.0.1:${port}`,
      prometheus: null,
      watched,
    });
    for (let i = 0; i < 5000; i++) for (const event of events) telemetry.observe(event);
    const began = performance.now();
    await telemetry.shutdown();
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
