import { createHash, randomUUID } from "node:crypto";
import { SluiceError } from "../../core/errors.ts";
import type { FileRowLimits, FileRows } from "./ndjson-lines.ts";
import { readLines } from "./ndjson-lines.ts";
import type { PartitionKey } from "../../core/position.ts";
import { readCsvRecords } from "./csv-records.ts";
import type { CsvCharacters } from "./csv-records.ts";
import { readAvroRows } from "./avro-rows.ts";
import { arrowRows, type ReadOptions } from "./file-content.ts";
import type { FileFormat } from "./file-list.ts";
import type { Track } from "./file-track.ts";

/** Other partitions than a file's: what is left over of a stream is no file that went missing. */
const rowsPartition = 2;
const endPartition = 3;

/** The rows of a stream that is read once. Parquet needs its end first. */
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
    default:
      throw new SluiceError("FILE_UNREADABLE", `standard input can't be ${format}: it is ndjson, csv, arrow or avro`);
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
