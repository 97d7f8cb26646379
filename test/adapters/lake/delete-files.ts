import { randomBytes, randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { openLakeCatalog } from "../../../src/adapters/catalog/open-lake-catalog.ts";
import type { AvroRow } from "../../../src/adapters/iceberg/avro-schema.ts";
import { writeAddedManifest } from "../../../src/adapters/iceberg/table-io.ts";
import { changeOf } from "../../../src/adapters/lake/quarantine-plan.ts";
import { TableDraft } from "../../../src/adapters/iceberg/table-draft.ts";
import { snapshotOfRef } from "../../../src/adapters/iceberg/table-metadata.ts";
import { openStorage } from "../../../src/adapters/storage/open-storage.ts";
import { runPython } from "../../live/harness/python-readers.ts";
import { placeIn } from "./lake-fixture.ts";

/** A delete file to make; `name` below the table's data folder: an Avro file where it ends so, in a codec if `.zstd` or `.snappy` stands before that. */
export type DeleteSketch =
  | {
      readonly kind: "positions";
      readonly name: string;
      readonly rows: readonly (readonly [file: string, row: number])[];
      readonly referenced?: string;
    }
  | { readonly kind: "values"; readonly name: string; readonly columns: readonly DeleteColumn[] }
  | { readonly kind: "vector"; readonly name: string; readonly referenced: string; readonly rows: readonly number[] };

/** A column of an equality delete file: its id and name, PyArrow's name of its type, its values. */
export interface DeleteColumn {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly values: readonly unknown[];
}

/** PyArrow writes Parquet, PyIceberg Avro, and CRoaring's bitmaps go into Puffin files as Iceberg's specification has them. */
const write = `
import sys, json, struct, types, zlib
import pyarrow as pa, pyarrow.parquet as pq
from pyroaring import BitMap64
folder = sys.argv[1]
out = []
def codec_of(path): return next(({"avro.codec": each} for each in ("zstd", "snappy") if path.endswith("." + each + ".avro")), {})
def write_rows(table, path):
    if not path.endswith(".avro"): return pq.write_table(table, path, row_group_size=2)
    if "snappy" not in sys.modules:
        # PyIceberg packs by python-snappy; PyArrow's blocks are the same.
        codec = pa.Codec("snappy")
        sys.modules["snappy"] = types.SimpleNamespace(compress=lambda data: codec.compress(data, asbytes=True))
    from pyiceberg.avro.file import AvroOutputFile
    from pyiceberg.io.pyarrow import PyArrowFileIO, pyarrow_to_schema
    from pyiceberg.typedef import Record
    with AvroOutputFile(PyArrowFileIO().new_output("file://" + path), pyarrow_to_schema(table.schema), "deletes", metadata=codec_of(path)) as out:
        out.write_block([Record(*row.values()) for row in table.to_pylist()])
def field(name, type, id): return pa.field(name, type, metadata={"PARQUET:field_id": str(id)})
for each in json.loads(sys.argv[2]):
    path = folder + "/" + each["name"]
    if each["kind"] == "positions":
        rows = sorted(each["rows"])
        schema = pa.schema([field("file_path", pa.string(), 2147483546), field("pos", pa.int64(), 2147483545)])
        write_rows(pa.table([[r[0] for r in rows], [r[1] for r in rows]], schema=schema), path)
        out.append([len(rows), None, None])
    elif each["kind"] == "values":
        columns = each["columns"]
        schema = pa.schema([field(c["name"], pa.type_for_alias(c["type"]), c["id"]) for c in columns])
        write_rows(pa.table([pa.array(c["values"], pa.type_for_alias(c["type"])) for c in columns], schema=schema), path)
        out.append([len(columns[0]["values"]), None, None])
    else:
        body = bytes.fromhex("d1d33964") + BitMap64(each["rows"]).serialize()
        blob = struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))
        described = {"type": "deletion-vector-v1", "fields": [2147483645], "snapshot-id": -1, "sequence-number": -1, "offset": 4, "length": len(blob),
                     "properties": {"referenced-data-file": each["referenced"], "cardinality": str(len(each["rows"]))}}
        footer = json.dumps({"blobs": [described], "properties": {}}).encode()
        with open(path, "wb") as file: file.write(b"PFA1" + blob + b"PFA1" + footer + struct.pack("<i", len(footer)) + bytes(4) + b"PFA1")
        out.append([len(each["rows"]), 4, len(blob)])
print(json.dumps(out))
`;

/** Commits delete files to main of a dataset's promoted table, as another program would: a snapshot of its own, without any of Sluice's properties. */
export async function commitDeletes(
  python: string,
  folder: string,
  sketches: readonly DeleteSketch[],
  partition: { readonly specId: number; readonly record: AvroRow } = { specId: 0, record: {} },
): Promise<void> {
  const { storage, close: closeStorage } = await openStorage(placeIn(folder), { random: () => Math.random(), patienceMs: 10_000 });
  const ports = { clock: { now: () => Date.now() }, random: () => Math.random(), uuid: randomUUID, probe: () => {}, patienceMs: 10_000 };
  const { catalog, close } = await openLakeCatalog(placeIn(folder), { storage, ...ports });
  try {
    const base = (await catalog.load({ namespace: placeIn(folder).namespace, name: "orders" })) as NonNullable<
      Awaited<ReturnType<typeof catalog.load>>
    >;
    const data = join(base.metadata.location.slice("file://".length), "data");
    const written = JSON.parse(await runPython(python, write, [data, JSON.stringify(sketches)])) as [
      number,
      number | null,
      number | null,
    ][];
    const files = sketches.map((sketch, i): AvroRow => {
      const [rows, offset, bytes] = written[i] as [number, number | null, number | null];
      return {
        content: sketch.kind === "values" ? 2 : 1,
        file_path: `file://${data}/${sketch.name}`,
        file_format: sketch.kind === "vector" ? "PUFFIN" : sketch.name.endsWith(".avro") ? "AVRO" : "PARQUET",
        spec_id: partition.specId,
        partition: partition.record,
        record_count: BigInt(rows),
        file_size_in_bytes: BigInt(statSync(join(data, sketch.name)).size),
        equality_ids: sketch.kind === "values" ? sketch.columns.map(({ id }) => id) : null,
        referenced_data_file: (sketch.kind !== "values" && sketch.referenced) || null,
        content_offset: offset === null ? null : BigInt(offset),
        content_size_in_bytes: bytes === null ? null : BigInt(bytes),
      };
    });
    const io = { storage, uuid: randomUUID, randomBytes: (count: number) => randomBytes(count), probe: () => {} };
    const draft = new TableDraft(io, base.metadata);
    const snapshotId = randomBytes(8).readBigUInt64BE() >> 1n;
    await draft.append({
      snapshotId,
      parent: snapshotOfRef(base.metadata, "main"),
      branch: "main",
      manifests: [await writeAddedManifest(io, base.metadata, snapshotId, files)],
      merges: null,
      nowMs: Date.now(),
      summary: { operation: "delete" },
    });
    const outcome = await catalog.commit([changeOf(base, draft)]);
    if (outcome.status !== "committed") throw new Error("the delete met another commit");
  } finally {
    await close();
    closeStorage();
  }
}
