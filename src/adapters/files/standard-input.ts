import { createHash, randomUUID } from "node:crypto";
import { SluiceError } from "../../core/errors.ts";
import type { FileRowLimits, FileRows } from "./ndjson-lines.ts";
import { readLines } from "./ndjson-lines.ts";
import type { Track } from "./file-track.ts";

/** Other partitions than a file's: what is left over of a stream is no file that went missing. */
const rowsPartition = 2;
const endPartition = 3;

/** A track of a stream that comes once: it has no content hash before its end, so its identity is the hash of a random name, and nothing can resume it. */
export function trackStream(topic: string, chunks: AsyncIterable<Uint8Array>): Track {
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
    open(limits: FileRowLimits) {
      if (this.next !== read) {
        throw new SluiceError(
          "SOURCE_OFFSET_OUT_OF_RANGE",
          `line ${this.next + 1n} of standard input is gone: it can't be read a second time`,
        );
      }
      reading ??= readLines(chunks, rows, 0n, limits);
      return goOn(reading);
    },
  };
}
