import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Lake, WindowCommit } from "../../../../src/core/ports.ts";
import type { ColumnSummary } from "../../../../src/core/profile.ts";
import { collect, makeWindow, row, scratchFolder, startedLake, textOf } from "../lake-fixture.ts";
import { makeReplay } from "../replay-fixture.ts";
import { loadBoth, readBranch } from "../table-content.ts";

const by = { author: "ann", reason: "asked for on 2026-11-20" };
const secret = "Erika Mustermann";
const all = { snapshotAgeMsMax: 0, snapshotsMin: 1 } as const;

/** A window whose profile and decision have kept the value. */
function withProfile(commit: WindowCommit): WindowCommit {
  const profile = Buffer.from(`a sketch with ${secret} in it`);
  const hash = createHash("sha256").update(profile).digest("hex");
  const column = { path: "s", min: secret, max: "z", top: [{ value: secret, count: 1 }], quantiles: null } as unknown as ColumnSummary;
  const causes = [{ kind: "rule", subject: "s", message: `saw ${secret}` }] as const;
  return { ...commit, profile, decision: { ...commit.decision, causes, profile: { rows: 3, columns: [column], hash } } };
}

/** Every way a value can stand in a lake: main, files that were compacted, a tag, a held window, quarantine with a replay, an expired window. */
async function fill(lake: Lake): Promise<void> {
  await lake.commitWindow(withProfile(makeWindow({ id: "w0", from: 0n, values: [row(1, secret), row(2), row(3)] })));
  await lake.commitWindow(makeWindow({ id: "w1", from: 3n, values: [row(4), `bad ${secret}`, row(5)], rejected: [1] }));
  await lake.refs.create("orders", { kind: "tag", name: "v1", version: "main", keepMs: null, ...by });
  await lake.commitWindow(makeWindow({ id: "w2", from: 6n, values: [row(6, "other"), "bad", row(7, secret)], rejected: [1] }));
  await lake.commitReplay(makeReplay("r1", await collect(lake.quarantined("orders", { windowId: "w1" }))));
  await lake.commitWindow(
    makeWindow({ id: "h1", from: 9n, values: [row(8, secret), row(9), `worse ${secret}`], rejected: [2], verdict: "hold" }),
  );
  await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
  await lake.commitWindow(makeWindow({ id: "w3", from: 12n, values: [row(10, secret), row(11)] }));
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

it("takes a value out of every version, branch, held window, quarantine, profile and decision, and proves it", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await fill(lake);
  const before = await readBranch(scratch.folder, "orders");
  const history = await collect(lake.history("orders", 0n));
  const refs = Object.keys((await loadBoth(scratch.folder, "orders")).promoted.refs);
  expect(refs).toContain("held/h1");
  expect(await lake.maintenance.previewErasure("orders", { kind: "column", column: "s", value: secret })).toMatchObject({ records: 6 });
  expect(await readBranch(scratch.folder, "orders")).toEqual(before);

  const report = await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: secret }, ...by });
  expect(report.remaining).toEqual([]);
  expect(report.scanned).toBeGreaterThan(5);
  expect(report.erased).toEqual(["topic-a:0:0", "topic-a:0:11", "topic-a:0:12", "topic-a:0:4", "topic-a:0:8", "topic-a:0:9"]);
  expect(report.profilesDeleted).toBe(1);
  expect(JSON.stringify(report)).not.toContain(secret);

  const gone = /^topic-a:0:(0|4|8|9|11|12)[#=]/;
  const after = await readBranch(scratch.folder, "orders");
  expect(after.promoted).toEqual(before.promoted.filter((each) => !gone.test(each)));
  expect(after.quarantined).toEqual(before.quarantined.filter((each) => !gone.test(each)));
  expect((await lake.state("orders")).positions[0]?.next).toBe(14n);
  // The same commits, in the same order.
  const now = await collect(lake.history("orders", 0n));
  expect(now.map(({ sequence, snapshotId }) => [sequence, snapshotId])).toEqual(
    history.map(({ sequence, snapshotId }) => [sequence, snapshotId]),
  );
  expect(now.map(({ decision }) => decision.windowId)).toEqual(history.map(({ decision }) => decision.windowId));
  for (const name of refs)
    expect((await readBranch(scratch.folder, "orders", name)).promoted.filter((each) => gone.test(each))).toEqual([]);
  // Nothing on disk has it: neither as it is, nor in what was decoded for the proof.
  for (const path of filesUnder(scratch.folder))
    if (!path.includes(".db")) expect([path, readFileSync(path).includes(secret)]).toEqual([path, false]);

  expect(await lake.held("orders")).toMatchObject([{ windowId: "h1", rows: 1, rejected: 0 }]);
  await lake.publishHeld("orders", "h1", by);
  expect((await readBranch(scratch.folder, "orders")).promoted).toEqual([...after.promoted, "topic-a:0:10=9"].toSorted());
  const again = await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: secret }, ...by });
  expect(again).toMatchObject({ rows: { promoted: 0, held: 0, quarantined: 0 }, erased: [], remaining: [] });
  expect((JSON.parse((await loadBoth(scratch.folder, "orders")).promoted.properties["sluice.erasures"]!) as unknown[]).length).toBe(3);
  await lake.close();
});

it("erases after snapshots expired, and nothing where nothing matches", async () => {
  using scratch = scratchFolder();
  let nowMs = Date.now();
  const lake = await startedLake(scratch.folder, { clock: { now: () => nowMs } });
  await fill(lake);
  nowMs += 3600_000;
  await lake.maintenance.expire("orders", all, false);
  const before = await readBranch(scratch.folder, "orders");
  const report = await lake.maintenance.erase("orders", { target: { kind: "column", column: "n", value: "100" }, ...by });
  expect(report.rows).toEqual({ promoted: 0, held: 0, quarantined: 0 });
  const erased = await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: secret }, ...by });
  expect(erased.remaining).toEqual([]);
  expect((await readBranch(scratch.folder, "orders")).promoted.length).toBe(before.promoted.length - 3);
  expect((await collect(lake.quarantined("orders", {}))).map(textOf)).toEqual(["bad"]);
  expect((await collect(lake.history("orders", 0n))).length).toBe(6);
  await lake.close();
});

it("refuses what could be anything", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w0", from: 0n, values: [row(1)] }));
  for (const target of [
    { kind: "column", column: "nope", value: "abc" },
    { kind: "column", column: "n", value: "abc" },
    { kind: "column", column: "s", value: "ab" },
    { kind: "key", key: new Uint8Array() },
  ] as const) {
    await expect(lake.maintenance.erase("orders", { target, ...by })).rejects.toMatchObject({ code: "ERASURE_REFUSED" });
  }
  await lake.close();
});
