import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { readTopic } from "../conservation/kafka-log.ts";
import { produce } from "../live/harness/produce.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { createTopic, topicOffsets, uniqueTopic } from "../live/harness/topics.ts";
import { ended, sluice, start } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-erase-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const erika = "erika@example.org";
const order = (id: number, customer: string): { value: string } => ({
  value: JSON.stringify({ id, customer, amount: 1, placed_at: "2024-01-01T00:00:00Z" }),
});

it.skipIf(!kafkaHere.available)("erases a subject on the dead letter topic too, also what an earlier erasure had left there", async () => {
  const { bootstrap, brokers } = await sharedBroker();
  const topic = uniqueTopic("orders");
  const letters = `${topic}.dead`;
  await createTopic(bootstrap, topic);
  await createTopic(bootstrap, letters);
  const contract = readFileSync(resolve(import.meta.dirname, "../crash/orders.odcs.yaml"), "utf8");
  writeFileSync(join(folder, "orders.odcs.yaml"), contract.replace("TOPIC", topic));
  const config = join(folder, "sluice.yaml");
  const settings = `source: { kind: kafka, brokers: ["${bootstrap}"], group: ${topic} }\ndatasets: [{ contract: orders.odcs.yaml }]\nhttp: { enabled: false }\n`;
  writeFileSync(config, `${settings}dlq: { enabled: true, topicSuffix: .dead }\n`);
  // Customers are named c1, c2 and so on: the others are rejected, and copied.
  await produce(bootstrap, topic, [order(1, "c1"), order(2, "somebody"), order(3, erika), order(4, "else"), order(5, erika)]);
  const worker = start(["run", "--config", config]);
  const over = ended(worker);
  try {
    while ((await topicOffsets(bootstrap, letters))[0]?.latest !== 4n) {
      if (worker.exitCode !== null) throw new Error((await over).err);
      await sleep(100);
    }
  } finally {
    worker.kill("SIGTERM");
  }
  expect((await over).code).toBe(0);
  const before = (await readTopic(brokers, letters)).records;
  // What a reader of the first two would know them by, and nothing of the value.
  const [stub] = before.filter(({ value }) => value?.includes(erika));
  await produce(bootstrap, letters, [
    { value: null, headers: stub!.headers.filter(({ key }) => key === "sluice.id").map((each) => [each.key, each.value]) },
  ]);

  const erase = (...args: string[]): ReturnType<typeof sluice> =>
    sluice(["erase", "--where", `customer = ${erika}`, ...args, "--config", config]);
  const dry = await erase("--dry-run");
  expect([dry.err, dry.out]).toEqual(["", `would erase 2 records, in 1 files\ntopic ${letters}: would erase 3 copies among 5 records\n`]);
  expect((await topicOffsets(bootstrap, letters))[0]).toEqual({ earliest: 0n, latest: 5n });
  const left = await erase("--keep-dead-letters", "-m", "request 1", "--json");
  expect(left.code).toBe(0);
  expect(JSON.parse(left.out)).toMatchObject({ rows: { quarantined: 2 }, copies: null, remaining: [] });
  expect(left.out).toContain("copies on a dead letter topic");
  expect((await topicOffsets(bootstrap, letters))[0]).toEqual({ earliest: 0n, latest: 5n });

  const erased = await erase("-m", "request 1");
  expect([erased.code, erased.err]).toEqual([0, ""]);
  expect(erased.out).toContain(`topic ${letters}: erased 3 copies; 2 others that stood between them were written again at its end`);
  expect(erased.out).toContain("read its 2 records afterwards: none is a copy");
  expect(erased.out).not.toContain("copies on a dead letter topic");
  const digests = (records: typeof before): string[] => records.map(({ digest }) => digest).toSorted();
  const after = (await readTopic(brokers, letters)).records;
  expect(digests(after)).toEqual(digests(before.filter(({ value }) => value?.includes(erika) !== true)));

  writeFileSync(config, `${settings.replace(/"[^"]+"/, '"127.0.0.1:1"')}dlq: { enabled: true, topicSuffix: .dead }\n`);
  const away = await erase("-m", "request 2");
  expect(away).toMatchObject({ code: 1, out: "" });
  expect(away.err).toContain("COPIES_REFUSED");
  expect(away.err).toContain("--keep-dead-letters");
});
