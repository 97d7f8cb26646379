import { SluiceError } from "../../core/errors.ts";
import { type Records, TimestampType } from "../../core/records.ts";
import type { TransactionalBatch } from "./aborted-transactions.ts";
import { crc32c } from "./crc32c.ts";

/** Bytes of a batch before its records (message format v2, KIP-98). */
export const batchHeaderBytes = 61;
/** A record takes at least this: length, attributes, two deltas, two lengths and a header count, a byte each. */
const recordBytesMin = 7;

/** The header of one record batch; positions are in the buffer it was read from. */
export interface BatchHeader extends TransactionalBatch {
  readonly start: number;
  readonly end: number;
  readonly baseOffset: bigint;
  readonly codec: number;
  readonly timestampType: number;
  readonly baseTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly count: number;
}

/** The whole batch's size at `at`, or null if the buffer ends before it does (brokers cut the last batch of a response). */
export function batchSize(buffer: Buffer, at: number): number | null {
  if (at + 12 > buffer.length) return null;
  const size = 12 + buffer.readInt32BE(at + 8);
  return size >= 12 && at + size > buffer.length ? null : size;
}

/**
 * Reads and checks one batch that lies whole in the buffer.
 * Throws SOURCE_CORRUPT for a failed CRC-32C or an impossible header, SOURCE_UNREADABLE for message formats before v2.
 */
export function readBatchHeader(buffer: Buffer, start: number, size: number): BatchHeader {
  const baseOffset = buffer.readBigInt64BE(start);
  if (size < 17) throw corrupt(`the batch at offset ${baseOffset} has an impossible size`);
  const magic = buffer.readInt8(start + 16);
  if (magic >= 0 && magic < 2) {
    throw new SluiceError(
      "SOURCE_UNREADABLE",
      `the batch at offset ${baseOffset} has message format v${magic}; v2 (Kafka 0.11) is the oldest read`,
    );
  }
  if (magic !== 2 || size < batchHeaderBytes) throw corrupt(`the batch at offset ${baseOffset} has an impossible header`);
  const end = start + size;
  if (crc32c(buffer, start + 21, end) !== buffer.readUInt32BE(start + 17)) throw corrupt(`the batch at offset ${baseOffset} fails its CRC`);
  const attributes = buffer.readInt16BE(start + 21);
  const control = (attributes & 32) !== 0;
  const count = buffer.readInt32BE(start + 57);
  const lastOffsetDelta = buffer.readInt32BE(start + 23);
  if (count < 0 || lastOffsetDelta < 0) throw corrupt(`the batch at offset ${baseOffset} has an impossible header`);
  return {
    start,
    end,
    baseOffset,
    lastOffset: baseOffset + BigInt(lastOffsetDelta),
    codec: attributes & 7,
    timestampType: attributes & 8 ? TimestampType.logAppend : TimestampType.create,
    transactional: (attributes & 16) !== 0,
    control,
    abortMarker: control && count > 0 && (attributes & 7) === 0 && markerType(buffer, start + batchHeaderBytes, end) === 0,
    baseTimestamp: buffer.readBigInt64BE(start + 27),
    maxTimestamp: buffer.readBigInt64BE(start + 35),
    producerId: buffer.readBigInt64BE(start + 43),
    count,
  };
}

/** The type in a control record's key (version and type, int16 each): 0 aborts, 1 commits; -1 if there is none. */
function markerType(buffer: Buffer, start: number, end: number): number {
  const cursor: Cursor = { at: start };
  readVarint(buffer, cursor);
  cursor.at++;
  skipVarint(buffer, cursor);
  readVarint(buffer, cursor);
  const length = readVarint(buffer, cursor);
  return length >= 4 && cursor.at + 4 <= end ? buffer.readInt16BE(cursor.at + 2) : -1;
}

interface Cursor {
  at: number;
}

function readVarint(bytes: Uint8Array, cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) break;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
  }
  throw corrupt("a record ends in the middle of a number");
}

function skipVarint(bytes: Uint8Array, cursor: Cursor): void {
  for (let i = 0; i < 10; i++) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) break;
    if (byte < 0x80) return;
  }
  throw corrupt("a record ends in the middle of a number");
}

/** A timestamp's delta: a number where four bytes hold it, which is nearly always. */
function readDelta(bytes: Uint8Array, cursor: Cursor): number | bigint {
  let value = 0;
  let at = cursor.at;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      cursor.at = at;
      return (value >>> 1) ^ -(value & 1);
    }
  }
  return readVarlong(bytes, cursor);
}

function readVarlong(bytes: Uint8Array, cursor: Cursor): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) break;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }
  throw corrupt("a record ends in the middle of a number");
}

function corrupt(message: string): SluiceError {
  return new SluiceError("SOURCE_CORRUPT", message);
}

/** The least room that a batch's records take; a header that claims more records than fit is corrupt, and must not size an allocation. */
export function checkCount(header: BatchHeader, sectionBytes: number): void {
  if (header.count * recordBytesMin > sectionBytes)
    throw corrupt(`the batch at offset ${header.baseOffset} claims more records than it has room for`);
}

/**
 * Reads a batch's records from `[start, end)` of the slab of `into`, from row `row` on, leaving out those before `from`.
 * Answers the next free row. Throws SOURCE_CORRUPT where the bytes are no records.
 */
export function readRecords(header: BatchHeader, into: Records, row: number, start: number, end: number, from: bigint): number {
  const bytes = into.bytes;
  const offsets = new Uint32Array(into.offsets.buffer, into.offsets.byteOffset, 2 * into.offsets.length);
  const timestamps = new Uint32Array(into.timestamps.buffer, into.timestamps.byteOffset, 2 * into.timestamps.length);
  const base = Number(header.baseOffset);
  const first = Number(from);
  const logAppend = header.timestampType === TimestampType.logAppend;
  const baseTimestamp = logAppend ? header.maxTimestamp : header.baseTimestamp;
  const near = Number(baseTimestamp);
  const exact = Math.abs(near) < 2 ** 52;
  const cursor: Cursor = { at: start };
  let previous = -1;
  for (let i = 0; i < header.count; i++) {
    const length = readVarint(bytes, cursor);
    const recordEnd = cursor.at + length;
    if (length < recordBytesMin - 1 || recordEnd > end) throw corrupt(`a record of the batch at offset ${header.baseOffset} is cut short`);
    cursor.at++;
    const delta = readDelta(bytes, cursor);
    const offsetDelta = readVarint(bytes, cursor);
    if (offsetDelta <= previous) throw corrupt(`offsets of the batch at offset ${header.baseOffset} don't ascend`);
    previous = offsetDelta;
    const offset = base + offsetDelta;
    if (offset >= first) {
      putInt64(offsets, row, offset);
      if (exact && (logAppend || typeof delta === "number")) putInt64(timestamps, row, logAppend ? near : near + (delta as number));
      else into.timestamps[row] = logAppend ? baseTimestamp : baseTimestamp + BigInt(delta);
      into.timestampTypes[row] = header.timestampType;
      readBody(bytes, cursor, into, row, recordEnd);
      row++;
    }
    cursor.at = recordEnd;
  }
  if (cursor.at !== end) throw corrupt(`the batch at offset ${header.baseOffset} has bytes behind its last record`);
  return row;
}

function readBody(bytes: Uint8Array, cursor: Cursor, into: Records, row: number, end: number): void {
  const keyLength = readVarint(bytes, cursor);
  into.keyStart[row] = cursor.at;
  into.keyLength[row] = keyLength;
  if (keyLength > 0) cursor.at += keyLength;
  const valueLength = readVarint(bytes, cursor);
  into.valueStart[row] = cursor.at;
  into.valueLength[row] = valueLength;
  if (valueLength > 0) cursor.at += valueLength;
  into.headersStart[row] = cursor.at;
  // A count of zero headers is one zero byte: told apart from a span, since most records have none.
  into.headersLength[row] = end - cursor.at === 1 && bytes[cursor.at] === 0 ? 0 : end - cursor.at;
  if (keyLength < -1 || valueLength < -1 || cursor.at >= end) throw corrupt("a record's key or value reaches past its end");
}

/** Splits a safe integer over the two words of a 64-bit slot: a BigInt a record would cost more than the rest of the parse. */
function putInt64(words: Uint32Array, row: number, value: number): void {
  const high = Math.floor(value / 4294967296);
  words[2 * row] = value - high * 4294967296;
  words[2 * row + 1] = high;
}
