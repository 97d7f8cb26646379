import type { AsyncBuffer, FileMetaData, RowGroup } from "hyparquet";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import type { QuarantinedRecord, QuarantineState } from "../../core/ports.ts";
import { partitionId } from "../../core/position.ts";
import type { Reason } from "../../core/rule.ts";
import type { Storage } from "../../core/storage.ts";
import { asyncBuffer, parquetCompressors } from "./parquet-buffer.ts";
import { quarantineSchema } from "./quarantine-schema.ts";

/** A version of a quarantined record as its file has it, with its headers byte for byte. */
export interface StoredQuarantineRow extends QuarantinedRecord {
  /** Kafka's record encoding; null where the record has no headers. */
  readonly headersRaw: Uint8Array | null;
}

/**
 * Reads a quarantine file row by row in its order, one row group in memory at a time; of a record alone in its row group, no value of more than
 * `valueBytesMax`. Rejects with NOT_FOUND, STORAGE_FAILED, or RangeError on damage.
 */
export async function* readQuarantineFile(
  storage: Storage,
  path: string,
  valueBytesMax = Number.POSITIVE_INFINITY,
): AsyncIterable<StoredQuarantineRow> {
  const file = await asyncBuffer(storage, path);
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const unread = await unreadValueBytes(file, group, valueBytesMax);
    const columns = quarantineSchema.fields.map(({ name }) => name).filter((name) => unread === null || name !== "value");
    for (const row of await readRows({ file, metadata, rowStart, rowEnd, columns }))
      yield { ...rowOf(row), ...(unread !== null && { unreadValueBytes: unread }) };
    rowStart = rowEnd;
  }
}

/** A page's header takes less, and so do a value's length and level. */
const pageHeaderBytesMax = 64;
/** Before a value in its page: definition levels (in a version 1 page with their own length), and the value's length (Parquet's PLAIN encoding). */
const valuePrefixBytes = { v1: 6 + 4, v2: 2 + 4 } as const;

/** The bytes of the one value of a row group, where they are more than is wanted; else null. From the page's header: nothing is decompressed. */
async function unreadValueBytes(file: AsyncBuffer, group: RowGroup, valueBytesMax: number): Promise<number | null> {
  const chunk = group.columns.find(({ meta_data: metadata }) => metadata?.path_in_schema.join(".") === "value")?.meta_data;
  if (Number(group.num_rows) !== 1 || chunk === undefined) return null;
  if (Number(chunk.total_uncompressed_size) <= valueBytesMax + pageHeaderBytesMax) return null;
  const start = Number(chunk.data_page_offset);
  const header = new Uint8Array(await file.slice(start, start + pageHeaderBytesMax));
  const bytes = pageValueBytes(header);
  return bytes === null || bytes <= valueBytesMax ? null : bytes;
}

/** The size of the one value of a data page, by `uncompressed_page_size`; null for other pages. Source: PageHeader in parquet.thrift, in Thrift's compact protocol. */
function pageValueBytes(header: Uint8Array): number | null {
  const i32Field = 0x15;
  // Zigzag: a page's type 0 is a data page of version 1, type 3 one of version 2.
  const prefix = header[1] === 0 ? valuePrefixBytes.v1 : header[1] === 2 * 3 ? valuePrefixBytes.v2 : null;
  if (header[0] !== i32Field || prefix === null || header[2] !== i32Field) return null;
  let value = 0;
  for (let i = 3, scale = 1; i < 8; i++, scale *= 128) {
    const byte = header[i] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value / 2 - prefix;
  }
  return null;
}

/** What a row of a quarantine file says of a record's state. */
export type QuarantineVersion = Pick<QuarantinedRecord, "id" | "attempt" | "state">;

/** Reads only whose versions a quarantine file holds, none of the records' bytes. Rejects as `readQuarantineFile` does. */
export async function* readQuarantineVersions(storage: Storage, path: string): AsyncIterable<QuarantineVersion> {
  const file = await asyncBuffer(storage, path);
  const metadata = await parquetMetadataAsync(file);
  const columns = ["topic", "topic_id", "partition", "offset", "attempt", "state"];
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    for (const row of await readRows({ file, metadata, rowStart, rowEnd, columns })) {
      yield { id: idOf(row), attempt: row.attempt, state: row.state as QuarantineState };
    }
    rowStart = rowEnd;
  }
}

const parsers = {
  timestampFromMicroseconds: (micros: bigint) => micros,
  // The default decoder drops a byte order mark.
  stringFromBytes: (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
};

/** Columns of some rows; those of other columns are missing. */
async function readRows(range: {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly columns: string[];
}): Promise<readonly ParquetRow[]> {
  const rows = await parquetReadObjects({ ...range, utf8: false, parsers, compressors: parquetCompressors });
  return rows as unknown as readonly ParquetRow[];
}

/** A row as hyparquet gives it, by the columns of `quarantineSchema`. */
interface ParquetRow {
  readonly topic: string;
  readonly topic_id: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp_ms: bigint;
  readonly timestamp_type: number;
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  readonly headers: readonly { readonly key: string; readonly value?: Uint8Array | null }[];
  readonly headers_raw?: Uint8Array | null;
  readonly reasons: readonly Readonly<Record<keyof Reason, string | null | undefined>>[];
  readonly contract_hash: string;
  readonly decision_hash: string;
  readonly window_id: string;
  readonly attempt: number;
  readonly state: string;
  readonly quarantined_at: bigint;
}

function rowOf(row: ParquetRow): StoredQuarantineRow {
  return {
    id: idOf(row),
    topic: row.topic,
    topicId: row.topic_id,
    partition: row.partition,
    offset: row.offset,
    timestampMs: row.timestamp_ms,
    timestampType: row.timestamp_type,
    key: row.key ?? null,
    value: row.value ?? null,
    headers: row.headers.map(({ key, value }) => ({ key, value: value ?? null })),
    headersRaw: row.headers_raw ?? null,
    reasons: row.reasons.map(reasonOf),
    contractHash: row.contract_hash,
    decisionHash: row.decision_hash,
    windowId: row.window_id,
    attempt: row.attempt,
    state: row.state as QuarantineState,
    quarantinedAtMs: Number(row.quarantined_at / 1000n),
  };
}

function idOf(row: ParquetRow): string {
  return `${partitionId({ topic: row.topic, topicId: row.topic_id, partition: row.partition })}:${row.offset}`;
}

function reasonOf(read: Readonly<Record<keyof Reason, string | null | undefined>>): Reason {
  return {
    rule: read.rule as string,
    family: read.family as string,
    column: read.column ?? null,
    severity: read.severity as Reason["severity"],
    message: read.message as string,
    observed: read.observed ?? null,
    limit: read.limit ?? null,
  };
}
