import { constants, zstdCompressSync } from "node:zlib";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { headerCount, headersOf } from "../../core/headers.ts";
import { span } from "../../core/records.ts";
import type { FileWriter, Storage } from "../../core/storage.ts";
import type { DataFile } from "./data-file.ts";
import * as bound from "../../parquet/bounds.ts";
import { leafIds, parquetElements } from "./parquet-elements.ts";
import type { QuarantineRow } from "./quarantine-schema.ts";
import { quarantineSchema } from "./quarantine-schema.ts";

/** Row groups are small: whoever reads a row has its whole row group in memory. */
export const quarantineRowGroup = { rowsMax: 8192, bytesMax: 16 * 1024 * 1024 } as const;
const { rowsMax, bytesMax } = quarantineRowGroup;
/** What one header takes in memory while its row group is written, beside its bytes: an object, a view, and their places in the lists. */
const headerBytes = 256;
/** Bytes of this size go to the file from where they are, instead of through the writer's growing buffer. */
const piece = 64 * 1024;

type Cell = string | number | bigint | Uint8Array | null | readonly Readonly<Record<string, unknown>>[];

/** Columns whose every value is bytes of the record: no dictionary could help them, and statistics would hold them twice. */
const rawColumns = new Set(["key", "value", "headers", "headers_raw"]);
/** Field ids of the leaves in those columns. */
export const quarantineUnboundedIds: ReadonlySet<number> = new Set(
  [...leafIds(quarantineSchema)].flatMap(([path, id]) => (rawColumns.has(path.split(".")[0] as string) ? [id] : [])),
);

const cellOf: Readonly<Record<string, (row: QuarantineRow) => Cell>> = {
  topic: ({ records, row }) => partitionOf(records, row).topic,
  topic_id: ({ records, row }) => partitionOf(records, row).topicId,
  partition: ({ records, row }) => partitionOf(records, row).partition,
  offset: ({ records, row }) => records.offsets[row] as bigint,
  timestamp_ms: ({ records, row }) => records.timestamps[row] as bigint,
  timestamp_type: ({ records, row }) => records.timestampTypes[row] as number,
  key: ({ records, row }) => span(records, "key", row),
  value: ({ records, row }) => span(records, "value", row),
  headers: ({ records, row }) => readableHeaders(records, row),
  headers_raw: ({ records, row }) => ((records.headersLength[row] as number) > 0 ? span(records, "headers", row) : null),
  reasons: ({ reasons }) => reasons.map((reason) => ({ ...reason })),
  contract_hash: (row) => row.contractHash,
  decision_hash: (row) => row.decisionHash,
  window_id: (row) => row.windowId,
  attempt: (row) => row.attempt,
  state: (row) => row.state,
  quarantined_at: (row) => BigInt(row.quarantinedAtMs) * 1000n,
};

/**
 * Writes versions of quarantined records as one Parquet file, byte for byte, durable when it resolves. Row groups are bounded in rows and bytes, and a
 * record larger than a row group gets its own: beside the rows' slabs about two copies of one row group are in memory. Null, and no file, where there
 * are no rows. Rejects with STORAGE_FULL, STORAGE_FAILED or FILE_EXISTS, leaving no file.
 */
export async function writeQuarantineFile(input: {
  readonly storage: Storage;
  readonly path: string;
  readonly rows: Iterable<QuarantineRow>;
}): Promise<DataFile | null> {
  const file = await input.storage.create(input.path);
  try {
    const output = new PieceWriter(file);
    const parquet = new ParquetWriter({
      writer: output,
      schema: parquetElements(quarantineSchema),
      codec: "ZSTD",
      compressors: { ZSTD: (page) => zstdCompressSync(page, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }) },
      kvMetadata: [{ key: "iceberg.schema", value: JSON.stringify(quarantineSchema) }],
      createdBy: "sluice",
    });
    const metrics = new QuarantineMetrics();
    for (const rows of rowGroups(input.rows)) {
      const columnData = quarantineSchema.fields.map(({ name }) => {
        const cells = rows.map(cellOf[name] as (row: QuarantineRow) => Cell);
        metrics.add(name, cells);
        return rawColumns.has(name) ? { name, data: cells, encoding: "PLAIN" as const, statistics: false } : { name, data: cells };
      });
      await parquet.write({ columnData, rowGroupSize: rows.length });
    }
    if (metrics.rows === 0) {
      await file.abort();
      return null;
    }
    await parquet.finish();
    await output.flush();
    await file.close();
    return { path: input.path, recordCount: metrics.rows, fileSizeBytes: output.offset, ...metrics.finish(), ...totalsOf(parquet) };
  } catch (fault) {
    await file.abort();
    throw fault;
  }
}

function partitionOf(records: QuarantineRow["records"], row: number): { topic: string; topicId: string; partition: number } {
  return records.partitions[records.partition[row] as number] as { topic: string; topicId: string; partition: number };
}

/** Headers as text for people and queries; none where they can't be read: `headers_raw` has them anyway. */
function readableHeaders(records: QuarantineRow["records"], row: number): { key: string; value: Uint8Array | null }[] {
  try {
    return headersOf(records, row).map(({ key, value }) => ({ key, value }));
  } catch (fault) {
    if (fault instanceof RangeError) return [];
    throw fault;
  }
}

function* rowGroups(rows: Iterable<QuarantineRow>): Iterable<QuarantineRow[]> {
  let group: QuarantineRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    const { records, row: index } = row;
    const headers = 2 * (records.headersLength[index] as number) + headerBytes * headerCount(records, index);
    const size = Math.max(0, records.keyLength[index] as number) + Math.max(0, records.valueLength[index] as number) + headers;
    if (group.length > 0 && (group.length === rowsMax || bytes + size > bytesMax)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(row);
    bytes += size;
  }
  if (group.length > 0) yield group;
}

/** hyparquet-writer's output, handed to a file after each row group, with large pages passed on as they are. */
class PieceWriter extends ByteWriter {
  private readonly file: FileWriter;
  private pieces: Uint8Array[] = [];

  constructor(file: FileWriter) {
    super(piece);
    this.file = file;
  }

  override appendBytes(value: Uint8Array): void {
    if (value.length < piece) {
      super.appendBytes(value);
      return;
    }
    this.cut();
    this.pieces.push(value);
    this.offset += value.length;
  }

  async flush(): Promise<void> {
    this.cut();
    const { pieces } = this;
    this.pieces = [];
    for (const bytes of pieces) await this.file.write(bytes);
  }

  private cut(): void {
    if (this.index === 0) return;
    this.pieces.push(new Uint8Array(this.buffer.slice(0, this.index)));
    this.index = 0;
  }
}

/** Null counts and bounds of the top-level columns that are no lists; no bounds for the record's own bytes. */
class QuarantineMetrics {
  rows = 0;
  private readonly nulls = new Map<number, number>();
  private readonly ranges = new Map<number, { type: string; lower: bigint | string; upper: bigint | string }>();

  add(name: string, cells: readonly Cell[]): void {
    const field = quarantineSchema.fields.find((candidate) => candidate.name === name);
    if (field === undefined || typeof field.type !== "string") return;
    const { id, type } = field;
    // The first column counts the rows for all.
    if (field === quarantineSchema.fields[0]) this.rows += cells.length;
    this.nulls.set(id, (this.nulls.get(id) ?? 0) + cells.reduce((sum: number, cell) => sum + (cell === null ? 1 : 0), 0));
    if (rawColumns.has(name)) return;
    for (const cell of cells) {
      const value = typeof cell === "string" ? cell : BigInt(cell as number | bigint);
      const range = this.ranges.get(id);
      if (range === undefined) this.ranges.set(id, { type, lower: value, upper: value });
      else if (less(value, range.lower)) range.lower = value;
      else if (less(range.upper, value)) range.upper = value;
    }
  }

  finish(): Pick<DataFile, "nullValueCounts" | "nanValueCounts" | "lowerBounds" | "upperBounds"> {
    const lowerBounds = new Map<number, Uint8Array>();
    const upperBounds = new Map<number, Uint8Array>();
    for (const [id, { type, lower, upper }] of this.ranges) {
      if (typeof lower === "bigint") {
        const serialise = (value: bigint): Uint8Array => (type === "int" ? bound.ofInt(Number(value)) : bound.ofLong(value));
        lowerBounds.set(id, serialise(lower));
        upperBounds.set(id, serialise(upper as bigint));
        continue;
      }
      lowerBounds.set(id, bound.textBelow(Buffer.from(lower)));
      const above = bound.textAbove(Buffer.from(upper as string));
      if (above !== null) upperBounds.set(id, above);
    }
    return { nullValueCounts: this.nulls, nanValueCounts: new Map(), lowerBounds, upperBounds };
  }
}

/** Iceberg orders text by its UTF-8 bytes, JavaScript by UTF-16 units. */
function less(a: bigint | string, b: bigint | string): boolean {
  if (a === b) return false;
  return typeof a === "string" ? Buffer.compare(Buffer.from(a), Buffer.from(b as string)) < 0 : a < (b as bigint);
}

function totalsOf(parquet: ParquetWriter): Pick<DataFile, "columnSizes" | "valueCounts" | "splitOffsets"> {
  const ids = leafIds(quarantineSchema);
  const columnSizes = new Map<number, number>();
  const valueCounts = new Map<number, number>();
  const splitOffsets: number[] = [];
  for (const group of parquet.row_groups) {
    splitOffsets.push(Number(group.columns[0]?.file_offset));
    for (const { meta_data: metadata } of group.columns) {
      if (metadata === undefined) throw new Error("hyparquet-writer left a column without metadata");
      const id = ids.get(metadata.path_in_schema.join(".")) as number;
      columnSizes.set(id, (columnSizes.get(id) ?? 0) + Number(metadata.total_compressed_size));
      valueCounts.set(id, (valueCounts.get(id) ?? 0) + Number(metadata.num_values));
    }
  }
  return { columnSizes, valueCounts, splitOffsets };
}
