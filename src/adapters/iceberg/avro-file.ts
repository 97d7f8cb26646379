import { deflateRawSync } from "node:zlib";
import type { AvroCodec } from "../../core/avro/unpack-block.ts";
import { isAvroCodec, unpackAvroBlock } from "../../core/avro/unpack-block.ts";
import { AvroDecoder } from "./avro-decoder.ts";
import { AvroEncoder } from "./avro-encoder.ts";
import type { AvroArray, AvroMap, AvroNamed, AvroRecord, AvroRow, AvroSchema, AvroValue } from "./avro-schema.ts";

const magic = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01);
const blockBytes = 64 * 1024;
const inflatedBytesMax = 64 * 1024 * 1024;

/** An Avro object container file (Avro specification 1.12): its schema as written, its metadata, its rows. */
export interface AvroFile {
  readonly schema: AvroRecord;
  readonly metadata: Readonly<Record<string, string>>;
  readonly rows: readonly AvroRow[];
}

function writeHeader(encoder: AvroEncoder, metadata: Readonly<Record<string, string>>, sync: Uint8Array): void {
  encoder.raw(magic);
  const entries = Object.entries(metadata);
  encoder.long(BigInt(entries.length));
  for (const [key, value] of entries) {
    encoder.string(key);
    encoder.string(value);
  }
  encoder.long(0n);
  encoder.raw(sync);
}

/** The bytes of a container file, deflate compressed. `sync` is 16 bytes that should be random. */
export function encodeAvroFile(file: AvroFile, sync: Uint8Array): Uint8Array {
  const out = new AvroEncoder();
  writeHeader(out, { "avro.schema": JSON.stringify(file.schema), "avro.codec": "deflate", ...file.metadata }, sync);
  let block = new AvroEncoder();
  let count = 0;
  const flush = (): void => {
    if (count === 0) return;
    out.long(BigInt(count));
    out.bytes(deflateRawSync(block.written()));
    out.raw(sync);
    block = new AvroEncoder();
    count = 0;
  };
  for (const row of file.rows) {
    block.value(file.schema, row);
    count++;
    if (block.length >= blockBytes) flush();
  }
  flush();
  return out.written();
}

type Named = Exclude<AvroSchema, string | readonly AvroSchema[]>;

/** Puts definitions where other writers refer to a type by its name. */
function resolveNames(schema: AvroSchema, names: Map<string, AvroSchema>): AvroSchema {
  if (typeof schema === "string") return names.get(schema) ?? schema;
  if (Array.isArray(schema)) return (schema as readonly AvroSchema[]).map((branch) => resolveNames(branch, names));
  const named = schema as Named;
  if (named.type === "record") {
    const resolved = { ...named, fields: named.fields.map((field) => ({ ...field, type: resolveNames(field.type, names) })) };
    names.set(named.name, resolved);
    return resolved;
  }
  if (named.type === "array") return { ...named, items: resolveNames(named.items, names) } satisfies AvroArray;
  if (named.type === "map") return { ...named, values: resolveNames(named.values, names) } satisfies AvroMap;
  if (named.type === "fixed") names.set(named.name, named);
  // Some writers wrap a definition: {"type": {"type": "record", ...}}.
  if (typeof (named as AvroNamed).type === "object") return resolveNames((named as unknown as { type: AvroSchema }).type, names);
  return named;
}

/** An Avro object container file whose rows are decoded as they are taken; that throws RangeError on bytes that are none. */
export interface AvroReader extends Omit<AvroFile, "rows"> {
  readonly rows: Iterable<AvroRow>;
}

/** The unpackers of each codec have faults of their own. */
function unpacked(codec: AvroCodec, block: Uint8Array): Uint8Array {
  try {
    return unpackAvroBlock(codec, block, inflatedBytesMax);
  } catch (cause) {
    throw new RangeError(`an Avro block can't be unpacked by ${codec}: ${(cause as Error).message}`, { cause });
  }
}

function* rowsIn(decoder: AvroDecoder, schema: AvroRecord, codec: string): Iterable<AvroRow> {
  if (!isAvroCodec(codec)) throw new RangeError(`Avro codec ${codec} is not read here`);
  const sync = decoder.raw(16);
  while (!decoder.done) {
    const count = Number(decoder.long());
    const block = new AvroDecoder(unpacked(codec, decoder.bytes()));
    for (let i = 0; i < count; i++) yield block.value(schema) as AvroRow;
    if (Buffer.compare(decoder.raw(16), sync) !== 0) throw new RangeError("an Avro block does not end in the file's sync marker");
  }
}

/** Reads the header of a container file; its rows once. Throws RangeError or SyntaxError on bytes that are none. */
export function openAvroFile(bytes: Uint8Array): AvroReader {
  const decoder = new AvroDecoder(bytes);
  if (Buffer.compare(decoder.raw(4), magic) !== 0) throw new RangeError("not an Avro object container file");
  const header = decoder.value({ type: "map", values: "bytes" }) as Record<string, AvroValue>;
  // Not by assignment: a key may be called `__proto__`.
  const metadata: Record<string, string> = Object.fromEntries(
    Object.entries(header).map(([key, value]) => [key, Buffer.from(value as Uint8Array).toString("utf8")]),
  );
  const schema = resolveNames(JSON.parse(metadata["avro.schema"] ?? "") as AvroSchema, new Map()) as AvroRecord;
  return { schema, metadata, rows: rowsIn(decoder, schema, metadata["avro.codec"] ?? "null") };
}

/** Reads a container file whole, as `openAvroFile` does. */
export function decodeAvroFile(bytes: Uint8Array): AvroFile {
  const { schema, metadata, rows } = openAvroFile(bytes);
  return { schema, metadata, rows: [...rows] };
}
