import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Contract } from "../../../src/core/contract.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../../live/harness/python-readers.ts";
import { contract, makeWindow, row, scratchFolder, startedLake } from "./lake-fixture.ts";

const pyiceberg = `
import sys, json
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
def rows(table, **at):
    return sorted(r["n"] for r in table.scan(**at).to_arrow().to_pylist())
t = catalog.load_table("db.orders")
q = catalog.load_table("db.orders__quarantine")
out = {
    "namespaces": [list(n) for n in catalog.list_namespaces()],
    "tables": sorted(n[1] for n in catalog.list_tables("db")),
    "main": rows(t),
    "held": rows(t, snapshot_id=t.refs()["held/w3"].snapshot_id),
    "history": [rows(t, snapshot_id=s.snapshot_id) for s in t.snapshots() if s.summary.additional_properties.get("sluice.change") == "window"],
    "source": t.scan().to_arrow().sort_by("n").select(["_sluice_source", "_sluice_partition", "_sluice_offset"]).to_pylist()[0],
    "filtered": sorted(r["n"] for r in t.scan(row_filter="n >= 5").to_arrow().to_pylist()),
    "files": t.inspect.files().num_rows,
    "positions": json.loads(t.properties["sluice.positions"]),
    "quarantine": [{**r, "key": None, "value": r["value"].hex(), "quarantined_at": r["quarantined_at"].timestamp()} for r in q.scan().to_arrow().to_pylist()],
    "heldQuarantine": sorted(r["value"].hex() for r in q.scan(snapshot_id=q.refs()["held/w3"].snapshot_id).to_arrow().to_pylist()),
    "metadata": [t.metadata_location, q.metadata_location],
    "refs": sorted(t.refs()),
}
print(json.dumps(out))
`;

const duckdb = `${duckdbWithIceberg}
import sys, json
promoted, quarantine, snapshot, held = sys.argv[1:5]
one = lambda sql: [r[0] for r in duck.sql(sql).fetchall()]
print(json.dumps({
    "main": one(f"select n from iceberg_scan('{promoted}') order by n"),
    "at": one(f"select n from iceberg_scan('{promoted}', snapshot_from_id => {snapshot}) order by n"),
    "held": one(f"select n from iceberg_scan('{promoted}', snapshot_from_id => {held}) order by n"),
    "later": duck.sql(f"select n, later from iceberg_scan('{promoted}') where n >= 6 order by n").fetchall(),
    "reasons": one(f"select reasons[1].rule from iceberg_scan('{quarantine}')"),
    "raw": one(f"select hex(value) from iceberg_scan('{quarantine}')"),
    "snapshots": one(f"select count(*) from iceberg_snapshots('{promoted}')"),
}))
`;

const nasty = Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x22]);

describe.skipIf(!pythonHere)("readers that no one here wrote", () => {
  it("read rows, refs, time travel and quarantine as PyIceberg and DuckDB", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    const first = await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2), nasty, row(3)], rejected: [2] }));
    await lake.commitWindow(makeWindow({ id: "w2", from: 4n, values: [row(4), row(5)] }));
    await lake.commitWindow(makeWindow({ id: "w3", from: 6n, values: [row(100), "no row", row(101)], rejected: [1], verdict: "hold" }));
    const evolved: Contract = {
      ...contract,
      hash: "sha256:v2",
      version: "2.0.0",
      text: "the second contract",
      fields: [...contract.fields, { ...contract.fields[1]!, name: "later", sourceName: "later", path: "later" }],
    };
    await lake.activate(evolved);
    const values = [JSON.stringify({ n: 6, s: "x", later: "new" }), JSON.stringify({ n: 7, s: "y" })];
    await lake.commitWindow(makeWindow({ id: "w4", from: 9n, values, contract: evolved, schema: (await lake.state("orders")).schema }));
    const heldSnapshot = (await lake.snapshots("orders")).find((each) => each.refs.includes("held/w3"))!;
    await lake.close();

    const seen = JSON.parse(await runPython(python, pyiceberg, [scratch.folder]));
    expect(seen).toMatchObject({
      namespaces: [["db"]],
      tables: ["orders", "orders__quarantine"],
      main: [1, 2, 3, 4, 5, 6, 7],
      held: [1, 2, 3, 4, 5, 100, 101],
      history: [
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 5, 100, 101],
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 5, 6, 7],
      ],
      source: { _sluice_source: "topic-a", _sluice_partition: 0, _sluice_offset: 0 },
      filtered: [5, 6, 7],
      files: 3,
      heldQuarantine: [nasty, Buffer.from(row(100)), Buffer.from(row(101)), Buffer.from("no row")]
        .map((each) => each.toString("hex"))
        .toSorted(),
      refs: ["held/w3", "main"],
    });
    expect(seen.positions[0]).toEqual({ topic: "orders", topicId: "topic-a", partition: 0, next: "11" });
    expect(seen.quarantine).toHaveLength(1);
    expect(seen.quarantine[0]).toMatchObject({
      value: nasty.toString("hex"),
      topic_id: "topic-a",
      offset: 2,
      state: "open",
      attempt: 0,
      window_id: "w1",
      contract_hash: contract.hash,
      headers: [],
      headers_raw: null,
      reasons: [{ rule: "n.range", observed: "12345678901234567890" }],
    });

    const snapshotId = first.status === "committed" ? first.snapshotId : "";
    const duck = JSON.parse(await runPython(python, duckdb, [...seen.metadata, snapshotId, heldSnapshot.snapshotId]));
    expect(duck).toEqual({
      main: [1, 2, 3, 4, 5, 6, 7],
      at: [1, 2, 3],
      held: [1, 2, 3, 4, 5, 100, 101],
      later: [
        [6, "new"],
        [7, null],
      ],
      reasons: ["n.range"],
      raw: [nasty.toString("hex").toUpperCase()],
      snapshots: [7],
    });
    expect(join(scratch.folder, "tables")).toBe(seen.metadata[0].slice("file://".length).split("/").slice(0, -3).join("/"));
  });
});
