import type { ThriftList, ThriftStruct, ThriftValue } from "./parquet-thrift.ts";
import { readThrift, ThriftType, writeThrift } from "./parquet-thrift.ts";

// Field ids of parquet.thrift (https://github.com/apache/parquet-format).
const File = { schema: 2, rows: 3, rowGroups: 4 } as const;
const RowGroup = { columns: 1, fileOffset: 5, ordinal: 7 } as const;
const Chunk = { fileOffset: 2, metadata: 3, offsetIndexOffset: 4, columnIndexOffset: 6 } as const;
const ColumnMetadata = { values: 5, compressedBytes: 7, dataPage: 9, indexPage: 10, dictionaryPage: 11, bloomFilter: 14 } as const;
const SchemaElement = { children: 5, fieldId: 9 } as const;

const magic = Uint8Array.of(0x50, 0x41, 0x52, 0x31);

/** The head of every Parquet file. */
export const parquetHead = magic;

/** A Parquet file in memory, taken apart: its pages (with indexes), and its footer. */
export interface ParquetParts {
  readonly pages: Uint8Array;
  readonly footer: ThriftStruct;
}

/** What a manifest takes from footers: by field id of the leaf columns. */
export interface ColumnTotals {
  readonly columnSizes: Map<number, number>;
  readonly valueCounts: Map<number, number>;
}

/** Takes a whole Parquet file apart; views into `bytes`. Throws RangeError if it is none. */
export function splitParquet(bytes: Uint8Array): ParquetParts {
  const end = bytes.length - 8;
  const isMagic = (at: number): boolean => magic.every((byte, i) => bytes[at + i] === byte);
  if (end < 4 || !isMagic(0) || !isMagic(end + 4)) throw new RangeError("not a Parquet file");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true);
  if (length > end - 4) throw new RangeError("a Parquet footer longer than its file");
  return { pages: bytes.subarray(4, end - length), footer: readThrift(bytes.subarray(end - length, end)) };
}

/** Joins Parquet files of one schema into one: their pages one after the other, and a single footer at the end. */
export class ParquetJoin {
  private joined: ThriftStruct | null = null;
  private readonly rowGroups: ThriftStruct[] = [];
  private rows = 0n;
  private at = magic.length;
  private leafIds: readonly number[] = [];
  readonly splitOffsets: number[] = [];
  readonly totals: ColumnTotals = { columnSizes: new Map(), valueCounts: new Map() };

  /** Adds a file whose pages will stand after those added before. */
  add(part: ParquetParts): void {
    if (this.joined === null) {
      this.joined = part.footer;
      this.leafIds = leafFieldIds(listOf(part.footer, File.schema));
    }
    const shift = this.at - magic.length;
    for (const group of listOf(part.footer, File.rowGroups) as ThriftStruct[]) {
      this.splitOffsets.push(this.moveRowGroup(group, shift));
      set(group, RowGroup.ordinal, ThriftType.i16, BigInt(this.rowGroups.length));
      this.rowGroups.push(group);
    }
    this.rows += integerOf(part.footer, File.rows);
    this.at += part.pages.length;
  }

  /** What follows the last file's pages: footer, its length, and the magic number. */
  end(): Uint8Array {
    if (this.joined === null) throw new Error("a Parquet file needs at least one part");
    const groups: ThriftList = { elementType: ThriftType.struct, values: this.rowGroups };
    set(this.joined, File.rowGroups, ThriftType.list, groups);
    set(this.joined, File.rows, ThriftType.i64, this.rows);
    const footer = writeThrift(this.joined);
    const end = new Uint8Array(footer.length + 8);
    end.set(footer);
    new DataView(end.buffer).setUint32(footer.length, footer.length, true);
    end.set(magic, footer.length + 4);
    return end;
  }

  private moveRowGroup(group: ThriftStruct, shift: number): number {
    let first = Number.MAX_SAFE_INTEGER;
    move(group, RowGroup.fileOffset, shift);
    for (const [leaf, chunk] of (listOf(group, RowGroup.columns) as ThriftStruct[]).entries()) {
      const metadata = chunk.get(Chunk.metadata)?.value as ThriftStruct;
      for (const id of [Chunk.offsetIndexOffset, Chunk.columnIndexOffset]) move(chunk, id, shift);
      // Deprecated, and 0 in what current writers write: then it says nothing and must stay so.
      if (integerOf(chunk, Chunk.fileOffset) !== 0n) move(chunk, Chunk.fileOffset, shift);
      for (const id of [ColumnMetadata.dataPage, ColumnMetadata.indexPage, ColumnMetadata.dictionaryPage, ColumnMetadata.bloomFilter]) {
        move(metadata, id, shift);
      }
      const pages = [ColumnMetadata.dictionaryPage, ColumnMetadata.dataPage].filter((id) => metadata.has(id));
      first = Math.min(first, ...pages.map((id) => Number(integerOf(metadata, id))));
      this.count(leaf, metadata);
    }
    return first;
  }

  private count(leaf: number, metadata: ThriftStruct): void {
    const id = this.leafIds[leaf];
    if (id === undefined || id < 0) return;
    const { columnSizes, valueCounts } = this.totals;
    columnSizes.set(id, (columnSizes.get(id) ?? 0) + Number(integerOf(metadata, ColumnMetadata.compressedBytes)));
    valueCounts.set(id, (valueCounts.get(id) ?? 0) + Number(integerOf(metadata, ColumnMetadata.values)));
  }
}

/** Field ids of a schema's leaves, in order; -1 where a leaf has none. */
function leafFieldIds(elements: readonly ThriftValue[]): number[] {
  return (elements as readonly ThriftStruct[])
    .filter((element) => !element.has(SchemaElement.children))
    .map((element) => (element.has(SchemaElement.fieldId) ? Number(integerOf(element, SchemaElement.fieldId)) : -1));
}

function listOf(struct: ThriftStruct, id: number): readonly ThriftValue[] {
  return (struct.get(id)?.value as ThriftList | undefined)?.values ?? [];
}

function integerOf(struct: ThriftStruct, id: number): bigint {
  const value = struct.get(id)?.value;
  if (typeof value !== "bigint") throw new RangeError(`a Parquet footer lacks field ${id}`);
  return value;
}

function move(struct: ThriftStruct, id: number, shift: number): void {
  const field = struct.get(id);
  if (field !== undefined) set(struct, id, field.type, (field.value as bigint) + BigInt(shift));
}

function set(struct: ThriftStruct, id: number, type: number, value: ThriftValue): void {
  struct.set(id, { type, value });
}
