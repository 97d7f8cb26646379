import { readFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { schemaOfContract } from "../../src/adapters/iceberg/table-schema.ts";
import { openInlineEngine } from "../../src/cli/engine.ts";
import { engineThreadOptions } from "../../src/cli/engine-thread-options.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Records } from "../../src/core/records.ts";
import type { Engine, EngineWindow } from "../../src/gate/engine.ts";
import { createEnginePool } from "../../src/gate/engine-pool.ts";
import type { SettledRows } from "../../src/gate/judged-rows.ts";
import { expectConserved } from "../adapters/lake/conservation.ts";
import { scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { makeRecords } from "../fixtures/contract.ts";
import { GateBench, makeOrders } from "./gate-bench.ts";

const open: Engine[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((engine) => engine.close()));
  for (const name of ["SLUICE_TEST_FAULT", "SLUICE_TEST_FAULT_AT", "SLUICE_TEST_FAULT_FLAG"]) delete process.env[name];
});

function threads(count: number): Engine {
  const engine = createEnginePool(count, engineThreadOptions(512));
  open.push(engine);
  return engine;
}

function faulty(fault: string, at: number | "settle", folder: string, options: { silenceMsMax?: number; heapMib?: number } = {}): Engine {
  Object.assign(process.env, {
    SLUICE_TEST_FAULT: fault,
    SLUICE_TEST_FAULT_AT: String(at),
    SLUICE_TEST_FAULT_FLAG: join(folder, "fault-happened"),
  });
  const entry = new URL("faulty-engine-entry.ts", import.meta.url);
  const engine = createEnginePool(1, { ...engineThreadOptions(512), ...options, entry });
  open.push(engine);
  return engine;
}

const value = fc.oneof(
  fc.record({ n: fc.oneof(fc.integer({ min: 0, max: 120 }), fc.constant(null), fc.constant("x")), k: fc.constantFrom("a", "b", "c", "d") }),
  fc.constantFrom("{", "[]", "", "null"),
);
const runs = fc.array(fc.array(value, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 6 });

function recordsOf(values: readonly unknown[], partition: number, from: number): Records {
  const texts = values.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
  return { ...makeRecords(texts, [], from), partitions: [{ topic: "orders", topicId: "t", partition }] };
}

async function settle(engine: Engine, contract: Contract, batches: readonly (readonly Records[])[]): Promise<SettledRows> {
  const { schema } = schemaOfContract(contract, null);
  const window = engine.open({ contract, schema, kind: "compiled" });
  const judged = batches.map((batch) => window.add(batch));
  const settled = await window.settle(1_800_000_000_000);
  expect((await Promise.all(judged)).map((each) => each.rows)).toEqual(
    batches.map((batch) => batch.reduce((sum, run) => sum + run.count, 0)),
  );
  return settled;
}

const fileBytes = ({ files }: SettledRows): Buffer[] => files.map((file) => Buffer.concat(file.pieces.map((piece) => piece.slice())));
const hex = (bounds: ReadonlyMap<number, Uint8Array>): unknown =>
  [...bounds].map(([id, bytes]) => [id, Buffer.from(bytes).toString("hex")]);
const essence = (settled: SettledRows): unknown => ({
  ...settled,
  profile: { ...settled.profile, bytes: Buffer.from(settled.profile.bytes) },
  files: settled.files.map((file) => ({ ...file, pieces: null, lowerBounds: hex(file.lowerBounds), upperBounds: hex(file.upperBounds) })),
});

const keepNone = `      - name: k
        logicalType: string
        quality:
          - { type: custom, engine: sluice, implementation: { check: duplicate, columns: [k], keep: none } }`;
const keepFirst = keepNone.replace("keep: none", "keep: first");

describe("windows in threads", () => {
  it.each([
    ["chunks that are judged to the end", keepFirst],
    ["chunks whose rows can fall later", keepNone],
  ])("settle as in one thread, to the byte, in the order of the calls: %s", async (_, rules) => {
    const contract = await makeOrders({ rules });
    const engine = threads(2);
    const inline = openInlineEngine();
    await fc.assert(
      fc.asyncProperty(fc.array(runs, { minLength: 1, maxLength: 4 }), async (windows) => {
        const inputs = windows.map((window, w) => {
          let from = 0;
          return window.map((values, i) => {
            const half = values.length >> 1;
            const batch = [values.slice(0, half), values.slice(half)]
              .filter((part) => part.length > 0)
              .map((part, p) => recordsOf(part, p, (from += part.length) + w + i));
            return batch;
          });
        });
        const here = await Promise.all(inputs.map((batches) => settle(inline, contract, batches)));
        const there = await Promise.all(inputs.map((batches) => settle(engine, contract, batches)));
        expect(there.map(essence)).toEqual(here.map(essence));
        expect(there.map(fileBytes)).toEqual(here.map(fileBytes));
      }),
      { numRuns: 40 },
    );
  });

  it("hold back what is beyond the room, and go on when there is some", async () => {
    const contract = await makeOrders();
    const engine = createEnginePool(1, { ...engineThreadOptions(512), bytesInFlightMax: 1 << 16 });
    open.push(engine);
    const window = engine.open({ contract, schema: null, kind: "compiled" });
    const batch = [
      recordsOf(
        Array.from({ length: 1000 }, (_, n) => ({ n: n % 100 })),
        0,
        0,
      ),
    ];
    let unanswered = 0;
    let most = 0;
    for (let i = 0; i < 50; i++) {
      await window.room();
      most = Math.max(most, ++unanswered);
      void window.add(batch).then(() => unanswered--);
    }
    expect((await window.settle(0)).passedRows).toBe(50_000);
    expect(most).toBeLessThanOrEqual(2);
  });

  it("pass the room on where the one that waited first needs it no more", async () => {
    const contract = await makeOrders();
    const engine = createEnginePool(1, { ...engineThreadOptions(512), bytesInFlightMax: 1 });
    open.push(engine);
    const [busy, first, second] = [1, 2, 3].map(() => engine.open({ contract, schema: null, kind: "compiled" })) as [
      EngineWindow,
      EngineWindow,
      EngineWindow,
    ];
    const batch = [recordsOf([{ n: 1 }], 0, 0)];
    const added = busy.add(batch);
    const waits = [first.room(), second.room()];
    first.drop();
    await added;
    await Promise.all(waits);
    await second.add(batch);
    expect((await second.settle(0)).passedRows).toBe(1);
  });

  it("keep nothing for windows that were dropped", async () => {
    const contract = await makeOrders();
    const engine = threads(1);
    for (let i = 0; i < 20; i++) {
      const window = engine.open({ contract, schema: null, kind: "compiled" });
      const added = window.add([recordsOf([{ n: 1 }], 0, 0)]);
      window.drop();
      await expect(added).rejects.toMatchObject({ code: "WINDOW_LOST" });
      await window.room();
    }
    const last = engine.open({ contract, schema: null, kind: "compiled" });
    await last.add([recordsOf([{ n: 1 }], 0, 0)]);
    expect((await last.settle(0)).passedRows).toBe(1);
  });
});

describe("a thread that is gone", () => {
  const row = (n: number): string => `{"n":${n}}`;

  it.each([
    ["exit", 2],
    ["throw", 3],
    ["hang", 2],
    ["memory", 2],
    ["exit", "settle"],
    ["throw", "settle"],
    ["hang", "settle"],
  ] as const)("costs a retry, never a record: %s at %s", async (fault, at) => {
    using scratch = scratchFolder();
    const engine = faulty(fault, at, scratch.folder, { silenceMsMax: 4000, heapMib: 64 });
    const bench = await GateBench.open(scratch.folder, await makeOrders(), (lake) => lake, engine);
    await bench.source.assign(0, 1);
    for (let batch = 0; batch < 6; batch++) {
      bench.source.append(batch % 2, [...Array.from({ length: 20 }, (_, i) => row(i)), row(200), "{"]);
      await bench.until(() => bench.count("batch.judged") > batch || bench.count("engine.lost") > 0);
    }
    await bench.until(() => at === "settle" || bench.count("engine.lost") > 0);
    await bench.judged();
    await bench.until(() => bench.gate.status().lanes[0]?.openWindow?.rows === 132);
    await bench.revoke(0, 1);
    // Where the thread went with the window that the revocation closed, the next owner reads again.
    await bench.source.assign(0, 1);
    await bench.until(() => {
      const lane = bench.gate.status().lanes[0];
      const isCommitted = lane?.partitions.length === 2 && lane.partitions.every((each) => each.position === 66n);
      return isCommitted || lane?.openWindow?.rows === 132;
    });
    await bench.stop();
    expect(bench.count("engine.lost")).toBe(1);
    expect(bench.source.outstanding).toBe(0);
    expect(readFileSync(join(scratch.folder, "fault-happened"), "utf8")).toBe("");
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 120, open: 12 });
  });

  it("does not hold up the main thread: its timers run while the engine hangs", async () => {
    using scratch = scratchFolder();
    const engine = faulty("hang", 1, scratch.folder, { silenceMsMax: 4000 });
    const bench = await GateBench.open(scratch.folder, await makeOrders(), (lake) => lake, engine);
    bench.source.append(0, [row(1)]);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await bench.source.assign(0);
    await bench.until(() => bench.count("engine.lost") > 0);
    delay.disable();
    expect(delay.count).toBeGreaterThan(50);
    await bench.until(() => bench.count("batch.judged") > 0);
    await bench.stop();
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 1 });
  });

  it("is a bug where it comes back without end: the gate ends with it", async () => {
    using scratch = scratchFolder();
    const engine = createEnginePool(1, { ...engineThreadOptions(512), entry: new URL("broken-engine-entry.ts", import.meta.url) });
    open.push(engine);
    const bench = await GateBench.open(scratch.folder, await makeOrders(), (lake) => lake, engine);
    bench.source.append(0, [row(1)]);
    await bench.source.assign(0);
    await expect(bench.done).rejects.toMatchObject({ code: "ENGINE_THREAD_LOST" });
    expect(bench.count("engine.lost")).toBeGreaterThan(3);
    await bench.lake.close();
  });
});
