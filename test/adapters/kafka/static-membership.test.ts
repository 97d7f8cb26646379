import { describe, expect, it } from "vitest";
import { createKafkaSource } from "../../../src/adapters/kafka/kafka-source.ts";
import { sourceBench } from "../../contract-suites/source-bench.ts";
import { PositionTable } from "../../contract-suites/source-recorder.ts";
import { produce } from "../../live/harness/produce.ts";
import { kafkaHere } from "../../live/harness/shared-broker.ts";
import { createTopic, uniqueTopic } from "../../live/harness/topics.ts";

describe.skipIf(!kafkaHere.available)("static membership", () => {
  const bench = sourceBench(createKafkaSource);

  it("gives a restarted member its partitions back without a rebalance, and says when another runs under its name", async () => {
    const [topic, groupId] = [uniqueTopic("static"), uniqueTopic("group")];
    await createTopic(bench.bootstrap(), topic, { partitions: 4 });
    const table = new PositionTable();
    const named = (groupInstanceId: string) => bench.open([topic], { groupId, groupInstanceId } as never, { table });
    const first = await named("one");
    await first.until((recorder) => recorder.owned.size === 4);
    const second = await named("two");
    await second.until((recorder) => recorder.owned.size === 2);
    await first.until((recorder) => recorder.owned.size === 2);
    const kept = new Set(second.recorder.owned);
    const calls = first.recorder.calls.length;
    await second.source.close();
    const again = await named("two");
    await again.until((recorder) => recorder.owned.size === 2);
    expect(again.recorder.owned).toEqual(kept);
    expect(first.recorder.calls).toHaveLength(calls);
    await produce(
      bench.bootstrap(),
      topic,
      [0, 1, 2, 3].map((partition) => ({ value: String(partition), partition })),
    );
    await again.until(() => first.recorder.count + again.recorder.count === 4);

    const impostor = await named("two");
    await impostor.until((recorder) => recorder.owned.size === 2);
    await again.until((recorder) => recorder.owned.size === 0 && recorder.troubles.some((error) => error?.code === "SOURCE_FENCED"));
    expect(again.recorder.calls.slice(-2).every((call) => call.startsWith("lost"))).toBe(true);
    for (const { recorder } of [first, again, impostor]) expect(recorder.violations).toEqual([]);
  });
});
