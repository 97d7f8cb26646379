import type { CompactionPolicy } from "../../../core/lake-maintenance.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { keyOfPartition } from "../../iceberg/table-io.ts";
import type { VersionEntries } from "./version-entries.ts";

/** Files that are to become one, in the order of their sequence numbers. */
export interface CompactionGroup {
  readonly entries: readonly ManifestEntry[];
  /** The newest of theirs. */
  readonly sequence: bigint;
}

export interface CompactionPlan {
  readonly groups: readonly CompactionGroup[];
  readonly skipped: readonly { readonly files: number; readonly why: string }[];
}

/** A file of this share of the target is large enough: rewriting it once more would gain little. */
const largeShare = 0.75;

/** A data file's size. */
export function bytesOf({ file }: ManifestEntry): number {
  return Number(file.file_size_in_bytes);
}

function sequenceOf(entry: ManifestEntry): bigint {
  return entry.sequence ?? 0n;
}

/** Cuts files that stand together into groups near the target's size. */
function binPack(
  entries: readonly ManifestEntry[],
  { policy: { fileBytesTarget, filesMin }, rowsMax }: CompactionLimits,
  isUrgent: (entry: ManifestEntry) => boolean,
): ManifestEntry[][] {
  const groups: ManifestEntry[][] = [];
  let open: ManifestEntry[] = [];
  let bytes = 0;
  let rows = 0;
  for (const entry of entries) {
    const own = Number(entry.file.record_count);
    if (open.length > 0 && (bytes + bytesOf(entry) > fileBytesTarget || rows + own > rowsMax)) {
      groups.push(open);
      open = [];
      bytes = 0;
      rows = 0;
    }
    open.push(entry);
    bytes += bytesOf(entry);
    rows += own;
  }
  groups.push(open);
  // A group that is full is worth it with two files, one that has room waits for more.
  const isFull = (group: readonly ManifestEntry[], i: number): boolean =>
    group.length >= (i < groups.length - 1 ? 2 : Math.max(2, filesMin));
  return groups.filter((group, i) => isFull(group, i) || group.some(isUrgent));
}

/** What a plan goes by besides the version. */
export interface CompactionLimits {
  readonly policy: CompactionPolicy;
  /** Only files with nothing between them become one, so that what is newer stays newer. */
  readonly inOrder: boolean;
  /** Whether a file stands in an archive, and stays there. */
  readonly isArchived: (uri: string) => boolean;
  /** Delete files that take rows from a file. */
  readonly deletesOf: (entry: ManifestEntry) => readonly ManifestEntry[];
  /** So many rows at most become one file. */
  readonly rowsMax: number;
}

/** Once so large a share of a file's rows is deleted by their places, readers gain by its being written anew. */
const deletedShareDefault = 0.1;

/**
 * Whether deletes alone are worth writing a file anew: many of its rows, or deletes by value, which every reader of it has to compare with. Those that came
 * before the file was put where it is were applied then, though its rows are older: whoever writes a file anew leaves out what is deleted.
 */
function isBurdened(entry: ManifestEntry, deletes: readonly ManifestEntry[], shareMin: number): boolean {
  const byPlace = deletes.filter(({ file }) => file.content === 1);
  const rows = byPlace.reduce((sum, { file }) => sum + Number(file.record_count), 0);
  if (rows >= Number(entry.file.record_count) * shareMin && rows > 0) return true;
  return deletes.some(({ file, sequence }) => file.content === 2 && (sequence ?? 0n) > (entry.fileSequence ?? entry.sequence ?? 0n));
}

/** Which files of a version should become one: small ones of the same partition, and those that delete files have made a burden. Pure. */
export function planCompaction(version: VersionEntries, limits: CompactionLimits): CompactionPlan {
  const { policy, inOrder, isArchived, deletesOf } = limits;
  const skipped = new Map<string, number>();
  const skip = (why: string): void => void skipped.set(why, (skipped.get(why) ?? 0) + 1);
  const isUrgent = (entry: ManifestEntry): boolean => isBurdened(entry, deletesOf(entry), policy.deletedShareMin ?? deletedShareDefault);
  const isFit = (entry: ManifestEntry): boolean => {
    if (isArchived(entry.file.file_path as string)) return false;
    if (bytesOf(entry) >= policy.fileBytesTarget * largeShare && !isUrgent(entry)) return false;
    if ((entry.file.key_metadata ?? null) !== null) skip("they are encrypted");
    else if (entry.file.file_format !== "PARQUET" && entry.file.file_format !== "parquet")
      skip(`they are ${entry.file.file_format as string} files`);
    else return true;
    return false;
  };
  const ordered = version.files.toSorted((a, b) => (sequenceOf(a) < sequenceOf(b) ? -1 : sequenceOf(a) > sequenceOf(b) ? 1 : 0));
  const stretches = new Map<string, ManifestEntry[][]>();
  for (const entry of ordered) {
    const { file } = entry;
    const key = `${(file.spec_id ?? 0) as number} ${keyOfPartition((file.partition ?? {}) as AvroRow)}`;
    const list = stretches.get(key) ?? [[]];
    stretches.set(key, list);
    if (isFit(entry)) (list.at(-1) as ManifestEntry[]).push(entry);
    else if (inOrder) list.push([]);
  }
  const groups = [...stretches.values()].flat().flatMap((stretch) => binPack(stretch, limits, isUrgent));
  return {
    groups: groups.map((entries) => ({ entries, sequence: sequenceOf(entries.at(-1) as ManifestEntry) })),
    skipped: [...skipped].map(([why, files]) => ({ files, why })),
  };
}
