import type { EncodedFile } from "../../core/encoded-file.ts";
import type { Storage } from "../../core/storage.ts";
import type { DataFile } from "./data-file.ts";

/** Writes an encoded file under a path, durable when it resolves. Rejects with STORAGE_FULL, STORAGE_FAILED or FILE_EXISTS, leaving no file. */
export async function writeEncodedFile(storage: Storage, path: string, encoded: EncodedFile): Promise<DataFile> {
  const { pieces, schema: _schema, partition: _partition, ...metrics } = encoded;
  const file = await storage.create(path);
  try {
    for (const piece of pieces) await file.write(piece);
    await file.close();
  } catch (fault) {
    await file.abort();
    throw fault;
  }
  return { path, ...metrics };
}
