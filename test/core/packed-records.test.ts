import * as fc from "fast-check";
import { expect, it } from "vitest";
import { encodeHeaders } from "../../src/core/headers.ts";
import { packedBytes, packRecords, unpackRecords, withoutLargeValues } from "../../src/core/packed-records.ts";
import type { Records } from "../../src/core/records.ts";
import { allocateRecords, concatRecords, span } from "../../src/core/records.ts";

const bytes = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null });
const record = fc.record({
  key: bytes,
  value: bytes,
  header: fc.option(fc.string(), { nil: null }),
  partition: fc.nat(2),
  offset: fc.bigInt({ min: 0n, max: 2n ** 62n }),
  timestamp: fc.bigInt({ min: -1n, max: 2n ** 50n }),
});
type Sketch = typeof record extends fc.Arbitrary<infer T> ? T : never;

/** Some rows over a slab with bytes around them that are nobody's. */
function makeRun(rows: readonly Sketch[]): Records {
  const partitions = [0, 1, 2].map((partition) => ({ topic: "t", topicId: "id", partition }));
  const parts: Uint8Array[] = [Buffer.from("##")];
  let at = 2;
  const records = allocateRecords(rows.length, new Uint8Array(0), partitions);
  rows.forEach(({ key, value, header, partition, offset, timestamp }, row) => {
    const headers = header === null ? null : encodeHeaders([{ key: header, value: null }]);
    for (const [part, data] of [
      ["key", key],
      ["value", value],
      ["headers", headers ?? new Uint8Array(0)],
    ] as const) {
      records[`${part}Start`][row] = at;
      records[`${part}Length`][row] = data?.length ?? -1;
      if (data === null) continue;
      parts.push(data, Buffer.from("#"));
      at += data.length + 1;
    }
    records.partition[row] = partition;
    records.offsets[row] = offset;
    records.timestamps[row] = timestamp;
    records.timestampTypes[row] = row % 3;
  });
  return { ...records, bytes: Buffer.concat(parts) };
}

function rowsOf(records: Records): unknown[] {
  const hex = (data: Uint8Array | null): string | null => (data === null ? null : Buffer.from(data).toString("hex"));
  return Array.from({ length: records.count }, (_, row) => ({
    partition: records.partitions[records.partition[row] as number],
    offset: records.offsets[row],
    timestamp: records.timestamps[row],
    type: records.timestampTypes[row],
    parts: (["key", "value", "headers"] as const).map((part) => hex(span(records, part, row))),
  }));
}

it("runs come out of a packed buffer as one run, record by record, whatever stood in the buffer before", () => {
  fc.assert(
    fc.property(fc.array(fc.array(record, { maxLength: 8 }), { minLength: 1, maxLength: 5 }), (sketches) => {
      const runs = sketches.map(makeRun);
      const buffer = new ArrayBuffer(packedBytes(runs) + 64);
      new Uint8Array(buffer).fill(0xee);
      const unpacked = unpackRecords(structuredClone(packRecords(runs, buffer)));
      expect(rowsOf(unpacked)).toEqual(runs.flatMap(rowsOf));
      expect(rowsOf(unpacked)).toEqual(rowsOf(concatRecords(runs)));
    }),
  );
});

it("large values stay behind, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), fc.nat(40), (sketch, most) => {
      const run = makeRun(sketch);
      const trimmed = withoutLargeValues(run, most);
      expect(Array.from(trimmed.valueLength)).toEqual(Array.from(run.valueLength));
      const small = sketch.map(({ value }) => value === null || value.length <= most);
      const kept = (records: Records): unknown[] => rowsOf(records).filter((_, row) => small[row] === true);
      expect(kept(trimmed)).toEqual(kept(run));
      const parts = (records: Records): unknown[] =>
        rowsOf(records).map((row) => (row as { readonly parts: readonly unknown[] }).parts.filter((_, part) => part !== 1));
      expect(parts(trimmed)).toEqual(parts(run));
      if (small.includes(false)) expect(trimmed.bytes.length).toBeLessThan(run.bytes.length);
    }),
  );
});
