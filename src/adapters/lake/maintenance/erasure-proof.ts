import { decodeManifest } from "../../iceberg/manifest.ts";
import { LeafReader } from "../../iceberg/parquet-leaf-reader.ts";
import { tableFolders } from "../../iceberg/storage-path.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { LakeContext } from "../lake-context.ts";
import { valuesByRow } from "./erasure-scan.ts";
import type { Needle } from "./erasure-target.ts";

/** What a scan of everything that there is found. */
export interface ErasureProof {
  readonly scanned: number;
  /** Paths of files in which the value is still, or which could not be read. */
  readonly remaining: readonly string[];
}

/** Whether a data file has the value: in the column that was named, or, as text, in any column of any row. */
async function isInDataFile(context: LakeContext, path: string, needle: Needle, isQuarantine: boolean): Promise<boolean> {
  const reader = await LeafReader.open(context.storage, path);
  // A promoted row may hold the same bytes in another column with every right; what quarantine has may be anything.
  const leaves = isQuarantine ? reader.leafIds : reader.leafIds.filter((id) => id === needle.leafId);
  for (const group of reader.rowGroups.keys()) {
    for (const id of leaves) {
      for (const values of await valuesByRow(reader, group, id))
        if (values.some((value) => isHit(value, needle, isQuarantine))) return true;
    }
  }
  return false;
}

function isHit(value: number | bigint | boolean | Uint8Array, needle: Needle, isQuarantine: boolean): boolean {
  if (!isQuarantine) return needle.matches(value);
  if (!(value instanceof Uint8Array)) return false;
  return needle.isKey ? needle.bytes.equals(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(needle.bytes);
}

/** Whether a manifest keeps the value as a bound of the column; texts stand there cut, so that those which begin like it count too. */
function isInManifest(bytes: Uint8Array, { leafId, bytes: wanted }: Needle): boolean {
  if (leafId === null) return false;
  return decodeManifest(bytes).some(({ file }) =>
    [file.lower_bounds, file.upper_bounds].some((bounds) => {
      const bound = (bounds as ReadonlyMap<number, Uint8Array> | null | undefined)?.get(leafId);
      return bound !== undefined && wanted.equals(bound);
    }),
  );
}

async function holds(context: LakeContext, path: string, needle: Needle, isQuarantine: boolean): Promise<boolean> {
  if (path.endsWith(".parquet")) return isInDataFile(context, path, needle, isQuarantine);
  const bytes = await context.storage.read(path);
  if (/-m\d+\.avro$/.test(path)) return isInManifest(bytes, needle);
  return Buffer.from(bytes).includes(needle.bytes);
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
