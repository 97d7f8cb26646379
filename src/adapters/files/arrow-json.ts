import type { FileHandle } from "node:fs/promises";
import { zstdDecompressSync } from "node:zlib";
import { lz4Decompress } from "@platformatic/wasm-utils";
import type { RecordBatch, Schema } from "apache-arrow";
import { CompressionType, compressionRegistry, RecordBatchReader } from "apache-arrow";
import { SluiceError } from "../../core/errors.ts";
import { requireEndOfFile, withRequiredEnd } from "./arrow-end.ts";
import { compileArrowCell } from "./arrow-json-cell.ts";
import type { JsonRows } from "./parquet-json.ts";

const bufferBytesMax = 512 * 1024 * 1024;

compressionRegistry.set(CompressionType.ZSTD, {
  decode: (bytes: Uint8Array) => new Uint8Array(zstdDecompressSync(bytes, { maxOutputLength: bufferBytesMax })),
});
compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (bytes: Uint8Array) => new Uint8Array(lz4Decompress(Buffer.from(bytes))) });

/**
 * The rows of an Arrow IPC file or stream as JSON objects, from a row on, at most `rowsMax` at a time; one record batch is in memory as a whole. Rejects with
 * FILE_UNREADABLE where it is damaged, or has columns that JSON can't carry.
 */
export async function* readArrowJson(
  source: FileHandle | AsyncIterable<Uint8Array>,
  name: string,
  { from, rowsMax }: { readonly from: number; readonly rowsMax: number },
): AsyncGenerator<JsonRows> {
  try {
    const reader = await openReader(source, name);
    let start = 0;
    for await (const batch of reader) {
      const end = start + batch.numRows;
      if (end > from) yield* batchRows(batch, Math.max(0, from - start), rowsMax);
      start = end;
    }
  } catch (cause) {
    if (cause instanceof SluiceError && !cause.message.startsWith(name))
      throw new SluiceError(cause.code, `${name}: ${cause.message}`, { cause });
    if (cause instanceof SluiceError) throw cause;
    throw new SluiceError("FILE_UNREADABLE", `${name} can't be read as Arrow: ${(cause as Error).message}`, { cause });
  }
}

async function openReader(source: FileHandle | AsyncIterable<Uint8Array>, name: string) {
  const isStream = Symbol.asyncIterator in source;
  if (!isStream) await requireEndOfFile(source, name);
  const reader = await RecordBatchReader.from(isStream ? withRequiredEnd(source, name) : (source as unknown as AsyncIterable<Uint8Array>));
  await reader.open();
  // Of what is empty or no Arrow at all the reader says that it has no rows.
  if ((reader.schema as Schema | undefined) === undefined)
    throw new SluiceError("FILE_UNREADABLE", `${name} holds no Arrow data: it has no schema`);
  return reader;
}

function* batchRows(batch: RecordBatch, from: number, rowsMax: number): Generator<JsonRows> {
  const columns = batch.schema.fields.map((field, i) => {
    const { name } = field;
    const child = batch.data.children[i];
    if (child === undefined) throw new SluiceError("FILE_UNREADABLE", `a record batch lacks the column ${name}`);
    return { label: `${JSON.stringify(name)}:`, write: compileArrowCell(child, field) };
  });
  for (let row = from; row < batch.numRows; row += rowsMax) {
    const end = Math.min(row + rowsMax, batch.numRows);
    const texts: Buffer[] = [];
    for (let i = row; i < end; i++) texts.push(Buffer.from(`{${columns.map(({ label, write }) => label + write(i)).join(",")}}`));
    const starts = new Uint32Array(texts.length);
    const lengths = Uint32Array.from(texts, ({ length }) => length);
    for (let i = 1; i < texts.length; i++) starts[i] = (starts[i - 1] as number) + (lengths[i - 1] as number);
    yield { slab: Buffer.concat(texts), starts, lengths };
  }
}
