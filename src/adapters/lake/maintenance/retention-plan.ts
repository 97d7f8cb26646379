import type { RetentionRule } from "../../../core/retention.ts";
import type { IcebergField } from "../../../core/table-schema.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";

/** A data file of main (of a tag, where those go with main), and what a rule's conditions ask of it. */
export interface AgedFile {
  readonly entry: ManifestEntry;
  readonly bytes: number;
  /** Null where it is not known when its data came. */
  readonly promotedMs: number | null;
  /** Tags and branches of people that hold it, and do not go with it. */
  readonly otherRefs: readonly string[];
  /** The archive that it is in already; null: the warehouse. */
  readonly archive: string | null;
  /** Whether delete files may hit rows of it. */
  readonly mayHaveDeletes: boolean;
}

/** A file that a rule takes. */
export interface TakenFile {
  readonly file: AgedFile;
  /** Whether every row of it goes; else those older than the cutoff by the rule's column. */
  readonly isWhole: boolean;
}

export interface RetentionPlan {
  readonly taken: readonly TakenFile[];
  readonly skipped: readonly { readonly files: number; readonly why: string }[];
}

/** What a rule's conditions come to at a moment. */
export interface RetentionCutoffs {
  /** Rows before this are old, ms since the epoch; null: the rule states no age. */
  readonly olderMs: number | null;
  /** The column that ages go by; null: when data came. */
  readonly column: IcebergField | null;
  /** Files whose data came since then are too young to be unread; null: the rule does not ask. */
  readonly unreadMs: number | null;
  /** The newest sequence number that was read since then; null: nothing was. */
  readonly newestRead: bigint | null;
}

const dayMs = 86_400_000;

/** A date's or timestamp's ms since the epoch by its type, rounded down, from a physical value; null for another type. */
export function msOfTime(type: IcebergField["type"], value: number | bigint): number | null {
  if (type === "date") return Number(value) * dayMs;
  if (type === "timestamp" || type === "timestamptz") return Math.floor(Number(value) / 1000);
  if (type !== "timestamp_ns" && type !== "timestamptz_ns") return null;
  // Nanoseconds of today have more digits than a double.
  const nanos = BigInt(value);
  const ms = nanos / 1_000_000n;
  return Number(nanos < ms * 1_000_000n ? ms - 1n : ms);
}

function boundMs(bounds: unknown, { id, type }: IcebergField): number | null {
  const bytes = (bounds as ReadonlyMap<number, Uint8Array> | null | undefined)?.get(id);
  if (bytes === undefined) return null;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return msOfTime(type, type === "date" ? view.readInt32LE() : view.readBigInt64LE());
}

/** Whether all rows of a file are old (`whole`), some may be (`part`), or none is. */
function ageOf({ entry, promotedMs }: AgedFile, { olderMs, column }: RetentionCutoffs): "whole" | "part" | null {
  if (olderMs === null) return "whole";
  if (column === null) return promotedMs !== null && promotedMs < olderMs ? "whole" : null;
  const { lower_bounds: lowerBounds, upper_bounds: upperBounds, null_value_counts: nullCounts, record_count: rows } = entry.file;
  const nulls = (nullCounts as ReadonlyMap<number, bigint> | null | undefined)?.get(column.id) ?? null;
  if (nulls === rows) return null;
  const [lower, upper] = [boundMs(lowerBounds, column), boundMs(upperBounds, column)];
  if (lower !== null && lower >= olderMs) return null;
  // Rows without a value are of no age: they stay.
  return upper !== null && upper < olderMs && nulls === 0n ? "whole" : "part";
}

function isUnread({ entry, promotedMs }: AgedFile, { unreadMs, newestRead }: RetentionCutoffs): boolean {
  if (unreadMs === null) return true;
  if (promotedMs === null || promotedMs >= unreadMs) return false;
  return newestRead === null || (entry.sequence ?? 0n) > newestRead;
}

/** The oldest of some files beyond a size of all of them. */
function beyond(files: readonly AgedFile[], bytesMax: number): ReadonlySet<AgedFile> {
  const newestFirst = files.toSorted((a, b) => ((a.entry.sequence ?? 0n) < (b.entry.sequence ?? 0n) ? 1 : -1));
  let bytes = 0;
  return new Set(
    newestFirst.filter((file) => {
      bytes += file.bytes;
      return bytes > bytesMax;
    }),
  );
}

/** Why a file that would be archived is left where it is; null: it is moved. */
function faultOf(file: AgedFile): string | null {
  if (file.otherRefs.length > 0) return "tags or branches name them where they are";
  return file.mayHaveDeletes ? "delete files of another program may name them where they are" : null;
}

/** Which files a rule takes now. Pure. */
export function planRetention(rule: RetentionRule, files: readonly AgedFile[], cutoffs: RetentionCutoffs): RetentionPlan {
  const { action, bytesMax } = rule;
  const candidates = action === "archive" ? files.filter((file) => file.archive === null) : files;
  const over = bytesMax === null ? null : beyond(candidates, bytesMax);
  const taken: TakenFile[] = [];
  const skipped = new Map<string, number>();
  for (const file of candidates) {
    const age = ageOf(file, cutoffs);
    if (age === null || (action === "archive" && age === "part" && !isOldThroughout(file, cutoffs))) continue;
    if (!isUnread(file, cutoffs) || (over !== null && !over.has(file))) continue;
    const why = action === "archive" ? faultOf(file) : null;
    if (why === null) taken.push({ file, isWhole: age === "whole" });
    else skipped.set(why, (skipped.get(why) ?? 0) + 1);
  }
  return { taken, skipped: [...skipped].map(([why, count]) => ({ files: count, why })) };
}

/** For moving a file, rows without a value do not matter: the newest that has one must be old. */
function isOldThroughout({ entry }: AgedFile, { olderMs, column }: RetentionCutoffs): boolean {
  const upper = column === null ? null : boundMs(entry.file["upper_bounds"], column);
  return upper !== null && olderMs !== null && upper < olderMs;
}
