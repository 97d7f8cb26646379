import { createHash, randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import type { FileRowLimits, FileRows } from "./ndjson-lines.ts";
import { readLines } from "./ndjson-lines.ts";
import type { PartitionKey } from "../../core/position.ts";
import { readCsvRecords } from "./csv-records.ts";
import type { CsvCharacters } from "./csv-records.ts";
import { readAvroRows } from "./avro-rows.ts";
import { arrowRows, parquetRows, type ReadOptions } from "./file-content.ts";
import type { FileFormat } from "./file-list.ts";
import type { Track } from "./file-track.ts";

/** Other partitions than a file's: what is left over of a stream is no file that went missing. */
const rowsPartition = 2;
const endPartition = 3;

/** A file that no name leads to: however the process ends, it is gone with it. */
async function namelessFile(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-input-"));
  try {
    return await open(join(folder, "input"), "wx+", 0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function spool(chunks: AsyncIterable<Uint8Array>): Promise<FileHandle> {
  let handle: FileHandle | null = null;
  try {
    handle = await namelessFile();
    for await (const chunk of chunks) await handle.appendFile(chunk);
    return handle;
  } catch (cause) {
    await handle?.close();
    const why = `Parquet is read from its end, and standard input can't be kept in ${tmpdir()} until that is there: ${(cause as Error).message}`;
    throw new SluiceError("FILE_UNREADABLE", why, { cause });
  }
}

async function* spooledParquet(
  chunks: AsyncIterable<Uint8Array>,
  options: Pick<ReadOptions, "key" | "from" | "limits">,
): AsyncGenerator<FileRows> {
  const handle = await spool(chunks);
  try {
    yield* parquetRows(handle, "standard input", options);
  } finally {
    await handle.close();
  }
}

/** The rows of a stream that is read once. */
function readStream(
  chunks: AsyncIterable<Uint8Array>,
  key: PartitionKey,
  { format, limits, csv }: { readonly format: FileFormat; readonly limits: FileRowLimits; readonly csv: CsvCharacters },
): AsyncGenerator<FileRows> {
  switch (format) {
    case "ndjson":
      return readLines(chunks, key, 0n, limits);
    case "csv":
      return readCsvRecords(chunks, key, 0n, { limits, characters: csv });
    case "arrow":
      return arrowRows(chunks, "standard input", { key, from: 0n, limits });
    case "avro":
      return readAvroRows(chunks, "standard input", { key, from: 0n, limits });
    case "parquet":
      return spooledParquet(chunks, { key, from: 0n, limits });
    case "raw":
      throw new SluiceError("FILE_UNREADABLE", "standard input can't be raw: it is ndjson, csv, parquet, arrow or avro");
  }
}

/** A track of a stream that comes once: it has no content hash before its end, so its identity is the hash of a random name, and nothing can resume it. */
export function trackStream(topic: string, chunks: AsyncIterable<Uint8Array>, format: FileFormat): Track {
  const rows = { topic, topicId: `sha256:${createHash("sha256").update(randomUUID()).digest("hex")}`, partition: rowsPartition };
  let reading: AsyncGenerator<FileRows> | null = null;
  let read = 0n;

  /** Goes on with the one reading there is; ending this generator does not end that one. */
  async function* goOn(source: AsyncGenerator<FileRows>): AsyncGenerator<FileRows> {
    for (;;) {
      const step = await source.next();
      if (step.done === true) return;
      read = step.value.next;
      yield step.value;
    }
  }

  return {
    name: "standard input",
    rows,
    end: { ...rows, partition: endPartition },
    total: null,
    next: 0n,
    isFinished: false,
    isPlaced: false,
    open(limits: FileRowLimits, { csv }: Pick<ReadOptions, "csv">) {
      if (this.next !== read) {
        throw new SluiceError(
          "SOURCE_OFFSET_OUT_OF_RANGE",
          `line ${this.next + 1n} of standard input is gone: it can't be read a second time`,
        );
      }
      reading ??= readStream(chunks, rows, { format, limits, csv });
      return goOn(reading);
    },
  };
}
