import { expect, it } from "vitest";
import { SluiceError } from "../../src/core/errors.ts";
import type { Lake } from "../../src/core/ports.ts";
import { expectConserved } from "../adapters/lake/conservation.ts";
import { scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { GateBench, makeOrders } from "./gate-bench.ts";

const by = { author: "tester", reason: "a test" };
const row = (n: number): string => `{"n":${n}}`;
const rows = (count: number, n = 1): string[] => Array.from({ length: count }, () => row(n));
/** A window of four rows or more breaks this. */
const quality = "    quality: [{ metric: rowCount, mustBeLessThan: 4 }]";

it("commits on revoke and goes on where another gate left off", async () => {
  using scratch = scratchFolder();
  const contract = await makeOrders();
  const first = await GateBench.open(scratch.folder, contract);
  const second = await GateBench.open(scratch.folder, contract);
  first.source.append(0, [...rows(5), row(200), "{"]);
  second.source.append(0, [...rows(5), row(200), "{", ...rows(3)]);
  await first.source.assign(0);
  await first.revoke(0);
  expect(first.source.outstanding).toBe(0);
  await second.source.assign(0);
  await second.stop();
  await first.stop();
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 8, open: 2 });
});

it("a window that lost its partitions is dropped, what it kept is read again, and nothing is doubled", async () => {
  using scratch = scratchFolder();
  const bench = await GateBench.open(scratch.folder, await makeOrders());
  bench.source.append(0, rows(4));
  bench.source.append(1, rows(6));
  await bench.source.assign(0, 1);
  await bench.until(() => bench.count("batch.judged") > 0);
  bench.source.lose(0);
  await bench.source.assign(0);
  await bench.stop();
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 10 });
});

it("a zombie's window is lost, and the zombie goes on from the table", async () => {
  using scratch = scratchFolder();
  const contract = await makeOrders();
  const zombie = await GateBench.open(scratch.folder, contract);
  zombie.source.append(0, rows(4));
  await zombie.source.assign(0);
  await zombie.until(() => zombie.count("batch.judged") > 0);
  const heir = await GateBench.open(scratch.folder, contract);
  heir.source.append(0, rows(6));
  await heir.source.assign(0);
  await heir.stop();
  zombie.source.append(0, rows(2));
  await zombie.revoke(0);
  expect(zombie.count("window.lost")).toBe(1);
  await zombie.source.assign(0);
  zombie.source.append(0, rows(1));
  await zombie.stop();
  expect(zombie.source.outstanding).toBe(0);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 7 });
});

it("a partition that blocks and is free before its block is recorded is not read twice into one window", async () => {
  using scratch = scratchFolder();
  let held = true;
  // The block's record waits, as behind a busy catalog, until the gate has looked for answers.
  const bench = await GateBench.open(scratch.folder, await makeOrders(), (lake) =>
    Object.assign(Object.create(lake) as Lake, {
      block: (dataset: string, block: Parameters<Lake["block"]>[1]) =>
        held ? Promise.reject(new SluiceError("CATALOG_BUSY", "busy")) : lake.block(dataset, block),
    }),
  );
  bench.source.append(0, rows(5));
  await bench.source.assign(0);
  await bench.until(() => bench.count("batch.judged") > 0);
  bench.source.block(0);
  await bench.until(() => bench.count("source.unblocked") > 0);
  await bench.until(() => bench.count("batch.judged") > 1);
  held = false;
  await bench.stop();
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 5 });
});

it("stop is recorded, gives back what it read, survives a restart, and both answers end it", async () => {
  using scratch = scratchFolder();
  const contract = await makeOrders({ settings: ", onBreach: stop", quality });
  const bench = await GateBench.open(scratch.folder, contract);
  bench.source.append(0, [...rows(3), row(7)]);
  await bench.source.assign(0);
  await bench.revoke(0);
  expect(bench.count("window.committed")).toBe(0);
  expect((await bench.lake.state("orders")).blocks).toMatchObject([{ code: "WINDOW_STOPPED" }]);
  expect(bench.source.outstanding).toBe(0);
  await bench.source.assign(0);
  await bench.stop();

  const again = await GateBench.open(scratch.folder, contract);
  again.source.append(0, [...rows(3), row(7)]);
  await again.source.assign(0);
  expect(again.source.outstanding).toBe(0);
  await again.lake.unblock("orders", { partition: null, mode: "retry", ...by });
  await again.until(() => again.count("batch.judged") > 0);
  await again.revoke(0);
  expect((await again.lake.state("orders")).blocks).toHaveLength(1);
  await again.source.assign(0);
  await again.lake.unblock("orders", { partition: null, mode: "hold", ...by });
  await again.until(() => again.count("batch.judged") > 1);
  await again.stop();
  expect(await expectConserved(scratch.folder)).toEqual({ held: 4 });
});

it("a held window is published or dropped, once, and later windows go on", async () => {
  using scratch = scratchFolder();
  const bench = await GateBench.open(scratch.folder, await makeOrders({ quality }));
  await bench.source.assign(0);
  for (const values of [rows(4), [...rows(4), row(200)], rows(1)]) {
    bench.source.append(0, values);
    await bench.revoke(0);
    await bench.source.assign(0);
  }
  expect(await expectConserved(scratch.folder)).toEqual({ held: 9, promoted: 1 });
  const [first, second] = (await bench.lake.held("orders")).map((each) => each.windowId) as [string, string];
  await bench.lake.publishHeld("orders", first, by);
  await bench.lake.dropHeld("orders", second, by);
  await expect(bench.lake.publishHeld("orders", first, by)).rejects.toMatchObject({ code: "HELD_WINDOW_SETTLED" });
  await bench.stop();
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 5, open: 5 });
});

it("a contract changes at a window boundary, a superseded worker stops, a refused one leaves the old in force", async () => {
  using scratch = scratchFolder();
  const bench = await GateBench.open(scratch.folder, await makeOrders());
  const other = await GateBench.open(scratch.folder, await makeOrders());
  bench.source.append(0, rows(2, 50));
  other.source.append(1, rows(2, 50));
  await bench.source.assign(0);
  await other.source.assign(1);
  await bench.until(() => bench.count("batch.judged") > 0);
  await other.until(() => other.count("batch.judged") > 0);
  const next = await makeOrders({ version: "2.0.0", maximum: 10 });
  await bench.gate.changeContract(next);
  bench.source.append(0, rows(3, 50));
  await other.until(() => other.gate.status().lanes[0]?.partitions[0]?.blocked === "CONTRACT_SUPERSEDED");
  expect(other.source.outstanding).toBe(0);
  await bench.gate.changeContract(await makeOrders({ version: "1.0.0" }));
  expect(bench.count("contract.rejected")).toBe(1);
  expect(bench.gate.status().lanes[0]?.contract.hash).toBe(next.hash);
  expect(bench.gate.status().lanes[0]?.contractError).toContain("1.0.0");
  await bench.gate.changeContract(next);
  expect(bench.gate.status().lanes[0]?.contractError).toBeNull();
  await other.gate.changeContract(next);
  await other.until(() => other.count("batch.judged") > 1);
  await bench.stop();
  await other.stop();
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, open: 5 });
  const committed = bench.events.flatMap((event) => (event.type === "window.committed" ? [event.decision] : []));
  expect(committed.map((decision) => [decision.contract.version, decision.closedBy])).toEqual([
    ["1.0.0", "contract"],
    ["2.0.0", "contract"],
  ]);
});

it("a topic that was created again stops and asks, and is read from its start when a person accepts it", async () => {
  using scratch = scratchFolder();
  const contract = await makeOrders();
  const bench = await GateBench.open(scratch.folder, contract);
  bench.source.append(0, rows(4));
  await bench.source.assign(0);
  await bench.stop();
  const again = await GateBench.open(scratch.folder, contract);
  const former = again.source.key(0);
  again.source.topicId = "topic-b";
  again.source.append(0, rows(2));
  await again.source.assign(0);
  expect((await again.lake.state("orders")).blocks).toMatchObject([{ code: "SOURCE_IDENTITY_CHANGED" }]);
  expect(again.count("run.received")).toBe(0);
  await again.lake.resetPositions("orders", { remove: [former], set: [{ ...again.source.key(0), next: 0n }], ...by });
  await again.until(() => again.count("batch.judged") > 0);
  await again.stop();
  const { positions, blocks } = await again.lake.state("orders").catch(() => ({ positions: [], blocks: [] }));
  expect(blocks).toEqual([]);
  expect(positions.every((each) => each.topicId === "topic-b")).toBe(true);
});

it("duplicates under `keep: none` fall even where a later batch shows them, and late records end by policy", async () => {
  using scratch = scratchFolder();
  const settings = ", late: { column: at, seconds: 60, action: quarantine }";
  const rules = `      - name: k
        logicalType: string
        quality:
          - { type: custom, engine: sluice, implementation: { check: duplicate, columns: [k], keep: none } }`;
  const bench = await GateBench.open(scratch.folder, await makeOrders({ settings, rules }));
  const at = (ms: number): string => new Date(bench.nowMs + ms).toISOString();
  await bench.source.assign(0);
  bench.source.append(0, [`{"n":1,"k":"a"}`, `{"n":1,"k":"b"}`, `{"n":1,"k":"d","at":"${at(-3_600_000)}"}`]);
  await bench.until(() => bench.count("batch.judged") > 0);
  bench.source.append(0, [`{"n":1,"k":"a"}`, `{"n":1,"k":"c","at":"${at(0)}"}`]);
  await bench.until(() => bench.count("batch.judged") > 1);
  await bench.stop();
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, open: 3 });
});
