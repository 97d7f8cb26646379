import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contract, makeWindow, partitions, row } from "../adapters/lake/lake-fixture.ts";
import { readBranch } from "../adapters/lake/table-content.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import type { CatalogFixture } from "./catalog-fixture.ts";
import { catalogFixture } from "./catalog-fixture.ts";

const tokens = [
  { name: "reader", token: "reader-secret-0123456789", scope: "read", namespaces: null },
  { name: "writer", token: "writer-secret-0123456789", scope: "write", namespaces: null },
] as const;

const pyiceberg = `
import sys, json, pyarrow as pa
from pyiceberg.catalog.rest import RestCatalog
url = sys.argv[1]
def catalog(credential):
    return RestCatalog("lake", uri=url, credential=credential, scope="catalog", **{"header.X-Sluice-Job": "train", "header.X-Sluice-Run": "r1"})
reader = catalog("reader:reader-secret-0123456789")
writer = catalog("writer:writer-secret-0123456789")
def refusal(work):
    try:
        work()
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    return "it was not refused"
`;

const reads = `${pyiceberg}
table = reader.load_table("db.orders")
first = next(s for s in table.snapshots() if s.summary.additional_properties.get("sluice.window-id") == "w1")
print(json.dumps({
    "namespaces": reader.list_namespaces(), "tables": reader.list_tables("db"), "exists": reader.table_exists("db.nope"),
    "rows": table.scan(selected_fields=("n", "s")).to_arrow().sort_by("n").to_pylist(),
    "filtered": table.scan(row_filter="n > 1", selected_fields=("n",)).to_arrow().to_pylist(),
    "before": table.scan(snapshot_id=first.snapshot_id, selected_fields=("n",)).to_arrow().num_rows,
    "refused": refusal(lambda: table.delete("n = 1")),
    "unknown": refusal(lambda: catalog("reader:wrong-secret-0000000")),
    "main": str(table.current_snapshot().snapshot_id),
}))
`;

const writes = `${pyiceberg}
orders = writer.load_table("db.orders")
row = {"n": 1000, "s": "by hand", "_sluice_source": "hand", "_sluice_partition": 0, "_sluice_offset": 0, "_sluice_timestamp": None}
orders.append(pa.Table.from_pylist([row], schema=orders.schema().as_arrow()))
orders.manage_snapshots().create_tag(orders.current_snapshot().snapshot_id, "by-hand").create_branch(orders.current_snapshot().snapshot_id, "lab").commit()
orders.append(pa.Table.from_pylist([{**row, "n": 1001}], schema=orders.schema().as_arrow()), branch="lab")
orders.overwrite(orders.scan().to_arrow())
writer.create_namespace("lab")
writer.create_namespace(("lab", "deep"), {"owner": "ann"})
names = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("name", pa.string())])
own = writer.create_table(("lab", "deep", "names"), names)
own.append(pa.table({"id": [1, 2], "name": ["a", "b"]}, schema=names))
with own.update_schema() as change:
    change.add_column("score", __import__("pyiceberg").types.DoubleType())
with writer.create_table_transaction(("lab", "staged"), names) as staged:
    staged.append(pa.table({"id": [9], "name": ["z"]}, schema=names))
writer.rename_table(("lab", "staged"), ("lab", "deep", "moved"))
print(json.dumps({
    "positions": refusal(lambda: orders.transaction().set_properties({"sluice.positions": "[]"}).commit_transaction()),
    "schema": refusal(lambda: orders.update_schema().add_column("x", __import__("pyiceberg").types.IntegerType()).commit()),
    "drop": refusal(lambda: writer.drop_table("db.orders")),
    "own": own.scan().to_arrow().sort_by("id").to_pylist(),
    "moved": writer.load_table(("lab", "deep", "moved")).scan().to_arrow().to_pylist(),
    "listed": writer.list_tables(("lab", "deep")),
    "properties": writer.load_namespace_properties(("lab", "deep")),
}))
writer.purge_table(("lab", "deep", "moved"))
`;

const duckdb = `
import sys, json
${duckdbWithIceberg}
url = sys.argv[1]
duck.execute("CREATE SECRET lake (TYPE iceberg, TOKEN 'writer-secret-0123456789')")
duck.execute(f"ATTACH 'lake' AS lake (TYPE iceberg, ENDPOINT '{url}', SECRET lake)")
rows = duck.execute("SELECT n, s FROM lake.db.orders ORDER BY n").fetchall()
duck.execute("CREATE TABLE lake.lab.ducks (id BIGINT, name VARCHAR)")
duck.execute("INSERT INTO lake.lab.ducks VALUES (1, 'mallard'), (2, 'teal')")
duck.execute("INSERT INTO lake.lab.ducks VALUES (3, 'eider')")
print(json.dumps({"rows": rows, "ducks": duck.execute("SELECT count(*), max(id) FROM lake.lab.ducks").fetchall()}))
`;

describe.skipIf(!pythonHere)("clients as they stand", () => {
  let catalog: CatalogFixture;
  let python: string;
  beforeAll(async () => {
    python = (await pythonReaders()) as string;
    catalog = await catalogFixture({ anonymous: null, tokens });
    const { lake } = catalog;
    await lake.activate(contract);
    await lake.recordStart(
      "orders",
      partitions.map((key) => ({ ...key, next: 0n })),
    );
    await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), "bad"], rejected: [1] }));
    await lake.commitWindow(makeWindow({ id: "w2", from: 2n, values: [row(2)] }));
    await lake.commitWindow(makeWindow({ id: "h1", from: 3n, values: [row(66)], verdict: "hold" }));
  }, 900_000);
  afterAll(() => catalog.close());
  const run = async (script: string): Promise<unknown> => JSON.parse(await runPython(python, script, [catalog.url]));

  it("PyIceberg reads with credentials of OAuth, and what it read is on record with its job", async () => {
    const { main, ...answer } = (await run(reads)) as Record<string, unknown>;
    expect(answer).toEqual({
      namespaces: [["db"]],
      tables: [
        ["db", "orders"],
        ["db", "orders__quarantine"],
      ],
      exists: false,
      rows: [
        { n: 1, s: "s1" },
        { n: 2, s: "s2" },
      ],
      filtered: [{ n: 2 }],
      before: 1,
      refused: expect.stringMatching(/ForbiddenError.*reader may read; this needs write/) as string,
      unknown: expect.stringMatching(/invalid_client/) as string,
    });
    const read = await catalog.consumption();
    expect(read[0]).toMatchObject({ dataset: "orders", snapshotId: main, kind: "load", reader: "reader", job: "train", runId: "r1" });
    expect(read[0]?.details["userAgent"]).toMatch(/PyIceberg/);
  }, 120_000);

  it("PyIceberg appends, tags, branches and rewrites beside Sluice's windows, makes tables of its own, and is held to the rules", async () => {
    expect(await run(writes)).toEqual({
      positions: expect.stringMatching(/ForbiddenError.*sluice\.positions is Sluice's own/) as string,
      schema: expect.stringMatching(/ForbiddenError.*needs admin/) as string,
      drop: expect.stringMatching(/ForbiddenError.*needs admin/) as string,
      own: [
        { id: 1, name: "a", score: null },
        { id: 2, name: "b", score: null },
      ],
      moved: [{ id: 9, name: "z" }],
      listed: [
        ["lab", "deep", "moved"],
        ["lab", "deep", "names"],
      ],
      properties: { owner: "ann" },
    });
    await catalog.lake.commitWindow(makeWindow({ id: "w3", from: 4n, values: [row(4)] }));
    const { promoted } = await readBranch(catalog.folder, "orders");
    expect(promoted).toEqual(["hand:0:0=1000", "topic-a:0:0=1", "topic-a:0:2=2", "topic-a:0:4=4"]);
    expect((await catalog.lake.held("orders")).map((each) => each.windowId)).toEqual(["h1"]);
    await catalog.lake.publishHeld("orders", "h1", { author: "ann", reason: "test" });
    expect((await readBranch(catalog.folder, "orders")).promoted).toContain("topic-a:0:3=66");
  }, 120_000);

  it("DuckDB reads and writes with a bearer token", async () => {
    expect(await run(duckdb)).toMatchObject({
      rows: [
        [1, "s1"],
        [2, "s2"],
        [4, "s4"],
        [66, "s66"],
        [1000, "by hand"],
      ],
      ducks: [[3, 3]],
    });
    expect((await catalog.consumption()).some((each) => /duckdb/i.test(each.details["userAgent"] ?? ""))).toBe(true);
  }, 120_000);
});
