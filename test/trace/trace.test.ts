import { expect, it } from "vitest";
import type { Lake } from "../../src/core/ports.ts";
import type { RecordTrace } from "../../src/trace/trace-record.ts";
import { addressedRecords, parseRecordAddress, type RecordAddress } from "../../src/trace/record-address.ts";
import { traceRecord } from "../../src/trace/trace-record.ts";
import { traceVersion } from "../../src/trace/trace-version.ts";
import { makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";

const by = { author: "ann", reason: "looked at it" };

/** Two windows of rows, between them one published, one dropped and one that waits; partition 3 is not read. */
async function storiedLake(folder: string): Promise<Lake> {
  const lake = await startedLake(folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), "bad", row(2)], rejected: [1] }));
  await lake.commitWindow(makeWindow({ id: "w2", from: 3n, values: [row(3), "bad"], rejected: [1], verdict: "hold" }));
  await lake.commitWindow(makeWindow({ id: "w3", from: 5n, values: [row(4)], verdict: "hold" }));
  await lake.commitWindow(makeWindow({ id: "w4", from: 6n, values: [row(5)], verdict: "hold" }));
  await lake.commitWindow(makeWindow({ id: "w5", partition: 1, from: 0n, values: [row(6)] }));
  await lake.publishHeld("orders", "w2", by);
  await lake.dropHeld("orders", "w3", by);
  return lake;
}

const follow = (lake: Lake, offset: bigint, partition = 0): Promise<RecordTrace> =>
  traceRecord(lake, "orders", "orders", { topicId: "topic-a", partition, offset });

it("a record is followed to its one state, by every decision about it", async () => {
  using scratch = scratchFolder();
  const lake = await storiedLake(scratch.folder);
  const states: Record<string, unknown> = {};
  for (const [partition, offset] of [
    [0, 0n],
    [0, 1n],
    [0, 3n],
    [0, 4n],
    [0, 5n],
    [0, 6n],
    [0, 7n],
    [1, 0n],
    [3, 0n],
  ] as const) {
    const trace = await follow(lake, offset, partition);
    const { rows, decisions, quarantined } = trace;
    const said = decisions.map((each) => `${each.kind} ${each.windowId.slice(0, 2)} ${each.verdict} ${each.answer?.author ?? ""}`.trim());
    states[`${partition}:${offset}`] = [
      trace.state,
      said,
      rows.map((each) => [each.row, each.refs]),
      quarantined?.reasons[0]?.rule ?? null,
    ];
  }
  const published = (id: string): unknown => expect.arrayContaining([`window ${id} hold`, expect.stringMatching(/^publish .* ann$/)]);
  expect(states).toEqual({
    "0:0": ["promoted", ["window w1 promote-and-quarantine-rows"], [[0, ["held/w4", "main"]]], null],
    "0:1": ["quarantined", ["window w1 promote-and-quarantine-rows"], [], "n.range"],
    "0:3": ["promoted", published("w2"), [[0, ["main"]]], null],
    "0:4": ["quarantined", published("w2"), [], "n.range"],
    "0:5": [
      "quarantined",
      expect.arrayContaining(["window w3 hold", expect.stringMatching(/^drop .* ann$/)]),
      // Its file stays until the snapshot that wrote it expires; nothing names it.
      [[0, []]],
      "window.held",
    ],
    "0:6": ["held", ["window w4 hold"], [[0, ["held/w4"]]], null],
    "0:7": ["unread", [], [], null],
    "1:0": ["promoted", ["window w5 promote"], [[0, ["main"]]], null],
    "3:0": ["unread", [], [], null],
  });
  await lake.close();
});

it("an offset without a record, and one before the first position, are told apart from rows", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.resetPositions("orders", { remove: [], set: [{ topic: "orders", topicId: "topic-a", partition: 2, next: 50n }], ...by });
  const window = makeWindow({ id: "w1", from: 0n, values: [row(1)] });
  const [range] = window.decision.ranges;
  const [to] = window.to;
  // A transaction marker stood behind the record.
  await lake.commitWindow({
    ...window,
    decision: { ...window.decision, ranges: [{ ...range!, to: 2n }] },
    to: [{ ...to!, next: 2n }],
  });
  expect((await follow(lake, 1n)).state).toBe("absent");
  expect((await follow(lake, 49n, 2)).state).toBe("passed-over");
  expect((await follow(lake, 50n, 2)).state).toBe("unread");
  await lake.close();
});

it("a version is told by its sources, contracts and approvals, and the one before an answer by what waited then", async () => {
  using scratch = scratchFolder();
  const lake = await storiedLake(scratch.folder);
  const snapshots = await lake.snapshots("orders");
  const head = snapshots.find((each) => each.refs.includes("main"))!;
  const now = (await traceVersion(lake, "orders", head.snapshotId))!;
  expect(now).toMatchObject({
    isOnMain: true,
    refs: ["main"],
    window: { kind: "drop", answer: { heldWindowId: "w3", ...by }, decision: { kind: "drop" } },
  });
  expect(now.contents).toMatchObject({
    rows: 4,
    windows: 5,
    records: 8,
    isWhole: true,
    contracts: [{ hash: "sha256:v1", windows: 7 }],
    ranges: [
      { partition: 0, from: 0n, to: 7n, count: 7 },
      { partition: 1, from: 0n, to: 1n, count: 1 },
    ],
    held: [
      { windowId: "w2", isIn: true, answer: { kind: "publish", author: "ann" } },
      { windowId: "w3", isIn: false, answer: { kind: "drop" } },
      { windowId: "w4", isIn: false, answer: null },
    ],
    others: [],
  });
  const fifth = snapshots.find((each) => each.summary["sluice.window-id"] === "w5")!;
  const before = (await traceVersion(lake, "orders", fifth.snapshotId))!;
  expect(before.contents).toMatchObject({ rows: 3, held: [{ windowId: "w2", isIn: false }, { windowId: "w3" }, { windowId: "w4" }] });
  expect(before.refs).toEqual(["main"]);
  const branch = snapshots.find((each) => each.refs.includes("held/w4"))!;
  expect(await traceVersion(lake, "orders", branch.snapshotId)).toMatchObject({ isOnMain: false, window: null, refs: ["held/w4"] });
  expect(await traceVersion(lake, "orders", "1")).toBeNull();
  await lake.close();
});

it("a file is found by its URI or the end of its path, in either table", async () => {
  using scratch = scratchFolder();
  const lake = await storiedLake(scratch.folder);
  const [promoted] = (await follow(lake, 0n)).rows;
  expect(await lake.traces.findFile("orders", promoted!.file)).toMatchObject({ table: "promoted", rows: 2n, refs: ["held/w4", "main"] });
  const name = promoted!.file.split("/").at(-1)!;
  expect((await lake.traces.findFile("orders", name))?.file).toBe(promoted!.file);
  expect(await lake.traces.findFile("orders", name.slice(1))).toBeNull();
  await expect(lake.traces.findFile("nowhere", name)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await lake.close();
});

it("addresses name topics, ids, or nothing", async () => {
  using scratch = scratchFolder();
  const lake = await storiedLake(scratch.folder);
  const found = async (text: string): Promise<unknown> =>
    (await addressedRecords(lake, "orders", parseRecordAddress(text) as RecordAddress)).map(({ topic, key }) => [
      topic,
      key.topicId,
      key.offset,
    ]);
  expect(await found("orders:0:7")).toEqual([["orders", "topic-a", 7n]]);
  expect(await found("topic-a:1:0")).toEqual([["orders", "topic-a", 0n]]);
  expect(await found("2:9007199254740993")).toEqual([["orders", "topic-a", 9007199254740993n]]);
  expect(await found("orders:9:7")).toEqual([]);
  expect(await found("other:0:7")).toEqual([]);
  expect(parseRecordAddress("sha256:ab:0:7")).toEqual({ topic: "sha256:ab", partition: 0, offset: 7n });
  for (const wrong of ["", "7", "a:b", "a:1:-1", "a:1:"]) expect(parseRecordAddress(wrong)).toBeNull();
});

it("what was rolled back is withdrawn until it is brought back, and what expired is known by the ledger", async () => {
  using scratch = scratchFolder();
  let nowMs = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => (nowMs += 60_000) } });
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  await lake.commitWindow(makeWindow({ id: "w2", from: 1n, values: [row(2), "bad"], rejected: [1] }));
  const { snapshotId } = await lake.refs.resolve("orders", "main");
  await lake.refs.rollback("orders", { to: "main~1", keepMs: null, releaseKeys: false, ...by });
  const states = async (): Promise<string[]> => Promise.all([0n, 1n, 2n].map(async (offset) => (await follow(lake, offset)).state));
  expect(await states()).toEqual(["promoted", "withdrawn", "quarantined"]);
  expect((await follow(lake, 1n)).says).toContain("only in withdrawn/");
  const bad = (await traceVersion(lake, "orders", snapshotId))!;
  expect(bad).toMatchObject({ isOnMain: false, isWithdrawn: true, contents: { windows: 2 } });
  const main = await lake.refs.resolve("orders", "main");
  expect((await traceVersion(lake, "orders", main.snapshotId))!.contents).toMatchObject({
    windows: 1,
    others: [{ change: "withdraw", author: "ann", reason: "looked at it" }],
  });
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  expect(await states()).toEqual(["promoted", "promoted", "quarantined"]);
  expect((await traceVersion(lake, "orders", snapshotId))!.isWithdrawn).toBe(false);
  const before = (await follow(lake, 0n)).decisions;
  nowMs += 30 * 86_400_000;
  const report = await lake.maintenance.expire("orders", { snapshotAgeMsMax: 1000, snapshotsMin: 1 }, false);
  expect(report.snapshots.promoted).toBeGreaterThan(3);
  expect((await follow(lake, 0n)).decisions).toEqual(before);
  expect(await states()).toEqual(["promoted", "promoted", "quarantined"]);
  const { snapshotId: left } = await lake.refs.resolve("orders", "main");
  expect((await traceVersion(lake, "orders", left))!.contents).toMatchObject({ windows: 2, records: 3, isWhole: true });
  await lake.close();
});

it("a source that is not read any more is followed after its windows have expired", async () => {
  using scratch = scratchFolder();
  let nowMs = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => (nowMs += 60_000) } });
  const read = makeWindow({ id: "w1", partition: 1, from: 0n, values: [row(1), "bad"], rejected: [1] });
  // One offset further than there are records: a transaction marker.
  const ranges = read.decision.ranges.map((range) => ({ ...range, to: 3n }));
  await lake.commitWindow({ ...read, to: [{ ...read.to[0]!, next: 3n }], decision: { ...read.decision, ranges } });
  const next = makeWindow({ id: "w2", from: 0n, values: [row(2)] });
  await lake.commitWindow({ ...next, supersedes: [read.to[0]!] });
  expect((await lake.state("orders")).positions.some(({ partition }) => partition === 1)).toBe(false);
  const told = async (): Promise<unknown[]> => {
    const found = [];
    for (const offset of [0n, 1n, 2n, 3n]) {
      const address = parseRecordAddress(`orders:1:${offset}`) as RecordAddress;
      for (const { topic, key } of await addressedRecords(lake, "orders", address)) {
        const { state, decisions } = await traceRecord(lake, "orders", topic, key);
        found.push([offset, state, decisions]);
      }
    }
    return found;
  };
  const before = await told();
  expect(before.map((each) => (each as unknown[]).slice(0, 2))).toEqual([
    [0n, "promoted"],
    [1n, "quarantined"],
    [2n, "absent"],
    [3n, "unread"],
  ]);
  nowMs += 30 * 86_400_000;
  const report = await lake.maintenance.expire("orders", { snapshotAgeMsMax: 1000, snapshotsMin: 1 }, false);
  expect(report.snapshots.promoted).toBeGreaterThan(1);
  expect(await told()).toEqual(before);
  await lake.close();
});
