import { describe, expect, it } from "vitest";
import type { Lake } from "../../../../src/core/ports.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../../../live/harness/python-readers.ts";
import { expectConserved } from "../conservation.ts";
import { collect, makeWindow, row, scratchFolder, startedLake } from "../lake-fixture.ts";
import { readBranch } from "../table-content.ts";

const open = `
import sys, json, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
table = catalog.load_table("db.orders")
def rows(scan): return sorted(r["n"] for r in scan.to_arrow().to_pylist())
`;

const writeBranch = `${open}
row = {"n": 1000, "s": "by hand", "_sluice_source": "hand", "_sluice_partition": 0, "_sluice_offset": 0, "_sluice_timestamp": None}
for branch in ("exp/a", "held/w3"): table.append(pa.Table.from_pylist([row], schema=table.schema().as_arrow()), branch=branch)
`;

const read = `${open}
print(json.dumps({
    "main": rows(table.scan()),
    "refs": {name: rows(table.scan(snapshot_id=ref.snapshot_id)) for name, ref in table.refs().items()},
    "used": rows(table.scan().use_ref("v1")),
    "types": {name: str(ref.snapshot_ref_type.value) for name, ref in table.refs().items()},
    "ages": {name: ref.max_ref_age_ms for name, ref in table.refs().items() if ref.max_ref_age_ms is not None},
    "files": len(list(table.scan().plan_files())),
    "metadata": table.metadata_location,
}))
`;

const duckdb = `${duckdbWithIceberg}
import sys, json
promoted, *snapshots = sys.argv[1:]
one = lambda sql: [r[0] for r in duck.sql(sql).fetchall()]
print(json.dumps([one(f"select n from iceberg_scan('{promoted}') order by n"), *[one(f"select n from iceberg_scan('{promoted}', snapshot_from_id => {id}) order by n") for id in snapshots]]))
`;

const deleteRow = `${open}
table.delete("n == 2")
`;

interface Read {
  readonly main: readonly number[];
  readonly refs: Readonly<Record<string, readonly number[]>>;
  readonly used: readonly number[];
  readonly types: Readonly<Record<string, string>>;
  readonly ages: Readonly<Record<string, number>>;
  readonly files: number;
  readonly metadata: string;
}

const by = { author: "ann", reason: "looked at it" };
const back = { keepMs: null, releaseKeys: false, ...by } as const;

async function commit(lake: Lake, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await lake.commitWindow(makeWindow({ id: `w${n + 1}`, from: BigInt(n), values: [row(n + 1)] }));
}

describe.skipIf(!pythonHere)("tags, branches and rollbacks, by programs that no one here wrote", () => {
  it("people write to their branch; main, positions, tags and held windows stand, and the gate goes on", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    await commit(lake, 2);
    await lake.commitWindow(makeWindow({ id: "w3", from: 2n, values: [row(300)], verdict: "hold" }));
    await lake.refs.create("orders", { kind: "tag", name: "v1", version: "main~2", keepMs: 86_400_000, ...by });
    await lake.refs.create("orders", { kind: "branch", name: "exp/a", version: "v1", keepMs: null, ...by });
    const before = await lake.state("orders");
    await runPython(python, writeBranch, [scratch.folder]);
    const { positions, mainSnapshotId, activeContract, blocks } = before;
    expect(await lake.state("orders")).toMatchObject({ positions, mainSnapshotId, activeContract, blocks });
    await lake.commitWindow(makeWindow({ id: "w4", from: 3n, values: [row(4)] }));

    const seen = JSON.parse(await runPython(python, read, [scratch.folder])) as Read;
    expect(seen.main).toEqual([1, 2, 4]);
    expect(seen.refs).toEqual({ main: [1, 2, 4], v1: [1], "exp/a": [1, 1000], "held/w3": [1, 2, 300, 1000] });
    expect(seen.used).toEqual([1]);
    expect(seen.types).toEqual({ main: "branch", v1: "tag", "exp/a": "branch", "held/w3": "branch" });
    expect(Object.keys(seen.ages)).toEqual(["v1"]);
    expect((await collect(lake.history("orders", 0n))).map((each) => each.decision.windowId)).toEqual(["w1", "w2", "w3", "w4"]);

    const diff = await lake.refs.compare("orders", "main", "exp/a");
    expect([diff.added.rows, diff.removed.rows]).toEqual([1n, 2n]);
    expect(diff.onlyA.map((each) => each.decision.windowId)).toEqual(["w2", "w3", "w4"]);
    expect(diff.commonSnapshotId).toBe((await lake.refs.resolve("orders", "v1")).snapshotId);
    // Exactly the audited rows are published, whatever else was written to their branch.
    await lake.publishHeld("orders", "w3", by);
    await lake.refs.drop("orders", { kind: "branch", name: "exp/a", ...by });
    const after = JSON.parse(await runPython(python, read, [scratch.folder])) as Read;
    expect(after.refs).toEqual({ main: [1, 2, 4, 300], v1: [1] });
    await lake.close();
  });

  it("find nothing on main where every window is held", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)], verdict: "hold" }));
    const seen = JSON.parse(await runPython(python, read.replace('use_ref("v1")', 'use_ref("main")'), [scratch.folder])) as Read;
    expect([seen.main, seen.used, seen.refs]).toEqual([[], [], { main: [], "held/w1": [1] }]);
    const ids = (await lake.snapshots("orders")).filter((each) => each.refs.includes("main")).map((each) => each.snapshotId);
    expect(JSON.parse(await runPython(python, duckdb, [seen.metadata.replace(/^file:\/\//, ""), ...ids]))).toEqual([[], []]);
    await lake.close();
  });

  it("read what main is after a rollback, after its undoing, and what was withdrawn in between", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    await commit(lake, 3);
    await lake.refs.create("orders", { kind: "tag", name: "v1", version: "main~2", keepMs: null, ...by });
    const { rollback } = await lake.refs.rollback("orders", { to: "v1", ...back });
    await lake.commitWindow(makeWindow({ id: "w4", from: 3n, values: [row(4)] }));
    const seen = JSON.parse(await runPython(python, read, [scratch.folder])) as Read;
    expect(seen.refs).toEqual({ main: [1, 4], v1: [1], [`withdrawn/${rollback.id}`]: [1, 2, 3] });
    const duck = JSON.parse(
      await runPython(python, duckdb, [seen.metadata.replace("file://", ""), rollback.to, rollback.from]),
    ) as number[][];
    expect(duck).toEqual([[1, 4], [1], [1, 2, 3]]);
    await lake.refs.rollForward("orders", { rollback: rollback.id, ...by });
    await lake.commitWindow(makeWindow({ id: "w5", from: 4n, values: [row(5)] }));
    const forth = JSON.parse(await runPython(python, read, [scratch.folder])) as Read;
    expect(forth).toMatchObject({ main: [1, 2, 3, 4, 5], refs: { main: [1, 2, 3, 4, 5], v1: [1] }, files: 5 });
    expect(JSON.parse(await runPython(python, duckdb, [forth.metadata.replace("file://", "")]))).toEqual([[1, 2, 3, 4, 5]]);
    await lake.close();
  });

  it(
    "what another program deleted meanwhile is told apart: rolled back, and not brought back by guessing",
    { timeout: 900_000 },
    async () => {
      const python = (await pythonReaders()) as string;
      using scratch = scratchFolder();
      const lake = await startedLake(scratch.folder);
      await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2)] }));
      await runPython(python, deleteRow, [scratch.folder]);
      await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(3)] }));
      expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:2=3"]);
      const done = await lake.refs.rollback("orders", { to: "main~2", ...back });
      expect(done.plan.foreignSnapshots).toHaveLength(1);
      expect(done.rollback.isRewritten).toBe(true);
      expect(await expectConserved(scratch.folder)).toEqual({ promoted: 2, withdrawn: 1 });
      await expect(lake.refs.rollForward("orders", { rollback: null, ...by })).rejects.toMatchObject({ code: "ROLLBACK_REFUSED" });
      expect((await readBranch(scratch.folder, "orders")).promoted).toEqual(["topic-a:0:0=1", "topic-a:0:1=2"]);
      await lake.close();
    },
  );
});
