import { expect, it } from "vitest";
import { collect, makeWindow, row, scratchFolder, startedLake, textOf } from "./lake-fixture.ts";
import { loadBoth, readBranch } from "./table-content.ts";

const by = { author: "ann", reason: "looked at it" };
const values = [row(10), "bad", row(11)];

async function branches(folder: string): Promise<string[][]> {
  const { promoted, quarantine } = await loadBoth(folder, "orders");
  return [Object.keys(promoted.refs), Object.keys(quarantine.refs)];
}

it("keeps a held window out of main, and later windows go on", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  const held = await lake.commitWindow(makeWindow({ id: "w2", from: 1n, values, rejected: [1], verdict: "hold" }));
  expect(held.status).toBe("committed");
  await lake.commitWindow(makeWindow({ id: "w3", from: 4n, values: [row(2)] }));
  expect((await lake.state("orders")).positions[0]?.next).toBe(5n);
  const main = await readBranch(scratch.folder, "orders");
  expect(main.promoted).toEqual(["topic-a:0:0=1", "topic-a:0:4=2"]);
  expect(main.quarantined).toEqual([]);
  const branch = await readBranch(scratch.folder, "orders", "held/w2");
  expect(branch.promoted).toEqual(["topic-a:0:0=1", "topic-a:0:1=10", "topic-a:0:3=11"]);
  expect(branch.quarantined).toEqual(["topic-a:0:1#0=open", "topic-a:0:2#0=open", "topic-a:0:3#0=open"]);
  expect(await lake.held("orders")).toMatchObject([{ windowId: "w2", rows: 2, rejected: 1, decision: { verdict: "hold" } }]);
  const history = await collect(lake.history("orders", 0n));
  expect(history.map((each) => each.decision.windowId)).toEqual(["w1", "w2", "w3"]);
  const heldCommit = history[1]!;
  expect(await collect(lake.quarantined("orders", { snapshotId: heldCommit.quarantineSnapshotId! }))).toEqual([]);
  await lake.close();
});

it("publishes exactly the audited files, once", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w2", from: 0n, values, rejected: [1], verdict: "hold" }));
  const branch = await readBranch(scratch.folder, "orders", "held/w2");
  await lake.commitWindow(makeWindow({ id: "w3", from: 3n, values: [row(2)] }));
  const published = await lake.publishHeld("orders", "w2", by);
  expect(published).toMatchObject({ status: "committed" });
  const main = await readBranch(scratch.folder, "orders");
  expect(main.promoted).toEqual(["topic-a:0:0=10", "topic-a:0:2=11", "topic-a:0:3=2"]);
  expect(main.quarantined).toEqual(["topic-a:0:1#0=open"]);
  expect(main.files.filter((file) => branch.files.includes(file))).toHaveLength(2);
  expect(await lake.held("orders")).toEqual([]);
  expect(await branches(scratch.folder)).toEqual([["main"], ["main"]]);
  const last = (await collect(lake.history("orders", 0n))).at(-1)!;
  expect(last.decision).toMatchObject({
    kind: "publish",
    verdict: "promote-and-quarantine-rows",
    counts: { records: 3, promoted: 2, quarantined: 1, held: 0 },
  });
  const rows = await collect(lake.quarantined("orders", { snapshotId: last.quarantineSnapshotId! }));
  expect(rows.map(textOf)).toEqual(["bad"]);
  const snapshot = (await lake.snapshots("orders")).at(-1)!;
  expect(snapshot.summary).toMatchObject({ "published-wap-id": "w2", "sluice.author": "ann", "sluice.reason": "looked at it" });
  expect(snapshot.refs).toEqual(["main"]);
  await expect(lake.publishHeld("orders", "w2", by)).rejects.toMatchObject({ code: "HELD_WINDOW_SETTLED" });
  await expect(lake.dropHeld("orders", "w2", by)).rejects.toMatchObject({ code: "HELD_WINDOW_SETTLED" });
  await expect(lake.dropHeld("orders", "w9", by)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await lake.close();
});

it("drops a window by putting all its raw records into quarantine", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w2", from: 0n, values, rejected: [1], verdict: "hold" }));
  await lake.dropHeld("orders", "w2", by);
  expect(await branches(scratch.folder)).toEqual([["main"], ["main"]]);
  const main = await readBranch(scratch.folder, "orders");
  expect(main.promoted).toEqual([]);
  const rows = await collect(lake.quarantined("orders", {}));
  expect(rows.map((each) => `${each.offset} ${textOf(each)} ${each.reasons[0]?.rule}`).toSorted()).toEqual([
    `0 ${row(10)} window.held`,
    "1 bad n.range",
    `2 ${row(11)} window.held`,
  ]);
  expect((await collect(lake.history("orders", 0n))).at(-1)?.decision).toMatchObject({
    kind: "drop",
    counts: { promoted: 0, quarantined: 3 },
  });
  expect((await lake.state("orders")).positions[0]?.next).toBe(3n);
  await lake.close();
});

it("lets one of two simultaneous answers win", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const other = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w2", from: 0n, values, rejected: [1], verdict: "hold" }));
  const answers = await Promise.allSettled([lake.publishHeld("orders", "w2", by), other.dropHeld("orders", "w2", by)]);
  expect(answers.map((each) => each.status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const main = await readBranch(scratch.folder, "orders");
  expect(main.promoted.length + main.quarantined.length).toBe(3);
  await lake.close();
  await other.close();
});

it("holds a window without rows that passed, or without rejected ones", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "a", from: 0n, values: ["x", "y"], rejected: [0, 1], verdict: "hold" }));
  await lake.commitWindow(makeWindow({ id: "b", from: 2n, values: [row(1)], verdict: "hold" }));
  expect((await lake.held("orders")).map((each) => [each.windowId, each.rows, each.rejected])).toEqual([
    ["a", 0, 2],
    ["b", 1, 0],
  ]);
  await lake.publishHeld("orders", "a", by);
  const result = await lake.publishHeld("orders", "b", by);
  expect(result).toMatchObject({ quarantineSnapshotId: null });
  const main = await readBranch(scratch.folder, "orders");
  expect([main.promoted, main.quarantined]).toEqual([["topic-a:0:2=1"], ["topic-a:0:0#0=open", "topic-a:0:1#0=open"]]);
  await lake.close();
});

it("clears the answer `hold the next one` with the window that was held by it", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const stop = { topic: "orders", topicId: "topic-a", partition: 0, code: "WINDOW_STOPPED", message: "rule x", sinceMs: 1 };
  await lake.block("orders", stop);
  await lake.block("orders", { ...stop, sinceMs: 2 });
  expect((await lake.state("orders")).blocks).toEqual([stop]);
  expect(await lake.unblock("orders", { partition: null, mode: "hold", ...by })).toEqual([stop]);
  expect(await lake.state("orders")).toMatchObject({ blocks: [], holdNext: true });
  await lake.commitWindow(makeWindow({ id: "a", partition: 1, from: 0n, values: [row(1)] }));
  expect((await lake.state("orders")).holdNext).toBe(true);
  await lake.commitWindow(makeWindow({ id: "b", from: 0n, values: [row(2)], verdict: "hold" }));
  expect((await lake.state("orders")).holdNext).toBe(false);
  await lake.close();
});
