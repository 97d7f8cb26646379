import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { lz4Decompress, snappyDecompress } from "@platformatic/wasm-utils";
import { SluiceError } from "../../core/errors.ts";

/** The codec bits of a record batch's attributes (KIP-98; zstd by KIP-110). */
export const Compression = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);

/**
 * The record section of a compressed batch, as plain bytes. Never allocates more than `bytesMax`: that bounds bombs, so that how well bytes compress
 * does not matter, and a bomb within it is a record like any other, for the contract to judge. Throws SOURCE_OVERSIZED beyond it, SOURCE_CORRUPT for bytes that the codec rejects, SOURCE_UNREADABLE for an unknown codec.
 */
export function decompress(codec: number, input: Uint8Array, bytesMax: number): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  try {
    switch (codec) {
      case Compression.gzip:
        return gunzipSync(bytes, { maxOutputLength: bytesMax });
      case Compression.zstd:
        return zstdDecompressSync(bytes, { maxOutputLength: bytesMax });
      case Compression.snappy:
        return unsnappy(bytes, bytesMax);
      case Compression.lz4:
        checkSize(lz4Size(bytes, bytesMax), bytesMax);
        return lz4Decompress(bytes);
      default:
        throw new SluiceError("SOURCE_UNREADABLE", `unknown compression codec ${codec}`);
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw oversized(bytesMax, error);
    throw new SluiceError("SOURCE_CORRUPT", `a compressed record batch can't be read: ${(error as Error).message}`, { cause: error });
  }
}

function oversized(allowed: number, cause?: unknown): SluiceError {
  return new SluiceError("SOURCE_OVERSIZED", `a record batch decompresses to more than ${allowed} bytes`, { cause });
}

function checkSize(size: number, allowed: number): void {
  if (size > allowed) throw oversized(allowed);
}

/** Snappy raw blocks say their size first; Java wraps them in xerial's frames (16-byte header, then length-prefixed blocks). */
function unsnappy(input: Buffer, allowed: number): Buffer {
  if (input.length < 16 || !input.subarray(0, 8).equals(xerialMagic)) {
    checkSize(snappyBlockSize(input), allowed);
    return snappyDecompress(input);
  }
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = 16; at < input.length;) {
    const length = input.readInt32BE(at);
    const block = input.subarray(at + 4, at + 4 + length);
    if (length < 0 || block.length !== length) throw new Error("a snappy block is cut short");
    total += snappyBlockSize(block);
    checkSize(total, allowed);
    blocks.push(block);
    at += 4 + length;
  }
  return Buffer.concat(blocks.map((block) => snappyDecompress(block)));
}

function snappyBlockSize(block: Buffer): number {
  let size = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    const byte = block[i] as number;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return size;
  }
  throw new Error("a snappy block has no length");
}

/** The size of an LZ4 frame's content (lz4 frame format 1.6.1) from its blocks' tokens alone, nothing decoded; gives up once beyond `allowed`. */
function lz4Size(input: Buffer, allowed: number): number {
  if (input.length < 7 || input.readUInt32LE(0) !== 0x184d2204) throw new Error("no LZ4 frame");
  const flags = input[4] as number;
  const blockChecksum = flags & 0x10 ? 4 : 0;
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let total = 0;
  for (;;) {
    const head = input.readUInt32LE(at);
    at += 4;
    if (head === 0) return total;
    const length = head & 0x7fffffff;
    if (at + length > input.length) throw new Error("an LZ4 block is cut short");
    total += head >>> 31 ? length : lz4BlockSize(input, at, at + length);
    if (total > allowed) return total;
    at += length + blockChecksum;
  }
}

function lz4BlockSize(input: Buffer, start: number, end: number): number {
  let total = 0;
  let at = start;
  while (at < end) {
    const token = input[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) for (let more = 255; more === 255 && at < end; literals += more) more = input[at++] as number;
    at += literals;
    total += literals;
    if (at >= end) break;
    at += 2;
    let match = token & 15;
    if (match === 15) for (let more = 255; more === 255 && at < end; match += more) more = input[at++] as number;
    total += match + 4;
  }
  return total;
}
