import { setTimeout as sleep } from "node:timers/promises";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ancestry, catalogTables, liveFiles, readTable } from "../conservation/iceberg-files.ts";
import { produce } from "../live/harness/produce.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { sluice } from "../cli/sluice.ts";
import { exited, Rig } from "./rig.ts";

const partitions = 3;
const rule = `    quality:
      - { id: once, type: custom, engine: sluice, implementation: { check: duplicate, columns: [id], scope: dataset } }
    properties:`;

/** Ids of the promoted rows, read by no code of ours. */
async function promotedIds(rig: Rig): Promise<number[]> {
  const location = catalogTables(rig.catalogFile).get("sluice.orders") as string;
  const [head] = ancestry(readTable(location), "main");
  const ids: number[] = [];
  for (const { path } of head === undefined ? [] : await liveFiles(head)) {
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), columns: ["id"], compressors });
    ids.push(...rows.map(({ id }) => Number(id)));
  }
  return ids.toSorted((a, b) => a - b);
}

describe.skipIf(!kafkaHere.available)("rows that are unique over the dataset", () => {
  let rig: Rig;
  beforeAll(async () => {
    const contract = (text: string): string => text.replace("    properties:", rule);
    rig = await Rig.open((await sharedBroker()).bootstrap, { partitions, contract });
  });
  afterAll(() => rig.close());

  /** New ids from `from` on, each once or more, in whichever partition; every seventh record repeats a much older one. */
  async function repeats(from: number, count: number): Promise<void> {
    const value = (id: number): string => `{"id":${id},"customer":"c${id}","amount":1,"placed_at":"2026-01-01T00:00:00Z"}`;
    const records = Array.from({ length: count }, (_, i) => {
      const id = from + i;
      return [id, ...(i % 3 === 0 ? [id] : []), ...(i % 7 === 0 ? [Math.floor(id / 2)] : [])];
    }).flat();
    await produce(
      rig.bootstrap,
      rig.topic,
      records.map((id, i) => ({ key: `${id}`, value: value(id), partition: i % partitions })),
    );
  }

  it("survive kill -9 at every step around claims and commits without a false or a missed duplicate", { timeout: 300_000 }, async () => {
    let made = 0;
    const steps = ["data-file.written", "quarantine-file.written", "metadata.written", "catalog.before-commit", "catalog.after-commit"];
    for (const step of steps) {
      await repeats(made, 600);
      made += 600;
      expect(await exited(rig.worker({ SLUICE_CRASH_AT: `${step}:2` })), rig.lastLog()).toBe("SIGKILL");
    }
    for (const wait of [700, 1100, 1500]) {
      await repeats(made, 600);
      made += 600;
      const doomed = rig.worker();
      await sleep(wait);
      doomed.kill("SIGKILL");
      await exited(doomed);
    }
    const last = rig.worker();
    await rig.caughtUp();
    expect(await rig.terminate(last), rig.lastLog()).toBe(0);
    expect(await promotedIds(rig)).toEqual(Array.from({ length: made }, (_, id) => id));
    expect((await rig.check(true)).problems).toEqual([]);
  });

  it("take the keys of records that were claimed, never committed, and passed over by a person", async () => {
    const first = rig.worker();
    await rig.caughtUp();
    expect(await rig.terminate(first), rig.lastLog()).toBe(0);
    const before = await promotedIds(rig);
    const value = (id: number): string => `{"id":${id},"customer":"c${id}","amount":1,"placed_at":"2026-01-01T00:00:00Z"}`;
    const ids = Array.from({ length: 90 }, (_, i) => 1_000_000 + i);
    const send = async (shift: number): Promise<void> => {
      await produce(
        rig.bootstrap,
        rig.topic,
        ids.map((id) => ({ key: `${id}`, value: value(id), partition: (id + shift) % partitions })),
      );
    };
    await send(0);
    // Its claims are durable, and its window is in no table.
    expect(await exited(rig.worker({ SLUICE_CRASH_AT: "decision.written:1" })), rig.lastLog()).toBe("SIGKILL");
    expect(await promotedIds(rig)).toEqual(before);
    const { code, err } = await sluice(["source", "reset", "--to", "latest", "--config", rig.configFile, "-m", "sent again"]);
    expect(code, err).toBe(0);
    await send(1);
    const last = rig.worker();
    await rig.caughtUp();
    expect(await rig.terminate(last), rig.lastLog()).toBe(0);
    expect(await promotedIds(rig)).toEqual([...before, ...ids]);
  });
});
