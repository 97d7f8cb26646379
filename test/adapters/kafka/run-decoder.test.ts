import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunDecoder, type RunDecoderOptions } from "../../../src/adapters/kafka/run-decoder.ts";
import { headersOf } from "../../../src/core/headers.ts";
import { type Records, span } from "../../../src/core/records.ts";
import { sealBatch, writeBatch, type WrittenBatch, type WrittenRecord } from "./batch-writer.ts";

const key = { topic: "t", topicId: "00000000-0000-0000-0000-000000000001", partition: 0 };

function decoderOf(bytes: Buffer, options: Partial<RunDecoderOptions> = {}): RunDecoder {
  return new RunDecoder({
    key,
    bytes,
    position: 0n,
    highWatermark: -1n,
    abortedTransactions: [],
    batchBytesMax: 2 ** 24,
    runBytesMax: 2 ** 20,
    ...options,
  });
}

function all(decoder: RunDecoder): { records: WrittenRecord[]; types: number[]; next: bigint; runs: number } {
  const records: WrittenRecord[] = [];
  const types: number[] = [];
  let runs = 0;
  let next = decoder.position;
  for (let run = decoder.next(); run !== null; run = decoder.next()) {
    runs++;
    expect(run.from).toBe(next);
    next = run.next;
    for (let row = 0; row < run.records.count; row++) {
      records.push(recordAt(run.records, row));
      types.push(run.records.timestampTypes[row] as number);
    }
  }
  return { records, types, next, runs };
}

function recordAt(records: Records, row: number): WrittenRecord {
  const copy = (part: Uint8Array | null): Buffer | null => (part === null ? null : Buffer.from(part));
  return {
    offset: records.offsets[row] as bigint,
    timestamp: records.timestamps[row] as bigint,
    key: copy(span(records, "key", row)),
    value: copy(span(records, "value", row)),
    headers: headersOf(records, row).map((header) => ({ key: header.key, value: copy(header.value) })),
  };
}

const part = fc.option(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  { nil: null },
);
const codec = fc.constantFrom("none", "gzip", "snappy", "xerial", "lz4", "zstd");
const someRecord = fc.record({
  gap: fc.integer({ min: 1, max: 300 }),
  timestamp: fc.oneof(fc.bigInt(-1000n, 2_000_000_000_000n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
  key: part,
  value: part,
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: part }), { maxLength: 3 }),
});
const someBatches = fc.array(fc.record({ codec, tail: fc.integer({ min: 0, max: 5 }), records: fc.array(someRecord, { maxLength: 12 }) }), {
  minLength: 1,
  maxLength: 6,
});

function place(
  batches: readonly { codec: WrittenBatch["codec"]; tail: number; records: readonly ({ gap: number } & Omit<WrittenRecord, "offset">)[] }[],
) {
  let offset = 0n;
  return batches.map(({ codec: by, tail, records }) => {
    const baseOffset = offset;
    const placed = records.map(({ gap, ...record }) => ({ ...record, offset: (offset += BigInt(gap)) }));
    offset += BigInt(tail);
    const batch = { records: placed, baseOffset, lastOffset: offset, codec: by } as WrittenBatch & { lastOffset: bigint };
    offset += 1n;
    return batch;
  });
}

describe("the run decoder", () => {
  it("gives back what was written: any codec, any bytes, sparse offsets, any timestamps, from any position, in runs of any size", () => {
    fc.assert(
      fc.property(someBatches, fc.integer({ min: 0, max: 4000 }), fc.integer({ min: 1, max: 3000 }), (shape, from, runBytesMax) => {
        const batches = place(shape);
        const position = BigInt(from);
        const { records, next } = all(decoderOf(Buffer.concat(batches.map(writeBatch)), { position, runBytesMax }));
        expect(records).toEqual(batches.flatMap((batch) => batch.records).filter(({ offset }) => offset >= position));
        const end = (batches.at(-1)?.lastOffset ?? 0n) + 1n;
        expect(next).toBe(end > position ? end : position);
      }),
      { numRuns: 300 },
    );
  });

  it("reads whatever whole batches a cut response holds, and only those", () => {
    fc.assert(
      fc.property(someBatches, fc.nat(), (shape, at) => {
        const batches = place(shape);
        const written = batches.map(writeBatch);
        const bytes = Buffer.concat(written);
        const cut = at % (bytes.length + 1);
        let whole = 0;
        let end = 0;
        while (whole < written.length && end + (written[whole] as Buffer).length <= cut) end += (written[whole++] as Buffer).length;
        const decoder = decoderOf(bytes.subarray(0, cut));
        expect(decoder.cutAtStart !== null).toBe(whole === 0);
        expect(all(decoder).records).toEqual(batches.slice(0, whole).flatMap((batch) => batch.records));
      }),
    );
  });

  it("never hands out a record of a batch with a flipped bit, and hands out all batches before it", () => {
    fc.assert(
      fc.property(someBatches, fc.nat(), fc.integer({ min: 0, max: 7 }), (shape, at, bit) => {
        const batches = place(shape).filter((batch) => batch.records.length > 0);
        fc.pre(batches.length > 0);
        const written = batches.map(writeBatch);
        const victim = at % written.length;
        const bytes = Buffer.concat(written);
        const start = written.slice(0, victim).reduce((sum, { length }) => sum + length, 0);
        const place_ = start + 16 + (at % ((written[victim] as Buffer).length - 16));
        bytes[place_] = (bytes[place_] as number) ^ (1 << bit);
        const decoder = decoderOf(bytes);
        const seen: WrittenRecord[] = [];
        let code: unknown = null;
        try {
          for (let run = decoder.next(); run !== null; run = decoder.next()) {
            for (let row = 0; row < run.records.count; row++) seen.push(recordAt(run.records, row));
          }
        } catch (error) {
          code = (error as { code?: string }).code;
        }
        expect(["SOURCE_CORRUPT", "SOURCE_UNREADABLE"]).toContain(code);
        expect(seen).toEqual(batches.slice(0, victim).flatMap((batch) => batch.records));
      }),
      { numRuns: 300 },
    );
  });

  it("takes the batch's time where the log gave it", () => {
    const records = [1n, 2n].map((offset) => ({ offset, timestamp: 5n + offset, key: null, value: null }));
    const { records: seen, types } = all(decoderOf(writeBatch({ records, appendTime: 77n })));
    expect(seen.map(({ timestamp }) => timestamp)).toEqual([77n, 77n]);
    expect(types).toEqual([1, 1]);
  });

  it("passes over control batches and empty ones, and still moves", () => {
    const bytes = Buffer.concat([
      writeBatch({ records: [], marker: "commit", baseOffset: 0n, producerId: 1n, transactional: true }),
      writeBatch({ records: [], baseOffset: 1n, lastOffset: 9n, producerId: 1n }),
    ]);
    const decoder = decoderOf(bytes);
    const run = decoder.next();
    expect([run?.records.count, run?.from, run?.next]).toEqual([0, 0n, 10n]);
    expect(decoder.next()).toBeNull();
  });

  it("joins many small batches of one response into one run over the response's own bytes", () => {
    const batches = Array.from({ length: 50 }, (_, i) =>
      writeBatch({ records: [{ offset: BigInt(i), timestamp: 0n, key: null, value: Buffer.from(`${i}`) }] }),
    );
    const bytes = Buffer.concat(batches);
    const run = decoderOf(bytes).next();
    expect(run?.records.count).toBe(50);
    expect(run?.records.bytes.buffer).toBe(bytes.buffer);
  });

  it("refuses offsets that can't be, old formats, and records that are no records", () => {
    const good = { records: [{ offset: 5n, timestamp: 0n, key: null, value: Buffer.from("v") }] };
    const code = (bytes: Buffer, options: Partial<RunDecoderOptions> = {}): unknown => {
      try {
        all(decoderOf(bytes, options));
        return null;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code(writeBatch(good), { highWatermark: 3n })).toBeNull();
    const far = writeBatch(good);
    far.writeBigInt64BE(2n ** 40n, 0);
    expect(code(far, { highWatermark: 6n })).toBe("SOURCE_CORRUPT");
    const old = writeBatch(good);
    old.writeInt8(1, 16);
    expect(code(old)).toBe("SOURCE_UNREADABLE");
    const unknown = writeBatch(good);
    unknown.writeInt16BE(6, 21);
    expect(code(sealBatch(unknown))).toBe("SOURCE_UNREADABLE");
    const many = writeBatch(good);
    many.writeInt32BE(2 ** 30, 57);
    expect(code(sealBatch(many))).toBe("SOURCE_CORRUPT");
    const long = writeBatch(good);
    long[61] = 126;
    expect(code(sealBatch(long))).toBe("SOURCE_CORRUPT");
    const back = Buffer.concat([writeBatch(good), writeBatch({ records: [{ ...good.records[0]!, offset: 2n }] })]);
    expect(code(back)).toBe("SOURCE_CORRUPT");
  });
});
