import type { FileMetrics } from "../core/encoded-file.ts";
import type { ColumnBounds } from "./column-bounds.ts";
import { joinBounds, manifestBound } from "./column-bounds.ts";
import type { Leaf } from "./file-schema.ts";
import type { StoredChunk } from "./footer.ts";

interface Totals {
  readonly leaf: Leaf;
  bytes: number;
  slots: number;
  nulls: number;
  nans: number;
  bounds: ColumnBounds | null;
}

/**
 * What a manifest says of a file's columns: sizes and counts of every leaf; null counts, NaN counts and bounds of those outside of lists and maps, as
 * Iceberg's scans prune by no others (https://iceberg.apache.org/spec/#manifests, data_file).
 */
export class FileMetricsTally {
  readonly #leaves = new Map<number, Totals>();

  add({ chunk, compressedBytes }: StoredChunk): void {
    const { leaf } = chunk;
    let totals = this.#leaves.get(leaf.id);
    if (totals === undefined) {
      totals = { leaf, bytes: 0, slots: 0, nulls: 0, nans: 0, bounds: null };
      this.#leaves.set(leaf.id, totals);
    }
    totals.bytes += compressedBytes;
    totals.slots += chunk.slots;
    totals.nulls += chunk.nulls;
    totals.nans += chunk.nans;
    totals.bounds = joinBounds(totals.bounds, chunk.bounds);
  }

  finish(): Omit<FileMetrics, "recordCount" | "fileSizeBytes" | "splitOffsets"> {
    const columnSizes = new Map<number, number>();
    const valueCounts = new Map<number, number>();
    const nullValueCounts = new Map<number, number>();
    const nanValueCounts = new Map<number, number>();
    const lowerBounds = new Map<number, Uint8Array>();
    const upperBounds = new Map<number, Uint8Array>();
    for (const [id, { leaf, bytes, slots, nulls, nans, bounds }] of this.#leaves) {
      columnSizes.set(id, bytes);
      valueCounts.set(id, slots);
      if (leaf.repetitionMax > 0) continue;
      const { type } = leaf;
      nullValueCounts.set(id, nulls);
      if (type.kind === "single" || type.kind === "double") nanValueCounts.set(id, nans);
      if (bounds === null) continue;
      const lower = manifestBound(type, bounds.lower, "lower");
      const upper = nans > 0 ? null : manifestBound(type, bounds.upper, "upper");
      if (lower !== null) lowerBounds.set(id, lower);
      if (upper !== null) upperBounds.set(id, upper);
    }
    return { columnSizes, valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds };
  }
}
