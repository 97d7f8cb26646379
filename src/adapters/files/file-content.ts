import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey } from "../../core/position.ts";
import type { InputFile } from "./file-list.ts";
import type { FileRowLimits, FileRows } from "./ndjson-lines.ts";
import { type ChunkPool, readLines, recordsOf, splitLines } from "./ndjson-lines.ts";
import { readCsvRecords } from "./csv-records.ts";
import type { CsvCharacters } from "./csv-records.ts";
import { readAvroRows } from "./avro-rows.ts";
import type { JsonRows, ParquetJson } from "./parquet-json.ts";

/** What a file held when it was looked at. */
export interface FileContent {
  /** `sha256:<hex>` of its bytes as they are on disk. */
  readonly topicId: string;
  /** Lines or rows; null where only decompressing would tell. */
  readonly rows: bigint | null;
  /** Changes whenever the file is written to: device, inode, size and time of writing. */
  readonly stamp: string;
}

/** From where, and how, a file's rows are read. */
export interface ReadOptions {
  readonly key: PartitionKey;
  readonly from: bigint;
  readonly limits: FileRowLimits;
  readonly chunkBytes: number;
  readonly csv: CsvCharacters;
  /** Memory that is used again, where runs say when they are done with it. */
  readonly pool: ChunkPool | null;
}

/** Hashes a file. Rejects with FILE_NOT_FOUND or FILE_UNREADABLE; with SOURCE_IDENTITY_CHANGED if it is being written to meanwhile. */
export function identifyFile(file: InputFile): Promise<FileContent> {
  return withFile(file, async (handle) => {
    const stamp = await stampOf(handle);
    const hash = createHash("sha256");
    let lines = 0;
    let endsLine = true;
    for await (const chunk of bytesOf(handle, 1 << 20)) {
      hash.update(chunk);
      if (file.format === "ndjson" && file.compression === null) {
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
        endsLine = chunk.at(-1) === 10;
      }
    }
    await checkStamp(handle, file, stamp);
    const rows = await countRows(handle, file, lines + (endsLine ? 0 : 1));
    return { topicId: `sha256:${hash.digest("hex")}`, rows, stamp };
  });
}

/** A file by its path instead of its bytes: for those who read it once, and need not know it again. Rejects as `identifyFile` does. */
export function nameFile(file: InputFile): Promise<FileContent> {
  return withFile(file, async (handle) => ({ topicId: `path:${file.path}`, rows: null, stamp: await stampOf(handle) }));
}

/**
 * The rows of a file from an offset on, in order. Rejects with SOURCE_IDENTITY_CHANGED, before handing out rows, once the file is no longer what it was
 * when it was identified; with SOURCE_OVERSIZED; with FILE_UNREADABLE for damage.
 */
export async function* readFileRows(file: InputFile, content: FileContent, options: ReadOptions): AsyncGenerator<FileRows> {
  const handle = await openFile(file);
  try {
    await checkStamp(handle, file, content.stamp);
    const rows = rowsOf(handle, file, options);
    for await (const run of rows) {
      await checkStamp(handle, file, content.stamp);
      yield run;
    }
  } catch (cause) {
    throw fileFault(cause, file);
  } finally {
    await handle.close();
  }
}

function rowsOf(handle: FileHandle, file: InputFile, options: ReadOptions): AsyncGenerator<FileRows> {
  switch (file.format) {
    case "parquet":
      return parquetRows(handle, file.path, options);
    case "arrow":
      return arrowRows(handle, file.path, options);
    case "avro":
      return readAvroRows(bytesOf(handle, options.chunkBytes), file.path, options);
    case "raw":
      return rawRows(handle, file, options);
    case "csv":
    case "ndjson":
      return lineRows(handle, file, options);
  }
}

/** The rows of an Arrow file or stream. Arrow's library is loaded by those who need it. */
export async function* arrowRows(
  source: FileHandle | AsyncIterable<Uint8Array>,
  name: string,
  options: Pick<ReadOptions, "key" | "from" | "limits">,
): AsyncGenerator<FileRows> {
  const { readArrowJson } = await import("./arrow-json.ts");
  yield* jsonRows(readArrowJson(source, name, { from: Number(options.from), rowsMax: options.limits.runRowsMax }), name, options);
}

/** One record: the whole file. */
async function* rawRows(handle: FileHandle, file: InputFile, { key, from, limits }: ReadOptions): AsyncGenerator<FileRows> {
  if (from > 0n) return;
  const { size } = await handle.stat();
  if (size > limits.recordBytesMax) throw new SluiceError("SOURCE_OVERSIZED", `${file.path} is longer than ${limits.recordBytesMax} bytes`);
  const slab = await handle.readFile();
  yield { records: recordsOf(slab, key, { starts: [0], lengths: [slab.length], lines: [0] }), next: 1n };
}

async function* lineRows(
  handle: FileHandle,
  file: InputFile,
  { key, from, limits, chunkBytes, csv, pool }: ReadOptions,
): AsyncGenerator<FileRows> {
  if (file.format === "ndjson" && file.compression === null) {
    yield* recycled(wholeLines(handle, { chunkBytes, limits, pool }), pool, { key, from, limits });
    return;
  }
  const bytes = bytesOf(handle, chunkBytes);
  const read = (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FileRows> =>
    file.format === "csv" ? readCsvRecords(chunks, key, from, { limits, characters: csv }) : readLines(chunks, key, from, limits);
  if (file.compression === null) {
    yield* read(bytes);
    return;
  }
  const decompressor =
    file.compression === "gzip" ? createGunzip({ chunkSize: chunkBytes }) : createZstdDecompress({ chunkSize: chunkBytes });
  bytes.on("error", (cause) => decompressor.destroy(cause));
  try {
    yield* read(bytes.pipe(decompressor));
  } finally {
    bytes.destroy();
    decompressor.destroy();
  }
}

/**
 * A file in pieces of whole lines: what is left of one is read on into the start of the next, so that nothing else is copied. A line that is longer than
 * `recordBytesMax` comes unfinished, for its reader to refuse.
 */
async function* wholeLines(
  handle: FileHandle,
  { chunkBytes, limits, pool }: Pick<ReadOptions, "chunkBytes" | "limits" | "pool">,
): AsyncGenerator<Buffer> {
  let rest: Uint8Array = new Uint8Array(0);
  for (let position = 0; ;) {
    const size = rest.length + chunkBytes;
    // A little more than is needed: what is left of pieces differs in length.
    const buffer = pool === null ? Buffer.allocUnsafeSlow(size) : pool.take(size + (chunkBytes >> 3));
    buffer.set(rest);
    const { bytesRead } = await handle.read(buffer, rest.length, chunkBytes, position);
    position += bytesRead;
    const filled = buffer.subarray(0, rest.length + bytesRead);
    const isLast = bytesRead === 0;
    const end = isLast || filled.length > limits.recordBytesMax + chunkBytes ? filled.length : filled.lastIndexOf(10) + 1;
    // A copy, made first: the piece may be overwritten as soon as it is out.
    rest = new Uint8Array(filled.subarray(end));
    if (end > 0) yield filled.subarray(0, end);
    if (isLast) return;
  }
}

/** Lines of pieces that are whole lines; a piece goes back to the pool when all of its runs have. */
async function* recycled(
  pieces: AsyncIterable<Buffer>,
  pool: ChunkPool | null,
  context: Pick<ReadOptions, "key" | "from" | "limits">,
): AsyncGenerator<FileRows> {
  let first = 0;
  for await (const piece of pieces) {
    let open = 1;
    const close = (): void => {
      if (--open === 0 && pool !== null) pool.give(Buffer.from(piece.buffer));
    };
    const runs = splitLines(piece, first, context);
    let next = runs.next();
    for (; next.done !== true; next = runs.next()) {
      open++;
      yield { ...next.value, recycle: close };
    }
    first = next.value;
    close();
  }
}

/** Parquet's library is loaded by those who need it. */
async function openParquet(handle: FileHandle, name: string): Promise<ParquetJson> {
  const { openParquetJson } = await import("./parquet-json.ts");
  return openParquetJson(handle, name);
}

/** The rows of a Parquet file. */
export async function* parquetRows(
  handle: FileHandle,
  name: string,
  options: Pick<ReadOptions, "key" | "from" | "limits">,
): AsyncGenerator<FileRows> {
  const parquet = await openParquet(handle, name);
  yield* jsonRows(parquet.read(Number(options.from), options.limits.runRowsMax), name, options);
}

/** Rows that were made JSON objects, as records. */
async function* jsonRows(
  rows: AsyncIterable<JsonRows>,
  name: string,
  { key, from, limits }: Pick<ReadOptions, "key" | "from" | "limits">,
): AsyncGenerator<FileRows> {
  let row = Number(from);
  for await (const { slab, starts, lengths } of rows) {
    const longest = lengths.findIndex((length) => length > limits.recordBytesMax);
    if (longest >= 0) {
      throw new SluiceError("SOURCE_OVERSIZED", `row ${row + longest} of ${name} is longer than ${limits.recordBytesMax} bytes as JSON`);
    }
    const lines = Float64Array.from(starts, (_, i) => row + i);
    row += starts.length;
    yield { records: recordsOf(slab, key, { starts, lengths, lines }), next: BigInt(row) };
  }
}

async function countRows(handle: FileHandle, file: InputFile, lines: number): Promise<bigint | null> {
  if (file.format === "parquet") return BigInt((await openParquet(handle, file.path)).rows);
  if (file.format === "raw") return 1n;
  if (file.format !== "ndjson") return null;
  return file.compression === null ? BigInt(lines) : null;
}

function bytesOf(handle: FileHandle, highWaterMark: number): ReturnType<FileHandle["createReadStream"]> & AsyncIterable<Buffer> {
  return handle.createReadStream({ start: 0, autoClose: false, highWaterMark });
}

async function openFile(file: InputFile): Promise<FileHandle> {
  try {
    return await open(file.path, "r");
  } catch (cause) {
    throw fileFault(cause, file);
  }
}

async function withFile<T>(file: InputFile, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await openFile(file);
  try {
    return await work(handle);
  } catch (cause) {
    throw fileFault(cause, file);
  } finally {
    await handle.close();
  }
}

async function stampOf(handle: FileHandle): Promise<string> {
  const { dev, ino, size, mtimeNs } = await handle.stat({ bigint: true });
  return [dev, ino, size, mtimeNs].join(":");
}

async function checkStamp(handle: FileHandle, file: InputFile, stamp: string): Promise<void> {
  if ((await stampOf(handle)) !== stamp) throw fileChanged(file);
}

/** A file is no longer what it was when its reading began: its rows may be others now. */
function fileChanged(file: InputFile): SluiceError {
  return new SluiceError("SOURCE_IDENTITY_CHANGED", `${file.path} changed while it was read`, { details: { path: file.path } });
}

function fileFault(cause: unknown, file: InputFile): unknown {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  if (cause instanceof SluiceError || typeof code !== "string") return cause;
  const kind = code === "ENOENT" ? "FILE_NOT_FOUND" : "FILE_UNREADABLE";
  return new SluiceError(kind, `cannot read ${file.path}: ${(cause as Error).message}`, { details: { path: file.path }, cause });
}
