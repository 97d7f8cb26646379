import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeHeaders, headersOf } from "../../src/core/headers.ts";
import { allocateRecords } from "../../src/core/records.ts";

function decode(span: Uint8Array): unknown {
  const records = allocateRecords(1, span, [{ topic: "t", topicId: "i", partition: 0 }]);
  records.headersLength[0] = span.length;
  return headersOf(records, 0);
}

describe("header spans", () => {
  it("give back what they were made of: order, duplicates, null apart from empty", () => {
    const header = fc.record({ key: fc.string({ unit: "grapheme" }), value: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null }) });
    fc.assert(
      fc.property(fc.array(header), (headers) => {
        expect(decode(encodeHeaders(headers))).toEqual(headers);
      }),
    );
  });

  it("are Kafka's bytes", () => {
    const headers = [
      { key: "a", value: new Uint8Array([7]) },
      { key: "b", value: null },
    ];
    expect([...encodeHeaders(headers)]).toEqual([4, 2, 97, 2, 7, 2, 98, 1]);
    expect(encodeHeaders([])).toHaveLength(0);
  });

  it("take values of many megabytes, and keys of many kilobytes", () => {
    const headers = [{ key: "k".repeat(200_000), value: new Uint8Array(20 << 20).fill(1) }];
    expect(encodeHeaders(headers)).toHaveLength(20_971_520 + 200_000 + 1 + 3 + 4);
  });

  it("refuse spans that end in the middle", () => {
    expect(() => decode(new Uint8Array([4, 0x80]))).toThrow(RangeError);
  });
});
