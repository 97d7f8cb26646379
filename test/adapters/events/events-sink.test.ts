import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import { afterEach, describe, expect, it } from "vitest";
import type { CloudEvent } from "../../../src/adapters/events/cloud-event.ts";
import { windowEvents } from "../../../src/adapters/events/cloud-event.ts";
import { createEventsSink } from "../../../src/adapters/events/events-sink.ts";
import { KafkaProducer } from "../../../src/adapters/kafka/producer.ts";
import type { Decision } from "../../../src/core/decision.ts";
import type { Lake } from "../../../src/core/ports.ts";
import { Outbox } from "../../../src/gate/outbox.ts";
import { tagLines } from "../../../src/gate/tag-lines.ts";
import { windowLines } from "../../../src/gate/window-lines.ts";
import { readTopic } from "../../conservation/kafka-log.ts";
import { breaking, drifting, makeWindow as makeCommit } from "../../incidents/make-window.ts";
import { kafkaHere, sharedBroker } from "../../live/harness/shared-broker.ts";
import { createTopic, uniqueTopic } from "../../live/harness/topics.ts";
import { makeWindow, row, scratchFolder, startedLake } from "../lake/lake-fixture.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const ajv = new Ajv2020({ strict: true, allErrors: true });
ajvFormats.default(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(new URL("../../../schemas/events.schema.json", import.meta.url), "utf8")) as object);

async function startLake(): Promise<Lake> {
  const scratch = scratchFolder();
  ends.push(() => scratch[Symbol.dispose]());
  const lake = await startedLake(scratch.folder);
  ends.push(() => lake.close());
  return lake;
}

const by = { author: "ann", reason: "real" };

/** A window of one row; what is given is its decision's. */
async function commit(lake: Lake, from: bigint, change: Partial<Decision> = {}): Promise<void> {
  const sketch = makeWindow({
    id: `w${from}`,
    from,
    values: [row(Number(from))],
    ...(change.verdict !== undefined && { verdict: change.verdict }),
  });
  const { counts: _, ...rest } = change;
  expect(await lake.commitWindow({ ...sketch, decision: { ...sketch.decision, ...rest } })).toMatchObject({ status: "committed" });
}

describe.skipIf(!kafkaHere.available)("events on a topic", () => {
  /** All that a new worker delivers, and what then stands in the topic. */
  async function deliver(lake: Lake, topic: string): Promise<readonly CloudEvent[]> {
    const { brokers } = await sharedBroker();
    const producer = new KafkaProducer({ connection: { brokers, clientId: "events-test" } });
    const sink = createEventsSink({ producer, topic, source: "/test", refsOf: (dataset) => lake.refs.list(dataset) });
    const lines = [...windowLines(lake, [sink], ["orders"]), ...tagLines(lake, sink, ["orders"])];
    const outbox = new Outbox({ lake, sinks: [sink], lines, holder: "worker", observe: () => undefined, pollMs: 20 });
    outbox.start();
    while (!(await outbox.drain(1000))) await sleep(5);
    await outbox.stop();
    const { records } = await readTopic(brokers, topic);
    expect(new Set(records.map((record) => record.partition)).size).toBe(1);
    for (const { headers } of records)
      expect(headers.map(({ key, value }) => [key, String(value)])).toEqual([
        ["content-type", "application/cloudevents+json; charset=UTF-8"],
      ]);
    return records.map((record) => JSON.parse(String(record.value)) as CloudEvent);
  }

  it("tell of versions, tags, rollbacks and drift, in commit order, as their schema describes; each once while one worker does it", async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("events");
    await createTopic(bootstrap, topic, { partitions: 3 });
    const lake = await startLake();
    await commit(lake, 0n);
    await commit(lake, 1n, drifting(["n"], "hold", ["s"]));
    await commit(lake, 2n, drifting(["n", "s"], "warn"));
    await lake.refs.create("orders", { kind: "tag", name: "release/1", version: "main", keepMs: null, ...by });
    await lake.refs.create("orders", { kind: "branch", name: "ours", version: "main", keepMs: null, ...by });
    await lake.publishHeld("orders", "w1", by);
    await lake.refs.rollback("orders", { to: "main~1", keepMs: null, releaseKeys: false, ...by });
    await lake.refs.rollForward("orders", { rollback: null, ...by });
    const events = await deliver(lake, topic);
    for (const event of events) expect(validate(event), JSON.stringify([event, validate.errors])).toBe(true);
    const told = events
      .filter((one) => one.type !== "io.sluice.version.tagged")
      .map((one) => [one.type.slice("io.sluice.".length), one.data["by"]]);
    expect(told).toEqual([
      ["version.published", "window"],
      ["drift.detected", undefined],
      ["version.published", "window"],
      ["drift.detected", undefined],
      ["version.published", "publish"],
      ["version.withdrawn", undefined],
      ["version.restored", undefined],
    ]);
    const tag = events.find((one) => one.type === "io.sluice.version.tagged");
    const tagged = events.filter((one) => one.type === "io.sluice.version.published")[1];
    expect(tag?.data).toMatchObject({ tags: ["release/1"], snapshotId: tagged?.data["snapshotId"], author: "ann" });
    expect(tagged?.data["tags"]).toEqual(["release/1"]);
    const drift = events.filter((one) => one.type === "io.sluice.drift.detected").map((one) => one.data);
    expect(drift).toMatchObject([
      { isHeld: true, columns: [{ column: "n", explanation: "n: 12% -> 31% of records" }] },
      { isHeld: false, columns: [{ column: "n" }, { column: "s" }] },
    ]);
    expect(new Set(events.map((one) => one.id)).size).toBe(events.length);

    // Another worker goes on: commits are not told again, tags of the last hour may be, under their old ids.
    await commit(lake, 3n);
    const more = (await deliver(lake, topic)).slice(events.length);
    expect(more.map((one) => one.id).toSorted()).toEqual(
      [tag?.id, more.find((one) => one.type === "io.sluice.version.published")?.id].map(String).toSorted(),
    );
  });
});

it("a commit that neither promotes nor drifts is told as nothing; the same one is told as the same", () => {
  expect(windowEvents(makeCommit(1, breaking("rows_min")), "/s", [])).toEqual([]);
  const twice = [1, 2].map(() => windowEvents(makeCommit(1, drifting(["n"], "observe")), "/s", ["v1"]));
  expect(twice[0]).toEqual(twice[1]);
  expect(twice[0]?.map((one) => [one.id, one.source])).toEqual([
    ["flights/1/published", "/s"],
    ["flights/1/drift", "/s"],
  ]);
});
