import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { Contract } from "../../../../src/core/contract.ts";
import type { Lake } from "../../../../src/core/ports.ts";
import type { RetentionPolicy } from "../../../../src/core/retention.ts";
import { retain } from "../../../../src/adapters/lake/maintenance/retain.ts";
import type { ArchivePlace } from "../../../../src/adapters/storage/open-storage.ts";
import { pythonHere, pythonReaders, runPython } from "../../../live/harness/python-readers.ts";
import { s3Keys, testS3 } from "../../../live/harness/test-s3.ts";
import { expectConserved } from "../conservation.ts";
import { collect, commitNext, moveLake, row, scratchFolder, startedWith } from "../lake-fixture.ts";
import { odcs } from "../odcs-fixture.ts";
import { contextWithRival } from "../rival.ts";
import { readBranch } from "../table-content.ts";

const s3 = await testS3();
afterAll(async () => s3?.close());

const by = { author: "ann", reason: "test" };
const day = 86_400_000;
const everything = { snapshotAgeMsMax: 0, snapshotsMin: 1 } as const;
const columns = ["{ name: n, logicalType: integer }", "{ name: s, logicalType: string }"];
const withTags = "{ retention: [{ action: archive, olderThan: 10 days, place: cold, tagged: true }] }";

const policyOf = ({ hash, retention = [] }: Contract): RetentionPolicy => ({ contractHash: hash, rules: retention, isOwned: true });

interface Started {
  readonly lake: Lake;
  readonly contract: Contract;
  readonly clock: { nowMs: number };
}

async function started(folder: string, settings: string, archive: ArchivePlace): Promise<Started> {
  moveLake(folder, { archives: [archive] });
  const clock = { nowMs: Date.UTC(2026, 0, 1, 12) };
  const contract = await odcs(1, columns, settings);
  return { lake: await startedWith(folder, contract, { clock: { now: () => clock.nowMs } }), contract, clock };
}

const inFolder = (folder: string): ArchivePlace => ({ name: "cold", folder: join(folder, "cold"), s3: null });
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((each) => each.endsWith(".parquet"));

async function seen(folder: string, ref: string): Promise<{ numbers: number[]; archived: number; files: number }> {
  const { promoted, files } = await readBranch(folder, "orders", ref);
  const data = files.filter((uri) => !uri.includes("quarantine"));
  const numbers = promoted.map((each) => Number(each.split("=")[1])).toSorted((a, b) => a - b);
  return { numbers, archived: data.filter((uri) => uri.startsWith("s3:") || uri.includes("/cold/")).length, files: data.length };
}

const read = `
import sys, json
from pyiceberg.catalog.sql import SqlCatalog
folder, keys = sys.argv[1], json.loads(sys.argv[2])
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false", **keys)
table = catalog.load_table("db.orders")
rows = lambda name: sorted(table.scan(snapshot_id=table.snapshot_by_name(name).snapshot_id).to_arrow()["n"].to_pylist())
print(json.dumps([rows(name) for name in sys.argv[3:]]))
`;

it(
  "moves what tags name as well where the rule says so: each tag has a version of the same rows, and keeps its age",
  { timeout: 600_000 },
  async () => {
    using scratch = scratchFolder();
    const { folder } = scratch;
    const { lake, contract, clock } = await started(folder, withTags, inFolder(folder));
    await commitNext(lake, contract, [row(1), row(2)]);
    await commitNext(lake, contract, [row(3)]);
    await lake.refs.create("orders", { kind: "tag", name: "release", version: "main", keepMs: 90 * day, ...by });
    await lake.refs.create("orders", { kind: "branch", name: "mine", version: "main~1", keepMs: null, ...by });
    // What is under the tag, and on main no more: written anew there.
    await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
    const held = await commitNext(lake, contract, [row(4)], { verdict: "hold" });
    clock.nowMs += 20 * day;
    const young = await commitNext(lake, contract, [row(5)]);
    const history = (await collect(lake.history("orders", 0n))).map(({ decision, isWithdrawn }) => [decision.windowId, isWithdrawn]);
    const tag = async () => (await lake.refs.list("orders")).find(({ name }) => name === "release")!;
    const before = await tag();
    const policy = policyOf(contract);
    // Main's file, and the tag's second; the first is on a person's branch too.
    const expected = { files: 2, skipped: [{ files: 1, why: "tags or branches name them where they are" }] };
    expect(await lake.maintenance.retain("orders", policy, "archive", true)).toMatchObject([expected]);
    expect(await lake.maintenance.retain("orders", policy, "archive", false)).toMatchObject([
      { ...expected, rule: "archive rows to cold with what tags name: older than 10 days" },
    ]);
    expect(await seen(folder, "main")).toEqual({ numbers: [1, 2, 3, 5], archived: 1, files: 2 });
    expect(await seen(folder, "release")).toEqual({ numbers: [1, 2, 3], archived: 1, files: 2 });
    expect(await seen(folder, "mine")).toEqual({ numbers: [1, 2], archived: 0, files: 1 });
    expect(await tag()).toEqual({ ...before, snapshotId: expect.not.stringMatching(before.snapshotId), committedAtMs: expect.any(Number) });
    expect((await tag()).keptUntilMs).toBe(before.keptUntilMs);
    await lake.refs.drop("orders", { kind: "branch", name: "mine", ...by });
    expect(await lake.maintenance.retain("orders", policy, "archive", false)).toMatchObject([{ files: 1, skipped: [] }]);
    expect(await seen(folder, "release")).toEqual({ numbers: [1, 2, 3], archived: 2, files: 2 });
    expect(await lake.maintenance.retain("orders", policy, "archive", false)).toMatchObject([{ files: 0, snapshotId: null }]);
    clock.nowMs += day;
    await lake.maintenance.expire("orders", everything, false);
    // One file of main that is young, and the held window's.
    expect(filesIn(join(folder, "cold"))).toHaveLength(3);
    expect((await seen(folder, "release")).numbers).toEqual([1, 2, 3]);
    expect((await collect(lake.history("orders", 0n))).map(({ decision, isWithdrawn }) => [decision.windowId, isWithdrawn])).toEqual(
      history,
    );
    const { onlyA, onlyB } = await lake.refs.compare("orders", "release", "main");
    expect([onlyA, onlyB.map(({ decision }) => decision.windowId)]).toEqual([[], [held, young]]);
    expect((await lake.refs.planRollback("orders", "release")).windows.map(({ decision }) => decision.windowId)).toEqual([held, young]);
    await expectConserved(folder);
    if (pythonHere) {
      const python = (await pythonReaders()) as string;
      expect(JSON.parse(await runPython(python, read, [folder, "{}", "main", "release"]))).toEqual([
        [1, 2, 3, 5],
        [1, 2, 3],
      ]);
    }
    await lake.publishHeld("orders", held, by);
    expect((await seen(folder, "main")).numbers).toEqual([1, 2, 3, 4, 5]);
    // The tag ends when it would have ended.
    clock.nowMs = before.keptUntilMs! + 1;
    await lake.maintenance.expire("orders", everything, false);
    expect((await lake.refs.list("orders")).map(({ name }) => name)).toEqual(["main"]);
    await lake.close();
  },
);

it.each([
  ["kept", "archived"],
  ["expired", "archived"],
  ["expired", "erased"],
])("goes back to a tag whose older versions are %s, once its rows are %s", { timeout: 600_000 }, async (older, change) => {
  using scratch = scratchFolder();
  const { folder } = scratch;
  const { lake, contract, clock } = await started(folder, withTags, inFolder(folder));
  const compaction = { fileBytesTarget: 1 << 27, filesMin: 2 };
  await commitNext(lake, contract, [row(1, "Erika"), row(2)]);
  const second = await commitNext(lake, contract, [row(3)]);
  await lake.refs.create("orders", { kind: "tag", name: "release", version: "main", keepMs: null, ...by });
  const third = await commitNext(lake, contract, [row(4)]);
  clock.nowMs += 20 * day;
  const fourth = await commitNext(lake, contract, [row(5)]);
  const isErased = change === "erased";
  if (isErased) {
    const target = { kind: "column", column: "s", value: "Erika" } as const;
    expect((await lake.maintenance.erase("orders", { target, ...by })).remaining).toEqual([]);
  }
  expect(await lake.maintenance.retain("orders", policyOf(contract), "archive", false)).toMatchObject([{ files: 3 }]);
  const tagged = isErased ? [2, 3] : [1, 2, 3];
  const fifth = await commitNext(lake, contract, [row(6)]);
  clock.nowMs += day;
  if (older === "expired") await lake.maintenance.expire("orders", everything, false);
  // The tag's new version is off main, and none that was rolled back.
  expect((await lake.snapshots("orders")).filter((each) => each.isWithdrawn)).toEqual([]);
  const { plan, rollback } = await lake.refs.rollback("orders", { to: "release", keepMs: null, releaseKeys: false, ...by });
  expect(plan.windows.map(({ decision }) => decision.windowId)).toEqual([third, fourth, fifth]);
  expect([plan.rows, rollback.isRewritten]).toEqual([3, true]);
  expect((await seen(folder, "main")).numbers).toEqual(tagged);
  const withdrawn = async (): Promise<string[]> =>
    (await collect(lake.history("orders", 0n))).filter((each) => each.isWithdrawn).map(({ decision }) => decision.windowId);
  expect(await withdrawn()).toEqual([third, fourth, fifth]);
  expect((await expectConserved(folder))["withdrawn"]).toBe(3);
  await commitNext(lake, contract, [row(7)]);
  expect((await seen(folder, "main")).numbers).toEqual([...tagged, 7]);
  // To the same tag again: only what came since is withdrawn by that.
  expect(await lake.refs.planRollback("orders", "release")).toMatchObject({ rows: 1, windows: [{}] });
  // What was written anew comes back from the versions that brought it, as long as they are there.
  const forward = lake.refs.rollForward("orders", { rollback: null, ...by });
  if (older === "kept") {
    await forward;
    expect((await seen(folder, "main")).numbers).toEqual([...tagged, 4, 5, 6, 7]);
    expect(await withdrawn()).toEqual([]);
    const again = await lake.refs.rollback("orders", { to: "release", keepMs: null, releaseKeys: false, ...by });
    expect([again.plan.rows, (await seen(folder, "main")).numbers]).toEqual([4, tagged]);
  } else await expect(forward).rejects.toMatchObject({ code: "ROLLBACK_REFUSED" });
  expect((await seen(folder, `withdrawn/${rollback.id}`)).numbers).toEqual(older === "kept" ? [] : [...tagged, 4, 5, 6]);
  await lake.refs.drop("orders", { kind: "tag", name: "release", ...by });
  await lake.maintenance.compact("orders", compaction, false);
  clock.nowMs += day;
  await lake.maintenance.expire("orders", everything, false);
  expect((await seen(folder, "main")).numbers).toEqual(older === "kept" ? tagged : [...tagged, 7]);
  expect((await collect(lake.history("orders", 0n))).find(({ decision }) => decision.windowId === second)?.isWithdrawn).toBe(false);
  expect((await withdrawn()).slice(0, 3)).toEqual([third, fourth, fifth]);
  await expectConserved(folder);
  await lake.close();
});

it("moves a tag's files though main is written anew meanwhile", { timeout: 600_000 }, async () => {
  using scratch = scratchFolder();
  const { folder } = scratch;
  const { lake, contract } = await started(folder, withTags, inFolder(folder));
  await commitNext(lake, contract, [row(1)]);
  await lake.refs.create("orders", { kind: "tag", name: "release", version: "main", keepMs: null, ...by });
  await commitNext(lake, contract, [row(2)]);
  const { context, outcomes, close } = await contextWithRival(folder, async () => {
    await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
  });
  const later = { ...context, clock: { now: () => Date.UTC(2026, 1, 1) } };
  const [report] = await retain(later, lake.consumption, "orders", { policy: policyOf(contract), action: "archive", dryRun: false });
  // Main's two are gone for one that is not archived yet; the tag's one was moved, the other copy was thrown away.
  expect([outcomes, report!.files, report!.snapshotId]).toEqual([["conflict", "committed"], 1, expect.any(String)]);
  expect(await seen(folder, "main")).toEqual({ numbers: [1, 2], archived: 0, files: 1 });
  expect(await seen(folder, "release")).toEqual({ numbers: [1], archived: 1, files: 1 });
  expect(filesIn(join(folder, "cold"))).toHaveLength(1);
  await close();
  await lake.close();
});

it("leaves a tag's age as it was where an erasure moves it", { timeout: 600_000 }, async () => {
  using scratch = scratchFolder();
  const { folder } = scratch;
  const { lake, contract, clock } = await started(folder, "{}", inFolder(folder));
  await commitNext(lake, contract, [row(1, "Erika"), row(2)]);
  await lake.refs.create("orders", { kind: "tag", name: "release", version: "main", keepMs: 90 * day, ...by });
  const until = async () => (await lake.refs.list("orders")).find(({ name }) => name === "release")!.keptUntilMs;
  const before = await until();
  clock.nowMs += 20 * day;
  const erased = await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: "Erika" }, ...by });
  expect([erased.remaining, await until(), (await seen(folder, "release")).numbers]).toEqual([[], before, [2]]);
  await lake.close();
});

it.skipIf(s3 === null)(
  "moves files of a lake in a folder to an archive in S3, and reads, erases and cleans up there",
  { timeout: 600_000 },
  async () => {
    using scratch = scratchFolder();
    const { folder } = scratch;
    const { bucket } = await s3!.bucket();
    const place = { uri: `s3://${bucket}/old/lake`, region: "us-east-1", endpoint: s3!.endpoint, pathStyle: true, credentials: s3Keys };
    const { lake, contract, clock } = await started(folder, withTags, { name: "cold", folder, s3: place });
    await commitNext(lake, contract, [row(1, "Erika"), row(2)]);
    await lake.refs.create("orders", { kind: "tag", name: "release", version: "main", keepMs: null, ...by });
    await commitNext(lake, contract, [row(3)]);
    clock.nowMs += 20 * day;
    await commitNext(lake, contract, [row(4)]);
    expect(await lake.maintenance.retain("orders", policyOf(contract), "archive", false)).toMatchObject([{ files: 2, skipped: [] }]);
    clock.nowMs += day;
    await lake.maintenance.expire("orders", everything, false);
    expect(filesIn(join(folder, "tables"))).toHaveLength(1);
    const [main, release] = [await seen(folder, "main"), await seen(folder, "release")];
    expect([main, release]).toEqual([
      { numbers: [1, 2, 3, 4], archived: 2, files: 3 },
      { numbers: [1, 2], archived: 1, files: 1 },
    ]);
    expect((await readBranch(folder, "orders", "release")).files[0]).toMatch(`s3://${bucket}/old/lake/tables/`);
    await expectConserved(folder);
    if (pythonHere) {
      const python = (await pythonReaders()) as string;
      const { accessKeyId, secretAccessKey } = s3Keys;
      const keys = { "s3.endpoint": s3!.endpoint, "s3.access-key-id": accessKeyId, "s3.secret-access-key": secretAccessKey };
      const answer = await runPython(python, read, [folder, JSON.stringify({ ...keys, "s3.region": "us-east-1" }), "main", "release"]);
      expect(JSON.parse(answer)).toEqual([main.numbers, release.numbers]);
    }
    const report = await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: "Erika" }, ...by });
    expect(report.remaining).toEqual([]);
    expect([(await seen(folder, "main")).numbers, (await seen(folder, "release")).numbers]).toEqual([[2, 3, 4], [2]]);
    const orphans = await lake.maintenance.removeOrphans(0, false);
    expect(orphans.paths.filter((path) => path.endsWith(".parquet"))).toEqual([]);
    await lake.close();
  },
);
