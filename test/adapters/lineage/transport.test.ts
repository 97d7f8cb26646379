import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { KafkaProducer } from "../../../src/adapters/kafka/producer.ts";
import { createLineageSink } from "../../../src/adapters/lineage/lineage-sink.ts";
import type { RunEvent } from "../../../src/adapters/lineage/run-event.ts";
import type { LineageTransport } from "../../../src/adapters/lineage/transport.ts";
import { fileTransport, httpTransport, kafkaTransport } from "../../../src/adapters/lineage/transport.ts";
import type { CommittedWindow } from "../../../src/core/ports.ts";
import { readTopic } from "../../conservation/kafka-log.ts";
import { makeContract } from "../../fixtures/contract.ts";
import { makeDecision } from "../../fixtures/decision.ts";
import { kafkaHere, sharedBroker } from "../../live/harness/shared-broker.ts";
import { createTopic, uniqueTopic } from "../../live/harness/topics.ts";

const window: CommittedWindow = {
  sequence: 3n,
  snapshotId: "77",
  committedAtMs: 1_700_000_012_000,
  decision: makeDecision(),
  decisionHash: "d",
  quarantineSnapshotId: "78",
  isWithdrawn: false,
};
const names = { jobNamespace: "prod", sourceNamespace: "kafka://b:9092", warehouseUri: "file:///lake", tableNamespace: "sluice" };
const ends: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function sinkOf(transport: LineageTransport): ReturnType<typeof createLineageSink> {
  return createLineageSink({
    transport,
    names,
    quarantineTableOf: (dataset) => `${dataset}__quarantine`,
    contractOf: () => Promise.resolve(makeContract({ delay: { type: "double" } })),
  });
}

/** A receiver that answers with these codes in turn, then with 201; what it took is kept. */
async function receiver(codes: number[]): Promise<{ url: string; taken: { event: RunEvent; headers: IncomingHttpHeaders }[] }> {
  const taken: { event: RunEvent; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      const code = codes.shift() ?? 201;
      response.statusCode = code;
      if (code < 300) taken.push({ event: JSON.parse(body) as RunEvent, headers: request.headers });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/lineage`, taken };
}

describe("lineage over HTTP", () => {
  it("posts START and COMPLETE, in order, with the key", async () => {
    const { url, taken } = await receiver([]);
    const sink = sinkOf(httpTransport({ url, apiKey: "secret", timeoutMs: 20_000 }));
    await sink.deliver(window, { hash: "h", text: "" });
    expect(taken.map(({ event }) => event.eventType)).toEqual(["START", "COMPLETE"]);
    expect(taken[0]?.headers).toMatchObject({ authorization: "Bearer secret", "content-type": "application/json" });
  });

  it.each([401, 422, 500, 503])("an answer %s is the receiver's trouble: the same window is delivered again", async (code) => {
    const { url, taken } = await receiver([code]);
    const sink = sinkOf(httpTransport({ url, apiKey: null, timeoutMs: 20_000 }));
    await expect(sink.deliver(window, { hash: "h", text: "" })).rejects.toMatchObject({ code: "SINK_UNAVAILABLE", retryable: true });
    await sink.deliver(window, { hash: "h", text: "" });
    expect(new Set(taken.map(({ event }) => event.run.runId)).size).toBe(1);
    expect(taken.map(({ event }) => event.eventType)).toEqual(["START", "COMPLETE"]);
  });

  it("nobody there, or one who never answers, is the same", async () => {
    await expect(
      sinkOf(httpTransport({ url: "http://127.0.0.1:9", apiKey: null, timeoutMs: 2000 })).deliver(window, { hash: "h", text: "" }),
    ).rejects.toMatchObject({ code: "SINK_UNAVAILABLE" });
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    ends.push(() => {
      silent.closeAllConnections();
      return new Promise<void>((resolve) => silent.close(() => resolve()));
    });
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    await expect(
      sinkOf(httpTransport({ url, apiKey: null, timeoutMs: 200 })).deliver(window, { hash: "h", text: "" }),
    ).rejects.toMatchObject({ code: "SINK_UNAVAILABLE" });
  });
});

describe("lineage to a file", () => {
  it("appends one event a line", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-lineage-"));
    ends.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "deep", "events.ndjson");
    const sink = sinkOf(fileTransport(path));
    await sink.deliver(window, { hash: "h", text: "" });
    await sink.deliver({ ...window, decision: makeDecision({ verdict: "hold", windowId: "w2" }) }, { hash: "h", text: "" });
    const events = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as RunEvent);
    expect(events.map((event) => event.eventType)).toEqual(["START", "COMPLETE", "START", "FAIL"]);
  });

  it("a file that can't be written is retried, not lost", async () => {
    await expect(sinkOf(fileTransport("/dev/null/events")).deliver(window, { hash: "h", text: "" })).rejects.toMatchObject({
      code: "SINK_UNAVAILABLE",
      retryable: true,
    });
  });
});

describe.skipIf(!kafkaHere.available)("lineage to Kafka", () => {
  it("produces events with their job as key, so that they keep their order", async () => {
    const { bootstrap, brokers } = await sharedBroker();
    const topic = uniqueTopic("lineage");
    await createTopic(bootstrap, topic, { partitions: 3 });
    const sink = sinkOf(kafkaTransport(new KafkaProducer({ connection: { brokers, clientId: "lineage-test" } }), topic));
    await sink.deliver(window, { hash: "h", text: "" });
    await sink.close();
    const { records } = await readTopic(brokers, topic);
    expect(records.map((record) => (JSON.parse(record.value?.toString() ?? "") as RunEvent).eventType)).toEqual(["START", "COMPLETE"]);
    expect(new Set(records.map((record) => record.partition)).size).toBe(1);
    expect(records[0]?.headers.map((header) => header.key)).toEqual(["sluice.event.id"]);
  });
});
