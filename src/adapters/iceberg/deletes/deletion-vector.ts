import { crc32 } from "node:zlib";
import { SluiceError } from "../../../core/errors.ts";
import type { Storage } from "../../../core/storage.ts";
import type { ManifestEntry } from "../manifest.ts";
import { pathOfUri } from "../storage-path.ts";
import type { DeletedRows } from "./deleted-rows.ts";
import { visitRoaring64 } from "./roaring-bitmap.ts";

const magic = 0x64_39_d3_d1;
const lengthBytes = 4;
const crcBytes = 4;
/** No vector of a file that fits one table is larger. */
const vectorBytesMax = 256 * 1024 * 1024;

/**
 * Deletes the rows of a `deletion-vector-v1` blob (Iceberg's Puffin specification); answers how many positions it has. Throws RangeError on bytes that
 * are none.
 */
export function applyDeletionVector(blob: Uint8Array, deleted: DeletedRows): number {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const length = view.getUint32(0);
  if (lengthBytes + length + crcBytes !== blob.byteLength)
    throw new RangeError(`a deletion vector says ${length} bytes where it has ${blob.byteLength - lengthBytes - crcBytes}`);
  const body = blob.subarray(lengthBytes, lengthBytes + length);
  if (view.getUint32(lengthBytes, true) !== magic) throw new RangeError("a deletion vector begins otherwise");
  if (view.getUint32(lengthBytes + length) !== crc32(body)) throw new RangeError("a deletion vector has another checksum");
  return visitRoaring64(body.subarray(4), (first, end) => deleted.addRun(first, end));
}

/** Reads the vector that a delete file's entry points to. Rejects with TABLE_CORRUPT. */
export async function readDeletionVector(storage: Storage, { file }: ManifestEntry, deleted: DeletedRows): Promise<void> {
  const uri = file.file_path as string;
  const [offset, size] = [Number(file.content_offset ?? -1), Number(file.content_size_in_bytes ?? -1)];
  if (offset < 0 || size < 0 || size > vectorBytesMax)
    throw new SluiceError("TABLE_CORRUPT", `${uri}: its manifest does not say where the deletion vector is`);
  const blob = await storage.readRange(pathOfUri(storage, uri), offset, offset + size);
  try {
    const count = applyDeletionVector(blob, deleted);
    if (BigInt(count) !== file.record_count) throw new RangeError(`it has ${count} positions of ${file.record_count as bigint}`);
  } catch (fault) {
    if (!(fault instanceof RangeError)) throw fault;
    throw new SluiceError("TABLE_CORRUPT", `the deletion vector at ${offset} of ${uri} can't be read: ${fault.message}`, { cause: fault });
  }
}
