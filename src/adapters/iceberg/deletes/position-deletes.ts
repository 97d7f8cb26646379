import { SluiceError } from "../../../core/errors.ts";
import type { Storage } from "../../../core/storage.ts";
import type { IcebergField } from "../../../core/table-schema.ts";
import type { ManifestEntry } from "../manifest.ts";
import { readPhysicalColumns } from "../parquet-column-reader.ts";
import { pathOfUri } from "../storage-path.ts";
import { isAvro, visitAvroRows } from "./avro-deletes.ts";

/** Reserved field ids of position delete files (Iceberg spec, "Position Delete Files"). */
export const positionDeleteIds = { path: 2_147_483_546, position: 2_147_483_545 } as const;

const fields: readonly IcebergField[] = [
  { id: positionDeleteIds.path, name: "file_path", required: true, type: "string" },
  { id: positionDeleteIds.position, name: "pos", required: true, type: "long" },
];

/** Positions in memory at once; a file of more is for its writer to compact. */
const positionsMax = 50_000_000;

/** Deleted positions by the URI of their data file. */
export type PositionsByFile = ReadonlyMap<string, readonly number[]>;

/** Rejects with TABLE_UNSUPPORTED delete files that are neither Parquet nor Avro, or larger than what is read. */
export function checkDeleteFile({ file }: ManifestEntry, rowsMax: number): void {
  const [uri, format] = [file.file_path as string, file.file_format as string];
  if (format.toUpperCase() !== "PARQUET" && !isAvro(format))
    throw new SluiceError(
      "TABLE_UNSUPPORTED",
      `delete file ${uri} is ${format}: Parquet and Avro are read; have its writer rewrite the data files`,
    );
  if ((file.key_metadata ?? null) !== null) throw new SluiceError("TABLE_UNSUPPORTED", `delete file ${uri} is encrypted`);
  if (Number(file.record_count) > rowsMax) {
    const message = `delete file ${uri} has ${file.record_count as bigint} rows, more than the ${rowsMax} that are read at once`;
    throw new SluiceError("TABLE_UNSUPPORTED", `${message}: have its writer rewrite the data files`);
  }
}

/** Reads a position delete file. Rejects with TABLE_CORRUPT, TABLE_UNSUPPORTED, NOT_FOUND. */
export async function readPositionDeletes(storage: Storage, entry: ManifestEntry): Promise<PositionsByFile> {
  checkDeleteFile(entry, positionsMax);
  const uri = entry.file.file_path as string;
  const positions = new Map<string, number[]>();
  let [last, list]: [string | null, number[]] = [null, []];
  const add = (bytes: unknown, row: unknown, i: number): void => {
    if (!(bytes instanceof Uint8Array) || typeof row !== "bigint")
      throw new SluiceError("TABLE_CORRUPT", `${uri} is no position delete file: row ${i} has no path and position`);
    const path = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    // Rows are sorted by path: most follow one of the same file.
    if (path !== last) {
      list = positions.get(path) ?? [];
      positions.set(path, list);
      last = path;
    }
    list.push(Number(row));
  };
  if (isAvro(entry.file.file_format)) {
    await visitAvroRows(storage, uri, (visitLeaves, i) => {
      const found = new Map<number, unknown>();
      visitLeaves((id, value) => found.set(id, value));
      add(found.get(positionDeleteIds.path), found.get(positionDeleteIds.position), i);
    });
    return positions;
  }
  for await (const { count, values } of readPhysicalColumns(storage, pathOfUri(storage, uri), ["file_path", "pos"], fields)) {
    const [paths, rows] = [values.get("file_path") ?? [], values.get("pos") ?? []];
    for (let i = 0; i < count; i++) add(paths[i], rows[i], i);
  }
  return positions;
}
