import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KafkaConnection } from "../../src/adapters/kafka/connection.ts";
import { cluster, ownBroker, secureBroker } from "../live/harness/own-brokers.ts";
import { openProducer, produce } from "../live/harness/produce.ts";
import { ownBrokersHere } from "../live/harness/shared-broker.ts";
import { createTopic, leaderOf, topicOffsets, uniqueTopic } from "../live/harness/topics.ts";
import type { MakeSource, SourceCapabilities } from "./source-bench.ts";
import { sourceBench } from "./source-bench.ts";

/** Broken disks, brokers that die, and secured ones: on brokers of the tests' own. */
export function faultContract(make: MakeSource, capabilities: SourceCapabilities): void {
  describe.skipIf(!ownBrokersHere)("faults", () => {
    brokenBroker(make, capabilities);
    securedBroker(make);
    threeBrokers(make);
  });
}

function brokenBroker(make: MakeSource, { checksums, partialBlocks }: SourceCapabilities): void {
  describe("one broker", () => {
    let broker: Awaited<ReturnType<typeof ownBroker>>;
    const bench = sourceBench(make, () => ({ brokers: [broker.bootstrap], clientId: "source-contract" }));
    beforeAll(async () => {
      broker = await ownBroker();
    });
    afterAll(() => broker.stop());

    it.skipIf(!checksums || !partialBlocks)(
      "stops a partition at a batch whose bytes were altered on disk, after all that is good; says and survives the restart",
      async () => {
        const topic = uniqueTopic("corrupt");
        await createTopic(broker.bootstrap, topic, { partitions: 2 });
        const producer = openProducer(broker.bootstrap);
        for (const value of ["good", "marked", "behind"]) await producer.send(topic, [{ value }, { value: "other", partition: 1 }]);
        await producer.close();
        const { source, recorder, until } = await bench.open([topic], {}, { leaveOut: ({ partition }) => partition === 0 });
        await until(() => recorder.count === 3);
        flipByte(broker.folder, `${topic}-0`, "marked");
        await broker.restart();
        expect(recorder.troubles[0]?.code).toBe("SOURCE_UNREACHABLE");
        await produce(broker.bootstrap, topic, [{ value: "restarted", partition: 1 }]);
        await until(() => recorder.count === 4 && recorder.troubles.at(-1) === null);
        const start = { ...source.ends()[0]!, partition: 0, next: 0n };
        recorder.seeking([start]);
        source.seek([start]);
        await until(() => recorder.blocks.length === 1);
        const [{ partition, error }] = recorder.blocks as [(typeof recorder.blocks)[0]];
        expect([partition, error.code, error.details["position"]]).toEqual([0, "SOURCE_CORRUPT", "1"]);
        await produce(broker.bootstrap, topic, [{ value: "goes on", partition: 1 }]);
        await until(() => recorder.count === 6);
        expect(recorder.seen.filter((record) => record.partition === 0).map(({ value }) => value)).toEqual(["good"]);
        expect(recorder.seen.filter((record) => record.partition === 1).map(({ value }) => value)).toEqual([
          "other",
          "other",
          "other",
          "restarted",
          "goes on",
        ]);
        const behind = { ...start, next: 2n };
        recorder.seeking([behind]);
        source.seek([behind]);
        await until(() => recorder.seen.at(-1)?.value === "behind");
        expect(recorder.violations).toEqual([]);
      },
    );

    it("rejects with SOURCE_UNREACHABLE where nobody answers", async () => {
      const source = make({ connection: { brokers: ["127.0.0.1:1"], clientId: "nobody" }, groupId: "g", topics: ["t"] });
      const nothing = (): void => undefined;
      const listener = { assigned: async () => [], revoked: async () => undefined, lost: nothing, records: nothing };
      await expect(source.start({ ...listener, blocked: nothing, trouble: nothing, ended: nothing })).rejects.toMatchObject({
        code: "SOURCE_UNREACHABLE",
      });
      await source.close();
    });
  });
}

/** Alters one byte of a record in a partition's log. */
function flipByte(folder: string, partition: string, mark: string): void {
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) =>
    path.endsWith(join(partition, "00000000000000000000.log")),
  );
  const file = join(folder, found as string);
  const bytes = readFileSync(file);
  const at = bytes.indexOf(mark);
  expect(at).toBeGreaterThan(0);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(file, bytes);
}

function securedBroker(make: MakeSource): void {
  describe("a secured broker", () => {
    let broker: Awaited<ReturnType<typeof secureBroker>>;
    let connection: KafkaConnection;
    const bench = sourceBench(make, () => connection);
    beforeAll(async () => {
      broker = await secureBroker();
    });
    afterAll(() => broker.stop());

    it("reads by SASL PLAIN and SCRAM with and without TLS, and by mutual TLS; refuses wrong passwords and strangers", async () => {
      const topic = uniqueTopic("secured");
      await createTopic(broker.bootstrapPlain, topic);
      await produce(broker.bootstrapPlain, topic, [{ value: "1" }]);
      const { ca, cert, key } = broker.tls;
      const base = { clientId: "secured" };
      const ways: KafkaConnection[] = [
        ...broker.users.map((sasl) => ({ ...base, brokers: [broker.bootstrap], tls: { ca }, sasl })),
        ...broker.users.map((sasl) => ({ ...base, brokers: [broker.bootstrapSasl], sasl })),
        { ...base, brokers: [broker.bootstrapTls], tls: { ca, cert, key } },
      ];
      expect(new Set(broker.users.map(({ mechanism }) => mechanism))).toEqual(new Set(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]));
      for (connection of ways) await bench.readAll(topic, 1);
      const refused: KafkaConnection[] = [
        ...broker.users.map((sasl) => ({ ...base, brokers: [broker.bootstrap], tls: { ca }, sasl: { ...sasl, password: "wrong" } })),
        { ...base, brokers: [broker.bootstrapTls], tls: {} },
      ];
      for (connection of refused) await expect(bench.open([topic])).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    });
  });
}

function threeBrokers(make: MakeSource): void {
  describe("three brokers", () => {
    let nodes: Awaited<ReturnType<typeof cluster>>;
    const bench = sourceBench(make, () => ({ brokers: nodes.brokers, clientId: "source-contract" }));
    beforeAll(async () => {
      nodes = await cluster();
    });
    afterAll(() => nodes.stop());

    it("loses and doubles nothing when a leader dies under load and comes back", async () => {
      const topic = uniqueTopic("failover");
      await createTopic(nodes.bootstrap, topic, { partitions: 6, replicas: 3 });
      const { recorder, until } = await bench.open([topic]);
      await until(() => recorder.owned.size === 6);
      const acknowledged = new Set<string>();
      const load = { over: false };
      const loading = (async () => {
        // The client asks a leader that has moved again and again: a new one finds it.
        const open = () => openProducer(nodes.bootstrap, { retries: 50 });
        let producer = open();
        for (let id = 0; !load.over; id += 60) {
          const records = Array.from({ length: 60 }, (_, i) => ({ value: String(id + i), partition: i % 6 }));
          for (;;) {
            try {
              await producer.send(topic, records);
              break;
            } catch {
              // Sent again, so some may be written twice: what the source must get right is each offset, once.
              await producer.close().catch(() => undefined);
              producer = open();
            }
          }
          for (const { value } of records) acknowledged.add(value);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await producer.close();
      })();
      await until(() => recorder.count > 500);
      const leader = await leaderOf(nodes.bootstrap, topic, 0);
      await nodes.kill(leader);
      const before = recorder.seen.filter(({ partition }) => partition === 0).length;
      await until(() => recorder.seen.filter(({ partition }) => partition === 0).length > before + 50, 120_000);
      await nodes.restart(leader);
      const mark = recorder.count;
      await until(() => recorder.count > mark + 500, 120_000);
      load.over = true;
      await loading;
      const ends = await topicOffsets(nodes.bootstrap, topic);
      const written = ends.reduce((sum, { latest }) => sum + Number(latest), 0);
      await until(() => recorder.count >= written);
      for (const partition of ends.keys()) {
        const offsets = recorder.seen.filter((record) => record.partition === partition).map(({ offset }) => Number(offset));
        expect(
          offsets.filter((offset, i) => i > 0 && offset <= (offsets[i - 1] as number)),
          "offsets handed out twice",
        ).toEqual([]);
        expect(offsets).toEqual(Array.from({ length: Number(ends[partition]?.latest) }, (_, i) => i));
      }
      const values = new Set(recorder.seen.map(({ value }) => value));
      expect([...acknowledged].filter((value) => !values.has(value))).toEqual([]);
      expect(recorder.troubles.some((error) => error?.code === "SOURCE_UNREACHABLE")).toBe(true);
      await until(() => recorder.troubles.at(-1) === null);
      expect(recorder.violations).toEqual([]);
      expect(recorder.blocks).toEqual([]);
    }, 400_000);
  });
}
