import { describe, expect, it } from "vitest";
import { pythonHere, pythonReaders, runPython } from "../../../live/harness/python-readers.ts";
import { collect, makeWindow, row, scratchFolder, startedLake } from "../lake-fixture.ts";
import { readBranch } from "../table-content.ts";

const open = `
import sys, json, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
table = catalog.load_table("db.orders")
`;
const append = `${open}
row = {"n": 1000, "s": "by hand", "_sluice_source": "hand", "_sluice_partition": 0, "_sluice_offset": 0, "_sluice_timestamp": None}
table.append(pa.Table.from_pylist([row], schema=table.schema().as_arrow()))
`;
const remove = `${open}
table.delete("n = 1")
`;
const rewrite = `${open}
table.overwrite(table.scan().to_arrow())
`;
const expireByThem = `${open}
table.maintenance.expire_snapshots().by_ids([s.snapshot_id for s in table.snapshots()[:3]]).commit()
`;
const read = `${open}
print(json.dumps(sorted(table.scan().to_arrow()["n"].to_pylist())))
print(json.dumps(catalog.load_table("db.orders__quarantine").scan().to_arrow().num_rows))
`;

const small = { fileBytesTarget: 1 << 27, filesMin: 2 } as const;
const all = { snapshotAgeMsMax: 0, snapshotsMin: 1 } as const;

describe.skipIf(!pythonHere)("other programs that write to the table", () => {
  it(
    "append, delete, rewrite and expire between our commits, compactions and expiries: we go on without loss",
    { timeout: 900_000 },
    async () => {
      const python = (await pythonReaders()) as string;
      using scratch = scratchFolder();
      const lake = await startedLake(scratch.folder);
      let offset = 0n;
      const commit = async (...values: string[]): Promise<void> => {
        await lake.commitWindow(makeWindow({ id: `w${offset}`, from: offset, values: [...values, "bad"], rejected: [values.length] }));
        offset += BigInt(values.length + 1);
      };
      const numbers = async (): Promise<number[]> =>
        (await readBranch(scratch.folder, "orders")).promoted.map((each) => Number(each.split("=")[1])).toSorted((a, b) => a - b);
      await commit(row(1), row(2));
      await runPython(python, append, [scratch.folder]);
      await commit(row(3));
      expect((await lake.maintenance.compact("orders", small, false)).map((each) => each.filesBefore)).toEqual([3, 2]);
      await runPython(python, remove, [scratch.folder]);
      await commit(row(4));
      expect(await numbers()).toEqual([2, 3, 4, 1000]);
      await lake.maintenance.expire("orders", all, false);
      await runPython(python, rewrite, [scratch.folder]);
      await commit(row(5));
      await lake.maintenance.compact("orders", small, false);
      await runPython(python, expireByThem, [scratch.folder]);
      await commit(row(6));
      await lake.maintenance.expire("orders", all, false);
      expect(await numbers()).toEqual([2, 3, 4, 5, 6, 1000]);
      const [seen, quarantined] = (await runPython(python, read, [scratch.folder])).trim().split("\n");
      expect(JSON.parse(seen!)).toEqual([2, 3, 4, 5, 6, 1000]);
      expect(quarantined).toBe("5");
      expect((await lake.state("orders")).positions[0]?.next).toBe(offset);
      const orphans = await lake.maintenance.removeOrphans(0, false);
      expect(orphans.contentsSkipped).toBeNull();
      expect(await numbers()).toEqual([2, 3, 4, 5, 6, 1000]);
      expect(JSON.parse((await runPython(python, read, [scratch.folder])).trim().split("\n")[0]!)).toEqual([2, 3, 4, 5, 6, 1000]);
      const erased = await lake.maintenance.erase("orders", {
        target: { kind: "column", column: "s", value: "by hand" },
        author: "ann",
        reason: "asked",
      });
      expect([erased.rows.promoted > 0, erased.remaining]).toEqual([true, []]);
      expect(JSON.parse((await runPython(python, read, [scratch.folder])).trim().split("\n")[0]!)).toEqual([2, 3, 4, 5, 6]);
      // What a program expired that keeps no ledger is gone from history: ours is all there.
      const windows = (await collect(lake.history("orders", 0n))).map((each) => each.decision.windowId);
      expect(windows).toContain("w0");
      await lake.close();
    },
  );
});
