import { gzipSync, zstdCompressSync } from "node:zlib";
import { crc32c as reference, lz4Compress, snappyCompress } from "@platformatic/wasm-utils";
import { encodeHeaders } from "../../../src/core/headers.ts";

export interface WrittenRecord {
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

export interface WrittenBatch {
  readonly records: readonly WrittenRecord[];
  readonly codec?: "none" | "gzip" | "snappy" | "xerial" | "lz4" | "zstd";
  readonly baseOffset?: bigint;
  /** Beyond the last record where compaction took later ones. */
  readonly lastOffset?: bigint;
  readonly producerId?: bigint;
  readonly transactional?: boolean;
  /** Makes it a control batch with this marker. */
  readonly marker?: "abort" | "commit";
  /** Makes its timestamps log-append times. */
  readonly appendTime?: bigint;
}

const codecs = { none: 0, gzip: 1, snappy: 2, xerial: 2, lz4: 3, zstd: 4 } as const;

/** A record batch of message format v2, by the text of KIP-98, apart from the code under test. */
export function writeBatch(batch: WrittenBatch): Buffer {
  const { codec = "none", producerId = -1n, transactional = false, marker, appendTime } = batch;
  const baseOffset = batch.baseOffset ?? batch.records[0]?.offset ?? 0n;
  const records =
    marker === undefined
      ? batch.records
      : [{ offset: baseOffset, timestamp: 0n, key: Buffer.from([0, 0, 0, marker === "abort" ? 0 : 1]), value: Buffer.alloc(6) }];
  const lastOffset = batch.lastOffset ?? records.at(-1)?.offset ?? baseOffset;
  const baseTimestamp = records[0]?.timestamp ?? -1n;
  const section = compress(codec, Buffer.concat(records.map((record) => writeRecord(record, baseOffset, baseTimestamp))));
  const attributes = codecs[codec] | (appendTime === undefined ? 0 : 8) | (transactional ? 16 : 0) | (marker === undefined ? 0 : 32);
  const out = Buffer.alloc(61 + section.length);
  out.writeBigInt64BE(baseOffset, 0);
  out.writeInt32BE(out.length - 12, 8);
  out.writeInt32BE(3, 12);
  out.writeInt8(2, 16);
  out.writeInt16BE(attributes, 21);
  out.writeInt32BE(Number(lastOffset - baseOffset), 23);
  out.writeBigInt64BE(baseTimestamp, 27);
  out.writeBigInt64BE(appendTime ?? records.reduce((max, { timestamp }) => (timestamp > max ? timestamp : max), -1n), 35);
  out.writeBigInt64BE(producerId, 43);
  out.writeInt16BE(0, 51);
  out.writeInt32BE(-1, 53);
  out.writeInt32BE(records.length, 57);
  section.copy(out, 61);
  out.writeUInt32BE(reference(out.subarray(21)), 17);
  return out;
}

/** Sets the checksum of a batch that a test has altered on purpose. */
export function sealBatch(batch: Buffer): Buffer {
  batch.writeUInt32BE(reference(batch.subarray(21)), 17);
  return batch;
}

function writeRecord(record: WrittenRecord, baseOffset: bigint, baseTimestamp: bigint): Buffer {
  const headers = Buffer.from(encodeHeaders(record.headers ?? []));
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(record.timestamp - baseTimestamp),
    varint(record.offset - baseOffset),
    bytes(record.key),
    bytes(record.value),
    headers.length === 0 ? Buffer.from([0]) : headers,
  ]);
  return Buffer.concat([varint(BigInt(body.length)), body]);
}

function bytes(part: Uint8Array | null): Buffer {
  return part === null ? varint(-1n) : Buffer.concat([varint(BigInt(part.length)), part]);
}

function varint(wide: bigint): Buffer {
  // Java's deltas wrap around like all its longs.
  const value = BigInt.asIntN(64, wide);
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const out: number[] = [];
  while (rest > 127n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}

export function compress(codec: NonNullable<WrittenBatch["codec"]>, plain: Buffer): Buffer {
  switch (codec) {
    case "none":
      return plain;
    case "gzip":
      return gzipSync(plain);
    case "zstd":
      return zstdCompressSync(plain);
    case "lz4":
      return lz4Compress(plain);
    case "snappy":
      return snappyCompress(plain);
    default: {
      const parts: Buffer[] = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])];
      for (let at = 0; at < plain.length; at += 1000) {
        const block = snappyCompress(plain.subarray(at, at + 1000));
        const length = Buffer.alloc(4);
        length.writeInt32BE(block.length);
        parts.push(length, block);
      }
      return Buffer.concat(parts);
    }
  }
}
