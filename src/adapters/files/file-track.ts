import type { PartitionKey, Position } from "../../core/position.ts";
import type { FileContent, ReadOptions } from "./file-content.ts";
import { readFileRows } from "./file-content.ts";
import type { InputFile } from "./file-list.ts";
import type { FileRowLimits, FileRows } from "./ndjson-lines.ts";

/** A file's rows: its position is the row to read next. */
export const rowsPartition = 0;

/** A file's end: position 1 says that the file was read to its end, and stays when the position of its rows is forgotten. */
export const endPartition = 1;

/** One input as the source goes through it: where it stands, and where rows come from. */
export interface Track {
  readonly name: string;
  readonly rows: PartitionKey;
  readonly end: PartitionKey;
  /** Number of rows, where it is known. */
  total: bigint | null;
  /** The next row to hand out. */
  next: bigint;
  /** Its end was handed out. */
  isFinished: boolean;
  /** The gate gave it a position; until then it is not read. */
  isPlaced: boolean;
  /** Rows from `next` on. Throws where an input can't be read again. */
  open(limits: FileRowLimits, reading: Pick<ReadOptions, "chunkBytes" | "csv" | "pool">): AsyncGenerator<FileRows>;
}

/** A track of a file whose content is known. */
export function trackFile(topic: string, file: InputFile, content: FileContent): Track {
  const rows = { topic, topicId: content.topicId, partition: rowsPartition };
  return {
    name: file.path,
    rows,
    end: { ...rows, partition: endPartition },
    total: content.rows,
    next: 0n,
    isFinished: false,
    isPlaced: false,
    open(limits, reading) {
      return readFileRows(file, content, { key: rows, from: this.next, limits, ...reading });
    },
  };
}

/** Moves a track to where the table says it is. */
export function placeTrack(track: Track, position: Position): void {
  if (position.topicId !== track.rows.topicId) return;
  if (position.partition === track.end.partition) track.isFinished = position.next > 0n;
  else {
    track.next = position.next;
    track.isPlaced = true;
  }
}
