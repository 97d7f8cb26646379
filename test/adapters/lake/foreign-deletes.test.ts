import { describe, expect, it } from "vitest";
import type { Lake } from "../../../src/core/ports.ts";
import { traceRecord } from "../../../src/trace/trace-record.ts";
import { traceVersion } from "../../../src/trace/trace-version.ts";
import { pythonHere, pythonReaders } from "../../live/harness/python-readers.ts";
import { commitDeletes } from "./delete-files.ts";
import { collect, contract, makeWindow, row, scratchFolder, startedLake } from "./lake-fixture.ts";

const by = { author: "ann", reason: "looked at it" };

/** The offsets whose rows a range of promoted rows has. */
async function offsets(lake: Lake, after = 0n): Promise<readonly number[]> {
  const found = await collect(lake.promotedColumns("orders", contract.fields, { after, held: true, withdrawn: true }));
  for (const { count, columns, partition, timestampsMs } of found) {
    expect([columns[0]?.length, partition.length, timestampsMs.length]).toEqual([count, count, count]);
  }
  return found.flatMap((rows) => [...rows.offsets].map(Number)).toSorted((a, b) => a - b);
}

describe.skipIf(!pythonHere)("rows that another program deleted by delete files", () => {
  it("are in no comparison, no trace and no key of ours any more, and say who deleted them", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2), row(3), row(4)] }));
    await lake.commitWindow(makeWindow({ id: "w2", from: 4n, values: [row(5), row(6)] }));
    await lake.refs.create("orders", { kind: "tag", name: "before", version: "main", keepMs: null, ...by });
    const place = async (offset: bigint): Promise<string> =>
      (await lake.traces.findRow("orders", { topicId: "topic-a", partition: 0, offset }))[0]?.file as string;
    const first = await place(0n);
    await commitDeletes(python, scratch.folder, [
      { kind: "positions", name: "p.parquet", rows: [[first, 1]], referenced: first },
      { kind: "values", name: "e.parquet", columns: [{ id: 2, name: "s", type: "string", values: ["s4", "s6"] }] },
    ]);
    const deleter = (await lake.snapshots("orders")).at(-1)?.snapshotId as string;
    await lake.commitWindow(makeWindow({ id: "w3", from: 6n, values: [row(6), row(7)] }));
    expect(await offsets(lake)).toEqual([0, 2, 4, 6, 7]);
    expect(await offsets(lake, 99n)).toEqual([]);

    const follow = (offset: bigint) => traceRecord(lake, "orders", "orders", { topicId: "topic-a", partition: 0, offset });
    const states: unknown[] = [];
    for (let offset = 0n; offset < 8n; offset++) states.push((await follow(offset)).state);
    expect(states).toEqual(["promoted", "deleted", "promoted", "deleted", "promoted", "deleted", "promoted", "promoted"]);
    const gone = await follow(3n);
    expect(gone.rows).toMatchObject([{ row: 3, refs: ["before"], deletedIn: [{ ref: "main", snapshotId: deleter }] }]);
    expect(gone.says).toBe(`promoted once, and deleted from main since by another program, in snapshot ${deleter}: only in before`);

    const forth = await lake.refs.compare("orders", "before", "main");
    expect(forth).toMatchObject({
      a: { rows: 6, deleteFiles: 0, rowsDeleted: 0 },
      b: { rows: 5, deleteFiles: 2, rowsDeleted: 3 },
      added: { files: 1, rows: 2n },
      removed: { files: 0, rows: 3n },
      rowsRewritten: 0n,
    });
    const back = await lake.refs.compare("orders", "main", "before");
    expect([back.added.rows, back.removed.rows]).toEqual([3n, 2n]);
    const { contents } = (await traceVersion(lake, "orders", forth.b.snapshotId))!;
    expect([contents.rows, contents.deleteFiles, contents.rowsDeleted]).toEqual([5, 2, 3]);
    await lake.close();
  });
});
