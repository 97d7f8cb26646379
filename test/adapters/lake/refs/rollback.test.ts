import { expect, it } from "vitest";
import type { Lake } from "../../../../src/core/ports.ts";
import { expectConserved } from "../conservation.ts";
import { collect, contract, makeWindow, openLake, row, scratchFolder, startedLake } from "../lake-fixture.ts";
import { makeReplay } from "../replay-fixture.ts";
import { loadBoth, readBranch } from "../table-content.ts";

const by = { author: "ann", reason: "metres as feet" };
const back = { keepMs: null, releaseKeys: false, ...by } as const;

async function commit(lake: Lake, id: string, from: bigint, n: number, more: object = {}): Promise<string> {
  const result = await lake.commitWindow(makeWindow({ id, from, values: [row(n)], ...more }));
  return result.status === "committed" ? result.snapshotId : "lost";
}

async function stands(lake: Lake): Promise<string[]> {
  return (await collect(lake.history("orders", 0n))).map(
    ({ decision, isWithdrawn }) => `${decision.moved === undefined ? decision.windowId : decision.kind}${isWithdrawn ? "-" : ""}`,
  );
}

it("moves main, never positions: later windows go on, and nothing is read or promoted twice", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const first = await commit(lake, "w1", 0n, 1);
  await commit(lake, "w2", 1n, 2);
  const third = makeWindow({ id: "w3", from: 2n, values: [row(3)] });
  await lake.commitWindow(third);
  const before = await lake.state("orders");

  const plan = await lake.refs.planRollback("orders", "main~2");
  expect(plan).toMatchObject({ from: before.mainSnapshotId, to: { snapshotId: first }, rows: 2, foreignSnapshots: [], refs: [] });
  expect(plan.windows.map((each) => each.decision.windowId)).toEqual(["w2", "w3"]);
  expect((await lake.state("orders")).mainSnapshotId).toBe(before.mainSnapshotId);

  const done = await lake.refs.rollback("orders", { to: "main~2", ...back });
  expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1"]);
  const after = await lake.state("orders");
  expect(after.positions).toEqual(before.positions);
  expect(after.mainSnapshotId).toBe(done.snapshotId);
  expect(await stands(lake)).toEqual(["w1", "w2-", "w3-", "withdraw"]);
  expect((await lake.snapshots("orders")).filter((each) => each.isWithdrawn).map((each) => each.summary["sluice.window-id"])).toEqual([
    "w2",
    "w3",
  ]);
  expect((await collect(lake.history("orders", 0n))).at(-1)?.decision).toMatchObject({
    kind: "withdraw",
    counts: { records: 2, promoted: 0, withdrawn: 2 },
    moved: { windows: 2 },
    causes: [{ message: "rolled back by ann: metres as feet" }],
  });

  // A worker whose answer was lost repeats its commit, a zombie tries an old one: both are over.
  expect(await lake.commitWindow(third)).toMatchObject({ status: "committed" });
  expect(await lake.commitWindow(makeWindow({ id: "w9", from: 1n, values: [row(2)] }))).toMatchObject({ status: "lost" });
  await commit(lake, "w4", 3n, 4);
  expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:3=4"]);
  const { promoted } = await loadBoth(scratch.folder, "orders");
  expect(promoted.snapshots.at(-1)).toMatchObject({ "parent-snapshot-id": BigInt(done.snapshotId), summary: { "total-records": "2" } });
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, withdrawn: 2 });
  // A fold that stood in the middle hears of the rollback, and of each window once.
  const sequence = (await collect(lake.history("orders", 0n)))[1]!.sequence;
  expect((await collect(lake.history("orders", sequence))).map((each) => each.decision.kind)).toEqual(["window", "withdraw", "window"]);
  await lake.close();
});

it("brings back exactly what it withdrew, on top of what came since, and can do so again and again", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await commit(lake, "w1", 0n, 1);
  await commit(lake, "w2", 1n, 2);
  await commit(lake, "w3", 2n, 3);
  const files = (await readBranch(scratch.folder, "orders")).files;
  await lake.refs.rollback("orders", { to: "main~2", ...back });
  await commit(lake, "w4", 3n, 4);
  const forward = await lake.refs.rollForward("orders", { rollback: null, ...by });
  expect(forward.rollback).toMatchObject({ windows: 2, rows: 2 });
  const main = await readBranch(scratch.folder, "orders");
  expect(main.promoted).toEqual(["topic-a:0:0=1", "topic-a:0:1=2", "topic-a:0:2=3", "topic-a:0:3=4"]);
  for (const file of files) expect(main.files).toContain(file);
  expect(await stands(lake)).toEqual(["w1", "w2", "w3", "withdraw", "w4", "restore"]);
  expect(await lake.refs.rollbacks("orders")).toEqual([]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 4 });
  await expect(lake.refs.rollForward("orders", { rollback: null, ...by })).rejects.toMatchObject({ code: "NOT_FOUND" });

  // Back over the bringing back: what it had brought goes again, though its own sequence numbers are older than the version gone back to.
  await lake.refs.rollback("orders", { to: "main~1", ...back });
  expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:3=4"]);
  expect(await stands(lake)).toEqual(["w1", "w2-", "w3-", "withdraw", "w4", "restore-", "withdraw"]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, withdrawn: 2 });
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  expect((await readBranch(scratch.folder, "orders")).promoted).toHaveLength(4);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 4 });
  await lake.close();
});

it("undoes one of several rollbacks, in any order", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  for (let n = 0; n < 4; n++) await commit(lake, `w${n + 1}`, BigInt(n), n + 1);
  const a = await lake.refs.rollback("orders", { to: "main~1", ...back });
  await commit(lake, "w5", 4n, 5);
  const b = await lake.refs.rollback("orders", { to: "main~3", ...back });
  expect(b.plan.windows.map((each) => each.decision.windowId)).toEqual(["w3", "w5"]);
  expect((await lake.refs.rollbacks("orders")).map((each) => each.id)).toEqual([a.snapshotId, b.snapshotId]);
  expect(await stands(lake)).toEqual(["w1", "w2", "w3-", "w4-", "withdraw-", "w5-", "withdraw"]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, withdrawn: 3 });
  await lake.refs.rollForward("orders", { rollback: a.snapshotId, ...by });
  expect(await stands(lake)).toEqual(["w1", "w2", "w3-", "w4", "withdraw-", "w5-", "withdraw", "restore"]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 3, withdrawn: 2 });
  await lake.refs.rollForward("orders", { rollback: b.snapshotId, ...by });
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 5 });
  await expect(lake.refs.rollForward("orders", { rollback: a.snapshotId, ...by })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await lake.close();
});

it("goes back to earlier versions of main only", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await expect(lake.refs.planRollback("orders", "main~9")).rejects.toMatchObject({ code: "VERSION_UNKNOWN" });
  await commit(lake, "w1", 0n, 1);
  const second = await commit(lake, "w2", 1n, 2);
  await commit(lake, "w3", 2n, 3, { verdict: "hold" });
  await expect(lake.refs.rollback("orders", { to: "main", ...back })).rejects.toMatchObject({ code: "ROLLBACK_REFUSED" });
  await expect(lake.refs.rollback("orders", { to: "held/w3", ...back })).rejects.toMatchObject({ code: "ROLLBACK_REFUSED" });
  await lake.refs.create("orders", { kind: "tag", name: "v2", version: second, keepMs: null, ...by });
  const { plan } = await lake.refs.rollback("orders", { to: "main~2", ...back });
  expect(plan.refs).toEqual(["v2"]);
  await expect(lake.refs.rollback("orders", { to: "v2", ...back })).rejects.toMatchObject({
    code: "ROLLBACK_REFUSED",
    message: expect.stringContaining("rollforward"),
  });
  expect((await readBranch(scratch.folder, "orders", "v2")).promoted).toHaveLength(2);
  await lake.close();
});

it("leaves quarantine and held windows alone; publishing later goes on top of main as it is then, with verdict and approver", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await commit(lake, "w1", 0n, 1);
  await lake.commitWindow(makeWindow({ id: "w2", from: 1n, values: [row(2), "bad"], rejected: [1] }));
  await lake.commitWindow(makeWindow({ id: "w3", from: 3n, values: [row(10), "bad"], rejected: [1], verdict: "hold" }));
  const replayed = await collect(lake.quarantined("orders", { states: ["open"] }));
  await lake.commitReplay(makeReplay("r1", replayed));
  await lake.refs.rollback("orders", { to: "main~3", ...back });
  // The replay failed again: that is about quarantine, and stays.
  expect((await collect(lake.quarantined("orders", {}))).map((each) => each.attempt)).toEqual([1]);
  expect(await lake.held("orders")).toMatchObject([{ windowId: "w3", rows: 1, rejected: 1 }]);
  expect(await lake.publishHeld("orders", "w3", { author: "bob", reason: "real" })).toMatchObject({ status: "committed" });
  const main = await readBranch(scratch.folder, "orders");
  expect(main.promoted).toEqual(["topic-a:0:0=1", "topic-a:0:3=10"]);
  const snapshot = (await lake.snapshots("orders")).at(-1)!;
  expect(snapshot.summary).toMatchObject({
    "sluice.change": "publish",
    "sluice.held-window-id": "w3",
    "sluice.held-verdict": "hold",
    "sluice.held-decision-hash": expect.stringMatching(/^[0-9a-f]{64}$/),
    "sluice.author": "bob",
    "published-wap-id": "w3",
  });
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, withdrawn: 1, open: 2 });
  // And a published window can be rolled back: it is not held again.
  await lake.refs.rollback("orders", { to: "main~1", ...back });
  expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1"]);
  await expect(lake.publishHeld("orders", "w3", by)).rejects.toMatchObject({ code: "HELD_WINDOW_SETTLED" });
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 1, withdrawn: 2, open: 2 });
  await lake.close();
});

it("counts a replayed row that was rolled back as withdrawn", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2)], rejected: [1] }));
  await lake.commitReplay(makeReplay("r1", await collect(lake.quarantined("orders", { states: ["open"] }))));
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2 });
  await lake.refs.rollback("orders", { to: "main~1", ...back });
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 1, withdrawn: 1 });
  await lake.close();
});

it("races with windows of other processes: whoever is second goes on from what the first left", async () => {
  using scratch = scratchFolder();
  const lakes = await Promise.all([startedLake(scratch.folder), openLake(scratch.folder), openLake(scratch.folder)]);
  const [a, b, c] = lakes;
  const first = await commit(a, "w1", 0n, 1);
  await commit(a, "w2", 1n, 2);
  const [done, window] = await Promise.all([b.refs.rollback("orders", { to: first, ...back }), commit(c, "w3", 2n, 3)]);
  expect(window).not.toBe("lost");
  const wasFirst = done.plan.windows.some((each) => each.decision.windowId === "w3");
  expect(await expectConserved(scratch.folder)).toEqual(wasFirst ? { promoted: 1, withdrawn: 2 } : { promoted: 2, withdrawn: 1 });
  const both = await Promise.allSettled([
    b.refs.rollForward("orders", { rollback: null, ...by }),
    c.refs.rollForward("orders", { rollback: null, ...by }),
  ]);
  expect(both.map((each) => each.status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 3 });
  for (const lake of lakes) await lake.close();
});

it("keeps contract and state: a rollback over an activation does not undo it", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await commit(lake, "w1", 0n, 1);
  const next = { ...contract, version: "1.1.0", hash: "sha256:v2", text: "the second contract" };
  await lake.activate(next);
  await lake.block("orders", { topic: "orders", topicId: "topic-a", partition: 1, code: "WINDOW_STOPPED", message: "stop", sinceMs: 1 });
  await commit(lake, "w2", 1n, 2, { contract: next });
  await lake.refs.rollback("orders", { to: "main~3", ...back });
  const state = await lake.state("orders");
  expect([state.activeContract, state.blocks.length]).toEqual(["sha256:v2", 1]);
  await commit(lake, "w3", 2n, 3, { contract: next });
  expect((await lake.refs.compare("orders", "main~2", "main")).b.contract).toEqual({ hash: "sha256:v2", version: "1.1.0" });
  await lake.close();
});
