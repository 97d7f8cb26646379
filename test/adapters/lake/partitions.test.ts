import { describe, expect, it } from "vitest";
import type { Contract } from "../../../src/core/contract.ts";
import type { Lake } from "../../../src/core/ports.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../../live/harness/python-readers.ts";
import { collect, commitNext, scratchFolder, startedWith } from "./lake-fixture.ts";
import { odcs } from "./odcs-fixture.ts";

function promote(lake: Lake, contract: Contract, rows: readonly object[], hold = false): Promise<string> {
  const values = rows.map((row) => JSON.stringify(row).replace(/"d":"([^"]+)"/, '"d":$1'));
  return commitNext(lake, contract, values, hold ? { verdict: "hold" } : {});
}

const columns = [
  "{ name: i, logicalType: integer, physicalType: int }",
  "{ name: l, logicalType: integer }",
  '{ name: d, logicalType: number, physicalType: "decimal(20,2)" }',
  "{ name: s, logicalType: string }",
  "{ name: b, logicalType: string, physicalType: binary }",
  "{ name: day, logicalType: date }",
  "{ name: ts, logicalType: timestamp }",
  "{ name: local, logicalType: timestamp, logicalTypeOptions: { timezone: false } }",
  "{ name: flag, logicalType: boolean }",
  "{ name: in, logicalType: object, properties: [{ name: s, logicalType: string }] }",
];

const rows = [
  {
    i: 1,
    l: 10,
    d: "10.65",
    s: "alpha",
    b: "AAEC",
    day: "2026-01-31",
    ts: "2026-01-31T23:59:59Z",
    local: "1969-12-31T23:59:59",
    flag: true,
    in: { s: "x" },
  },
  {
    i: -1,
    l: -10,
    d: "-0.01",
    s: "\u{1f600}\u{1f601}b",
    b: "",
    day: "1969-12-31",
    ts: "1969-12-31T23:59:59Z",
    local: "2026-02-01T00:00:00",
    flag: false,
    in: {},
  },
  { i: null, l: null, d: null, s: null, b: null, day: null, ts: null, local: null, flag: null, in: null },
  {
    i: 2147483647,
    l: 9007199254740991,
    d: "123456789012345678.90",
    s: "",
    b: "//8=",
    day: "2026-02-01",
    ts: "2026-02-01T00:00:00Z",
    local: "2026-02-01T00:30:00",
    flag: true,
    in: { s: "" },
  },
  {
    i: 1,
    l: 11,
    d: "10.99",
    s: "alpine",
    b: "AAED",
    day: "2026-01-30",
    ts: "2026-01-31T00:00:00Z",
    local: "1969-12-31T23:00:00",
    flag: true,
    in: { s: "x" },
  },
];

const open = `
import sys, json
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
t = catalog.load_table("db.orders")
`;

/** Every partition value that PyIceberg computes of a file's rows by itself is the one in the manifest; scans with filters answer as those without. */
const everyTransform = `${duckdbWithIceberg}${open}
import datetime, pyarrow.parquet as pq, pyarrow.compute as pc
from pyiceberg.expressions import EqualTo, IsNull
from pyiceberg.table import DataScan
schema = t.schema()
wrong, files = [], 0
for task in t.scan().plan_files():
    spec = t.specs()[task.file.spec_id]
    table = t.scan().to_arrow().slice(0, 0)
    read = pq.ParquetFile(task.file.file_path.replace("file://", "")).read()
    files += 1
    for at, field in enumerate(spec.fields):
        column = schema.find_column_name(field.source_id).split(".")
        values = read[column[0]].to_pylist()
        if len(column) > 1: values = [None if v is None else v.get(column[1]) for v in values]
        kind = schema.find_type(field.source_id)
        found = set()
        for value in values:
            if value is None: found.add(None)
            else:
                if isinstance(value, datetime.datetime):
                    stamp = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
                    value = (stamp - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)
                elif isinstance(value, datetime.date): value = (value - datetime.date(1970, 1, 1)).days
                found.add(field.transform.transform(kind)(value))
        if found != {task.file.partition[at]}: wrong.append([field.name, str(found), str(task.file.partition[at])])
print(json.dumps({
    "wrong": wrong,
    "files": files,
    "rows": t.scan().to_arrow().num_rows,
    "names": [f.name for f in t.spec().fields],
    "partitions": t.inspect.partitions().num_rows,
    "duck": [r[0] for r in duck.sql(f"select _sluice_offset from iceberg_scan('{t.metadata_location}') order by 1").fetchall()],
}))
`;

describe.skipIf(!pythonHere)("partitions from the contract", () => {
  const transforms: readonly (readonly [string, string])[] = [
    ["identities", "[i, l, d, s, b, day, ts, local, flag, in.s]"],
    [
      "buckets",
      "[i bucket(4), l bucket(4), d bucket(4), s bucket(4), b bucket(4), day bucket(4), ts bucket(4), local bucket(4), in.s bucket(4)]",
    ],
    ["truncations", "[i truncate(10), l truncate(100), d truncate(50), s truncate(2), b truncate(2)]"],
    ["years, months, days and hours", "[day year, ts month, local hour]"],
    ["days", "[day day, ts day, local day]"],
  ];
  it.each(transforms)("of %s are what PyIceberg makes of the same rows", { timeout: 300_000 }, async (_, text) => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const parts = text
      .slice(1, -1)
      .split(", ")
      .map((part) => part.split(" "));
    const fields = parts.map(([column, transform]) => `{ column: ${column}${transform === undefined ? "" : `, transform: ${transform}`} }`);
    const contract = await odcs(1, columns, `{ partitionBy: [${fields.join(", ")}] }`);
    const lake = await startedWith(scratch.folder, contract);
    await promote(lake, contract, rows);
    await lake.close();
    const seen = JSON.parse(await runPython(python, everyTransform, [scratch.folder]));
    expect(seen).toMatchObject({ wrong: [], rows: 5, duck: [0, 1, 2, 3, 4] });
    expect(seen.partitions).toBe(seen.files);
    expect(seen.names).toHaveLength(parts.length);
  });

  const pruning = `${duckdbWithIceberg}${open}
def files(filter): return sorted(int(task.file.record_count) for task in t.scan(row_filter=filter).plan_files())
def ids(filter): return sorted(t.scan(row_filter=filter).to_arrow()["id"].to_pylist())
def scanned(where):
    plan = duck.sql(f"explain analyze select id from iceberg_scan('{t.metadata_location}') where {where}").fetchall()[0][1]
    import re
    return int(re.search(r"Total Files Read:\\s*(\\d+)", plan).group(1))
manifests = t.current_snapshot().manifests(t.io)
print(json.dumps({
    "specs": {str(k): [f"{f.field_id} {f.name} {f.transform}" for f in v.fields] for k, v in t.specs().items()},
    "default": t.spec().spec_id,
    "manifests": sorted(m.partition_spec_id for m in manifests),
    "day": [files("day = '2026-01-02'"), ids("day = '2026-01-02'")],
    "region": [files("region = 'eu' and day = '2026-01-03'"), ids("region = 'eu' and day = '2026-01-03'")],
    "all": ids("id >= 0"),
    "duckDay": scanned("day = DATE '2026-01-02'"),
    "duckAll": scanned("id >= 0"),
    "duck": [r[0] for r in duck.sql(f"select id from iceberg_scan('{t.metadata_location}') where day = DATE '2026-01-02' order by 1").fetchall()],
    "held": sorted(r for name, ref in t.refs().items() if name.startswith("held/") for r in t.scan(snapshot_id=ref.snapshot_id).to_arrow()["id"].to_pylist()),
    "changed": [s.summary.additional_properties.get("changed-partition-count") for s in t.snapshots() if s.summary.additional_properties.get("sluice.change") in ("window", "publish")],
    "files": t.inspect.files().num_rows,
}))
`;

  it(
    "change with a new contract: old files keep theirs, readers prune in both, held windows publish exactly their files",
    { timeout: 300_000 },
    async () => {
      const python = (await pythonReaders()) as string;
      using scratch = scratchFolder();
      const fields = ["{ name: id, logicalType: integer }", "{ name: region, logicalType: string }", "{ name: day, logicalType: date }"];
      const row = (id: number, region: string, day: number): object => ({ id, region, day: `2026-01-0${day}` });
      const one = await odcs(1, fields);
      const lake = await startedWith(scratch.folder, one);
      await promote(lake, one, [row(1, "eu", 1), row(2, "us", 1)]);
      const two = await odcs(2, fields, "{ partitionBy: [{ column: day }] }");
      await lake.activate(two);
      await promote(lake, two, [row(3, "eu", 1), row(4, "us", 2), row(5, "eu", 2)]);
      const heldId = await promote(lake, two, [row(6, "eu", 2), row(7, "us", 3)], true);
      const three = await odcs(3, fields, "{ partitionBy: [{ column: day }, { column: region }] }");
      await lake.activate(three);
      await promote(lake, three, [row(8, "eu", 3), row(9, "us", 3), row(10, "eu", 3)]);
      await lake.publishHeld("orders", heldId, { author: "ann", reason: "good" });
      // The same again makes no new spec.
      await lake.activate(await odcs(4, fields, "{ partitionBy: [{ column: day }] }"));
      await lake.activate(await odcs(5, fields));
      expect((await lake.state("orders")).layout.spec["spec-id"]).toBe(1);
      expect(await collect(lake.history("orders", 0n))).toHaveLength(5);
      await lake.close();
      const seen = JSON.parse(await runPython(python, pruning, [scratch.folder]));
      expect(seen).toEqual({
        specs: { 0: [], 1: ["1000 day identity"], 2: ["1000 day identity", "1001 region identity"] },
        default: 1,
        manifests: [0, 1, 1, 2],
        day: [
          [1, 2],
          [4, 5, 6],
        ],
        region: [[2], [8, 10]],
        all: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        duckDay: 2,
        duckAll: 7,
        duck: [4, 5, 6],
        held: [],
        changed: ["1", "2", "2", "0", "2", "2"],
        files: 7,
      });
    },
  );
});
