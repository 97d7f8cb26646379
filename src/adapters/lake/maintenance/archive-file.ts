import { createHash } from "node:crypto";
import { SluiceError } from "../../../core/errors.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { pathOfUri, uriOfPath } from "../../iceberg/storage-path.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { newPath } from "../table-files.ts";
import type { Exchange } from "./exchanged-files.ts";

const pieceBytes = 8 << 20;

/** The SHA-256 of a file, read piece by piece; each piece goes to `take` before the next is read. */
async function digest({ storage }: LakeContext, path: string, bytes: number, take: (piece: Uint8Array) => Promise<void>): Promise<string> {
  const hash = createHash("sha256");
  for (let from = 0; from < bytes; from += pieceBytes) {
    const piece = await storage.readRange(path, from, Math.min(bytes, from + pieceBytes));
    hash.update(piece);
    await take(piece);
  }
  return hash.digest("hex");
}

/**
 * Copies a data file to an archive under a new name, and reads the copy again: it is durable and the same when this resolves. The entry keeps all else: its
 * sequence number, its row ids and its bounds. Rejects with TABLE_CORRUPT where the copy is another, leaving none; STORAGE_*.
 */
export async function archiveFile(
  context: LakeContext,
  metadata: TableMetadata,
  entry: ManifestEntry,
  archive: string,
): Promise<Exchange & { readonly rows: number }> {
  const { storage } = context;
  const from = pathOfUri(storage, entry.file["file_path"] as string);
  const to = `@${archive}/${newPath(context, metadata, "archive")}`;
  const bytes = await storage.sizeBytes(from);
  const file = await storage.create(to);
  let before: string;
  try {
    before = await digest(context, from, bytes, (piece) => file.write(piece));
    await file.close();
  } catch (fault) {
    await file.abort();
    throw fault;
  }
  const size = await storage.sizeBytes(to);
  if (
    size !== bytes ||
    size !== Number(entry.file["file_size_in_bytes"]) ||
    (await digest(context, to, size, () => Promise.resolve())) !== before
  ) {
    await storage.delete(to);
    throw new SluiceError(
      "TABLE_CORRUPT",
      `the copy of ${from} in the archive ${archive} is another file, or it has another size than its manifest says`,
    );
  }
  context.probe("data-file.written");
  return {
    removed: [entry],
    added: [{ file: { ...entry.file, file_path: uriOfPath(storage, to) }, sequence: entry.sequence ?? 0n }],
    rows: Number(entry.file["record_count"]),
  };
}
