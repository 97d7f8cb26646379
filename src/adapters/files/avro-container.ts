import type { AvroSchema } from "../../core/avro/avro-schema.ts";
import { parseAvroSchema } from "../../core/avro/parse-avro-schema.ts";
import type { AvroCodec } from "../../core/avro/unpack-block.ts";
import { avroCodecs, isAvroCodec, unpackAvroBlock } from "../../core/avro/unpack-block.ts";
import { SluiceError } from "../../core/errors.ts";
import type { ByteFeed } from "./byte-feed.ts";

const magic = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01);
const syncBytes = 16;
const headerBytesMax = 16 << 20;
/** Of one block, packed or not: it is in memory as a whole. */
const blockBytesMax = 128 << 20;

/** What stands in front of the blocks of an Avro object container file (Apache Avro 1.12, "Object Container Files"). */
export interface AvroHeader {
  /** The writer's schema: as the file has it, and read. */
  readonly text: string;
  readonly schema: AvroSchema;
  readonly codec: AvroCodec;
  readonly sync: Uint8Array;
}

/** Some records' bytes, one after the other. */
export interface AvroBlock {
  readonly count: number;
  /** Unpacks the block's bytes. Throws FILE_UNREADABLE. */
  readonly open: () => Uint8Array;
}

function unreadable(name: string, message: string, cause?: unknown): SluiceError {
  return new SluiceError("FILE_UNREADABLE", `${name} can't be read as Avro: ${message}`, { cause });
}

/** The header that a file begins with; the feed stands behind it then. Rejects with FILE_UNREADABLE. */
export async function readAvroHeader(feed: ByteFeed, name: string): Promise<AvroHeader> {
  const fail = (message: string): SluiceError => unreadable(name, message);
  if (!(await feed.has(magic.length)) || Buffer.compare(feed.take(magic.length), magic) !== 0)
    throw fail("it does not begin as an object container file does; a bare record, framed or not, is --format raw");
  const entries = new Map<string, Uint8Array>();
  const take = async (): Promise<Uint8Array> => {
    const size = await feed.long();
    if (size === null || !(size >= 0 && size <= headerBytesMax) || !(await feed.has(size))) throw fail("it ends within its header");
    return feed.take(size);
  };
  for (;;) {
    let count = await feed.long();
    if (count === null) throw fail("it ends within its header");
    if (count === 0) break;
    if (count < 0) {
      count = -count;
      await feed.long();
    }
    if (!(count <= 10_000)) throw fail("its header has more than 10,000 entries");
    for (let i = 0; i < count; i++) entries.set(Buffer.from(await take()).toString("utf8"), (await take()).slice());
  }
  if (!(await feed.has(syncBytes))) throw fail("it ends within its header");
  const text = Buffer.from(entries.get("avro.schema") ?? []).toString("utf8");
  const parsed = parseAvroSchema(text);
  if ("problem" in parsed) throw fail(`its schema can't be used: ${parsed.problem}`);
  if (parsed.schema.type !== "record") throw fail(`its schema is ${parsed.schema.type}, and rows are records`);
  const codec = Buffer.from(entries.get("avro.codec") ?? Buffer.from("null")).toString("utf8");
  if (!isAvroCodec(codec)) throw fail(`its codec is ${JSON.stringify(codec)}; write it again with one of ${avroCodecs.join(", ")}`);
  return { text, schema: parsed.schema, codec, sync: feed.take(syncBytes).slice() };
}

/** The blocks behind a header, to the end. Rejects with FILE_UNREADABLE. */
export async function* readAvroBlocks(feed: ByteFeed, { codec, sync }: AvroHeader, name: string): AsyncGenerator<AvroBlock> {
  for (let index = 1; await feed.has(1); index++) {
    const count = await feed.long();
    const size = count === null ? null : await feed.long();
    if (count === null || size === null) throw unreadable(name, `it ends within block ${index}`);
    if (!(count >= 0 && size >= 0)) throw unreadable(name, `block ${index} says that it has ${count} records in ${size} bytes`);
    if (size > blockBytesMax)
      throw unreadable(name, `block ${index} has more than ${blockBytesMax} bytes; write the file again with smaller blocks`);
    if (!(await feed.has(size + syncBytes))) throw unreadable(name, `it ends within block ${index}`);
    const packed = feed.take(size);
    if (Buffer.compare(feed.take(syncBytes), sync) !== 0)
      throw unreadable(name, `block ${index} does not end in the file's sync marker: the file is damaged`);
    const open = (): Uint8Array => {
      try {
        return unpackAvroBlock(codec, packed, blockBytesMax);
      } catch (cause) {
        throw unreadable(name, `block ${index} can't be unpacked by ${codec}: ${(cause as Error).message}`, cause);
      }
    };
    yield { count, open };
  }
}
