import { expect, it } from "vitest";
import type { Consumption } from "../../src/core/consumption.ts";
import type { Lake } from "../../src/core/ports.ts";
import { traceJob } from "../../src/trace/trace-job.ts";
import { readersOf } from "../../src/trace/trace-readers.ts";
import { VersionTree } from "../../src/trace/version-tree.ts";
import { collect, makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { makeReplay } from "../adapters/lake/replay-fixture.ts";

const by = { author: "ann", reason: "looked at it" };

async function headOf(lake: Lake): Promise<string> {
  return new VersionTree(await lake.snapshots("orders")).named("main")!.snapshotId;
}

function reading(snapshotId: string, job: string, runId: string, more: Partial<Consumption> = {}): Consumption {
  return { dataset: "orders", snapshotId, kind: "declared", reader: "ann", job, runId, atMs: 1000, details: {}, ...more };
}

it("a bad version's readers are those of it and of what came from it; others are left in peace", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const heads: string[] = [];
  for (const from of [0n, 1n, 2n]) {
    await lake.commitWindow(makeWindow({ id: `w${from}`, from, values: [row(1)] }));
    heads.push(await headOf(lake));
  }
  const [before, bad, after] = heads as [string, string, string];
  await lake.consumption.record([
    reading(before, "early", "1"),
    reading(bad, "exact", "1", { kind: "load" }),
    reading(bad, "exact", "1", { kind: "scan", atMs: 2000 }),
    reading(after, "late", "7"),
    reading("4", "elsewhere", "1"),
  ]);
  const readers = await readersOf(lake, "orders", new VersionTree(await lake.snapshots("orders")), bad);
  expect(readers).toEqual([
    {
      job: "exact",
      runId: "1",
      reader: "ann",
      snapshotId: bad,
      isExact: true,
      kinds: ["load", "scan"],
      times: 2,
      firstAtMs: 1000,
      lastAtMs: 2000,
    },
    {
      job: "late",
      runId: "7",
      reader: "ann",
      snapshotId: after,
      isExact: false,
      kinds: ["declared"],
      times: 1,
      firstAtMs: 1000,
      lastAtMs: 1000,
    },
  ]);
  await lake.close();
});

it("a job's run is told by its version's contracts, and by what was published and repaired since", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), "bad"], rejected: [1] }));
  await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(2)], verdict: "hold" }));
  const trained = await headOf(lake);
  await lake.consumption.record([reading(trained, "model", "r1", { details: { tag: "june" } }), reading("77", "model", "r0")]);
  const [then] = await traceJob(lake, "model", "r1");
  expect(then).toMatchObject({ snapshotId: trained, details: { tag: "june" }, since: { published: [], replays: 0, isWithdrawn: false } });
  await lake.publishHeld("orders", "w2", by);
  await lake.commitReplay(makeReplay("r1", await collect(lake.quarantined("orders", { states: ["open"] }))));
  const all = await traceJob(lake, "model", null);
  expect(all.map((each) => [each.runId, each.version?.contents.rows ?? null])).toEqual([
    ["r1", 1],
    ["r0", null],
  ]);
  expect(all[0]).toMatchObject({
    version: { contents: { contracts: [{ hash: "sha256:v1" }], held: [{ windowId: "w2", isIn: false, answer: { kind: "publish" } }] } },
    since: { published: ["w2"], replays: 1, isWithdrawn: false },
  });
  expect(await traceJob(lake, "other", null)).toEqual([]);
  await lake.close();
});

it("what a model was trained on is known after it has expired, by the id of then and by the tag that an erasure has given another version", async () => {
  using scratch = scratchFolder();
  let nowMs = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => (nowMs += 60_000) } });
  await lake.commitWindow(makeWindow({ id: "w0", from: 0n, values: [row(1), row(2, "Erika"), "bad"], rejected: [2] }));
  await lake.commitWindow(makeWindow({ id: "w1", from: 3n, values: [row(3)], verdict: "hold" }));
  const trained = await headOf(lake);
  await lake.refs.create("orders", { ...by, kind: "tag", name: "june", version: "main", keepMs: null });
  await lake.consumption.record([reading(trained, "model", "r1")]);
  await lake.commitWindow(makeWindow({ id: "w2", from: 4n, values: [row(4)] }));
  await lake.publishHeld("orders", "w1", by);
  const told = async (): Promise<unknown> => {
    const [{ version, since } = { version: null, since: null }] = await traceJob(lake, "model", null);
    const { windows, records, contracts, held, ranges, rows } = version!.contents;
    return { windows, records, contracts, held, ranges, rows, since };
  };
  const before = await told();
  expect(before).toMatchObject({ windows: 2, records: 4, rows: 2, held: [{ windowId: "w1", isIn: false }], since: { published: ["w1"] } });

  await lake.maintenance.erase("orders", { ...by, target: { kind: "column", column: "s", value: "Erika" } });
  const [erased] = await traceJob(lake, "model", null);
  expect([erased?.snapshotId, erased?.version?.snapshot.isExpired]).toEqual([trained, true]);
  expect(await told()).toEqual(before);
  const june = (await lake.refs.resolve("orders", "june")).snapshotId;
  expect(june).not.toBe(trained);
  const tree = await VersionTree.ofPast(lake, "orders");
  expect(await readersOf(lake, "orders", tree, june)).toMatchObject([{ job: "model", snapshotId: trained, isExact: false }]);
  expect(await readersOf(lake, "orders", tree, trained)).toMatchObject([{ job: "model", isExact: true }]);

  nowMs += 30 * 86_400_000;
  await lake.maintenance.expire("orders", { snapshotAgeMsMax: 1000, snapshotsMin: 1 }, false);
  expect(await told()).toEqual(before);
  await lake.close();
});
