import { createHash } from "node:crypto";
import { SluiceError } from "../../core/errors.ts";
import { encodeHeaders } from "../../core/headers.ts";
import type { PartitionKey } from "../../core/position.ts";
import type { SchemaId } from "../../core/registered-schema.ts";
import { type AvroHeader, readAvroBlocks, readAvroHeader } from "./avro-container.ts";
import { AvroWalker } from "./avro-walker.ts";
import { ByteFeed } from "./byte-feed.ts";
import { type FileRowLimits, type FileRows, recordsOf } from "./ndjson-lines.ts";

/** Blocks are often small: runs are made of several. */
const runBytes = 1 << 20;

/** The writer's schema of an Avro object container file, as its records name it. */
export interface AvroFileSchema {
  readonly id: SchemaId;
  readonly text: string;
}

/** The schema that stands at the start of a file or stream. Rejects with FILE_UNREADABLE. */
export async function readAvroFileSchema(chunks: AsyncIterable<Uint8Array>, name: string): Promise<AvroFileSchema> {
  const { text } = await readAvroHeader(new ByteFeed(chunks), name);
  return { id: avroSchemaId(text), text };
}

/** A schema's text as a GUID: the same wherever the same text stands. */
export function avroSchemaId(text: string): SchemaId {
  const hex = createHash("sha256").update(text).digest("hex").slice(0, 32);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The header of Confluent's frames, version 1, that names a schema. */
function headerOf(id: SchemaId): Uint8Array {
  const value = Buffer.concat([Buffer.of(1), Buffer.from(id.replaceAll("-", ""), "hex")]);
  return encodeHeaders([{ key: "__value_schema_id", value }]);
}

/** Records of several blocks, from where they begin in the file. */
interface Pending {
  readonly first: number;
  readonly block: Uint8Array;
  readonly ends: Uint32Array;
  /** Records of it that were handed out, or are passed over. */
  readonly done: number;
}

/**
 * The rows of an Avro object container file from an offset on: the value is the record's bytes as they stand in the file, the header `__value_schema_id` names the
 * file's schema (`avroSchemaId`). One block is in memory as a whole. Rejects with FILE_UNREADABLE where it is damaged; with SOURCE_OVERSIZED.
 */
export async function* readAvroRows(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  { key, from, limits }: { readonly key: PartitionKey; readonly from: bigint; readonly limits: FileRowLimits },
): AsyncGenerator<FileRows> {
  const feed = new ByteFeed(chunks);
  try {
    const header = await readAvroHeader(feed, name);
    const runs = new RunMaker(header, { name, key, limits });
    let row = 0;
    for await (const { count, open } of readAvroBlocks(feed, header, name)) {
      const after = row + count;
      if (after > from) yield* runs.add(row, { bytes: open(), count, done: Math.max(0, Number(from) - row) });
      row = after;
    }
    yield* runs.rest();
  } finally {
    await feed.close();
  }
}

/** Makes runs of blocks' records. */
class RunMaker {
  readonly #walker: AvroWalker;
  readonly #header: Uint8Array;
  readonly #options: { readonly name: string; readonly key: PartitionKey; readonly limits: FileRowLimits };
  #pending: Pending[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(header: AvroHeader, options: { readonly name: string; readonly key: PartitionKey; readonly limits: FileRowLimits }) {
    this.#walker = new AvroWalker(header.schema);
    this.#header = headerOf(avroSchemaId(header.text));
    this.#options = options;
  }

  *add(
    first: number,
    { bytes, count, done }: { readonly bytes: Uint8Array; readonly count: number; readonly done: number },
  ): Generator<FileRows> {
    const { runRowsMax } = this.#options.limits;
    const ends = this.#endsOf(bytes, count);
    for (let from = done; from < count;) {
      const take = Math.min(count - from, runRowsMax - this.#rows);
      this.#pending.push({ first: first + from, block: bytes, ends: ends.subarray(0, from + take), done: from });
      this.#rows += take;
      this.#bytes += (ends[from + take - 1] as number) - (from === 0 ? 0 : (ends[from - 1] as number));
      from += take;
      if (this.#rows >= runRowsMax || this.#bytes >= runBytes) yield* this.rest();
    }
  }

  /** What is pending, as one run. */
  *rest(): Generator<FileRows> {
    if (this.#rows === 0) return;
    const { key, limits, name } = this.#options;
    const slab = new Uint8Array(this.#header.length + this.#bytes);
    slab.set(this.#header);
    const spans = { starts: new Uint32Array(this.#rows), lengths: new Uint32Array(this.#rows), lines: new Float64Array(this.#rows) };
    let at = this.#header.length;
    let row = 0;
    for (const { first, block, ends, done } of this.#pending) {
      const begin = done === 0 ? 0 : (ends[done - 1] as number);
      slab.set(block.subarray(begin, ends.at(-1)), at);
      for (let i = done, start = begin; i < ends.length; i++, row++) {
        const end = ends[i] as number;
        if (end - start > limits.recordBytesMax)
          throw new SluiceError("SOURCE_OVERSIZED", `row ${first + i - done} of ${name} is longer than ${limits.recordBytesMax} bytes`);
        spans.starts[row] = at + start - begin;
        spans.lengths[row] = end - start;
        spans.lines[row] = first + i - done;
        start = end;
      }
      at += (ends.at(-1) as number) - begin;
    }
    this.#pending = [];
    this.#rows = 0;
    this.#bytes = 0;
    const records = recordsOf(slab, key, spans);
    // One header for all: it stands at the slab's start.
    records.headersLength.fill(this.#header.length);
    yield { records, next: BigInt((spans.lines.at(-1) as number) + 1) };
  }

  #endsOf(bytes: Uint8Array, count: number): Uint32Array {
    try {
      return this.#walker.ends(bytes, count);
    } catch (cause) {
      throw new SluiceError("FILE_UNREADABLE", `${this.#options.name} can't be read as Avro: ${(cause as Error).message}`, { cause });
    }
  }
}
