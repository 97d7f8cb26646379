import type { Data, RecordBatch } from "apache-arrow";
import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { arrowBatch } from "../../src/arrow/arrow-batch.ts";
import { planArrow } from "../../src/arrow/arrow-schema.ts";
import { encodeBatch, encodeStart, streamEnd } from "../../src/arrow/ipc-message.ts";
import type { Batch } from "../../src/core/batch.ts";
import type { Contract } from "../../src/core/contract.ts";
import { openCompiledEngine, openReferenceEngine } from "../../src/gate/chunk-engine.ts";
import { batchOf } from "../adapters/iceberg/parquet-fixture.ts";
import { cellValue, invalid } from "../fixtures/column-value.ts";
import { type FieldSketch, makeContract, makeRecords } from "../fixtures/contract.ts";
import { pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { arrowValue } from "./arrow-value.ts";

const kinds = ["low", "middle", "high", ""];
const fields: Record<string, FieldSketch> = {
  flag: { type: "boolean" },
  small: { type: "int" },
  big: { type: "long" },
  real: { type: "float" },
  double: { type: "double" },
  exact: { type: { kind: "decimal", precision: 38, scale: 10 } },
  day: { type: "date" },
  clock: { type: "time" },
  instant: { type: "timestamp" },
  local: { type: { kind: "timestamp", zoned: false, unit: "micros" } },
  text: { type: "string" },
  kind: { type: "string" },
  bytes: { type: "binary" },
  uuid: { type: "uuid" },
  any: { type: "json" },
  nested: {
    type: "struct",
    of: { x: { type: "long" }, inner: { type: "struct", of: { y: { type: "string" }, kind: { type: "string" } } } },
  },
  list: { type: "list", of: { type: "list", of: { type: "int" } } },
  objects: { type: "list", of: { type: "struct", of: { z: { type: { kind: "decimal", precision: 5, scale: 2 } } } } },
  map: { type: "map", of: { type: "double" } },
};
const listed = (path: string, severity: "error" | "warning" = "error") => ({
  check: { family: "set", values: kinds.map((value) => ({ type: "string", value }) as const), negated: false } as const,
  path,
  severity,
});
const contract = makeContract(fields, {
  rules: [listed("kind"), listed("nested.inner.kind"), listed("text", "warning")],
  policies: { unknownFields: "keep" },
});

function streamOf(batches: readonly { readonly batch: Batch; readonly rows: Uint32Array }[], of: Contract = contract): Uint8Array {
  const plan = planArrow(of);
  const { schema, dictionaries } = encodeStart(plan);
  const messages = [schema, ...dictionaries, ...batches.map(({ batch, rows }) => encodeBatch(arrowBatch(plan, batch, rows)))];
  return Buffer.concat([...messages.map(({ bytes }) => bytes), streamEnd]);
}

/** Arrow has one word for null, missing and invalid. */
function plain(value: unknown): unknown {
  if (value === undefined || value === invalid) return null;
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [key, plain(each)]));
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

function expectSame(stream: Uint8Array, batches: readonly { readonly batch: Batch; readonly rows: Uint32Array }[]): void {
  const table = tableFromIPC(stream);
  expect(table.batches).toHaveLength(batches.length);
  for (const [i, { batch, rows }] of batches.entries()) {
    const columns = batch.unknown === null ? batch.columns : [...batch.columns, batch.unknown];
    const { data } = table.batches[i] as RecordBatch;
    const { children } = data;
    expect(children).toHaveLength(columns.length);
    for (const [c, column] of columns.entries()) {
      for (const [k, row] of rows.entries()) {
        const wanted = plain(cellValue(column, row));
        expect(arrowValue(children[c] as Data, k)).toEqual(
          column.field.type.kind === "float" ? wanted && Math.fround(wanted as number) : wanted,
        );
      }
    }
  }
}

const { rawJSON: raw } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "é", "x".repeat(40)));
const odd = fc.constantFrom(null, true, "odd", 1e300, [], {});
const often = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 8, arbitrary: value }, { weight: 1, arbitrary: odd });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => raw(String(value)));
const record = fc
  .record(
    {
      flag: often(fc.boolean()),
      small: often(fc.integer()),
      big: often(long),
      real: often(fc.float({ noNaN: true, noDefaultInfinity: true })),
      double: often(fc.double({ noNaN: true, noDefaultInfinity: true })),
      exact: often(fc.bigInt({ min: -(10n ** 28n), max: 10n ** 28n }).map((value) => raw(`${value}.0123456789`))),
      day: often(
        fc.date({ min: new Date(-1e13), max: new Date(1e13), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10)),
      ),
      clock: often(fc.constantFrom("00:00:00", "23:59:59.999999", "12:30:00.5")),
      instant: often(fc.constantFrom("2026-03-01T01:00:00.123456+02:00", "1969-12-31T23:59:59.999999Z")),
      local: often(fc.constantFrom("2026-03-01T01:00:00.000001", "1900-01-01T00:00:00")),
      text: often(text),
      kind: fc.constantFrom(...kinds, null),
      bytes: often(fc.constantFrom("", "AP/+", "AA==")),
      uuid: often(fc.uuid()),
      any: fc.json(),
      nested: often(
        fc.record(
          { x: often(long), inner: fc.record({ y: often(text), kind: fc.constantFrom(...kinds, null) }, { requiredKeys: [] }) },
          { requiredKeys: [] },
        ),
      ),
      list: often(fc.array(fc.option(fc.array(often(fc.integer()), { maxLength: 3 })), { maxLength: 3 })),
      objects: often(fc.array(often(fc.record({ z: often(fc.integer({ min: -999, max: 999 })) }, { requiredKeys: [] })), { maxLength: 3 })),
      map: often(
        fc.dictionary(
          fc.string({ maxLength: 3 }).filter((key) => key !== "__proto__"),
          often(fc.double({ noNaN: true, noDefaultInfinity: true })),
          { maxKeys: 3 },
        ),
      ),
      extra: text,
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value));

describe("rows as record batches of Arrow", () => {
  const engines = { compiled: openCompiledEngine(contract), reference: openReferenceEngine(contract) };

  it.each(["compiled", "reference"] as const)("hold what the columns do, cell by cell, whichever rows are chosen: %s", (kind) => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 40 }), fc.infiniteStream(fc.boolean()), (texts, choose) => {
        const batch = engines[kind].decode(makeRecords(texts), 0, new Map());
        const all = Uint32Array.from({ length: batch.rows }, (_, row) => row);
        const some = all.filter(() => choose.next().value === true);
        for (const rows of [all, some]) expectSame(streamOf([{ batch, rows }]), [{ batch, rows }]);
      }),
      { numRuns: 150 },
    );
  });

  it("look at the columns' own memory where all rows are taken and the layouts agree", () => {
    const batch = engines.compiled.decode(
      makeRecords(['{"big":1,"double":2,"exact":3,"instant":"2026-01-01T00:00:00Z","clock":"01:00:00"}']),
      0,
      new Map(),
    );
    const { children } = arrowBatch(planArrow(contract), batch, Uint32Array.of(0)).data;
    const memory = (batch.columns[2] as { readonly values: Float64Array }).values.buffer;
    const viewed = contract.fields.flatMap(({ name }, i) => ((children[i] as Data).values?.buffer === memory ? [name] : []));
    expect(viewed).toEqual(["big", "double", "exact", "clock", "instant", "local"]);
  });

  it("have dictionaries of the values that a rule leaves to rows that pass, and of no others", () => {
    const { schema, listed: known } = planArrow(contract);
    expect([...known.keys()]).toEqual(["kind", "nested.inner.kind"]);
    expect(schema.fields.map(({ type }) => String(type)).filter((type) => type.includes("Dictionary"))).toHaveLength(2);
    const batch = engines.compiled.decode(makeRecords(['{"kind":"none of them"}']), 0, new Map());
    expect(() => streamOf([{ batch, rows: Uint32Array.of(0) }])).toThrow("another value in kind");
    const where = { ...contract.rules.at(-3), where: {} } as unknown as Contract["rules"][number];
    expect(planArrow({ ...contract, rules: [where] }).listed.size).toBe(0);
  });

  it("are many batches under one schema, or none", () => {
    const first = engines.reference.decode(
      makeRecords(['{"kind":"low"}', '{"kind":"high","nested":{"inner":{"kind":"low"}}}']),
      0,
      new Map(),
    );
    const second = engines.reference.decode(makeRecords(['{"kind":null,"map":{"a":1}}']), 0, new Map());
    const batches = [
      { batch: first, rows: Uint32Array.of(1) },
      { batch: second, rows: Uint32Array.of(0) },
      { batch: first, rows: Uint32Array.of(0, 1) },
    ];
    expectSame(streamOf(batches), batches);
    expect(tableFromIPC(streamOf([])).numRows).toBe(0);
  });
});

/** Times in nanoseconds, whole and in lists. */
function nanoBatch(): { readonly contract: Contract; readonly batch: Batch } {
  const nanos = (zoned: boolean) => ({ type: { kind: "timestamp", zoned, unit: "nanos" } }) as const;
  const of = makeContract({ instant: nanos(true), local: nanos(false), list: { type: "list", of: nanos(true) } });
  const values = [
    { instant: 1_772_326_800_123_456_789n, local: -1n, list: [0n, null, 2n ** 63n - 1n] },
    { instant: null, local: -(2n ** 63n), list: null },
  ];
  return { contract: of, batch: batchOf(of.fields, values) };
}

it("nanoseconds are Arrow's, and views of the columns' own memory", () => {
  const { contract: of, batch } = nanoBatch();
  const rows = Uint32Array.of(0, 1);
  expectSame(streamOf([{ batch, rows }], of), [{ batch, rows }]);
  const { children } = arrowBatch(planArrow(of), batch, rows).data;
  expect((children[0] as Data).values.buffer).toBe((batch.columns[0] as { readonly exact: BigInt64Array }).exact.buffer);
});

const readers = `
import sys, json, pyarrow as pa, pyarrow.ipc as ipc, duckdb, datetime, decimal, uuid
rows = ipc.open_stream(sys.argv[1]).read_all()
rows.validate(full=True)
def plain(value):
    if isinstance(value, uuid.UUID): return str(value)
    if isinstance(value, bytes): return "0x" + value.hex()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None: return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)): return value.isoformat()
    if isinstance(value, decimal.Decimal): return format(value, "f")
    if isinstance(value, int) and not isinstance(value, bool): return str(value)
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [plain(v) for v in value]
    return value
kinds = duckdb.sql("select kind, count(*) from rows group by 1 order by 1 nulls first").fetchall()
print(json.dumps({"rows": plain(rows.to_pylist()), "types": [str(field.type) for field in rows.schema], "kinds": [[k, n] for k, n in kinds]}))
`;

describe.skipIf(!pythonHere)("PyArrow and DuckDB", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-arrow-batch-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("read nanoseconds", async () => {
    const python = (await pythonReaders()) as string;
    const { contract: of, batch } = nanoBatch();
    const path = join(folder, "nanos.arrows");
    writeFileSync(path, streamOf([{ batch, rows: Uint32Array.of(0, 1) }], of));
    const script = `
import sys, json, pyarrow as pa, pyarrow.ipc as ipc
rows = ipc.open_stream(sys.argv[1]).read_all()
rows.validate(full=True)
whole = pa.table({"instant": rows["instant"].cast(pa.int64()), "local": rows["local"].cast(pa.int64()), "list": rows["list"].cast(pa.list_(pa.int64()))})
print(json.dumps({"types": [str(field.type) for field in rows.schema], "rows": json.loads(json.dumps(whole.to_pylist()), parse_int=str)}))
`;
    expect(JSON.parse(await runPython(python, script, [path]))).toEqual({
      types: ["timestamp[ns, tz=UTC]", "timestamp[ns]", "list<item: timestamp[ns, tz=UTC]>"],
      rows: [
        { instant: "1772326800123456789", local: "-1", list: ["0", null, "9223372036854775807"] },
        { instant: null, local: "-9223372036854775808", list: null },
      ],
    });
  });

  it("read every type", { timeout: 300_000 }, async () => {
    const python = (await pythonReaders()) as string;
    const full = `{"flag":true,"small":-2147483648,"big":9223372036854775807,"real":1.5,"double":-0.1,"exact":-1234567890123456789012345678.0123456789,
"day":"1969-12-31","clock":"23:59:59.999999","instant":"2026-03-01T01:00:00.123456+02:00","local":"2026-03-01T01:00:00.000001","text":"\\u0000é","kind":"high","bytes":"AP/+",
"uuid":"F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6","any":{"n":1.0},"nested":{"x":7,"inner":{"y":"deep","kind":""}},"list":[[1,null],null,[]],"objects":[{"z":1.25},{}],"map":{"k":1.5},"more":[1]}`;
    const batch = openCompiledEngine(contract).decode(makeRecords([full, "{}", full, '{"kind":"low"}']), 0, new Map());
    const path = join(folder, "rows.arrows");
    writeFileSync(
      path,
      streamOf([
        { batch, rows: Uint32Array.of(0, 1) },
        { batch, rows: Uint32Array.of(0, 1, 2, 3) },
      ]),
    );
    const found = JSON.parse(await runPython(python, readers, [path])) as { rows: unknown[]; types: string[]; kinds: unknown };
    const values = {
      flag: true,
      small: "-2147483648",
      big: "9223372036854775807",
      real: 1.5,
      double: -0.1,
      exact: "-1234567890123456789012345678.0123456789",
      day: "1969-12-31",
      clock: "23:59:59.999999",
      instant: "2026-02-28T23:00:00.123456Z",
      local: "2026-03-01T01:00:00.000001",
      text: "\0é",
      kind: "high",
      bytes: "0x00fffe",
      uuid: "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
      any: '{"n":1.0}',
      nested: { x: "7", inner: { y: "deep", kind: "" } },
      list: [["1", null], null, []],
      objects: [{ z: "1.25" }, { z: null }],
      map: [["k", 1.5]],
      _sluice_unknown: '{"more":[1]}',
    };
    const nothing = Object.fromEntries(Object.keys(values).map((name) => [name, null]));
    expect(found.rows).toEqual([values, nothing, values, nothing, values, { ...nothing, kind: "low" }]);
    expect(found.kinds).toEqual([
      [null, 2],
      ["high", 3],
      ["low", 1],
    ]);
    expect(found.types).toEqual([
      "bool",
      "int32",
      "int64",
      "float",
      "double",
      "decimal128(38, 10)",
      "date32[day]",
      "time64[us]",
      "timestamp[us, tz=UTC]",
      "timestamp[us]",
      "string",
      "dictionary<values=string, indices=int8, ordered=0>",
      "binary",
      expect.stringContaining("uuid"),
      expect.stringContaining("json"),
      "struct<x: int64, inner: struct<y: string, kind: dictionary<values=string, indices=int8, ordered=0>>>",
      "list<item: list<item: int32>>",
      "list<item: struct<z: decimal128(5, 2)>>",
      "map<string, double>",
      expect.stringContaining("json"),
    ]);
  });
});
