import { expect, it } from "vitest";
import type { Lake } from "../../../../src/core/ports.ts";
import { makeWindow, openLake, partitions, row, scratchFolder } from "../lake-fixture.ts";
import { operations } from "../lake-worker.ts";
import { runWorker } from "../worker-process.ts";

const scope = { dataset: "orders", rule: "n", horizonMs: null } as const;
const withdrawn = 1n;

/** Whether the key of the withdrawn row is taken for a record at an offset. */
async function isTaken(lake: Lake, offset: bigint): Promise<boolean> {
  const rows = {
    count: 1,
    keys: new Uint8Array(16).fill(7),
    partitions: [partitions[0]!],
    partition: new Uint16Array(1),
    offsets: BigInt64Array.of(offset),
    timestampsMs: BigInt64Array.of(-1n),
  };
  return (await lake.claims.claim(scope, rows))[0] === 1;
}

/** Two windows of a row; the second one holds a key. */
async function prepare(folder: string): Promise<void> {
  const lake = await openLake(folder);
  await operations["create"]!(lake);
  await lake.commitWindow(makeWindow({ id: "w0", from: 0n, values: [row(0)] }));
  expect(await isTaken(lake, withdrawn)).toBe(false);
  await lake.commitWindow(makeWindow({ id: "w1", from: withdrawn, values: [row(1)] }));
  await lake.close();
}

it.each([
  { at: "catalog.before-commit", isWithdrawn: false, isPending: false },
  { at: "catalog.after-commit", isWithdrawn: true, isPending: true },
  // The keys are given back, and the table does not say so yet.
  { at: "metadata.written:2", isWithdrawn: true, isPending: true },
  { at: "catalog.after-commit:2", isWithdrawn: true, isPending: false },
])("gives keys of a rollback back by the next run after a kill -9 at $at, and none where nothing was rolled back", async (point) => {
  using scratch = scratchFolder();
  await prepare(scratch.folder);
  expect((await runWorker(scratch.folder, "rollback-release", point.at)).killed).toBe(true);
  const lake = await openLake(scratch.folder);
  const [standing] = await lake.refs.rollbacks("orders");
  expect([standing !== undefined, standing?.keysPending === true]).toEqual([point.isWithdrawn, point.isPending]);
  const pending = await lake.refs.releasePending("orders");
  expect(pending.map(({ id }) => id)).toEqual(point.isPending ? [standing?.id] : []);
  expect((await lake.refs.rollbacks("orders")).map(({ keysReleased, keysPending }) => [keysReleased, keysPending])).toEqual(
    point.isWithdrawn ? [[true, undefined]] : [],
  );
  // A later record wants the key: it is free exactly where the row is withdrawn.
  expect(await isTaken(lake, 9n)).toBe(!point.isWithdrawn);
  // And what claims it then keeps it.
  expect(await lake.refs.releasePending("orders")).toEqual([]);
  expect(await isTaken(lake, 10n)).toBe(true);
  await lake.close();
});
