import { closeSync, openSync, readSync } from "node:fs";
import type { DataFile, DeleteFile, Snapshot } from "./iceberg-files.ts";
import { deleteFiles, liveFiles, localPath } from "./iceberg-files.ts";
import { Days, Micros, readFields, readRows } from "./parquet-rows.ts";

/** Row numbers of a 32-bit Roaring bitmap (its portable format), each with the bits above it; answers where the bitmap ends. */
function readBitmap(bytes: DataView, start: number, high: bigint, rows: Set<bigint>): number {
  let at = start;
  const cookie = bytes.getUint32(at, true);
  at += 4;
  const hasRuns = (cookie & 0xffff) === 12347;
  if (!hasRuns && cookie !== 12346) throw new Error(`no Roaring bitmap begins with ${cookie}`);
  const count = hasRuns ? (cookie >>> 16) + 1 : bytes.getUint32(at, true);
  if (!hasRuns) at += 4;
  const runs = at;
  if (hasRuns) at += Math.ceil(count / 8);
  const headers = Array.from({ length: count }, (_, i) => ({
    key: bytes.getUint16(at + 4 * i, true),
    cardinality: bytes.getUint16(at + 4 * i + 2, true) + 1,
    isRun: hasRuns && (bytes.getUint8(runs + (i >> 3)) & (1 << (i & 7))) !== 0,
  }));
  at += 4 * count;
  if (!hasRuns || count >= 4) at += 4 * count;
  for (const { key, cardinality, isRun } of headers) {
    const add = (low: number): void => void rows.add((high << 32n) | BigInt(key * 65_536 + low));
    if (isRun) {
      const runCount = bytes.getUint16(at, true);
      at += 2;
      for (let run = 0; run < runCount; run++, at += 4) {
        const first = bytes.getUint16(at, true);
        for (let low = first; low <= first + bytes.getUint16(at + 2, true); low++) add(low);
      }
    } else if (cardinality > 4096) {
      for (let low = 0; low < 65_536; low++) if ((bytes.getUint8(at + (low >> 3)) & (1 << (low & 7))) !== 0) add(low);
      at += 8192;
    } else {
      for (let i = 0; i < cardinality; i++) add(bytes.getUint16(at + 2 * i, true));
      at += 2 * cardinality;
    }
  }
  return at;
}

/** Rows of a deletion vector (Puffin specification, `deletion-vector-v1`). */
function readVector(path: string, offset: number, length: number): Set<bigint> {
  const blob = Buffer.alloc(length);
  const file = openSync(path, "r");
  try {
    if (readSync(file, blob, 0, length, offset) !== length) throw new Error(`${path} ends before its deletion vector does`);
  } finally {
    closeSync(file);
  }
  if (blob.readUInt32BE(0) !== length - 8 || blob.readUInt32BE(4) !== 0xd1d33964)
    throw new Error(`${path} holds no deletion vector at ${offset}`);
  const bytes = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const rows = new Set<bigint>();
  let at = 16;
  for (let left = blob.readBigUInt64LE(8); left > 0n; left--) at = readBitmap(bytes, at + 4, BigInt(bytes.getUint32(at, true)), rows);
  return rows;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (value instanceof Micros) return `us ${value.micros}`;
  if (value instanceof Days) return `d ${value.days}`;
  if (value instanceof Uint8Array) return `b ${Buffer.from(value).toString("hex")}`;
  return typeof value === "bigint" || typeof value === "number" ? `n ${value}` : `${typeof value} ${JSON.stringify(value)}`;
}

/** Whether an equality delete names a row of a data file, by its field ids. */
async function namedBy(deletes: DeleteFile, data: DataFile): Promise<(row: Record<string, unknown>) => boolean> {
  const tuple = (row: Record<string, unknown>, names: ReadonlyMap<number, string>): string =>
    deletes.equalityIds.map((id) => textOf(row[names.get(id) ?? ""])).join("\n");
  const wantedNames = readFields(deletes.path);
  const wanted = new Set((await readRows(deletes.path)).map((row) => tuple(row, wantedNames)));
  const names = readFields(data.path);
  return (row) => wanted.has(tuple(row, names));
}

/** Numbers of a data file's rows that a version's delete files take out (Iceberg specification, "Scan Planning"). */
async function deletedOf(data: DataFile, deletes: readonly DeleteFile[]): Promise<ReadonlySet<number>> {
  const gone = new Set<number>();
  const vector = deletes.find((each) => each.vector !== null && each.referenced === data.path && each.sequence >= data.sequence);
  if (vector?.vector !== null && vector !== undefined) {
    for (const row of readVector(vector.path, vector.vector.offset, vector.vector.length)) gone.add(Number(row));
  }
  for (const each of deletes) {
    if (each.vector !== null) continue;
    if (each.content === "positions") {
      // A vector holds what the files before it did.
      if (vector !== undefined || each.sequence < data.sequence || (each.referenced !== null && each.referenced !== data.path)) continue;
      for (const row of await readRows(each.path)) if (localPath(String(row["file_path"])) === data.path) gone.add(Number(row["pos"]));
    } else if (each.sequence > data.sequence && (each.isEverywhere || each.partition === data.partition)) {
      const isNamed = await namedBy(each, data);
      for (const [i, row] of (await readRows(data.path)).entries()) if (isNamed(row)) gone.add(i);
    }
  }
  return gone;
}

/** A row of a version, and whether a delete file of another program takes it out. */
export interface VersionRow {
  readonly row: Record<string, unknown>;
  readonly file: string;
  readonly isDeleted: boolean;
}

/** Rows of some of a version's data files (all of them without `files`), those that its delete files take out included. */
export async function rowsOfVersion(snapshot: Snapshot, files?: readonly DataFile[]): Promise<VersionRow[]> {
  const rows: VersionRow[] = [];
  const deletes = await deleteFiles(snapshot);
  for (const file of files ?? (await liveFiles(snapshot))) {
    const gone = deletes.length === 0 ? null : await deletedOf(file, deletes);
    for (const [i, row] of (await readRows(file.path)).entries()) rows.push({ row, file: file.path, isDeleted: gone?.has(i) === true });
  }
  return rows;
}
