import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey } from "../../core/position.ts";
import type { FileRowLimits, FileRows } from "./ndjson-lines.ts";
import { recordsOf } from "./ndjson-lines.ts";

const lineFeed = 10;
const carriageReturn = 13;

/** The two characters that a CSV file's cells are told apart by. */
export interface CsvCharacters {
  readonly delimiter: string;
  readonly quote: string;
}

/**
 * CSV records (RFC 4180) as records: the value is the record's bytes without its line end, the offset its number from 0, and number 0 is the header line, which
 * is handed out as no record. Line ends inside quoted cells belong to their record. Empty lines are no records. A record longer than `recordBytesMax`
 * rejects with SOURCE_OVERSIZED, after those before it: so does a quote that nothing closes.
 */
export async function* readCsvRecords(
  chunks: AsyncIterable<Uint8Array>,
  key: PartitionKey,
  from: bigint,
  { limits, characters }: { readonly limits: FileRowLimits; readonly characters: CsvCharacters },
): AsyncGenerator<FileRows> {
  const splitter = new CsvSplitter(characters);
  const first = Math.max(1, Number(from));
  let number = 0;
  let rest: Uint8Array = new Uint8Array(0);
  const hand = function* (slab: Uint8Array, ends: readonly number[]): Generator<FileRows> {
    let begin = 0;
    let spans = emptySpans();
    let base = 0;
    const flush = function* (upTo: number): Generator<FileRows> {
      if (spans.starts.length > 0) yield { records: recordsOf(slab.subarray(base, upTo), key, spans), next: BigInt(number) };
      spans = emptySpans();
      base = upTo;
    };
    for (const end of ends) {
      let length = end - begin;
      if (length > 0 && slab[begin + length - 1] === lineFeed) length--;
      if (length > 0 && slab[begin + length - 1] === carriageReturn) length--;
      if (length > limits.recordBytesMax) {
        yield* flush(begin);
        throw oversized(key, number, limits);
      }
      if (number >= first && length > 0) {
        spans.starts.push(begin - base);
        spans.lengths.push(length);
        spans.lines.push(number);
      }
      number++;
      begin = end;
      if (spans.starts.length >= limits.runRowsMax) yield* flush(end);
    }
    yield* flush(begin);
  };
  for await (const chunk of chunks) {
    const slab = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const ends = splitter.split(slab, rest.length);
    const whole = ends.at(-1) ?? 0;
    yield* hand(slab, ends);
    // A copy: a view would keep the whole chunk.
    rest = slab.slice(whole);
    if (rest.length > limits.recordBytesMax + 2) throw oversized(key, number, limits);
  }
  if (rest.length > 0) yield* hand(rest, [rest.length]);
}

function emptySpans(): { readonly starts: number[]; readonly lengths: number[]; readonly lines: number[] } {
  return { starts: [], lengths: [], lines: [] };
}

function oversized(key: PartitionKey, number: number, limits: FileRowLimits): SluiceError {
  return new SluiceError(
    "SOURCE_OVERSIZED",
    `CSV record ${number + 1} of ${key.topic} is longer than ${limits.recordBytesMax} bytes (an open quote?)`,
    {
      details: { topic: key.topic, topicId: key.topicId, offset: number },
    },
  );
}

/** Finds where records end, over chunks: a quote opens a cell only where the cell begins. */
class CsvSplitter {
  readonly #delimiter: number;
  readonly #quote: number;
  /** Inside a quoted cell. */
  #quoted = false;
  /** At the beginning of a cell. */
  #atStart = true;

  constructor({ delimiter, quote }: CsvCharacters) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quote.charCodeAt(0);
  }

  /** Positions after the line ends of `bytes` that end records; bytes before `from` were looked at before. */
  split(bytes: Uint8Array, from: number): number[] {
    const ends: number[] = [];
    for (let p = from; p < bytes.length; p++) {
      const byte = bytes[p] as number;
      if (byte === this.#quote) {
        // A doubled quote closes and opens again: the same as neither.
        if (this.#quoted) this.#quoted = false;
        else if (this.#atStart || bytes[p - 1] === this.#quote) this.#quoted = true;
        this.#atStart = false;
      } else if (!this.#quoted) {
        this.#atStart = byte === this.#delimiter || byte === lineFeed;
        if (byte === lineFeed) ends.push(p + 1);
      }
    }
    return ends;
  }
}

/** The cells of a file's first record, as text. */
export async function readCsvHeader(chunks: AsyncIterable<Uint8Array>, characters: CsvCharacters): Promise<string[]> {
  const splitter = new CsvSplitter(characters);
  let bytes: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const before = bytes.length;
    bytes = Buffer.concat([bytes, chunk]);
    const [end] = splitter.split(bytes, before);
    if (end === undefined && bytes.length < headerBytesMax) continue;
    bytes = bytes.subarray(0, end ?? bytes.length);
    break;
  }
  if (bytes.length >= headerBytesMax)
    throw new SluiceError("FILE_UNREADABLE", `the first CSV record is longer than ${headerBytesMax} bytes`);
  const text = new TextDecoder("utf-8").decode(bytes).replace(/\r?\n$/, "");
  return splitCells(text, characters);
}

const headerBytesMax = 1 << 20;

function splitCells(text: string, { delimiter, quote }: CsvCharacters): string[] {
  const cells: string[] = [];
  let p = 0;
  for (;;) {
    let cell = "";
    if (text[p] === quote) {
      for (p++; p < text.length; p++) {
        if (text[p] !== quote) cell += text[p];
        else if (text[p + 1] === quote) cell += text[p++];
        else break;
      }
      p++;
    }
    const end = text.indexOf(delimiter, p);
    cells.push(cell + text.slice(p, end < 0 ? text.length : end));
    if (end < 0) return cells;
    p = end + 1;
  }
}
