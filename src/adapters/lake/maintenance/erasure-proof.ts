import { decodeManifest } from "../../iceberg/manifest.ts";
import { tableFolders } from "../../iceberg/storage-path.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { LakeContext } from "../lake-context.ts";
import type { Needle } from "./erasure-target.ts";
import { isInAvro, isInParquet } from "./erasure-values.ts";

/** What a scan of everything that there is found. */
export interface ErasureProof {
  readonly scanned: number;
  /** Paths of files in which the value is still, or which could not be read. */
  readonly remaining: readonly string[];
}

/** Whether a manifest keeps the value as a bound of the column; texts stand there cut, so that those which begin like it count too. */
function isInManifest(bytes: Uint8Array, { leafId, isBound }: Needle): boolean {
  if (leafId === null) return false;
  return decodeManifest(bytes).some(({ file }) =>
    [file.lower_bounds, file.upper_bounds].some((bounds) => {
      const bound = (bounds as ReadonlyMap<number, Uint8Array> | null | undefined)?.get(leafId);
      return bound !== undefined && isBound(bound);
    }),
  );
}

async function holds(context: LakeContext, path: string, needle: Needle, isQuarantine: boolean): Promise<boolean> {
  if (path.endsWith(".parquet")) return isInParquet(context.storage, path, needle, isQuarantine);
  const bytes = await context.storage.read(path);
  if (/-m\d+\.avro$/.test(path)) return isInManifest(bytes, needle);
  // Manifest lists are in the metadata folder: what is elsewhere has rows, which may be compressed.
  if (path.endsWith(".avro") && !path.includes("/metadata/")) return isInAvro(context.storage, path, needle, isQuarantine);
  return needle.isIn(bytes);
}

/**
 * Reads every file in a table's folder and its archives, whether a version reaches it or not, and says which still have the value. A file that can't be read counts as one
 * that has it; one that goes meanwhile does not.
 */
export async function proveErased(
  context: LakeContext,
  metadata: TableMetadata,
  needle: Needle,
  isQuarantine: boolean,
): Promise<ErasureProof> {
  const remaining: string[] = [];
  let scanned = 0;
  for (const folder of tableFolders(context.storage, metadata.location)) {
    for await (const path of context.storage.list(folder)) {
      scanned++;
      try {
        if (await holds(context, path, needle, isQuarantine)) remaining.push(path);
      } catch (fault) {
        if (!(fault instanceof SluiceError) || fault.code !== "NOT_FOUND") remaining.push(path);
      }
    }
  }
  return { scanned, remaining };
}
