import { avroCodecs, isAvroCodec } from "../../../core/avro/unpack-block.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { Storage } from "../../../core/storage.ts";
import { openAvroFile } from "../avro-file.ts";
import type { LeafVisit } from "../avro-leaves.ts";
import { visitAvroLeaves } from "../avro-leaves.ts";
import { pathOfUri } from "../storage-path.ts";

/** Whether a delete file is one of Avro, by what its manifest says. */
export function isAvro(format: unknown): boolean {
  return String(format).toUpperCase() === "AVRO";
}

/**
 * Visits every row of an Avro file of a table, with its number: `visitRow` gets a function that visits the row's values by the ids of their fields. Rejects
 * with TABLE_UNSUPPORTED (a codec that is not read here), TABLE_CORRUPT, NOT_FOUND.
 */
export async function visitAvroRows(
  storage: Storage,
  uri: string,
  visitRow: (visitLeaves: (visit: LeafVisit) => void, row: number) => void,
): Promise<void> {
  const bytes = await storage.read(pathOfUri(storage, uri));
  try {
    const { schema, metadata, rows } = openAvroFile(bytes);
    const codec = metadata["avro.codec"] ?? "null";
    if (!isAvroCodec(codec))
      throw new SluiceError("TABLE_UNSUPPORTED", `${uri} is compressed with ${codec}: ${avroCodecs.join(", ")} are read`);
    let number = 0;
    for (const row of rows) visitRow((visit) => visitAvroLeaves(schema, row, visit), number++);
  } catch (fault) {
    if (fault instanceof SluiceError) throw fault;
    throw new SluiceError("TABLE_CORRUPT", `${uri} can't be read: ${(fault as Error).message}`, { cause: fault });
  }
}
