import { expect, it } from "vitest";
import type { Lake } from "../../../../src/core/ports.ts";
import { collect, contract, makeWindow, openLake, row, scratchFolder, startedLake } from "../lake-fixture.ts";
import { loadBoth, readBranch } from "../table-content.ts";

const by = { author: "ann", reason: "looked at it" };
const tag = { kind: "tag", version: "main", keepMs: null, ...by } as const;

async function threeWindows(lake: Lake): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    const result = await lake.commitWindow(makeWindow({ id: `w${n + 1}`, from: BigInt(n), values: [row(n + 1)] }));
    ids.push(result.status === "committed" ? result.snapshotId : "lost");
  }
  return ids;
}

it("tags a version for good: by snapshot, ref, step back and time, with who and why", async () => {
  using scratch = scratchFolder();
  let now = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => (now += 1000) } });
  const [first, second, third] = (await threeWindows(lake)) as [string, string, string];
  const at = (await lake.snapshots("orders")).find((each) => each.snapshotId === second)!.committedAtMs;
  const create = (name: string, version: string): Promise<string> =>
    lake.refs.create("orders", { ...tag, name, version }).then((ref) => ref.snapshotId);
  expect(await create("by-id", first)).toBe(first);
  expect(await create("by-main", "main")).toBe(third);
  expect(await create("by-step", "main~2")).toBe(first);
  expect(await create("by-step-of-tag", "by-main~1")).toBe(second);
  expect(await create("by-step-of-id", `${third}~1`)).toBe(second);
  expect(await create("by-time", new Date(at + 1).toISOString())).toBe(second);
  await expect(create("too-far", "main~99")).rejects.toMatchObject({ code: "VERSION_UNKNOWN" });
  await expect(create("too-early", "2001-01-01")).rejects.toMatchObject({ code: "VERSION_UNKNOWN" });
  await expect(create("unknown", "nothing")).rejects.toMatchObject({ code: "VERSION_UNKNOWN" });
  const mainBefore = (await lake.state("orders")).mainSnapshotId;
  expect(mainBefore).toBe(third);

  // The same once more is no change; the name for anything else is refused, also once it was dropped.
  expect(await create("by-id", first)).toBe(first);
  await expect(create("by-id", second)).rejects.toMatchObject({ code: "REF_TAKEN" });
  await expect(lake.refs.create("orders", { ...tag, kind: "branch", name: "by-id" })).rejects.toMatchObject({ code: "REF_TAKEN" });
  await lake.refs.drop("orders", { kind: "tag", name: "by-id", ...by });
  await expect(create("by-id", second)).rejects.toMatchObject({ code: "REF_TAKEN", message: expect.stringContaining("looked at it") });
  expect(await create("by-id", first)).toBe(first);
  await expect(lake.refs.drop("orders", { kind: "tag", name: "nothing", ...by })).rejects.toMatchObject({ code: "NOT_FOUND" });
  const found = (await lake.refs.list("orders")).find((each) => each.name === "by-time")!;
  expect(found).toMatchObject({ kind: "tag", author: "ann", reason: "looked at it", rows: 2, keptUntilMs: null, isIntact: true });
  await lake.close();
});

it("keeps a tag for as long as was asked, from now, whatever the age of its snapshot", async () => {
  using scratch = scratchFolder();
  let now = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => now } });
  await threeWindows(lake);
  now += 40 * 86_400_000;
  const ref = await lake.refs.create("orders", { ...tag, name: "kept", keepMs: 90 * 86_400_000 });
  expect(ref.keptUntilMs).toBe(now + 90 * 86_400_000);
  const { promoted } = await loadBoth(scratch.folder, "orders");
  // Iceberg's own measure: the age of the snapshot.
  const age = Number(promoted.refs["kept"]!["max-ref-age-ms"]);
  expect(age).toBeGreaterThan(129 * 86_400_000);
  expect(age).toBeLessThanOrEqual(130 * 86_400_000);
  await lake.close();
});

it("takes no name that is its own, or would be read as something else", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await threeWindows(lake);
  await lake.commitWindow(makeWindow({ id: "w4", from: 3n, values: [row(4)], verdict: "hold" }));
  const names = [
    "main",
    "held/w9",
    "withdrawn/1",
    "sluice/x",
    "123",
    "90d",
    "2026-11-21",
    "a//b",
    "a..b",
    "a/",
    "a~1",
    "a b",
    "",
    "é",
    "-x",
    "x".repeat(129),
  ];
  for (const name of names) {
    await expect(lake.refs.create("orders", { ...tag, name }), name).rejects.toMatchObject({ code: "REF_NAME_INVALID" });
    await expect(lake.refs.create("orders", { ...tag, kind: "branch", name }), name).rejects.toMatchObject({ code: "REF_NAME_INVALID" });
  }
  for (const name of ["main", "held/w4"]) {
    for (const kind of ["tag", "branch"] as const)
      await expect(lake.refs.drop("orders", { kind, name, ...by }), name).rejects.toMatchObject({ code: "REF_REFUSED" });
  }
  await expect(lake.refs.create("orders", { ...tag, name: "sneaky", version: "held/w4" })).rejects.toMatchObject({ code: "REF_REFUSED" });
  expect(await lake.held("orders")).toHaveLength(1);
  await lake.close();
});

it("makes branches from any version, and main goes on without them", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const [first] = (await threeWindows(lake)) as [string];
  await lake.refs.create("orders", { ...tag, name: "v1", version: first });
  const branch = await lake.refs.create("orders", { ...tag, kind: "branch", name: "exp/a", version: "v1" });
  expect(branch).toMatchObject({ kind: "branch", snapshotId: first });
  await lake.commitWindow(makeWindow({ id: "w4", from: 3n, values: [row(4)] }));
  expect((await readBranch(scratch.folder, "orders", "exp/a")).promoted).toEqual(["topic-a:0:0=1"]);
  expect((await readBranch(scratch.folder, "orders")).promoted).toHaveLength(4);
  await expect(lake.refs.drop("orders", { kind: "tag", name: "exp/a", ...by })).rejects.toMatchObject({ code: "REF_REFUSED" });
  await lake.refs.drop("orders", { kind: "branch", name: "exp/a", ...by });
  await lake.refs.create("orders", { ...tag, kind: "branch", name: "exp/a", version: "main" });
  expect((await lake.refs.list("orders")).map((each) => each.name)).toEqual(["exp/a", "main", "v1"]);
  await lake.close();
});

it("tags and windows of several processes do not lose each other", async () => {
  using scratch = scratchFolder();
  const lakes = await Promise.all([startedLake(scratch.folder), openLake(scratch.folder), openLake(scratch.folder)]);
  const [a, b, c] = lakes;
  await a.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  await Promise.all([
    ...[1, 2, 3].map((n) => b.refs.create("orders", { ...tag, name: `b${n}` })),
    ...[1, 2, 3].map((n) => c.refs.create("orders", { ...tag, name: `c${n}` })),
    a.commitWindow(makeWindow({ id: "w2", from: 1n, values: [row(2)] })),
  ]);
  const refs = await a.refs.list("orders");
  expect(refs.map((each) => each.name)).toEqual(["b1", "b2", "b3", "c1", "c2", "c3", "main"]);
  expect(refs.every((each) => each.name === "main" || (each.author === "ann" && each.isIntact))).toBe(true);
  // Of two who want one name for different versions, one gets it.
  const [first, second] = (await a.snapshots("orders")).slice(-2).map((each) => each.snapshotId) as [string, string];
  const both = await Promise.allSettled([
    b.refs.create("orders", { ...tag, name: "one", version: first }),
    c.refs.create("orders", { ...tag, name: "one", version: second }),
  ]);
  expect(both.map((each) => each.status).toSorted()).toEqual(["fulfilled", "rejected"]);
  for (const lake of lakes) await lake.close();
});

it("releases several datasets in one transaction, or none", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const other = { ...contract, dataset: "customers", hash: "sha256:c1", text: "the other contract" };
  await lake.activate(other);
  const key = { topic: "orders", topicId: "topic-a", partition: 0 };
  await lake.recordStart("customers", [{ ...key, next: 0n }]);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  await lake.commitWindow(makeWindow({ id: "c1", from: 0n, values: [row(1)], contract: other }));
  const datasets = ["orders", "customers"];
  const release = await lake.refs.createRelease({ ...tag, name: "release/2026-11", datasets });
  expect(release.members.map((each) => [each.dataset, each.rows])).toEqual([
    ["customers", 1],
    ["orders", 1],
  ]);
  await lake.commitWindow(makeWindow({ id: "w2", from: 1n, values: [row(2)] }));
  expect((await readBranch(scratch.folder, "orders", "release/2026-11")).promoted).toEqual(["topic-a:0:0=1"]);
  expect(await lake.refs.releases()).toEqual([release]);
  await expect(lake.refs.drop("orders", { kind: "tag", name: "release/2026-11", ...by })).rejects.toMatchObject({ code: "REF_REFUSED" });

  // One dataset has the name for something else: neither gets it.
  await lake.refs.create("customers", { ...tag, name: "release/2026-12" });
  await expect(lake.refs.createRelease({ ...tag, name: "release/2026-12", datasets })).rejects.toMatchObject({ code: "REF_TAKEN" });
  expect((await lake.refs.list("orders")).map((each) => each.name)).toEqual(["main", "release/2026-11"]);

  await lake.refs.dropRelease({ name: "release/2026-11", ...by });
  expect(await lake.refs.releases()).toEqual([]);
  expect((await lake.refs.list("orders")).map((each) => each.name)).toEqual(["main"]);
  await expect(lake.refs.dropRelease({ name: "release/2026-11", ...by })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(lake.refs.createRelease({ ...tag, name: "release/2026-11", datasets })).rejects.toMatchObject({ code: "REF_TAKEN" });
  expect((await collect(lake.history("orders", 0n))).map((each) => each.decision.windowId)).toEqual(["w1", "w2"]);
  await lake.close();
});
