import { expect, it } from "vitest";
import { contract, makeWindow, row, scratchFolder, startedLake } from "../lake-fixture.ts";

const by = { author: "ann", reason: "looked at it" };

it("counts rows and files by manifests, and names the windows in between with their verdicts", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2)] }));
  await lake.refs.create("orders", { kind: "tag", name: "v1", version: "main", keepMs: null, ...by });
  await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(3), "bad"], rejected: [1] }));
  await lake.commitWindow(makeWindow({ id: "w3", from: 4n, values: [row(9)], verdict: "hold" }));
  const forth = await lake.refs.compare("orders", "v1", "main");
  expect(forth).toMatchObject({
    a: { name: "v1", by: "ref", ref: "v1", rows: 2, deleteFiles: 0, contract: { hash: "sha256:v1" } },
    b: { name: "main", rows: 3 },
    added: { files: 1, rows: 1n },
    removed: { files: 0, rows: 0n, bytes: 0n },
    rowsRewritten: 0n,
  });
  expect(forth.onlyB.map(({ decision }) => [decision.windowId, decision.verdict])).toEqual([
    ["w2", "promote-and-quarantine-rows"],
    ["w3", "hold"],
  ]);
  expect(forth.onlyA).toEqual([]);
  expect(forth.commonSnapshotId).toBe(forth.a.snapshotId);
  const reverse = await lake.refs.compare("orders", "main", "v1");
  expect([reverse.removed, reverse.added]).toEqual([forth.added, forth.removed]);
  expect(reverse.onlyA.map(({ decision }) => decision.windowId)).toEqual(["w2", "w3"]);
  const same = await lake.refs.compare("orders", "main", "main");
  expect([same.added.files, same.removed.files, same.onlyA, same.onlyB]).toEqual([0, 0, [], []]);
  await lake.close();
});

it("compares across a rollback and its undoing: only what differs, once", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  for (let n = 0; n < 3; n++) await lake.commitWindow(makeWindow({ id: `w${n + 1}`, from: BigInt(n), values: [row(n)] }));
  const { rollback } = await lake.refs.rollback("orders", { to: "main~2", keepMs: null, releaseKeys: false, ...by });
  await lake.commitWindow(makeWindow({ id: "w4", from: 3n, values: [row(4)] }));
  const found = await lake.refs.compare("orders", `withdrawn/${rollback.id}`, "main");
  expect([found.added.rows, found.removed.rows]).toEqual([1n, 2n]);
  expect(found.onlyA.map(({ decision }) => decision.windowId)).toEqual(["w2", "w3"]);
  expect(found.onlyB.map(({ decision }) => decision.windowId)).toEqual(["w4"]);
  await lake.refs.create("orders", { kind: "tag", name: "before", version: "main", keepMs: null, ...by });
  await lake.refs.rollForward("orders", { rollback: null, ...by });
  const after = await lake.refs.compare("orders", "before", "main");
  expect([after.added.rows, after.removed.rows]).toEqual([2n, 0n]);
  expect(after.onlyB.map(({ decision }) => decision.windowId)).toEqual(["w2", "w3"]);
  const undone = await lake.refs.compare("orders", rollback.from, "main");
  expect([undone.added.rows, undone.removed.rows, undone.onlyA]).toEqual([1n, 0n, []]);
  expect(undone.onlyB.map(({ decision }) => decision.windowId)).toEqual(["w4"]);
  await lake.close();
});

it("knows which schema and contract a version had", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  const [n, s] = contract.fields;
  const more = { ...n!, name: "more", path: "more", sourceName: "more", required: false };
  const next = { ...contract, fields: [n!, s!, more], version: "1.1.0", hash: "sha256:v2", text: "the second contract" };
  await lake.activate(next);
  const found = await lake.refs.compare("orders", "main~1", "main");
  expect([found.a.contract, found.b.contract]).toEqual([
    { hash: "sha256:v1", version: contract.version },
    { hash: "sha256:v2", version: "1.1.0" },
  ]);
  const names = (version: typeof found.a): string[] => version.schema.fields.map((field) => field.name);
  expect(names(found.b).filter((name) => !names(found.a).includes(name))).toEqual(["more"]);
  await lake.close();
});
