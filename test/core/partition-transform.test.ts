import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uuidBytes } from "../../src/core/uuid.ts";
import { murmur3Of } from "../../src/core/murmur3-32.ts";
import type { PartitionValue, Transform } from "../../src/core/partition-transform.ts";
import { compileTransform, parseTransform, transformFault } from "../../src/core/partition-transform.ts";

const apply = (transform: string, type: string, value: PartitionValue): PartitionValue =>
  compileTransform(parseTransform(transform) as Transform, type)(value);
const micros = (text: string): bigint => BigInt(Date.parse(`${text}Z`)) * 1000n;
const days = (text: string): number => Date.parse(`${text}T00:00:00Z`) / 86_400_000;

describe("Iceberg's partition transforms", () => {
  // Buckets of 2^31 - 1 show all of the hash but its sign, which the modulus drops.
  it.each([
    ["int", 34, 2017239379],
    ["long", 34n, 2017239379],
    ["decimal(9, 2)", 1420n, -500754589],
    ["date", days("2017-11-16"), -653330422],
    ["timestamp", micros("2017-11-16T22:31:08"), -2047944441],
    ["timestamptz", micros("2017-11-16T22:31:08"), -2047944441],
    ["timestamp", micros("2017-11-16T22:31:08") + 1n, -1207196810],
    ["timestamp_ns", micros("2017-11-16T22:31:08") * 1000n, -2047944441],
    ["timestamptz_ns", micros("2017-11-16T22:31:08") * 1000n, -2047944441],
    ["timestamp_ns", micros("2017-11-16T22:31:08") * 1000n + 1001n, -1207196810],
    ["timestamptz_ns", micros("2017-11-16T22:31:08") * 1000n + 1001n, -1207196810],
    ["string", "iceberg", 1210000089],
    ["binary", Uint8Array.of(0, 1, 2, 3), -188683207],
    ["uuid", uuidBytes("f79c3e09-677c-4bbd-a479-3f349cb785e7") as Uint8Array, 1488055340],
  ] as const)("hashes %s as the specification's appendix B says", (type, value, hash) => {
    expect(apply("bucket[2147483647]", type, value)).toBe((hash & 0x7fffffff) % 2147483647);
  });

  it("hashes bytes of every length as the reference implementation does", () => {
    expect(["", "a", "ab", "abc", "abcd", "abcde", "Hello, world!"].map((text) => murmur3Of(Buffer.from(text)) >>> 0)).toEqual([
      0, 0x3c2569b2, 0x9bbfd75f, 0xb3dd93fa, 0x43ed676a, 0xe89b9af6, 0xc0363e43,
    ]);
  });

  it.each([
    ["year", "date", days("2017-12-01"), 47],
    ["month", "date", days("2017-12-01"), 575],
    ["day", "date", days("2017-12-01"), 17501],
    ["year", "date", -1, -1],
    ["month", "date", -1, -1],
    ["day", "timestamp", -1n, -1],
    ["hour", "timestamptz", -1n, -1],
    ["hour", "timestamptz", micros("2017-12-01T10:12:55"), 420034],
    ["year", "timestamp", micros("1969-12-31T23:59:59"), -1],
    ["month", "timestamp", micros("1970-01-31T23:59:59"), 0],
    ["day", "timestamp_ns", -1n, -1],
    ["hour", "timestamptz_ns", -1n, -1],
    ["hour", "timestamptz_ns", micros("2017-12-01T10:12:55") * 1000n + 999n, 420034],
    ["year", "timestamp_ns", -(2n ** 63n), -293],
    ["month", "timestamptz_ns", 2n ** 63n - 1n, 3507],
    ["truncate[10]", "int", 1, 0],
    ["truncate[10]", "int", -1, -10],
    ["truncate[10]", "long", -1n, -10n],
    ["truncate[10]", "long", 19n, 10n],
    ["truncate[10]", "int", -2147483648, 2147483646],
    ["truncate[50]", "decimal(9, 2)", 1065n, 1050n],
    ["truncate[50]", "decimal(9, 2)", -1n, -50n],
    ["truncate[3]", "string", "iceberg", "ice"],
    ["truncate[3]", "string", "a\u{1f600}\u{1f601}b", "a\u{1f600}\u{1f601}"],
    ["identity", "string", "x", "x"],
    ["void", "long", 5n, null],
  ] as const)("%s of %s %s is %s", (transform, type, value, result) => {
    expect(apply(transform, type, value)).toEqual(result);
    expect(apply(transform, type, null)).toBeNull();
  });

  it("truncates bytes", () => {
    expect(apply("truncate[2]", "binary", Uint8Array.of(255, 0, 1))).toEqual(Uint8Array.of(255, 0));
  });

  it.each([
    ["identity", "uuid"],
    ["truncate[4]", "uuid"],
    ["day", "uuid"],
    ["bucket[16]", "double"],
    ["bucket[16]", "boolean"],
    ["identity", "float"],
    ["identity", "timestamp_ns"],
    ["truncate[4]", "timestamptz_ns"],
    ["truncate[4]", "date"],
    ["hour", "date"],
    ["day", "string"],
  ])("refuses %s of %s", (transform, type) => {
    expect(transformFault(parseTransform(transform) as Transform, type)).not.toBeNull();
    expect(() => compileTransform(parseTransform(transform) as Transform, type)).toThrow();
  });

  it.each(["bucket", "bucket[0]", "bucket[-1]", "bucket[99999999999]", "truncate[]", "days", "zorder"])("knows no %s", (text) => {
    expect(parseTransform(text)).toBeNull();
  });

  it("puts nanoseconds where the microsecond that they are in goes", () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (nanos) => {
        const inside = (nanos - (((nanos % 1000n) + 1000n) % 1000n)) / 1000n;
        for (const transform of ["year", "month", "day", "hour", "bucket[1000]"]) {
          expect(apply(transform, "timestamp_ns", nanos)).toBe(apply(transform, "timestamp", inside));
          expect(apply(transform, "timestamptz_ns", nanos)).toBe(apply(transform, "timestamptz", inside));
        }
      }),
    );
  });

  it("keeps order where it is said to: times and truncations never go back", () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 61n), 2n ** 61n), fc.bigInt(0n, 2n ** 60n), (a, more) => {
        for (const transform of ["year", "month", "day", "hour"]) {
          const [low, high] = [a, a + more].map((value) => apply(transform, "timestamp", value / 1000n) as number);
          expect(low).toBeLessThanOrEqual(high as number);
        }
        expect((apply("truncate[7]", "long", a) as bigint) <= (apply("truncate[7]", "long", a + more) as bigint)).toBe(true);
      }),
    );
  });
});
