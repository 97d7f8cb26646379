import { expect, it } from "vitest";
import type { Lake } from "../../../../src/core/ports.ts";
import { expectConserved } from "../conservation.ts";
import { collect, makeWindow, row, scratchFolder, startedLake } from "../lake-fixture.ts";
import { readBranch } from "../table-content.ts";

const by = { author: "ann", reason: "looked at it" };
const back = { keepMs: null, releaseKeys: false, ...by } as const;
const compaction = { fileBytesTarget: 1 << 20, filesMin: 2 };
const dayMs = 86_400_000;

async function commit(lake: Lake, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) await lake.commitWindow(makeWindow({ id: `w${n + 1}`, from: BigInt(n), values: [row(n + 1)] }));
}

async function stands(lake: Lake): Promise<string[]> {
  const windows = await collect(lake.history("orders", 0n));
  return windows
    .filter(({ decision }) => decision.moved === undefined)
    .map(({ decision, isWithdrawn }) => `${decision.windowId}${isWithdrawn ? "-" : ""}`);
}

it("expiry forgets neither what was withdrawn nor how to bring it back", async () => {
  using scratch = scratchFolder();
  let now = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => now } });
  await commit(lake, 0, 4);
  const { rollback } = await lake.refs.rollback("orders", { to: "main~3", ...back });
  await commit(lake, 4, 6);
  now += 100 * dayMs;
  const report = await lake.maintenance.expire("orders", { snapshotAgeMsMax: dayMs, snapshotsMin: 1 }, false);
  expect(report.snapshots.promoted).toBeGreaterThan(3);
  expect(await stands(lake)).toEqual(["w1", "w2-", "w3-", "w4-", "w5", "w6"]);
  expect((await lake.refs.list("orders")).map((each) => each.name)).toEqual(["main", `withdrawn/${rollback.id}`]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 3, withdrawn: 3 });
  expect((await lake.refs.compare("orders", `withdrawn/${rollback.id}`, "main")).rowsRewritten).toBeNull();
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  expect(await stands(lake)).toEqual(["w1", "w2", "w3", "w4", "w5", "w6"]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 6 });
  now += 100 * dayMs;
  await commit(lake, 6, 7);
  await lake.maintenance.expire("orders", { snapshotAgeMsMax: dayMs, snapshotsMin: 1 }, false);
  expect(await stands(lake)).toEqual(["w1", "w2", "w3", "w4", "w5", "w6", "w7"]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 7 });
  await lake.close();
});

it("goes back to a tag over versions that have expired, and forth again", async () => {
  using scratch = scratchFolder();
  let now = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => now } });
  await commit(lake, 0, 1);
  await lake.refs.create("orders", { kind: "tag", name: "v1", version: "main", keepMs: null, ...by });
  await commit(lake, 1, 5);
  now += 100 * dayMs;
  await lake.maintenance.expire("orders", { snapshotAgeMsMax: dayMs, snapshotsMin: 1 }, false);
  const { plan, rollback } = await lake.refs.rollback("orders", { to: "v1", ...back });
  expect(plan.windows.map((each) => each.decision.windowId)).toEqual(["w2", "w3", "w4", "w5"]);
  expect([plan.snapshotIds.length, rollback.isRewritten]).toEqual([4, false]);
  expect(await stands(lake)).toEqual(["w1", "w2-", "w3-", "w4-", "w5-"]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 1, withdrawn: 4 });
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  expect(await stands(lake)).toEqual(["w1", "w2", "w3", "w4", "w5"]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 5 });
  await lake.close();
});

it("a rollback that was kept for some time can't be undone after that, and says so", async () => {
  using scratch = scratchFolder();
  let now = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => now } });
  await commit(lake, 0, 3);
  await lake.refs.rollback("orders", { to: "main~2", ...back, keepMs: 10 * dayMs });
  now += 9 * dayMs;
  await lake.maintenance.expire("orders", { snapshotAgeMsMax: dayMs, snapshotsMin: 1 }, false);
  expect(await lake.refs.list("orders")).toHaveLength(2);
  now += 2 * dayMs;
  await lake.maintenance.expire("orders", { snapshotAgeMsMax: dayMs, snapshotsMin: 1 }, false);
  expect(await lake.refs.list("orders")).toHaveLength(1);
  await expect(lake.refs.rollForward("orders", { rollback: null, ...by })).rejects.toMatchObject({ code: "ROLLBACK_REFUSED" });
  expect(await stands(lake)).toEqual(["w1", "w2-", "w3-"]);
  await lake.close();
});

it.each(["kept", "expired"])(
  "files that were compacted over the version gone back to: each row comes back once, older snapshots %s",
  async (expiry) => {
    using scratch = scratchFolder();
    let now = 1_800_000_000_000;
    const lake = await startedLake(scratch.folder, { clock: { now: () => now } });
    await commit(lake, 0, 3);
    const compacted = await lake.maintenance.compact("orders", compaction, false);
    expect(compacted[0]?.snapshotId).not.toBeNull();
    await commit(lake, 3, 4);
    const across = await lake.refs.compare("orders", "main~3", "main");
    expect([across.added.rows, across.removed.rows, across.rowsRewritten]).toEqual([2n, 0n, 2n]);
    const done = await lake.refs.rollback("orders", { to: "main~3", ...back });
    expect(done.rollback).toMatchObject({ isRewritten: true, rows: 2 });
    expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:1=2"]);
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, withdrawn: 2 });
    await lake.maintenance.compact("orders", compaction, false);
    if (expiry === "expired") {
      now += 100 * dayMs;
      await lake.maintenance.expire("orders", { snapshotAgeMsMax: dayMs, snapshotsMin: 1 }, false);
    }
    expect(await stands(lake)).toEqual(["w1", "w2", "w3-", "w4-"]);
    await lake.refs.rollForward("orders", { rollback: null, ...by });
    expect(await expectConserved(scratch.folder)).toEqual({ promoted: 4 });
    expect((await readBranch(scratch.folder, "orders")).promoted).toEqual([
      "topic-a:0:0=1",
      "topic-a:0:1=2",
      "topic-a:0:2=3",
      "topic-a:0:3=4",
    ]);
    await lake.close();
  },
);

it("what came back is found by those who read only what is new", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await commit(lake, 0, 3);
  await lake.refs.rollback("orders", { to: "main~2", ...back });
  await commit(lake, 3, 4);
  const { sequence } = (await lake.snapshots("orders")).at(-1)!;
  const field = { name: "n", path: "n", sourceName: "n", type: { kind: "long" }, required: true } as never;
  const read = async (range: { after: bigint; held: boolean; withdrawn?: boolean }): Promise<bigint[]> => {
    const rows = await collect(lake.promotedColumns("orders", [field], range));
    return rows.flatMap((each) => [...each.offsets]);
  };
  expect(await read({ after: 0n, held: true })).toEqual([0n, 3n]);
  expect(await read({ after: 0n, held: true, withdrawn: true })).toEqual([0n, 1n, 2n, 3n]);
  expect(await read({ after: sequence, held: true })).toEqual([]);
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  expect(await read({ after: sequence, held: true })).toEqual([1n, 2n]);
  expect(await read({ after: 0n, held: false })).toEqual([0n, 1n, 2n, 3n]);
  await lake.close();
});

it("an erasure reaches what was tagged and what was withdrawn; both still are what they were, without the rows", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1, "Ada Lovelace"), row(2)] }));
  await lake.refs.create("orders", { kind: "tag", name: "v1", version: "main", keepMs: null, ...by });
  await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(3)] }));
  await lake.commitWindow(makeWindow({ id: "w3", from: 3n, values: [row(5, "Ada Lovelace"), row(4)] }));
  const { rollback } = await lake.refs.rollback("orders", { to: "main~1", ...back });
  const report = await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: "Ada Lovelace" }, ...by });
  expect(report.remaining).toEqual([]);
  const ids = async (branch: string): Promise<readonly string[]> => (await readBranch(scratch.folder, "orders", branch)).promoted;
  expect(await ids("main")).toEqual(["topic-a:0:1=2", "topic-a:0:2=3"]);
  expect(await ids("v1")).toEqual(["topic-a:0:1=2"]);
  expect(await ids(`withdrawn/${rollback.id}`)).toEqual(["topic-a:0:1=2", "topic-a:0:2=3", "topic-a:0:4=4"]);
  expect((await lake.refs.list("orders")).find((each) => each.name === "v1")).toMatchObject({ isIntact: true, author: "ann" });
  const windows = async (version: string): Promise<string[]> => {
    const { snapshotId } = await lake.refs.resolve("orders", version);
    const found = await collect(lake.refs.windowsOf("orders", snapshotId));
    return found.filter(({ decision }) => decision.kind === "window").map(({ decision }) => decision.windowId);
  };
  expect([await windows("v1"), await windows("main"), await windows(`withdrawn/${rollback.id}`)]).toEqual([
    ["w1"],
    ["w1", "w2"],
    ["w1", "w2", "w3"],
  ]);
  expect(await stands(lake)).toEqual(expect.arrayContaining(["w1", "w2", "w3-"]));
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  expect(await ids("main")).toEqual(["topic-a:0:1=2", "topic-a:0:2=3", "topic-a:0:4=4"]);
  expect(await stands(lake)).toEqual(expect.arrayContaining(["w1", "w2", "w3"]));
  await lake.close();
});
