import { execFile } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rig } from "../crash/rig.ts";
import type { Codec, TestProducer, TestRecord } from "../live/harness/produce.ts";
import { openProducer } from "../live/harness/produce.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { writeBatch } from "../adapters/kafka/batch-writer.ts";
import { nastyRecords } from "./nasty-records.ts";
import { produceRaw } from "./produce-raw.ts";

const run = promisify(execFile);
const sluice = fileURLToPath(new URL("../../bin/sluice", import.meta.url));
const mebi = 1 << 20;
/** Section 8 of the issue: whatever is sent, at default settings. */
const residentMebibytesMax = 768;

interface Listed {
  readonly total: number;
  readonly byRule: Readonly<Record<string, number>>;
  readonly records: readonly {
    readonly id: string;
    readonly valueBytes: number | null;
    readonly state: string;
    readonly reasons: readonly { readonly rule: string; readonly message: string }[];
  }[];
}

/** The most memory that a process ever had resident, in MiB; Linux only. */
function peakMebibytes(worker: ChildProcess): number {
  const status = readFileSync(`/proc/${worker.pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

describe.skipIf(!kafkaHere.available || process.platform !== "linux")(
  "a worker at default settings, sent what is nasty",
  { timeout: 600_000 },
  () => {
    let rig: Rig;
    let worker: ChildProcess;
    let producer: TestProducer;
    beforeAll(async () => {
      const contract = readFileSync(new URL("nasty.odcs.yaml", import.meta.url), "utf8");
      rig = await Rig.open((await sharedBroker()).bootstrap, {
        partitions: 2,
        contract: (text) => contract.replace("TOPIC", /physicalName: (\S+)/.exec(text)?.[1] as string),
      });
      producer = openProducer(rig.bootstrap);
      worker = rig.worker();
    });
    afterAll(async () => {
      await producer.close();
      await rig.close();
    });

    async function send(records: readonly TestRecord[], codec: Codec = "none"): Promise<Map<number, bigint>> {
      return await producer.send(rig.topic, records, codec);
    }

    async function settled(): Promise<void> {
      await rig.caughtUp(400_000);
      expect(worker.exitCode, rig.lastLog()).toBeNull();
      expect(peakMebibytes(worker)).toBeLessThan(residentMebibytesMax);
    }

    async function listed(): Promise<Listed> {
      const { stdout } = await run(sluice, ["quarantine", "list", "--config", rig.configFile, "--json", "--limit", "1000"], {
        maxBuffer: 64 * mebi,
      });
      return JSON.parse(stdout) as Listed;
    }

    it(`${nastyRecords.length} kinds of records end where they must, and good ones between them are promoted`, async () => {
      const expected = new Map<string, readonly string[]>();
      for (const { record, rules } of nastyRecords) {
        const first = (await send([record, { key: "between", value: '{"id":7}' }])).get(0) as bigint;
        if (rules !== null) expected.set(`0:${first}`, rules);
      }
      await settled();
      const { records, total } = await listed();
      const found = new Map(records.map((each) => [each.id.split(":").slice(1).join(":"), each.reasons.map((reason) => reason.rule)]));
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
      expect(total).toBe(expected.size);
      expect(records.every((each) => each.state === "open")).toBe(true);
    });

    it("values of 50 MB, plain and as bombs in every codec, are set aside undecoded", async () => {
      const before = (await listed()).byRule["record.oversized"] ?? 0;
      const bomb = Buffer.alloc(50 * mebi, 0x20);
      for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
        await send([{ key: codec, value: bomb, partition: 1 }], codec);
        await send([{ key: "between", value: '{"id":8}', partition: 1 }], codec);
      }
      await settled();
      expect((await listed()).byRule["record.oversized"]).toBe(before + 5);
    });

    it("so far every record is in exactly one place, byte for byte", async () => {
      expect((await rig.check(false)).problems).toEqual([]);
    });

    it("40 records of 10 MB in a row, good and bad, plain and compressed", async () => {
      const good = Buffer.from(`{"id":1,"text":"${"z".repeat(10 * mebi)}"}`);
      const bad = good.subarray(0, -1);
      for (let i = 0; i < 40; i++) {
        await send([{ key: `${i}`, value: i % 2 === 0 ? good : bad, partition: i % 3 === 0 ? 0 : 1 }], i < 30 ? "none" : "zstd");
      }
      await settled();
    });

    it("40,000 records of 64 headers each", async () => {
      const headers = Array.from({ length: 64 }, (_, i) => ({ key: `h${i}`, value: Buffer.from(`${i}`) }));
      const [good, bad] = [Buffer.from('{"id":1}'), Buffer.from("{")];
      const records = Array.from({ length: 10_000 }, (_, i) => ({
        offset: BigInt(i),
        timestamp: BigInt(Date.now()),
        key: null,
        value: i % 2 === 0 ? good : bad,
        headers,
      }));
      await produceRaw(rig.bootstrap, rig.topic, writeBatch({ codec: "lz4", records }), 4);
      await settled();
    });
  },
);
