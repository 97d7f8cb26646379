import { Reader, Writer } from "@platformatic/kafka";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FetchedPartition, parseFetchResponse } from "../../../src/adapters/kafka/fetch-response.ts";

const topicIds = ["3b2f6c1e-4b7e-4a55-9d3a-0123456789ab", "00000000-0000-0000-0000-000000000001"];

/** A Fetch response of version 13 by the text of Kafka's protocol; records are compact bytes, tagged fields as brokers send them. */
function encode(topics: readonly { id: string; partitions: readonly Omit<FetchedPartition, "topicId">[] }[], tagged: boolean): Buffer {
  const writer = Writer.create().appendInt32(0).appendInt16(0).appendInt32(0);
  writer.appendUnsignedVarInt(topics.length + 1);
  for (const { id, partitions } of topics) {
    writer.appendUUID(id).appendUnsignedVarInt(partitions.length + 1);
    for (const each of partitions) {
      writer
        .appendInt32(each.partition)
        .appendInt16(each.errorCode)
        .appendInt64(each.highWatermark)
        .appendInt64(each.lastStableOffset)
        .appendInt64(0n);
      if (each.abortedTransactions.length === 0) writer.appendUnsignedVarInt(0);
      else {
        writer.appendUnsignedVarInt(each.abortedTransactions.length + 1);
        for (const { producerId, firstOffset } of each.abortedTransactions)
          writer.appendInt64(producerId).appendInt64(firstOffset).appendUnsignedVarInt(0);
      }
      writer.appendInt32(-1).appendUnsignedVarInt(each.records === null ? 0 : each.records.length + 1);
      if (each.records !== null) writer.append(each.records);
      // A current leader (tag 1) where the broker knows a better one.
      if (tagged)
        writer
          .appendUnsignedVarInt(1)
          .appendUnsignedVarInt(1)
          .appendUnsignedVarInt(9)
          .appendInt32(2)
          .appendInt32(7)
          .appendUnsignedVarInt(0);
      else writer.appendUnsignedVarInt(0);
    }
    writer.appendUnsignedVarInt(0);
  }
  return writer.appendUnsignedVarInt(0).buffer;
}

describe("the fetch response", () => {
  it("is read whole: several topics by id, faults, aborted transactions, records in any chunks of the socket", () => {
    const partition = fc.record({
      partition: fc.nat(1000),
      errorCode: fc.constantFrom(0, 1, 6, 100),
      highWatermark: fc.bigInt(-1n, 2n ** 62n),
      lastStableOffset: fc.bigInt(-1n, 2n ** 62n),
      abortedTransactions: fc.array(fc.record({ producerId: fc.bigInt(0n, 2n ** 62n), firstOffset: fc.bigInt(0n, 2n ** 62n) }), {
        maxLength: 3,
      }),
      records: fc.option(
        fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        { nil: null },
      ),
    });
    const topic = fc.record({ id: fc.constantFrom(...topicIds), partitions: fc.array(partition, { maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(topic, { maxLength: 3 }), fc.integer({ min: 1, max: 50 }), (topics, chunk) => {
        const bytes = encode(topics, false);
        const reader = Reader.from(Buffer.alloc(0));
        reader.buffer.buffers.length = 0;
        reader.buffer.length = 0;
        for (let at = 0; at < bytes.length; at += chunk) reader.buffer.append(bytes.subarray(at, at + chunk));
        const { errorCode, partitions } = parseFetchResponse(reader);
        expect(errorCode).toBe(0);
        expect(partitions).toEqual(topics.flatMap(({ id, partitions: each }) => each.map((one) => ({ topicId: id, ...one }))));
      }),
    );
  });

  it("passes over tagged fields", () => {
    const one = { partition: 3, errorCode: 6, highWatermark: -1n, lastStableOffset: -1n, abortedTransactions: [], records: null };
    const { partitions } = parseFetchResponse(
      Reader.from(encode([{ id: topicIds[0] as string, partitions: [one, { ...one, partition: 4 }] }], true)),
    );
    expect(partitions.map(({ partition }) => partition)).toEqual([3, 4]);
  });
});
