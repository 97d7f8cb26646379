import { crc32, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { library } from "../library.ts";

const unpack = {
  null: (block: Uint8Array) => block,
  deflate: (block: Uint8Array, bytesMax: number) => inflateRawSync(block, { maxOutputLength: bytesMax }),
  snappy: unsnappy,
  zstandard: (block: Uint8Array, bytesMax: number) => zstdDecompressSync(block, { maxOutputLength: bytesMax }),
} as const;

/** A codec of blocks of Avro object container files (Apache Avro 1.12, "Required Codecs" and "Optional Codecs"). */
export type AvroCodec = keyof typeof unpack;

/** The codecs whose blocks can be unpacked; bzip2 and xz, which few write, are not among them. */
export const avroCodecs: readonly AvroCodec[] = Object.keys(unpack) as AvroCodec[];

/** Whether a file's codec is one of those. */
export function isAvroCodec(codec: string): codec is AvroCodec {
  return Object.hasOwn(unpack, codec);
}

/** Snappy's block format, and behind it the CRC-32 of what was packed, big endian. */
function unsnappy(block: Uint8Array, bytesMax: number): Uint8Array {
  if (block.length < 5) throw new RangeError("a snappy block has no checksum");
  const packed = Buffer.from(block.buffer, block.byteOffset, block.length - 4);
  let size = 0;
  for (let i = 0, shift = 1; i < 5; i++, shift *= 128) {
    const byte = packed[i] ?? 0;
    size += (byte & 127) * shift;
    if (byte < 128) break;
  }
  if (size > bytesMax) throw new RangeError(`a block holds more than ${bytesMax} bytes`);
  const bytes = library.wasmUtils().snappyDecompress(packed);
  const sum = new DataView(block.buffer, block.byteOffset + block.length - 4, 4).getUint32(0);
  if (crc32(bytes) !== sum) throw new RangeError("a block does not have the checksum that is behind it");
  return bytes;
}

/** The bytes of a block. Throws where they are damaged, or more than `bytesMax`. */
export function unpackAvroBlock(codec: AvroCodec, block: Uint8Array, bytesMax: number): Uint8Array {
  return unpack[codec](block, bytesMax);
}
