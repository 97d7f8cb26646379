import * as fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import * as bound from "../../../src/parquet/bounds.ts";
import { ParquetJoin, parquetHead, splitParquet } from "../../../src/adapters/iceberg/parquet-footer.ts";
import type { ThriftStruct, ThriftValue } from "../../../src/adapters/iceberg/parquet-thrift.ts";
import { readThrift, ThriftType, writeThrift } from "../../../src/adapters/iceberg/parquet-thrift.ts";

type Typed = { readonly type: number; readonly value: ThriftValue };

function typed(depth: number): fc.Arbitrary<Typed> {
  const leaves: fc.Arbitrary<Typed>[] = [
    fc.boolean().map((value) => ({ type: value ? ThriftType.true : ThriftType.false, value })),
    fc.integer({ min: -128, max: 127 }).map((value) => ({ type: ThriftType.i8, value })),
    fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map((value) => ({ type: ThriftType.i64, value })),
    fc.double({ noNaN: true }).map((value) => ({ type: ThriftType.double, value })),
    fc.uint8Array({ maxLength: 20 }).map((value) => ({ type: ThriftType.binary, value: Uint8Array.from(value) })),
  ];
  if (depth === 0) return fc.oneof(...leaves);
  const list = fc.oneof(
    fc.array(fc.boolean(), { maxLength: 20 }).map((values) => ({ type: ThriftType.list, value: { elementType: ThriftType.true, values } })),
    fc
      .array(structs(depth - 1), { maxLength: 3 })
      .map((values) => ({ type: ThriftType.list, value: { elementType: ThriftType.struct, values } })),
    fc
      .array(fc.bigInt({ min: -(1n << 31n), max: (1n << 31n) - 1n }), { maxLength: 20 })
      .map((values) => ({ type: ThriftType.set, value: { elementType: ThriftType.i32, values } })),
  );
  return fc.oneof(
    ...leaves,
    list,
    structs(depth - 1).map((value) => ({ type: ThriftType.struct, value })),
  );
}

function structs(depth: number): fc.Arbitrary<ThriftStruct> {
  return fc
    .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 60 }), typed(depth)), { selector: ([id]) => id, maxLength: 6 })
    .map((entries) => new Map(entries.toSorted(([a], [b]) => a - b)));
}

test("a Thrift struct of any shape comes back", () => {
  fc.assert(
    fc.property(structs(3), (struct) => {
      expect(readThrift(writeThrift(struct))).toEqual(struct);
    }),
    { numRuns: 300 },
  );
});

test("damaged bytes are a RangeError, never a hang or a large allocation", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        readThrift(bytes);
      } catch (fault) {
        expect(fault).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 500 },
  );
});

test("what is no Parquet file is refused", () => {
  for (const text of ["", "PAR1", "PAR1PAR1", "PAR1----\xff\xff\xff\x7fPAR1", "nothing at all, but long"]) {
    expect(() => splitParquet(Buffer.from(text, "latin1"))).toThrow(RangeError);
  }
});

test("a footer of another writer is written back byte for byte, and two of its files join to one", () => {
  const fileOf = (from: number): Uint8Array => {
    const data = Array.from({ length: 50 }, (_, i) => `value ${from + i}`);
    return new Uint8Array(
      parquetWriteBuffer({ columnData: [{ name: "text", data, columnIndex: true, offsetIndex: true }], rowGroupSize: 20, pageSize: 64 }),
    );
  };
  const one = fileOf(0);
  const { pages, footer } = splitParquet(one);
  expect(Buffer.from(writeThrift(footer)).equals(one.subarray(4 + pages.length, one.length - 8))).toBe(true);

  const join = new ParquetJoin();
  const parts = [splitParquet(one), splitParquet(fileOf(50))];
  for (const part of parts) join.add(part);
  const joined = Buffer.concat([parquetHead, ...parts.map((part) => part.pages), join.end()]);
  const metadata = parquetMetadata(joined.buffer.slice(joined.byteOffset, joined.byteOffset + joined.length));
  expect(Number(metadata.num_rows)).toBe(100);
  expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([20, 20, 10, 20, 20, 10]);
  const second = parquetMetadata(fileOf(50).buffer as ArrayBuffer).row_groups[0]?.columns[0];
  const moved = metadata.row_groups[3]?.columns[0];
  for (const at of ["offset_index_offset", "column_index_offset"] as const)
    expect(Number(moved?.[at]) - Number(second?.[at])).toBe(pages.length);
});

test("bounds of text: 16 code points, grown over surrogates and carries, none where nothing is above", () => {
  const above = (text: string): string | null => {
    const bytes = bound.textAbove(Buffer.from(text));
    return bytes === null ? null : Buffer.from(bytes).toString();
  };
  expect(above("short")).toBe("short");
  expect(above("0123456789abcdef")).toBe("0123456789abcdef");
  expect(above("0123456789abcdefg")).toBe("0123456789abcdeg");
  expect(above(`${"a".repeat(15)}\ud7ffz`)).toBe(`${"a".repeat(15)}\ue000`);
  expect(above(`${"a".repeat(14)}b\u{10ffff}z`)).toBe(`${"a".repeat(14)}c`);
  expect(above("\u{10ffff}".repeat(17))).toBeNull();
  expect(Buffer.from(bound.textBelow(Buffer.from("\u{1f6eb}".repeat(20)))).toString()).toBe("\u{1f6eb}".repeat(16));
  expect(bound.bytesAbove(new Uint8Array(17).fill(255))).toBeNull();
  expect(bound.bytesAbove(Uint8Array.from([1, ...Array.from({ length: 16 }, () => 255)]))).toEqual(Uint8Array.of(2));
});

test("decimals take as few bytes as hold them", () => {
  const hex = (value: bigint): string => Buffer.from(bound.ofDecimal(value)).toString("hex");
  expect([0n, 127n, 128n, -128n, -129n, -1n, 10n ** 38n - 1n].map(hex)).toEqual([
    "00",
    "7f",
    "0080",
    "80",
    "ff7f",
    "ff",
    "4b3b4ca85a86c47a098a223fffffffff",
  ]);
});
