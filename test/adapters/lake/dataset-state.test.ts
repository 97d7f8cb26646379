import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findTables } from "../../../src/adapters/lake/lake-context.ts";
import { readContracts } from "../../../src/adapters/lake/table-properties.ts";
import { createContentStore } from "../../../src/adapters/storage/content-store.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import type { Contract } from "../../../src/core/contract.ts";
import type { Field } from "../../../src/core/schema.ts";
import { contract, makeWindow, openLake, partitions, row, scratchFolder, startedLake } from "./lake-fixture.ts";
import { contextWithRival } from "./rival.ts";
import { loadBoth, readBranch } from "./table-content.ts";

const by = { author: "ann", reason: "topic was made anew" };
const fieldNamed = (name: string, type: Field["type"]): Field => ({ ...contract.fields[1]!, name, sourceName: name, path: name, type });

it("creates both tables once, whoever comes first", async () => {
  using scratch = scratchFolder();
  const lakes = await Promise.all([1, 2, 3].map(() => openLake(scratch.folder)));
  const states = await Promise.all(lakes.map((lake) => lake.activate(contract)));
  expect(new Set(states.map((each) => each.tableUuid)).size).toBe(1);
  expect(states[0]).toMatchObject({ positions: [], blocks: [], activeContract: contract.hash, holdNext: false, mainSnapshotId: null });
  expect(await lakes[0]!.datasets()).toEqual(["orders"]);
  expect(await lakes[0]!.contractText(contract.hash)).toBe("the first contract");
  await expect(lakes[0]!.contractText("sha256:other")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(lakes[0]!.state("nothing")).rejects.toMatchObject({ code: "NOT_FOUND" });
  for (const lake of lakes) await lake.close();
});

it("finds both tables where another worker makes them while it looks", async () => {
  using scratch = scratchFolder();
  const lake = await openLake(scratch.folder);
  const { context, close } = await contextWithRival(scratch.folder, async () => {});
  const made = Promise.withResolvers<void>();
  let isFirst = true;
  const catalog: typeof context.catalog = {
    ...context.catalog,
    // The quarantine table is looked up before the tables are made, the promoted one after that.
    async load(table) {
      if (table.name === "orders") await made.promise;
      const found = await context.catalog.load(table);
      if (table.name === "orders" || !isFirst) return found;
      isFirst = false;
      await lake.activate(contract);
      made.resolve();
      return found;
    },
  };
  const tables = await findTables({ ...context, catalog }, "orders");
  expect([tables?.promoted.table.name, tables?.quarantine.table.name]).toEqual(["orders", "orders__quarantine"]);
  await close();
  await lake.close();
});

it("activates contracts in one direction only", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const second: Contract = {
    ...contract,
    version: "2",
    hash: "sha256:v2",
    text: "two",
    fields: [...contract.fields, fieldNamed("extra", { kind: "double" })],
  };
  const third: Contract = { ...second, version: "3", hash: "sha256:v3", text: "three" };
  await lake.activate(second);
  await lake.activate(second);
  expect(await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }))).toMatchObject({ status: "committed" });
  await expect(lake.activate(contract)).rejects.toMatchObject({ code: "CONTRACT_SUPERSEDED" });
  await lake.activate(third);
  await expect(lake.commitWindow(makeWindow({ id: "w2", from: 1n, values: [row(2)] }))).rejects.toMatchObject({
    code: "CONTRACT_SUPERSEDED",
  });
  const { schema } = await lake.state("orders");
  expect(await lake.commitWindow(makeWindow({ id: "w3", from: 1n, values: [row(3)], contract: second, schema }))).toMatchObject({
    status: "committed",
  });
  expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:1=3"]);
  expect(await lake.contractText("sha256:v1")).toBe("the first contract");
  await lake.close();
});

it("keeps the files that a contract refers to, by their content", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const schema = '{"type":"object","minProperties":1}';
  await lake.activate({ ...contract, version: "2", hash: "sha256:v2", text: "two", references: [{ path: "s/one.json", text: schema }] });
  const { promoted } = await loadBoth(scratch.folder, "orders");
  const [first, second] = readContracts(promoted.properties);
  expect(first?.references).toBeUndefined();
  expect(second?.references?.map((each) => each.path)).toEqual(["s/one.json"]);
  const content = createContentStore(createLocalStorage(scratch.folder), "content");
  expect(new TextDecoder().decode(await content.get("contract", second?.references?.[0]?.text ?? ""))).toBe(schema);
  await lake.close();
});

it("refuses a schema that readers of older files could not follow, naming the column", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const changed = { ...contract, hash: "sha256:x", fields: [fieldNamed("n", { kind: "string" }), contract.fields[1]!] };
  await expect(lake.activate(changed)).rejects.toMatchObject({ code: "CONTRACT_INVALID", message: expect.stringContaining("column n") });
  expect((await lake.state("orders")).activeContract).toBe(contract.hash);
  await expect(lake.activate({ ...contract, dataset: "a__quarantine" })).rejects.toMatchObject({ code: "CONTRACT_INVALID" });
  await lake.close();
});

it("records a partition's first position once", async () => {
  using scratch = scratchFolder();
  const [a, b] = [await openLake(scratch.folder), await openLake(scratch.folder)];
  await a.activate(contract);
  const key = partitions[0]!;
  const stands = await Promise.all([a.recordStart("orders", [{ ...key, next: 5n }]), b.recordStart("orders", [{ ...key, next: 7n }])]);
  expect(stands[0]).toEqual(stands[1]);
  const kept = stands[0][0]!.next;
  expect(
    await a.recordStart("orders", [
      { ...key, next: 9n },
      { ...partitions[1]!, next: 1n },
    ]),
  ).toEqual([
    { ...key, next: kept },
    { ...partitions[1]!, next: 1n },
  ]);
  await a.close();
  await b.close();
});

it("replaces positions as a person says, clears the source's blocks and makes open windows lose", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const stop = { topic: "orders", topicId: "topic-a", partition: 0, code: "WINDOW_STOPPED", message: "rule x", sinceMs: 1 };
  await lake.block("orders", { ...stop, partition: null, code: "SOURCE_IDENTITY_CHANGED" });
  await lake.block("orders", { ...stop, topic: "other", code: "SOURCE_IDENTITY_CHANGED" });
  await lake.block("orders", stop);
  const stays = { ...stop, topicId: "topic-b" };
  await lake.block("orders", stays);
  const fresh = partitions.map((key) => ({ ...key, topicId: "topic-b", next: 3n }));
  await lake.resetPositions("orders", { remove: partitions, set: fresh, ...by });
  const state = await lake.state("orders");
  expect(state.positions).toEqual(fresh);
  // A policy's stop is answered by `unblock`, unless its partition is gone for good.
  expect(state.blocks).toEqual([{ ...stop, topic: "other", code: "SOURCE_IDENTITY_CHANGED" }, stays]);
  expect(await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }))).toMatchObject({ status: "lost" });
  expect((await lake.snapshots("orders")).at(-1)?.summary).toMatchObject({
    "sluice.change": "reset",
    "sluice.author": "ann",
    "sluice.reason": by.reason,
  });
  expect(await lake.unblock("orders", { partition: 1, mode: "retry", ...by })).toEqual([]);
  expect(await lake.unblock("orders", { partition: 0, mode: "retry", ...by })).toEqual([stays]);
  expect((await lake.state("orders")).holdNext).toBe(false);
  await lake.close();
});

it("commits a window that holds no row, and takes superseded positions away", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const empty = makeWindow({ id: "w1", from: 0n, values: [] });
  const moved = { ...empty, to: [{ ...partitions[0]!, next: 7n }], supersedes: [partitions[1]!] };
  expect(await lake.commitWindow(moved)).toMatchObject({ status: "committed", quarantineSnapshotId: null });
  expect((await lake.state("orders")).positions.map((each) => [each.partition, each.next])).toEqual([
    [0, 7n],
    [2, 0n],
    [3, 0n],
  ]);
  await lake.close();
});

it("keeps its clock from running backwards, and metadata files from piling up", async () => {
  using scratch = scratchFolder();
  let now = 1_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => now } });
  for (let i = 0; i < 30; i++) {
    now -= 1000;
    await lake.commitWindow(makeWindow({ id: `w${i}`, from: BigInt(i), values: [row(i)] }));
  }
  const { promoted } = await loadBoth(scratch.folder, "orders");
  const times = promoted.snapshots.map((each) => each["timestamp-ms"]);
  expect(times.every((time, i) => i === 0 || time > (times[i - 1] as number))).toBe(true);
  expect(promoted["last-updated-ms"]).toBe(times.at(-1));
  expect(promoted["metadata-log"]).toHaveLength(20);
  const folder = promoted.location.slice("file://".length);
  const metadataFiles = readdirSync(join(folder, "metadata")).filter((name) => name.endsWith(".metadata.json"));
  expect(metadataFiles).toHaveLength(21);
  await lake.close();
});
