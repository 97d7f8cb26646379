import { expect, it } from "vitest";
import { collect, makeWindow, row, scratchFolder, startedLake, textOf } from "./lake-fixture.ts";
import { makeReplay } from "./replay-fixture.ts";
import { readBranch } from "./table-content.ts";

const open = { states: ["open"] } as const;

it("promotes with the original source position, and counts attempts of what fails again", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2), "bad", row(3)], rejected: [1, 2] }));
  await lake.commitWindow(makeWindow({ id: "w2", from: 4n, values: ["worse"], rejected: [0] }));
  const first = await collect(lake.quarantined("orders", open));
  expect(first.map(textOf)).toEqual([row(2), "bad", "worse"]);
  const result = await lake.commitReplay(makeReplay("r1", first.slice(0, 2)));
  expect(result).toMatchObject({ status: "committed" });
  const main = await readBranch(scratch.folder, "orders");
  expect(main.promoted).toEqual(["topic-a:0:0=1", "topic-a:0:1=2", "topic-a:0:3=3"]);
  const now = await collect(lake.quarantined("orders", {}));
  expect(now.map((each) => [each.id, each.state, each.attempt, each.windowId, textOf(each), each.reasons.length])).toEqual([
    ["topic-a:0:4", "open", 0, "w2", "worse", 1],
    ["topic-a:0:1", "promoted", 1, "w1", row(2), 0],
    ["topic-a:0:2", "open", 1, "w1", "bad", 2],
  ]);
  const again = await collect(lake.quarantined("orders", { ...open, ids: ["topic-a:0:2"] }));
  await lake.commitReplay(makeReplay("r2", again, "parked"));
  expect((await collect(lake.quarantined("orders", open))).map(textOf)).toEqual(["worse"]);
  expect((await collect(lake.quarantined("orders", { states: ["parked"] }))).map((each) => each.attempt)).toEqual([2]);
  expect((await lake.state("orders")).positions[0]?.next).toBe(5n);
  const history = await collect(lake.history("orders", 0n));
  expect(history.map((each) => each.decision.kind)).toEqual(["window", "window", "replay", "replay"]);
  const added = await collect(lake.quarantined("orders", { snapshotId: history[2]!.quarantineSnapshotId! }));
  expect(added.map((each) => each.state)).toEqual(["promoted", "open"]);
  await lake.close();
});

it("refuses records that another replay has answered meanwhile, and repeats itself without doubling", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2), "bad"], rejected: [0, 1, 2] }));
  const rows = await collect(lake.quarantined("orders", open));
  const first = makeReplay("r1", rows.slice(0, 2));
  expect(await lake.commitReplay(first)).toMatchObject({ status: "committed" });
  expect(await lake.commitReplay(first)).toMatchObject({ status: "committed" });
  expect(await lake.commitReplay(makeReplay("r2", rows.slice(1)))).toMatchObject({
    status: "lost",
    message: expect.stringContaining("topic-a:0:1"),
  });
  expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:1=2"]);
  await lake.close();
});

it("lets replays of different records go on beside windows, and one of two over the same record win", async () => {
  using scratch = scratchFolder();
  const lakes = [await startedLake(scratch.folder), await startedLake(scratch.folder), await startedLake(scratch.folder)];
  const [a, b, c] = lakes as [(typeof lakes)[0], (typeof lakes)[0], (typeof lakes)[0]];
  await a.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2), row(3)], rejected: [0, 1, 2] }));
  const rows = await collect(a.quarantined("orders", open));
  const results = await Promise.all([
    a.commitReplay(makeReplay("r1", rows.slice(0, 2))),
    b.commitReplay(makeReplay("r2", rows.slice(1, 3))),
    c.commitWindow(makeWindow({ id: "w2", from: 3n, values: [row(4), "bad"], rejected: [1] })),
  ]);
  expect(results.map((each) => each.status).toSorted()).toEqual(["committed", "committed", "lost"]);
  expect(results[2].status).toBe("committed");
  const main = await readBranch(scratch.folder, "orders");
  expect(main.promoted).toHaveLength(3);
  expect(new Set(main.promoted).size).toBe(3);
  for (const lake of lakes) await lake.close();
});

it("finds by rule, window, time and id", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: ["a", "b"], rejected: [0, 1] }));
  await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: ["c", "d"], rejected: [0, 1] }));
  const find = async (filter: Parameters<typeof lake.quarantined>[1]): Promise<string> =>
    (await collect(lake.quarantined("orders", filter))).map(textOf).join("");
  expect(await find({})).toBe("abcd");
  expect(await find({ windowId: "w2" })).toBe("cd");
  expect(await find({ rule: "n.range" })).toBe("abcd");
  expect(await find({ rule: "n.set" })).toBe("");
  expect(await find({ sinceMs: 1_700_000_010_001 })).toBe("cd");
  expect(await find({ untilMs: 1_700_000_010_001 })).toBe("ab");
  expect(await find({ ids: ["topic-a:0:1", "topic-a:0:2", "topic-a:0:9"] })).toBe("bc");
  expect(await find({ limit: 3 })).toBe("abc");
  expect(await find({ limit: 0 })).toBe("");
  await expect(find({ snapshotId: "17" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await lake.close();
});
