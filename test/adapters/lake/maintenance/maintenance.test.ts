import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Lake } from "../../../../src/core/ports.ts";
import { collect, makeWindow, openLake, row, scratchFolder, startedLake, textOf } from "../lake-fixture.ts";
import { makeReplay } from "../replay-fixture.ts";
import { loadBoth, readBranch } from "../table-content.ts";

const hour = 3600_000;
const all = { snapshotAgeMsMax: 0, snapshotsMin: 1 } as const;
const small = { fileBytesTarget: 128 << 20, filesMin: 2 } as const;
const by = { author: "ann", reason: "test" };

/** So many windows of three records, the second of which is rejected. */
async function commitWindows(lake: Lake, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) {
    await lake.commitWindow(makeWindow({ id: `w${i}`, from: BigInt(i * 3), values: [row(i), `bad ${i}`, row(i + 100)], rejected: [1] }));
  }
}

const quarantinedTexts = async (lake: Lake): Promise<string[]> =>
  (await collect(lake.quarantined("orders", {}))).map((each) => `${each.id} ${textOf(each)} ${each.state}`);

it("makes many files one, in both tables, with every row, its states and positions as they were", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await commitWindows(lake, 6);
  await lake.commitReplay(makeReplay("r1", await collect(lake.quarantined("orders", { windowId: "w2" }))));
  await commitWindows(lake, 2, 6);
  const before = {
    content: await readBranch(scratch.folder, "orders"),
    state: await lake.state("orders"),
    rows: await quarantinedTexts(lake),
  };
  const history = await collect(lake.history("orders", 0n));
  const planned = await lake.maintenance.compact("orders", small, true);
  expect(planned.map(({ table, filesBefore, filesAfter, snapshotId }) => [table, filesBefore, filesAfter, snapshotId])).toEqual([
    ["promoted", 8, 1, null],
    ["quarantine", 9, 1, null],
  ]);
  expect((await readBranch(scratch.folder, "orders")).files).toEqual(before.content.files);
  const reports = await lake.maintenance.compact("orders", small, false);
  expect(reports.map(({ rows, skipped }) => [rows, skipped])).toEqual([
    [16n, []],
    [9n, []],
  ]);
  const after = await readBranch(scratch.folder, "orders");
  expect(after.files).toHaveLength(2);
  expect(after.promoted).toEqual(before.content.promoted);
  expect(after.quarantined).toEqual(before.content.quarantined);
  expect(await quarantinedTexts(lake)).toEqual(before.rows);
  expect((await lake.state("orders")).positions).toEqual(before.state.positions);
  expect(await collect(lake.history("orders", 0n))).toEqual(history);
  const last = (await lake.snapshots("orders")).at(-1)!;
  expect(last).toMatchObject({
    operation: "replace",
    snapshotId: reports[0]!.snapshotId,
    summary: {
      "sluice.change": "compact",
      "added-data-files": "1",
      "deleted-data-files": "8",
      "total-data-files": "1",
      "total-records": "16",
    },
  });
  // A second time there is nothing to do, and what came before and after is read by its sequence.
  expect((await lake.maintenance.compact("orders", small, false)).map((each) => each.snapshotId)).toEqual([null, null]);
  await commitWindows(lake, 1, 8);
  const newest = (await lake.snapshots("orders")).at(-2)!.sequence;
  const rows = await collect(lake.promotedColumns("orders", [], { after: newest, held: false }));
  expect(rows.map((each) => each.count)).toEqual([2]);
  expect((await collect(lake.promotedColumns("orders", [], { after: 0n, held: false }))).reduce((sum, each) => sum + each.count, 0)).toBe(
    18,
  );
  await lake.close();
});

it("compacts beside a writer: commits that come between are kept, and so is every row", async () => {
  using scratch = scratchFolder();
  let between: (() => Promise<void>) | null = null;
  const lake = await startedLake(scratch.folder);
  await commitWindows(lake, 4);
  let written = 0;
  const compactor = await openLake(scratch.folder, {
    probe: (step) => {
      if (step === "data-file.written") written++;
      if (step !== "metadata.written" || between === null) return;
      const work = between;
      between = null;
      // The commit is about to swap: another one gets there first.
      busy = work();
    },
  });
  let busy: Promise<void> = Promise.resolve();
  between = () => commitWindows(lake, 1, 4);
  const reports = await compactor.maintenance.compact("orders", small, false);
  await busy;
  expect(reports.map((each) => each.filesBefore)).toEqual([4, 4]);
  expect(written).toBe(2);
  const content = await readBranch(scratch.folder, "orders");
  expect(content.promoted).toHaveLength(10);
  expect(content.quarantined).toHaveLength(5);
  await compactor.close();
  await lake.close();
});

it("expires what is old: decisions, folds, sinks and held windows go on, tags and pinned baselines stay, and files that nothing reaches are gone", async () => {
  using scratch = scratchFolder();
  let nowMs = Date.now();
  const lake = await startedLake(scratch.folder, { clock: { now: () => nowMs } });
  await commitWindows(lake, 3);
  await lake.commitWindow(makeWindow({ id: "h1", from: 9n, values: [row(7), "bad"], rejected: [1], verdict: "hold" }));
  for (let i = 0; i < 5; i++) await lake.commitWindow(makeWindow({ id: `x${i}`, from: BigInt(11 + i), values: [row(i)] }));
  await lake.maintenance.compact("orders", small, false);
  const history = await collect(lake.history("orders", 0n));
  const before = await readBranch(scratch.folder, "orders");
  const files = history.length;
  nowMs += 2 * hour;
  const planned = await lake.maintenance.expire("orders", all, true);
  expect(planned.dryRun).toBe(true);
  expect(planned.files).toBeGreaterThan(files);
  expect(await lake.snapshots("orders")).not.toHaveLength(2);
  const report = await lake.maintenance.expire("orders", all, false);
  expect({ ...report, dryRun: true }).toEqual(planned);
  // Main's head; the held branch's head, which stands on it.
  expect((await lake.snapshots("orders")).map((each) => each.refs)).toContainEqual(["main"]);
  expect((await lake.snapshots("orders")).length).toBeLessThan(6);
  expect(await readBranch(scratch.folder, "orders")).toEqual(before);
  const kept = await collect(lake.history("orders", 0n));
  expect(kept).toEqual(history);
  expect(await collect(lake.history("orders", history[3]!.sequence))).toEqual(history.slice(4));
  expect(await lake.sequenceBefore("orders", 2)).toBe(history.at(-3)!.sequence);
  expect(await lake.sequenceBefore("orders", 1000)).toBe(0n);
  // A sink that comes late still gets the rows of an expired snapshot.
  const rows = await collect(lake.quarantined("orders", { snapshotId: history[1]!.quarantineSnapshotId! }));
  expect(rows.map(textOf)).toEqual(["bad 1"]);
  await lake.publishHeld("orders", "h1", by);
  const published = await readBranch(scratch.folder, "orders");
  expect(published.promoted).toHaveLength(before.promoted.length + 1);
  expect(published.quarantined).toHaveLength(4);
  const orphans = await lake.maintenance.removeOrphans(0, true);
  expect(orphans).toMatchObject({ contentsSkipped: null });
  expect(orphans.paths.filter((path) => !path.endsWith(".metadata.json"))).toEqual([]);
  await lake.close();
});

it("holds back snapshots that a sink has yet to read, and says so; a sink long gone holds back nothing", async () => {
  using scratch = scratchFolder();
  let nowMs = Date.now();
  const lake = await startedLake(scratch.folder, { clock: { now: () => nowMs } });
  await commitWindows(lake, 4);
  const history = await collect(lake.history("orders", 0n));
  const cursor = (await lake.cursors.acquire("dlq", "orders", "me", 1000))!;
  await lake.cursors.advance("dlq", "orders", cursor.fence, history[1]!.sequence);
  nowMs += 2 * hour;
  const report = await lake.maintenance.expire("orders", all, false);
  expect(report.heldBackBy).toEqual(["dlq"]);
  const { quarantine } = await loadBoth(scratch.folder, "orders");
  const there = new Set(quarantine.snapshots.map((each) => each["snapshot-id"].toString()));
  expect(history.map((each) => there.has(each.quarantineSnapshotId!))).toEqual([false, false, true, true]);
  nowMs += 8 * 24 * hour;
  expect((await lake.maintenance.expire("orders", all, false)).heldBackBy).toEqual([]);
  expect((await loadBoth(scratch.folder, "orders")).quarantine.snapshots).toHaveLength(1);
  expect(await collect(lake.history("orders", 0n))).toEqual(history);
  await lake.close();
});

it("keeps hundreds of expiries in a few parts of the ledger", async () => {
  using scratch = scratchFolder();
  let nowMs = Date.now();
  const lake = await startedLake(scratch.folder, { clock: { now: () => nowMs } });
  for (let i = 0; i < 40; i++) {
    await lake.commitWindow(makeWindow({ id: `w${i}`, from: BigInt(i), values: [row(i)] }));
    nowMs += hour;
    await lake.maintenance.expire("orders", all, false);
  }
  const { promoted } = await loadBoth(scratch.folder, "orders");
  expect(promoted.snapshots).toHaveLength(1);
  expect((JSON.parse(promoted.properties["sluice.ledger"]!) as unknown[]).length).toBeLessThan(20);
  const history = await collect(lake.history("orders", 0n));
  expect(history.map((each) => each.decision.windowId)).toEqual(Array.from({ length: 40 }, (_, i) => `w${i}`));
  await lake.close();
});

it("removes only what nothing names, and nothing that is young", async () => {
  using scratch = scratchFolder();
  let nowMs = Date.now();
  const lake = await startedLake(scratch.folder, { clock: { now: () => nowMs } });
  await commitWindows(lake, 2);
  const { promoted } = await loadBoth(scratch.folder, "orders");
  const table = new URL(promoted.location).pathname;
  const stray = [
    join(table, "data", "stray.parquet"),
    join(table, "metadata", "stray-m0.avro"),
    join(scratch.folder, "content/profile/ab", "ab".repeat(32)),
  ];
  mkdirSync(join(scratch.folder, "content/profile/ab"), { recursive: true });
  for (const path of stray) writeFileSync(path, "x");
  const elsewhere = join(scratch.folder, "tables/other/data/x.parquet");
  mkdirSync(join(scratch.folder, "tables/other/data"), { recursive: true });
  writeFileSync(elsewhere, "x");
  const young = await lake.maintenance.removeOrphans(hour, false);
  expect(young.files).toBe(0);
  nowMs += 2 * hour;
  const old = join(table, "data", "young.parquet");
  writeFileSync(old, "x");
  utimesSync(old, new Date(nowMs), new Date(nowMs));
  const planned = await lake.maintenance.removeOrphans(hour, true);
  expect(planned.files).toBe(3);
  expect(stray.every(existsSync)).toBe(true);
  const before = await readBranch(scratch.folder, "orders");
  expect({ ...(await lake.maintenance.removeOrphans(hour, false)), dryRun: true }).toEqual(planned);
  expect(stray.some(existsSync)).toBe(false);
  expect(existsSync(elsewhere) && existsSync(old)).toBe(true);
  expect(await readBranch(scratch.folder, "orders")).toEqual(before);
  expect(await collect(lake.history("orders", 0n))).toHaveLength(2);
  expect(await lake.contractText("sha256:v1")).toBe("the first contract");
  await lake.close();
});

it("keeps no more snapshots of main than it is told, however young, but tags and what a sink has yet to read", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await commitWindows(lake, 6);
  const policy = { snapshotAgeMsMax: 5 * hour, snapshotsMin: 1, snapshotsMax: 3 };
  const tagged = (await lake.snapshots("orders")).find((each) => each.summary["sluice.window-id"] === "w0")!.snapshotId;
  await lake.refs.create("orders", { kind: "tag", name: "first", version: tagged, keepMs: null, ...by });
  const lease = (await lake.cursors.acquire("events", "orders", "here", hour))!;
  // The start: no sink reads that.
  expect((await lake.maintenance.expire("orders", policy, true)).snapshots.promoted).toBe(1);
  await lake.cursors.advance("events", "orders", lease.fence, (await lake.snapshots("orders")).at(-1)!.sequence);
  const before = await readBranch(scratch.folder, "orders");
  expect((await lake.maintenance.expire("orders", { ...policy, snapshotsMin: 4 }, true)).snapshots).toEqual({ promoted: 2, quarantine: 2 });
  // The start, w1 and w2 of main; w0 to w2 of quarantine.
  expect((await lake.maintenance.expire("orders", policy, false)).snapshots).toEqual({ promoted: 3, quarantine: 3 });
  const left = (await loadBoth(scratch.folder, "orders")).promoted.snapshots.map((each) => each.summary["sluice.window-id"]);
  expect(left).toEqual(["w0", "w3", "w4", "w5"]);
  const after = await readBranch(scratch.folder, "orders");
  expect([after.promoted, after.quarantined]).toEqual([before.promoted, before.quarantined]);
  expect((await collect(lake.history("orders", 0n))).map(({ decision }) => decision.windowId)).toEqual([
    "w0",
    "w1",
    "w2",
    "w3",
    "w4",
    "w5",
  ]);
  await lake.close();
});
