import type { Reader } from "@platformatic/kafka";
import type { AbortedTransaction } from "./aborted-transactions.ts";
import { FetchMemory } from "./fetch-memory.ts";

/** What a broker answered for one partition. */
export interface FetchedPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly abortedTransactions: readonly AbortedTransaction[];
  /**
   * Record batches as they stand in the log, the last one perhaps cut; a copy of its own, so that one partition doesn't hold another's bytes. Its memory is held
   * for whoever takes the answer.
   */
  readonly records: Buffer | null;
}

export interface FetchResponse {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

/** Parses a Fetch response of version 13 (KIP-516: topics by id), records left undecoded. Throws RangeError-like faults of the reader on cut bytes. */
export function parseFetchResponse(reader: Reader, memory: FetchMemory = new FetchMemory(0)): FetchResponse {
  reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32();
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.readUnsignedVarInt() - 1; topics > 0; topics--) {
    const topicId = reader.readUUID();
    for (let count = reader.readUnsignedVarInt() - 1; count > 0; count--) partitions.push(readPartition(reader, topicId, memory));
    reader.readTaggedFields();
  }
  return { errorCode, partitions };
}

function readPartition(reader: Reader, topicId: string, memory: FetchMemory): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = reader.readInt64();
  const lastStableOffset = reader.readInt64();
  reader.readInt64();
  const abortedTransactions: AbortedTransaction[] = [];
  for (let count = reader.readUnsignedVarInt() - 1; count > 0; count--) {
    abortedTransactions.push({ producerId: reader.readInt64(), firstOffset: reader.readInt64() });
    reader.readTaggedFields();
  }
  reader.readInt32();
  const length = reader.readUnsignedVarInt() - 1;
  let records: Buffer | null = null;
  if (length > 0) {
    records = copyOut(reader, length, memory);
    reader.skip(length);
  }
  reader.readTaggedFields();
  return { topicId, partition, errorCode, highWatermark, lastStableOffset, abortedTransactions, records };
}

/** The reader's next bytes, which stand in pieces as they came. */
function copyOut(reader: Reader, length: number, memory: FetchMemory): Buffer {
  const pieces = reader.buffer.subarray(reader.position, reader.position + length).buffers;
  const out = memory.take(length);
  let at = 0;
  for (const piece of pieces) at += piece.copy(out, at);
  return out;
}
