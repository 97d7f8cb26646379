import type { BoundBytes } from "./column-bounds.ts";
import { compareBounds, lowerStatistic, upperStatistic } from "./column-bounds.ts";
import type { ColumnChunk, Page } from "./column-writer.ts";
import { zstdCodec } from "./compress.ts";
import type { FileSchema, Leaf } from "./file-schema.ts";
import { Encoding, PageType } from "./page-header.ts";
import { ThriftType, ThriftWriter } from "./thrift-writer.ts";

/** A column chunk that has its place in the file. */
export interface StoredChunk {
  readonly chunk: ColumnChunk;
  readonly offset: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  readonly bloomFilterOffset: number;
}

export interface StoredRowGroup {
  readonly rows: number;
  readonly offset: number;
  readonly chunks: readonly StoredChunk[];
}

/** Where a chunk's page indexes stand; 0 bytes where it has none. */
export interface IndexPlaces {
  readonly columnIndex: { readonly offset: number; readonly bytes: number };
  readonly offsetIndex: { readonly offset: number; readonly bytes: number };
}

/**
 * Bounds and null counts of a chunk's pages, by which readers skip them (`parquet.thrift`, ColumnIndex). Null where a page with values can't be bounded:
 * by a NaN, which some readers order above all numbers and others leave out, by text that nothing short is above, or because its values are kept out of statistics.
 */
export function columnIndex(chunk: ColumnChunk): Uint8Array | null {
  if (chunk.nans > 0 || chunk.pages.some(({ bounds, nulls, slots }) => bounds === null && nulls < slots)) return null;
  const { type } = chunk.leaf;
  const none = new Uint8Array(0);
  const mins: Uint8Array[] = [];
  const maxs: Uint8Array[] = [];
  for (const { bounds } of chunk.pages) {
    const above = bounds === null ? null : upperStatistic(type, bounds.upper);
    if (bounds !== null && above === null) return null;
    mins.push(bounds === null ? none : lowerStatistic(type, bounds.lower).bytes);
    maxs.push(above?.bytes ?? none);
  }
  const index = new ThriftWriter();
  index.nested(() => {
    index.bools(
      1,
      chunk.pages.map(({ bounds }) => bounds === null),
    );
    index.binaries(2, mins);
    index.binaries(3, maxs);
    index.i32(4, boundaryOrder(chunk.pages));
    index.integers(
      5,
      ThriftType.i64,
      chunk.pages.map(({ nulls }) => nulls),
    );
  });
  return index.bytes();
}

const BoundaryOrder = { unordered: 0, ascending: 1, descending: 2 } as const;

function boundaryOrder(pages: readonly Page[]): number {
  const bounds = pages.flatMap((page) => (page.bounds === null ? [] : [page.bounds]));
  const isOrdered = (sign: number): boolean =>
    bounds.every(({ lower, upper }, i) => {
      const before = bounds[i - 1];
      return before === undefined || (compareBounds(before.lower, lower) * sign <= 0 && compareBounds(before.upper, upper) * sign <= 0);
    });
  return isOrdered(1) ? BoundaryOrder.ascending : isOrdered(-1) ? BoundaryOrder.descending : BoundaryOrder.unordered;
}

/** Where a chunk's pages stand (`parquet.thrift`, OffsetIndex). */
export function offsetIndex({ chunk, offset }: StoredChunk): Uint8Array {
  let at = offset + (chunk.dictionary?.bytes ?? 0);
  let row = 0;
  const index = new ThriftWriter();
  index.nested(() => {
    index.structs(1, chunk.pages, (page) => {
      index.i64(1, at);
      index.i32(2, page.bytes);
      index.i64(3, row);
      at += page.bytes;
      row += page.rows;
    });
  });
  return index.bytes();
}

/** What files without a column have for it is for tables to say: this file has every column of its schema. */
function withoutDefaults(key: string, value: unknown): unknown {
  return key === "initial-default" || key === "write-default" ? undefined : value;
}

/** The file's footer: metadata, its length, and the magic number (`parquet.thrift`, FileMetaData). */
export function fileEnd(input: {
  readonly schema: FileSchema;
  readonly rowGroups: readonly StoredRowGroup[];
  /** By row group and column. */
  readonly indexes: readonly (readonly IndexPlaces[])[];
}): Uint8Array {
  const { schema, rowGroups, indexes } = input;
  const footer = new ThriftWriter();
  footer.nested(() => {
    footer.i32(1, 1);
    schema.write(footer, 2);
    footer.i64(
      3,
      rowGroups.reduce((sum, { rows }) => sum + rows, 0),
    );
    footer.structs(4, [...rowGroups.entries()], ([i, group]) => writeRowGroup(footer, group, i, indexes[i] as readonly IndexPlaces[]));
    footer.structs(5, [JSON.stringify(schema.table, withoutDefaults)], (text) => {
      footer.binary(1, "iceberg.schema");
      footer.binary(2, text);
    });
    footer.binary(6, "sluice");
    // Bounds are in the order of each column's type; without this readers pass them over.
    footer.structs(7, schema.leaves, () => footer.struct(1, () => {}));
  });
  const bytes = footer.bytes();
  const end = Buffer.alloc(bytes.length + 8);
  end.set(bytes);
  end.writeUInt32LE(bytes.length, bytes.length);
  end.write("PAR1", bytes.length + 4, "latin1");
  return end;
}

function writeRowGroup(footer: ThriftWriter, group: StoredRowGroup, ordinal: number, indexes: readonly IndexPlaces[]): void {
  footer.structs(1, [...group.chunks.entries()], ([i, stored]) => {
    footer.i64(2, 0);
    footer.struct(3, () => writeColumnMetadata(footer, stored));
    const { columnIndex: column, offsetIndex: offsets } = indexes[i] as IndexPlaces;
    footer.i64(4, offsets.offset);
    footer.i32(5, offsets.bytes);
    if (column.bytes > 0) {
      footer.i64(6, column.offset);
      footer.i32(7, column.bytes);
    }
  });
  const sum = (of: (chunk: StoredChunk) => number): number => group.chunks.reduce((total, chunk) => total + of(chunk), 0);
  footer.i64(
    2,
    sum(({ uncompressedBytes }) => uncompressedBytes),
  );
  footer.i64(3, group.rows);
  footer.i64(5, group.offset);
  footer.i64(
    6,
    sum(({ compressedBytes }) => compressedBytes),
  );
  if (ordinal < 32_768) footer.i16(7, ordinal);
}

function writeColumnMetadata(footer: ThriftWriter, stored: StoredChunk): void {
  const { chunk, offset } = stored;
  const counts = new Map<number, number>();
  for (const { encoding } of chunk.pages) counts.set(encoding, (counts.get(encoding) ?? 0) + 1);
  const encodings = new Set([Encoding.rle, ...counts.keys(), ...(chunk.dictionary === null ? [] : [Encoding.plain])]);
  footer.i32(1, chunk.leaf.type.physical);
  footer.integers(2, ThriftType.i32, [...encodings]);
  footer.binaries(3, chunk.leaf.path);
  footer.i32(4, zstdCodec);
  footer.i64(5, chunk.slots);
  footer.i64(6, stored.uncompressedBytes);
  footer.i64(7, stored.compressedBytes);
  footer.i64(9, offset + (chunk.dictionary?.bytes ?? 0));
  if (chunk.dictionary !== null) footer.i64(11, offset);
  footer.struct(12, () => writeStatistics(footer, chunk.leaf, chunk));
  const dictionaryPages = chunk.dictionary === null ? [] : [{ type: PageType.dictionary, encoding: Encoding.plain, count: 1 }];
  const dataPages = [...counts].map(([encoding, count]) => ({ type: PageType.data, encoding, count }));
  footer.structs(13, [...dictionaryPages, ...dataPages], ({ type, encoding, count }) => {
    footer.i32(1, type);
    footer.i32(2, encoding);
    footer.i32(3, count);
  });
  if (chunk.bloomFilter !== null) {
    footer.i64(14, stored.bloomFilterOffset);
    footer.i32(15, chunk.bloomFilter.length);
  }
}

/** Bounds are left out beside NaNs: readers differ in where those stand. */
function writeStatistics(footer: ThriftWriter, { type }: Leaf, { nulls, nans, distinct, bounds }: ColumnChunk): void {
  footer.i64(3, nulls);
  if (distinct !== null) footer.i64(4, distinct);
  const lower: BoundBytes | null = bounds === null || nans > 0 ? null : lowerStatistic(type, bounds.lower);
  const upper = bounds === null || nans > 0 ? null : upperStatistic(type, bounds.upper);
  if (lower === null || upper === null) return;
  footer.binary(5, upper.bytes);
  footer.binary(6, lower.bytes);
  footer.bool(7, upper.isExact);
  footer.bool(8, lower.isExact);
}
