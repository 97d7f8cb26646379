import { describe, expect, it } from "vitest";
import { pythonHere, pythonReaders, runPython } from "../../live/harness/python-readers.ts";
import { collect, makeWindow, row, scratchFolder, startedLake } from "./lake-fixture.ts";
import { loadBoth, readBranch } from "./table-content.ts";

const open = `
import sys, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
table = catalog.load_table("db.orders")
`;

const append = `${open}
schema = table.schema().as_arrow()
row = {"n": 1000, "s": "by hand", "_sluice_source": "hand", "_sluice_partition": 0, "_sluice_offset": 0, "_sluice_timestamp": None}
table.append(pa.Table.from_pylist([row], schema=schema))
`;

/** Main back at its first window, as an operator would do it. */
const rollback = `${open}
first = next(s for s in table.snapshots() if s.summary.additional_properties.get("sluice.window-id") == "w1")
table.manage_snapshots().rollback_to_snapshot(first.snapshot_id).commit()
print(table.current_snapshot().snapshot_id)
`;

/** All files of main rewritten into one, as a compaction does: the table keeps its properties. */
const rewrite = `${open}
table.overwrite(table.scan().to_arrow())
`;

describe.skipIf(!pythonHere)("other programs that write to the table", () => {
  it("neither lose their rows nor move the positions: windows rebase on what they did", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), "bad"], rejected: [1] }));
    await runPython(python, append, [scratch.folder]);
    await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(2)] }));
    expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["hand:0:0=1000", "topic-a:0:0=1", "topic-a:0:2=2"]);
    await runPython(python, rewrite, [scratch.folder]);
    await lake.commitWindow(makeWindow({ id: "w3", from: 3n, values: [row(3)] }));
    const main = await readBranch(scratch.folder, "orders");
    expect(main.promoted).toEqual(["hand:0:0=1000", "topic-a:0:0=1", "topic-a:0:2=2", "topic-a:0:3=3"]);
    expect(main.files).toHaveLength(3);
    expect((await lake.state("orders")).positions[0]?.next).toBe(4n);
    expect((await collect(lake.history("orders", 0n))).map((each) => each.decision.windowId)).toEqual(["w1", "w2", "w3"]);
    const { promoted } = await loadBoth(scratch.folder, "orders");
    expect(promoted.snapshots.at(-1)?.summary).toMatchObject({ "total-records": "4", "total-data-files": "2" });
    await lake.close();
  });

  it("may roll main back: positions stay, so that nothing is read or promoted twice", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
    const second = makeWindow({ id: "w2", from: 1n, values: [row(2)] });
    await lake.commitWindow(second);
    await runPython(python, rollback, [scratch.folder]);
    expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1"]);
    expect((await lake.state("orders")).positions[0]?.next).toBe(2n);
    // A worker whose reply was lost repeats its commit: it was committed, and was taken back by a person since.
    expect(await lake.commitWindow(second)).toMatchObject({ status: "committed" });
    await lake.commitWindow(makeWindow({ id: "w3", from: 2n, values: [row(3)] }));
    expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:2=3"]);
    const history = await collect(lake.history("orders", 0n));
    expect(history.map((each) => [each.decision.windowId, each.isWithdrawn])).toEqual([
      ["w1", false],
      ["w2", true],
      ["w3", false],
    ]);
    await lake.close();
  });
});
