import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Catalog } from "../../../../src/adapters/catalog/catalog.ts";
import { openLakeCatalog } from "../../../../src/adapters/catalog/open-lake-catalog.ts";
import { noTurn } from "../../../../src/adapters/catalog/turns.ts";
import { lakeOver } from "../../../../src/adapters/lake/lake.ts";
import { createContentStore } from "../../../../src/adapters/storage/content-store.ts";
import { createLocalStorage } from "../../../../src/adapters/storage/local-storage.ts";
import type { Lake } from "../../../../src/core/ports.ts";
import { makeWindow, row, scratchFolder, startedLake } from "../lake-fixture.ts";
import { readBranch } from "../table-content.ts";

const by = { author: "ann", reason: "looked at it" };
const ada = { target: { kind: "column", column: "s", value: "Ada Lovelace" }, ...by } as const;
const dayMs = 86_400_000;

/** A lake that lets something happen between what it has planned and its next commit. */
async function interrupted(
  folder: string,
  nowMs: () => number,
): Promise<{ readonly lake: Lake; readonly before: (work: () => Promise<unknown>) => void }> {
  let work: (() => Promise<unknown>) | null = null;
  const clock = { now: nowMs };
  const probe = (): void => {};
  const storage = createLocalStorage(folder);
  const place = { storage, clock, uuid: randomUUID, random: Math.random, probe, patienceMs: 5000 };
  const { catalog, stores, close } = await openLakeCatalog({ catalog: join(folder, "catalog.db"), namespace: "db" }, place);
  const slow: Catalog = {
    isJoint: catalog.isJoint,
    list: (namespace) => catalog.list(namespace),
    load: (table) => catalog.load(table),
    commit: async (changes) => {
      const first = work;
      work = null;
      await first?.();
      return catalog.commit(changes);
    },
  };
  const io = { storage, uuid: randomUUID, randomBytes: (count: number) => randomBytes(count), probe };
  const context = {
    catalog: slow,
    storage,
    turns: { take: async () => noTurn },
    content: createContentStore(storage, "content"),
    io,
    namespace: "db",
    clock,
    probe,
    random: Math.random,
  };
  const snapshotId = (): bigint => randomBytes(8).readBigUInt64BE() >> 1n;
  const lake = lakeOver({ ...context, snapshotId, conflictMsMax: 5000 }, stores, close);
  return { lake, before: (next) => (work = next) };
}

it("an erasure that gets in first leaves nothing of the rows in what is brought back or published", async () => {
  using scratch = scratchFolder();
  const other = await startedLake(scratch.folder);
  await other.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  await other.commitWindow(makeWindow({ id: "w2", from: 1n, values: [row(2, "Ada Lovelace"), row(3)] }));
  await other.commitWindow(makeWindow({ id: "w3", from: 3n, values: [row(4, "Grace Hopper"), row(5)], verdict: "hold" }));
  await other.refs.rollback("orders", { to: "main~2", keepMs: null, releaseKeys: false, ...by });
  const { lake, before } = await interrupted(scratch.folder, () => Date.now());
  before(() => other.maintenance.erase("orders", ada));
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:2=3"]);
  before(() => other.maintenance.erase("orders", { ...ada, target: { ...ada.target, value: "Grace Hopper" } }));
  await lake.publishHeld("orders", "w3", by);
  expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:2=3", "topic-a:0:4=5"]);
  await lake.close();
  await other.close();
});

it("an expiry that gets in first is noticed: nothing is named whose files are gone", async () => {
  using scratch = scratchFolder();
  let now = 1_800_000_000_000;
  const clock = { now: () => now };
  const other = await startedLake(scratch.folder, { clock });
  for (const n of [0, 1, 2]) await other.commitWindow(makeWindow({ id: `w${n}`, from: BigInt(n), values: [row(n)] }));
  await other.refs.rollback("orders", { to: "main~1", keepMs: dayMs, releaseKeys: false, ...by });
  const { lake, before } = await interrupted(scratch.folder, clock.now);
  const expire = (): Promise<unknown> => {
    now += 10 * dayMs;
    return other.maintenance.expire("orders", { snapshotAgeMsMax: dayMs, snapshotsMin: 1 }, false);
  };
  before(expire);
  await expect(lake.refs.rollForward("orders", { rollback: null, ...by })).rejects.toMatchObject({ code: "ROLLBACK_REFUSED" });
  await other.commitWindow(makeWindow({ id: "w3", from: 3n, values: [row(3)] }));
  await other.commitWindow(makeWindow({ id: "w4", from: 4n, values: [row(4)] }));
  before(expire);
  await expect(lake.refs.create("orders", { kind: "tag", name: "late", version: "main~1", keepMs: null, ...by })).rejects.toMatchObject({
    code: "VERSION_UNKNOWN",
  });
  expect((await readBranch(scratch.folder, "orders")).promoted).toHaveLength(4);
  await lake.close();
  await other.close();
});

it("a window that gets in first does not change what a version's name meant when it was said", async () => {
  using scratch = scratchFolder();
  const other = await startedLake(scratch.folder);
  for (const n of [0, 1, 2]) await other.commitWindow(makeWindow({ id: `w${n}`, from: BigInt(n), values: [row(n)] }));
  const [, second] = (await other.snapshots("orders")).filter((each) => each.summary["sluice.change"] === "window");
  const { lake, before } = await interrupted(scratch.folder, () => Date.now());
  before(() => other.commitWindow(makeWindow({ id: "w3", from: 3n, values: [row(3)] })));
  const tag = await lake.refs.create("orders", { kind: "tag", name: "second", version: "main~1", keepMs: null, ...by });
  expect(tag.snapshotId).toBe(second?.snapshotId);
  before(() => other.commitWindow(makeWindow({ id: "w4", from: 4n, values: [row(4)] })));
  const { plan } = await lake.refs.rollback("orders", { to: "main~2", keepMs: null, releaseKeys: false, ...by });
  expect(plan.to.snapshotId).toBe(second?.snapshotId);
  expect(plan.windows.map((each) => each.decision.windowId)).toEqual(["w2", "w3", "w4"]);
  await lake.close();
  await other.close();
});
