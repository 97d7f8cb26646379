import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Lake, WindowCommit } from "../../../../src/core/ports.ts";
import type { ColumnSummary } from "../../../../src/core/profile.ts";
import { pathOfUri } from "../../../../src/adapters/iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../../../src/adapters/iceberg/table-io.ts";
import { snapshotOfRef } from "../../../../src/adapters/iceberg/table-metadata.ts";
import { createLocalStorage } from "../../../../src/adapters/storage/local-storage.ts";
import { readBack } from "../../iceberg/parquet-reading.ts";
import { collect, makeWindow, openLake, partitions, row, scratchFolder, startedLake, textOf } from "../lake-fixture.ts";
import { odcs } from "../odcs-fixture.ts";
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

it("erases from a table of version 3, whose other rows keep their ids, and from the statistics of its windows", async () => {
  using scratch = scratchFolder();
  const numbered = await odcs(
    1,
    ["{ name: n, logicalType: integer }", "{ name: s, logicalType: string }"],
    "{ formatVersion: 3, statistics: window }",
  );
  const lake = await openLake(scratch.folder);
  await lake.activate(numbered);
  await lake.recordStart("orders", [{ ...partitions[0]!, next: 0n }]);
  for (const [i, values] of [[row(1), row(2, secret)], [row(3, secret), row(4)], [row(5)]].entries()) {
    const { schema, layout } = await lake.state("orders");
    const sketch = { id: `w${i}`, from: BigInt(i * 2), values, contract: numbered, schema, layout };
    await lake.commitWindow(
      i === 0 ? withProfile(makeWindow(sketch)) : makeWindow({ ...sketch, ...(i === 1 && { verdict: "hold" as const }) }),
    );
  }
  const statistics = async (): Promise<number> => (await loadBoth(scratch.folder, "orders")).promoted.statistics?.length ?? 0;
  const before = await statistics();
  expect(before).toBeGreaterThan(0);
  const ids = async (): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (const { n, id } of await rowIds(scratch.folder)) found.push([n, id]);
    return found;
  };
  expect(await ids()).toEqual([
    [1n, 0n],
    [2n, 1n],
    [5n, 4n],
  ]);
  const report = await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: secret }, ...by });
  expect([report.remaining, report.rows]).toEqual([[], { promoted: 1, held: 1, quarantined: 1 }]);
  expect(await ids()).toEqual([
    [1n, 0n],
    [5n, 4n],
  ]);
  expect(await statistics()).toBeLessThan(before);
  for (const path of filesUnder(scratch.folder).filter((each) => !each.includes("catalog.db"))) {
    expect([path, readFileSync(path).includes(secret)]).toEqual([path, false]);
  }
  await lake.publishHeld("orders", "w1", { author: "ann", reason: "good" });
  const all4 = await rowIds(scratch.folder);
  expect(all4.map(({ n }) => n)).toEqual([1n, 4n, 5n]);
  expect(new Set(all4.map(({ id }) => id)).size).toBe(3);
  await lake.close();
});

/** Rows of main by `n`, with the ids that readers of version 3 see. */
async function rowIds(folder: string): Promise<{ n: unknown; id: unknown }[]> {
  const storage = createLocalStorage(folder);
  const { promoted } = await loadBoth(folder, "orders");
  const found: { n: unknown; id: unknown }[] = [];
  for (const manifest of await readManifestList(storage, snapshotOfRef(promoted, "main"))) {
    for (const { file, status } of await readManifest(storage, manifest)) {
      if (status === 2) continue;
      const { rows } = await readBack(await storage.read(pathOfUri(storage, file["file_path"] as string)));
      for (const [i, each] of rows.entries())
        found.push({ n: each["n"], id: each["_row_id"] ?? (file["first_row_id"] as bigint) + BigInt(i) });
    }
  }
  return found.toSorted((a, b) => Number(a.n) - Number(b.n));
}
