/** A catalog that changes one table at a time: what comes between the two tables of a dataset loses and doubles nothing. */
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Catalog } from "../../../src/adapters/catalog/catalog.ts";
import { openLakeCatalog } from "../../../src/adapters/catalog/open-lake-catalog.ts";
import { noTurn } from "../../../src/adapters/catalog/turns.ts";
import { lakeOver } from "../../../src/adapters/lake/lake.ts";
import { changeOf } from "../../../src/adapters/lake/quarantine-plan.ts";
import { TableDraft } from "../../../src/adapters/iceberg/table-draft.ts";
import { readManifestList } from "../../../src/adapters/iceberg/table-io.ts";
import { snapshotOfRef } from "../../../src/adapters/iceberg/table-metadata.ts";
import { createContentStore } from "../../../src/adapters/storage/content-store.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { SluiceError } from "../../../src/core/errors.ts";
import type { Lake } from "../../../src/core/ports.ts";
import { expectConserved } from "./conservation.ts";
import { collect, contract, makeWindow, partitions, row, scratchFolder } from "./lake-fixture.ts";
import { makeReplay } from "./replay-fixture.ts";
import { loadBoth, readBranch } from "./table-content.ts";

const by = { author: "ann", reason: "test" };

interface SingleLake {
  readonly lake: Lake;
  /** Has something happen instead of the nth commit of a table from here on; `go` makes that commit. */
  readonly at: (nth: number, work: (go: () => Promise<unknown>) => Promise<void>) => void;
  /** Commits of tables since `at`. */
  readonly commits: () => number;
}

/** A lake over an SQLite catalog that refuses to change two tables at once. */
async function singleLake(folder: string): Promise<SingleLake> {
  const clock = { now: () => Date.now() };
  const probe = (): void => {};
  const storage = createLocalStorage(folder);
  const ports = { storage, clock, uuid: randomUUID, random: Math.random, probe, patienceMs: 60_000 };
  const { catalog, stores, close } = await openLakeCatalog({ catalog: join(folder, "catalog.db"), namespace: "db" }, ports);
  let calls = 0;
  let planned: { readonly nth: number; readonly work: (go: () => Promise<unknown>) => Promise<void> } | null = null;
  const single: Catalog = {
    isJoint: false,
    list: (namespace) => catalog.list(namespace),
    load: (table) => catalog.load(table),
    commit: async (changes) => {
      expect(changes.length === 1 || changes.every((each) => "create" in each)).toBe(true);
      if (++calls === planned?.nth) await planned.work(() => catalog.commit(changes));
      return catalog.commit(changes);
    },
  };
  const io = { storage, uuid: randomUUID, randomBytes: (count: number) => randomBytes(count), probe };
  const snapshotId = (): bigint => randomBytes(8).readBigUInt64BE() >> 1n;
  const content = createContentStore(storage, "content");
  const context = {
    catalog: single,
    storage,
    turns: { take: async () => noTurn },
    content,
    io,
    namespace: "db",
    clock,
    probe,
    random: Math.random,
    snapshotId,
  };
  const lake = lakeOver({ ...context, conflictMsMax: 60_000 }, stores, close);
  await lake.activate(contract);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  return {
    lake,
    at: (nth, work) => {
      planned = { nth, work };
      calls = 0;
    },
    commits: () => calls,
  };
}

async function nextOf(lake: Lake, partition = 0): Promise<bigint> {
  return (await lake.state("orders")).positions[partition]!.next;
}

const values = [row(1), "bad", row(2)];

/** Everything that changes both tables: what it needs, then the change. */
const changes: Readonly<Record<string, (lake: Lake) => Promise<() => Promise<unknown>>>> = {
  window: async (lake) => {
    const from = await nextOf(lake);
    const window = makeWindow({ id: `w${from}`, from, values, rejected: [1] });
    return () => lake.commitWindow(window);
  },
  hold: async (lake) => {
    const from = await nextOf(lake);
    const window = makeWindow({ id: `h${from}`, from, values, rejected: [1], verdict: "hold" });
    return () => lake.commitWindow(window);
  },
  publish: async (lake) => {
    await (
      await changes["hold"]!(lake)
    )();
    const [held] = await lake.held("orders");
    return () => lake.publishHeld("orders", held!.windowId, by);
  },
  "publish without a rejected row": async (lake) => {
    const from = await nextOf(lake);
    await lake.commitWindow(makeWindow({ id: `c${from}`, from, values: [row(1)], verdict: "hold" }));
    return () => lake.publishHeld("orders", `c${from}`, by);
  },
  drop: async (lake) => {
    await (
      await changes["hold"]!(lake)
    )();
    const [held] = await lake.held("orders");
    return () => lake.dropHeld("orders", held!.windowId, by);
  },
  replay: async (lake) => {
    await (
      await changes["window"]!(lake)
    )();
    const replay = makeReplay(`r${randomUUID().slice(0, 8)}`, await collect(lake.quarantined("orders", { states: ["open"] })));
    return () => lake.commitReplay(replay);
  },
};

it.each(Object.keys(changes))("a %s is one change, though it takes two commits", async (name) => {
  using scratch = scratchFolder();
  const { lake, at, commits } = await singleLake(scratch.folder);
  const change = await changes[name]!(lake);
  at(Infinity, async () => {});
  await change();
  expect(commits()).toBe(2);
  await expectConserved(scratch.folder);
  await lake.close();
});

/** Moves the quarantine table's main as another program would, which knows nothing of plans. */
async function moveQuarantine(folder: string): Promise<void> {
  const storage = createLocalStorage(folder);
  const probe = (): void => {};
  const ports = { storage, clock: { now: () => Date.now() }, uuid: randomUUID, random: Math.random, probe, patienceMs: 60_000 };
  const { catalog, close } = await openLakeCatalog({ catalog: join(folder, "catalog.db"), namespace: "db" }, ports);
  const base = (await catalog.load({ namespace: "db", name: "orders__quarantine" }))!;
  const io = { storage, uuid: randomUUID, randomBytes: (count: number) => randomBytes(count), probe };
  const draft = new TableDraft(io, base.metadata);
  const snapshotId = randomBytes(8).readBigUInt64BE() >> 1n;
  const place = { snapshotId, parent: draft.main, branch: "main", nowMs: Date.now() };
  await draft.append({ ...place, manifests: [], summary: { "engine-name": "another" }, merges: null });
  expect(await catalog.commit([changeOf(base, draft)])).toMatchObject({ status: "committed" });
  await close();
}

it.each(Object.keys(changes))("a %s is made over what others did to the quarantine table in between", async (name) => {
  using scratch = scratchFolder();
  const { lake, at } = await singleLake(scratch.folder);
  await (
    await changes["window"]!(lake)
  )();
  const change = await changes[name]!(lake);
  const before = await readBranch(scratch.folder, "orders");
  at(2, () => moveQuarantine(scratch.folder));
  await change();
  const main = await readBranch(scratch.folder, "orders");
  for (const each of before.quarantined) expect(main.quarantined).toContain(each);
  await expectConserved(scratch.folder);
  const { quarantine } = await loadBoth(scratch.folder, "orders");
  const head = snapshotOfRef(quarantine, "main");
  expect(head?.summary["total-records"]).toBe(String(main.quarantined.length));
  expect(quarantine.snapshots.some((each) => each.summary["engine-name"] === "another")).toBe(true);
  await lake.close();
});

it("a window whose quarantine table is compacted in between is counted over what that left, and its rows are as new as their snapshot", async () => {
  using scratch = scratchFolder();
  const { lake, at } = await singleLake(scratch.folder);
  const other = await singleLake(scratch.folder);
  for (let i = 0; i < 4; i++) await (await changes["window"]!(lake))();
  const change = await changes["window"]!(lake);
  const reached = Promise.withResolvers<void>();
  const compacted = Promise.withResolvers<void>();
  at(2, () => {
    reached.resolve();
    return compacted.promise;
  });
  const committed: Promise<unknown>[] = [];
  // Promoted first; the compaction of quarantine was planned before the window began.
  other.at(2, () => {
    committed.push(change());
    return reached.promise;
  });
  const compactions = await other.lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
  expect(compactions.map((each) => [each.table, each.filesBefore, each.filesAfter])).toEqual([
    ["promoted", 4, 1],
    ["quarantine", 4, 1],
  ]);
  compacted.resolve();
  expect(await Promise.all(committed)).toMatchObject([{ status: "committed" }]);
  const { quarantine } = await loadBoth(scratch.folder, "orders");
  const head = snapshotOfRef(quarantine, "main")!;
  expect(head.summary).toMatchObject({ "total-records": "5", "total-data-files": "2", "added-records": "1", "added-data-files": "1" });
  const own = (await readManifestList(createLocalStorage(scratch.folder), head)).filter(
    (each) => each.addedSnapshotId === head["snapshot-id"] && each.addedFiles > 0,
  );
  expect(own.map((each) => [each.sequence, each.minSequence])).toEqual([[head["sequence-number"], head["sequence-number"]]]);
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 10, open: 5 });
  await other.lake.close();
  await lake.close();
});

it.each(Object.keys(changes))("a %s that others finish is finished once", async (name) => {
  using scratch = scratchFolder();
  const { lake, at } = await singleLake(scratch.folder);
  const other = await singleLake(scratch.folder);
  const change = await changes[name]!(lake);
  at(2, async () => {
    // Reading is enough; and a window of another partition comes before the first one goes on.
    await other.lake.state("orders");
    await other.lake.commitWindow(makeWindow({ id: "other", partition: 1, from: 0n, values: [row(7), "bad"], rejected: [1] }));
  });
  await change();
  await expectConserved(scratch.folder);
  const { quarantine, promoted } = await loadBoth(scratch.folder, "orders");
  const plan = JSON.parse(promoted.properties["sluice.plan"] ?? "null") as { number: number };
  expect(quarantine.properties["sluice.plan-done"]).toBe(String(plan.number));
  await other.lake.close();
  await lake.close();
});

const lost = (): SluiceError =>
  new SluiceError("COMMIT_UNKNOWN", "the reply was lost", { cause: new SluiceError("CATALOG_FAILED", "cut off") });

it.each(Object.keys(changes))("a %s survives every lost reply", async (name) => {
  using scratch = scratchFolder();
  const { lake, at, commits } = await singleLake(scratch.folder);
  for (let nth = 1; ; nth++) {
    const change = await changes[name]!(lake);
    at(nth, async (go) => {
      await go();
      throw lost();
    });
    await change();
    await expectConserved(scratch.folder);
    if (commits() < nth) break;
  }
  await lake.close();
});

it("a window whose second commit fails is finished by whoever comes next, and was committed", async () => {
  using scratch = scratchFolder();
  const { lake, at } = await singleLake(scratch.folder);
  const window = makeWindow({ id: "w", from: 0n, values, rejected: [1] });
  at(2, () => Promise.reject(new SluiceError("CATALOG_REFUSED", "not today")));
  await expect(lake.commitWindow(window)).rejects.toMatchObject({ code: "CATALOG_REFUSED", retryable: true });
  expect((await readBranch(scratch.folder, "orders")).quarantined).toEqual([]);
  expect(await lake.commitWindow(window)).toMatchObject({ status: "committed" });
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, open: 1 });
  await lake.close();
});

it("maintains both tables, one after the other, also where another one gets in between", async () => {
  using scratch = scratchFolder();
  const { lake, at } = await singleLake(scratch.folder);
  for (let i = 0; i < 4; i++) await (await changes["window"]!(lake))();
  await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
  await expectConserved(scratch.folder);
  at(2, () => moveQuarantine(scratch.folder));
  const before = await loadBoth(scratch.folder, "orders");
  const report = await lake.maintenance.expire("orders", { snapshotAgeMsMax: 0, snapshotsMin: 1 }, false);
  const after = await loadBoth(scratch.folder, "orders");
  expect(report.snapshots.promoted).toBe(before.promoted.snapshots.length - after.promoted.snapshots.length);
  // The one that came in between was the newest when quarantine was expired.
  expect(after.quarantine.snapshots).toHaveLength(1);
  await expectConserved(scratch.folder);
  const from = await nextOf(lake);
  const rows = [row(1, "Ada"), JSON.stringify({ n: "bad", s: "Ada" }), row(2, "Bob")];
  await lake.commitWindow(makeWindow({ id: "ada", from, values: rows, rejected: [1] }));
  at(2, () => moveQuarantine(scratch.folder));
  const erased = await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: "Ada" }, ...by });
  expect(erased.remaining).toEqual([]);
  expect(erased.erased).toHaveLength(2);
  await expectConserved(scratch.folder);
  await lake.close();
});

it("refuses a release of several datasets, and leaves nothing of it", async () => {
  using scratch = scratchFolder();
  const { lake } = await singleLake(scratch.folder);
  await lake.activate({ ...contract, dataset: "others", hash: "sha256:o", text: "others" });
  await lake.recordStart("others", [{ ...partitions[0]!, next: 0n }]);
  await (
    await changes["window"]!(lake)
  )();
  const release = { name: "r1", datasets: ["orders", "others"], version: "main", keepMs: null, ...by };
  await expect(lake.refs.createRelease(release)).rejects.toMatchObject({ code: "CATALOG_UNSUPPORTED", retryable: false });
  expect(await lake.refs.releases()).toEqual([]);
  await lake.close();
});
