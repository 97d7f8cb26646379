import type { FilePlace } from "../../../core/lake-trace.ts";
import { ManifestCache } from "../../iceberg/manifest-cache.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import type { HeldFile } from "./held-files.ts";
import { everyVersion, heldFiles, namedVersions } from "./held-files.ts";

/** See `LakeTraces.findFile`. */
export async function findFile(context: LakeContext, dataset: string, path: string): Promise<FilePlace | null> {
  const tables = await loadTables(context, dataset);
  return (
    (await findIn(context, tables.promoted.metadata, "promoted", path)) ?? findIn(context, tables.quarantine.metadata, "quarantine", path)
  );
}

async function findIn(context: LakeContext, metadata: TableMetadata, table: FilePlace["table"], path: string): Promise<FilePlace | null> {
  const cache = new ManifestCache();
  const isIt = (uri: string): boolean => uri === path || uri.endsWith(`/${path.replace(/^\//, "")}`);
  for (const versions of [namedVersions(metadata), everyVersion(metadata)]) {
    for (const [uri, live] of await heldFiles(context, versions, cache)) if (isIt(uri)) return placeOf(live, table);
  }
  return null;
}

/** A held file as `trace` tells of it. */
export function placeOf({ entry: { file }, addedBy, refs }: HeldFile, table: FilePlace["table"]): FilePlace {
  return {
    file: file.file_path as string,
    table,
    addedBy: addedBy.toString(),
    rows: file.record_count as bigint,
    bytes: file.file_size_in_bytes as bigint,
    refs: [...refs],
  };
}
