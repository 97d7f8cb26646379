import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogTables } from "../conservation/iceberg-files.ts";
import { Rig } from "../crash/rig.ts";
import { produce } from "../live/harness/produce.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";

const plain = `
import sys, json, datetime, decimal
def plain(value):
    if isinstance(value, bytes) or isinstance(value, bytearray): return "0x" + bytes(value).hex()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, datetime.datetime): return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
    if isinstance(value, datetime.date): return value.isoformat()
    if isinstance(value, decimal.Decimal): return format(value, "f")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53: return str(value)
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [plain(v) for v in value]
    return value
def show(value): print(json.dumps(plain(value)))
`;

const pyiceberg = `${plain}
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
t = catalog.load_table("sluice.orders")
q = catalog.load_table("sluice.orders__quarantine")
def rows(table, key, **at): return table.scan(**at).to_arrow().sort_by(key).to_pylist()
held = [name for name in t.refs() if name.startswith("held/")]
first = next(s for s in t.snapshots() if s.summary.additional_properties.get("total-records") == "3")
show({
    "main": [{k: v for k, v in row.items() if not k.startswith("_sluice")} for row in rows(t, "id")],
    "offsets": [row["_sluice_offset"] for row in rows(t, "id")],
    "first": [row["id"] for row in rows(t, "id", snapshot_id=first.snapshot_id)],
    "firstId": str(first.snapshot_id),
    "held": [[row["id"] for row in rows(t, "id", snapshot_id=t.refs()[name].snapshot_id)] for name in held],
    "heldId": [str(t.refs()[name].snapshot_id) for name in held],
    "heldRaw": [q.scan(snapshot_id=q.refs()[name].snapshot_id).to_arrow().num_rows for name in held],
    "big": [row["id"] for row in rows(t, "id", row_filter="big = 9223372036854775807")],
    "exact": [row["id"] for row in rows(t, "id", row_filter="exact < 0")],
    "quarantine": [{k: row[k] for k in ("partition", "offset", "timestamp_ms", "key", "value", "headers", "state", "attempt")} | {"rules": [r["rule"] for r in row["reasons"]]} for row in rows(q, "offset")],
})
`;

const duckdb = `${plain}${duckdbWithIceberg}
promoted, quarantine, first, held = sys.argv[1:5]
duck.sql("set TimeZone = 'UTC'")
def rows(sql):
    found = duck.sql(sql)
    return [dict(zip(found.columns, row)) for row in found.fetchall()]
show({
    "main": rows(f"select * exclude (_sluice_source, _sluice_partition, _sluice_offset, _sluice_timestamp) replace (epoch_us(instant) as instant) from iceberg_scan('{promoted}') order by id"),
    "first": rows(f"select id from iceberg_scan('{promoted}', snapshot_from_id => {first}) order by id"),
    "held": rows(f"select id from iceberg_scan('{promoted}', snapshot_from_id => {held}) order by id"),
    "quarantine": rows(f"select key, value, headers, list_transform(reasons, lambda r: r.rule) as rules from iceberg_scan('{quarantine}') order by \\"offset\\""),
})
`;

/** What a record holds of every type, and what readers must find; null means that a reader finds null. */
const full = `{"id":1,"flag":true,"small":-2147483648,"big":9223372036854775807,"real":1.5,"double":-0.1,"exact":-1234567890123456789012345678.0123456789,
"day":"1969-12-31","clock":"23:59:59.999999","instant":"2026-03-01T01:00:00.123456+02:00","local":"2026-03-01T01:00:00.000001","text":"\\u0000\u{1f600}","bytes":"AP/+",
"any":{"n":1.0,"big":12345678901234567890},"nested":{"x":7,"inner":{"y":"deep"}},"list":[1,null,3],"objects":[{"z":1.25},{}]}`;
const found = {
  id: 1,
  flag: true,
  small: -2147483648,
  big: "9223372036854775807",
  real: 1.5,
  double: -0.1,
  exact: "-1234567890123456789012345678.0123456789",
  day: "1969-12-31",
  clock: "23:59:59.999999",
  instant: "2026-02-28T23:00:00.123456Z",
  local: "2026-03-01T01:00:00.000001",
  text: "\0\u{1f600}",
  bytes: "0x00fffe",
  any: '{"n":1.0,"big":12345678901234567890}',
  nested: { x: 7, inner: { y: "deep" } },
  list: [1, null, 3],
  objects: [{ z: "1.25" }, { z: null }],
};
const nothing = Object.fromEntries(Object.keys(found).map((name) => [name, name === "id" ? 2 : null]));
const least = { ...nothing, id: 3, list: [], nested: { x: null, inner: null }, text: "", objects: [], bytes: "0x" };

describe.skipIf(!pythonHere || !kafkaHere.available)("what `sluice run` wrote, by readers that no one here wrote", () => {
  let rig: Rig;
  let python: string;
  beforeAll(async () => {
    python = (await pythonReaders()) as string;
    const contract = readFileSync(new URL("every-type.odcs.yaml", import.meta.url), "utf8");
    rig = await Rig.open((await sharedBroker()).bootstrap, {
      partitions: 1,
      contract: (text) => contract.replace("TOPIC", /physicalName: (\S+)/.exec(text)?.[1] as string),
    });
    const time = Date.now();
    await produce(rig.bootstrap, rig.topic, [
      { value: full },
      { value: '{"id":2}' },
      {
        key: Buffer.from([0xff, 0]),
        value: Buffer.from([0x7b, 0xff, 0]),
        timestampMs: time,
        headers: [
          ["a", null],
          ["a", ""],
          ["b", Buffer.from([0xfe])],
        ],
      },
      { value: '{"id":3,"list":[],"nested":{},"text":"","objects":[],"bytes":""}' },
      { value: null },
    ]);
    const worker = rig.worker();
    await rig.caughtUp();
    await produce(rig.bootstrap, rig.topic, [...Array.from({ length: 11 }, (_, i) => ({ value: `{"id":${100 + i}}` })), { value: "bad" }]);
    await rig.caughtUp();
    await produce(rig.bootstrap, rig.topic, [{ value: '{"id":4}' }]);
    await rig.caughtUp();
    await rig.terminate(worker);
  }, 900_000);
  afterAll(() => rig.close());

  it("PyIceberg and DuckDB find every row, value, snapshot, branch and quarantined byte", { timeout: 300_000 }, async () => {
    const lake = join(rig.folder, "lake");
    const py = JSON.parse(await runPython(python, pyiceberg, [lake])) as Record<string, unknown>;
    // PyIceberg gives a null list of objects as an empty one (DuckDB, below, tells them apart).
    const none = { ...nothing, objects: [] };
    expect(py["main"]).toEqual([found, none, least, { ...none, id: 4 }]);
    expect(py["offsets"]).toEqual([0, 1, 3, 17]);
    expect(py["first"]).toEqual([1, 2, 3]);
    const held = Array.from({ length: 11 }, (_, i) => 100 + i);
    expect(py["held"]).toEqual([[1, 2, 3, ...held]]);
    expect([py["big"], py["exact"]]).toEqual([[1], [1]]);
    const raw = [
      {
        key: "0xff00",
        value: "0x7bff00",
        headers: [
          { key: "a", value: null },
          { key: "a", value: "0x" },
          { key: "b", value: "0xfe" },
        ],
        rules: ["json.utf8"],
      },
      { key: null, value: null, headers: [], rules: ["record.tombstone"] },
    ];
    expect(py["quarantine"]).toMatchObject(raw.map((row, i) => ({ ...row, partition: 0, offset: i * 2 + 2, state: "open", attempt: 0 })));

    const tables = catalogTables(rig.catalogFile);
    const paths = ["sluice.orders", "sluice.orders__quarantine"].map((name) => (tables.get(name) as string).replace("file://", ""));
    const args = [...paths, String(py["firstId"]), String((py["heldId"] as string[])[0])];
    const duck = JSON.parse(await runPython(python, duckdb, args)) as Record<string, unknown>;
    const micros = Date.parse("2026-02-28T23:00:00.123Z") * 1000 + 456;
    expect(duck["main"]).toEqual([{ ...found, instant: micros }, nothing, least, { ...nothing, id: 4 }]);
    expect(duck["first"]).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(duck["held"]).toHaveLength(14);
    expect(duck["quarantine"]).toEqual(raw);
  });
});
