import { expect, it } from "vitest";
import { collectAfterLargeRuns } from "../../src/cli/large-runs.ts";
import type { GateEvent } from "../../src/core/events.ts";

const received = (bytes: number): GateEvent => ({
  type: "run.received",
  dataset: "d",
  partition: { topic: "t", topicId: "i", partition: 0 },
  records: 1,
  bytes,
});
const delivered: GateEvent = { type: "sink.delivered", sink: "dlq", dataset: "d", sequence: 1n };

it("collects when a large run comes and a few times after, and never for ordinary ones", () => {
  let collected = 0;
  const observe = collectAfterLargeRuns(() => collected++);
  for (let i = 0; i < 100; i++) observe(received(1 << 20));
  observe(delivered);
  expect(collected).toBe(0);
  observe(received(50 << 20));
  for (let i = 0; i < 100; i++) observe(delivered);
  expect(collected).toBe(5);
});

it("does nothing where collecting can't be asked for", () => {
  expect(() => collectAfterLargeRuns(undefined)(received(50 << 20))).not.toThrow();
});
