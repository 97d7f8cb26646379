import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { encodeAvroFile } from "../../src/adapters/iceberg/avro-file.ts";
import { nanosText } from "../../src/core/civil.ts";
import { pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { sluice } from "./sluice.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-check-nanoseconds-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const contract = join(folder, "ticks.odcs.yaml");
writeFileSync(
  contract,
  `apiVersion: v3.1.0
kind: DataContract
id: ticks
version: 1.0.0
status: active
schema:
  - name: ticks
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: at, logicalType: timestamp, physicalType: timestamptz_ns }
      - { name: wall, logicalType: timestamp, physicalType: "timestamp[ns]" }
    customProperties: [{ property: sluice, value: { formatVersion: 3 } }]
`,
);

/** The ends of 64 bits, both sides of the epoch, six digits that are enough and nine that are not. */
const counts: readonly (bigint | null)[] = [
  1_772_326_800_123_456_789n,
  1_772_326_800_123_456_000n,
  1_772_326_800_000_000_000n,
  -1n,
  -1000n,
  -123_456_789_012n,
  0n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  null,
];

const make = `
import sys, json, pyarrow as pa, pyarrow.parquet as pq
folder = sys.argv[1]
ns = [None if each is None else int(each) for each in json.loads(sys.argv[2])]
def table(at, wall): return pa.table({"id": pa.array(range(len(at)), pa.int64()), "at": at, "wall": wall})
whole = pa.array(ns, pa.int64())
nanos = table(whole.cast(pa.timestamp("ns", "Europe/Berlin")), whole.cast(pa.timestamp("ns")))
pq.write_table(nanos, folder + "/dictionary.parquet", version="2.6")
pq.write_table(nanos, folder + "/delta.parquet", use_dictionary=False, data_page_version="2.0", column_encoding={"at": "DELTA_BINARY_PACKED", "wall": "BYTE_STREAM_SPLIT"})
pq.write_table(nanos.slice(0, 8), folder + "/int96.parquet", use_deprecated_int96_timestamps=True)
for name, new in (("file.arrow", pa.ipc.new_file), ("stream.arrows", pa.ipc.new_stream)):
    with pa.OSFile(folder + "/" + name, "wb") as sink:
        with new(sink, nanos.schema) as writer: writer.write_table(nanos, max_chunksize=3)
coarse = table(pa.array([1772326800123, -1, 9223372036854, 9223372036855], pa.timestamp("ms", "UTC")), pa.array([1772326800, -1, 9223372036, -9223372037], pa.timestamp("s")))
pq.write_table(coarse, folder + "/millis.parquet")
`;

const read = `
import sys, json, pyarrow as pa, pyarrow.parquet as pq, pyarrow.ipc as ipc
def cells(table): return {name: [None if each is None else str(each) for each in table[name].cast(pa.int64()).to_pylist()] for name in ("at", "wall")}
parquet = pq.read_table(sys.argv[1])
with pa.memory_map(sys.argv[2]) as source: arrow = ipc.open_file(source).read_all()
print(json.dumps({"types": [str(each.schema.field(name).type) for each in (parquet, arrow) for name in ("at", "wall")], "parquet": cells(parquet), "arrow": cells(arrow)}))
`;

const texts = (values: readonly (bigint | null)[]): (string | null)[] => values.map((value) => (value === null ? null : String(value)));

interface Failure {
  readonly file: string;
  readonly line: number;
  readonly reasons: readonly { readonly rule: string }[];
}

interface Checked {
  readonly failures: readonly Failure[];
  /** What PyArrow reads of the Parquet and the Arrow file that were written. */
  readonly written: unknown;
  readonly profile: readonly Readonly<Record<string, unknown>>[];
}

async function check(python: string, name: string, files: readonly string[]): Promise<Checked> {
  const [parquet, arrow, profile] = [name, `${name}.arrow`, `${name}.json`].map((each) => join(folder, each)) as [string, string, string];
  const { out, err } = await sluice(["check", contract, ...files, "--parquet", parquet, "--arrow", arrow, "--profile", profile, "--json"]);
  expect(err).toBe("");
  const { failures } = JSON.parse(out) as { failures: readonly Failure[] };
  const { columns } = JSON.parse(readFileSync(profile, "utf8")) as { columns: Checked["profile"] };
  return { failures, written: JSON.parse(await runPython(python, read, [parquet, arrow])), profile: columns.slice(1) };
}

function writtenAs(at: readonly (bigint | null)[], wall: readonly (bigint | null)[]): unknown {
  const cells = { at: texts(at), wall: texts(wall) };
  return { types: ["timestamp[ns, tz=UTC]", "timestamp[ns]", "timestamp[ns, tz=UTC]", "timestamp[ns]"], parquet: cells, arrow: cells };
}

it.skipIf(!pythonHere)("nanoseconds of every kind of file are checked and written as they are", async () => {
  const python = (await pythonReaders()) as string;
  const input = join(folder, "in");
  mkdirSync(input);
  const place = (name: string): string => join(input, name);
  await runPython(python, make, [input, JSON.stringify(texts(counts))]);
  const lines = counts.map((count, id) => ({
    id,
    at: count === null ? null : nanosText(count, true),
    wall: count === null ? null : nanosText(count, false),
  }));
  writeFileSync(place("lines.ndjson"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  writeFileSync(place("lines.csv"), `id,at,wall\n${lines.map(({ id, at, wall }) => `${id},${at ?? ""},${wall ?? ""}\n`).join("")}`);
  const nullable = (logicalType: string): object => ["null", { type: "long", logicalType }] as object;
  const schema = {
    type: "record",
    name: "Tick",
    fields: [
      { name: "id", type: "long" },
      { name: "at", type: nullable("timestamp-nanos") },
      { name: "wall", type: nullable("local-timestamp-nanos") },
    ],
  };
  const rows = counts.map((count, id) => ({ id: BigInt(id), at: count, wall: count }));
  writeFileSync(place("rows.avro"), encodeAvroFile({ schema: schema as never, metadata: {}, rows }, new Uint8Array(16).fill(7)));

  for (const name of ["lines.csv", "rows.avro"])
    expect(await check(python, name.slice(-4), [place(name)])).toMatchObject({ failures: [], written: writtenAs(counts, counts) });
  const whole = ["dictionary.parquet", "delta.parquet", "file.arrow", "stream.arrows", "lines.ndjson"];
  const { failures, written, profile } = await check(python, "rest", [...whole, "int96.parquet", "millis.parquet"].map(place));
  // Milliseconds and seconds that are a little beyond what 64 bits of nanoseconds hold.
  expect(failures.map(({ file, line, reasons }) => [file, line, ...reasons.map(({ rule }) => rule)])).toEqual([
    [place("millis.parquet"), 4, "at.type", "wall.type"],
  ]);
  const before = [...whole.flatMap(() => counts), ...counts.slice(0, 8)];
  expect(written).toEqual(
    writtenAs(
      [...before, 1_772_326_800_123_000_000n, -1_000_000n, 9_223_372_036_854_000_000n],
      [...before, 1_772_326_800_000_000_000n, -1_000_000_000n, 9_223_372_036_000_000_000n],
    ),
  );
  expect(profile).toMatchObject([
    { path: "at", nulls: whole.length, min: "1677-09-21T00:12:43.145224192Z", max: "2262-04-11T23:47:16.854775807Z" },
    { path: "wall", nulls: whole.length, min: "1677-09-21T00:12:43.145224192", max: "2262-04-11T23:47:16.854775807" },
  ]);
});
