import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { zstdDecompressSync } from "node:zlib";
import type { AsyncBuffer, FileMetaData, RowGroup, SchemaTree } from "hyparquet";
import { parquetMetadataAsync, parquetScan, parquetSchema } from "hyparquet";
import { compressors as otherCompressors } from "hyparquet-compressors";
import { SluiceError } from "../../core/errors.ts";
import type { WriteCell } from "./parquet-json-cell.ts";
import { compileCell, plainParsers, withPlainDecimals } from "./parquet-json-cell.ts";

/** Uncompressed bytes of one row group, which is in memory as a whole, several times over. */
const rowGroupBytesMax = 128 * 1024 * 1024;

/** JSON objects, one a row, as spans of one slab. */
export interface JsonRows {
  readonly slab: Uint8Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

/** A Parquet file whose rows are read as JSON objects, row group by row group. */
export interface ParquetJson {
  readonly rows: number;
  /** Rows from `from` on, in order, at most `rowsMax` at a time. Rejects with FILE_UNREADABLE where the file is damaged. */
  read(from: number, rowsMax: number): AsyncGenerator<JsonRows>;
}

/** Reads a Parquet file's footer. Rejects with FILE_UNREADABLE if it is none, or has row groups or columns that can't be read in bounded memory or as JSON. */
export async function openParquetJson(handle: FileHandle, name: string): Promise<ParquetJson> {
  const unreadable = (cause: unknown): SluiceError =>
    cause instanceof SluiceError
      ? cause
      : new SluiceError("FILE_UNREADABLE", `${name} can't be read: ${(cause as Error).message}`, { cause });
  const file = await bufferOf(handle);
  let metadata: FileMetaData;
  let columns: { name: string; write: WriteCell }[];
  try {
    metadata = await parquetMetadataAsync(file, { geoparquet: false });
    columns = parquetSchema(metadata).children.map((tree: SchemaTree) => ({ name: tree.element.name, write: compileCell(tree) }));
  } catch (cause) {
    throw unreadable(cause);
  }
  const large = metadata.row_groups.findIndex((group) => Number(group.total_byte_size) > rowGroupBytesMax);
  if (large >= 0) {
    throw unreadable(
      new Error(`row group ${large} holds more than ${rowGroupBytesMax} bytes; write the file again with smaller row groups`),
    );
  }
  const plain = { ...metadata, schema: metadata.schema.map(withPlainDecimals) };

  async function* read(from: number, rowsMax: number): AsyncGenerator<JsonRows> {
    let groupStart = 0;
    for (const group of metadata.row_groups) {
      const groupEnd = groupStart + Number(group.num_rows);
      if (groupEnd > from) {
        const cells = await readGroup(file, plain, { group, groupStart, columns });
        for (let row = Math.max(from, groupStart); row < groupEnd; row += rowsMax) {
          yield writeRows(columns, cells, row - groupStart, Math.min(row + rowsMax, groupEnd) - groupStart);
        }
      }
      groupStart = groupEnd;
    }
  }

  return {
    rows: Number(metadata.num_rows),
    async *read(from, rowsMax) {
      try {
        yield* read(from, rowsMax);
      } catch (cause) {
        throw unreadable(cause);
      }
    },
  };
}

/** The rows of a Parquet file as JSON texts in UTF-8, each a view into a larger slab; the flights of the example data, for one. */
export async function* flightRecords(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path, "r");
  try {
    const parquet = await openParquetJson(handle, path);
    for await (const { slab, starts, lengths } of parquet.read(0, 8192)) {
      for (let row = 0; row < starts.length; row++) {
        const start = starts[row] as number;
        yield slab.subarray(start, start + (lengths[row] as number));
      }
    }
  } finally {
    await handle.close();
  }
}

const compressors = {
  ...otherCompressors,
  ZSTD: (page: Uint8Array, size: number) => {
    const bytes = zstdDecompressSync(page, { maxOutputLength: Math.max(1, size) });
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  },
};

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw new RangeError("the file became shorter while it was read");
        filled += bytesRead;
      }
      return bytes.buffer;
    },
  };
}

interface GroupInput {
  readonly group: RowGroup;
  readonly groupStart: number;
  readonly columns: readonly { readonly name: string }[];
}

async function readGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  { group, groupStart, columns }: GroupInput,
): Promise<ArrayLike<unknown>[]> {
  const rowEnd = groupStart + Number(group.num_rows);
  const scan = await parquetScan({
    file,
    metadata,
    rowStart: groupStart,
    rowEnd,
    utf8: false,
    parsers: plainParsers,
    compressors,
    geoparquet: false,
  });
  const cells: ArrayLike<unknown>[] = [];
  for (const { name } of columns) cells.push(await scan.readColumn({ column: name, rowStart: groupStart, rowEnd }));
  return cells;
}

function writeRows(
  columns: readonly { name: string; write: WriteCell }[],
  cells: readonly ArrayLike<unknown>[],
  from: number,
  to: number,
): JsonRows {
  const labels = columns.map(({ name }, i) => `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
  const starts = new Uint32Array(to - from);
  const lengths = new Uint32Array(to - from);
  const texts: string[] = [];
  let at = 0;
  for (let row = from; row < to; row++) {
    let text = columns.length === 0 ? "{" : "";
    for (let c = 0; c < columns.length; c++) {
      text += labels[c] as string;
      text += (columns[c] as { write: WriteCell }).write((cells[c] as ArrayLike<unknown>)[row]);
    }
    text += "}";
    const length = Buffer.byteLength(text);
    starts[row - from] = at;
    lengths[row - from] = length;
    at += length;
    texts.push(text);
  }
  return { slab: Buffer.from(texts.join(""), "utf8"), starts, lengths };
}
