import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { valueHasher } from "../../../../src/adapters/iceberg/statistics/single-value-hash.ts";
import { hashBytes } from "../../../../src/sketches/murmur3.ts";

type Physical = number | bigint | boolean | Uint8Array;

function hashOf(type: string, value: Physical): Uint32Array | null {
  const out = new Uint32Array(4);
  return valueHasher(type)?.(value, out) === true ? out : null;
}

function ofBytes(bytes: Uint8Array): Uint32Array {
  const out = new Uint32Array(4);
  hashBytes(bytes, 0, bytes.length, out);
  return out;
}

const written = (size: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(size);
  write(buffer);
  return buffer;
};

/** Minimal two's complement, big endian, by text: another way than the code's. */
function unscaled(value: bigint): Buffer {
  let bytes = 1;
  while (BigInt.asIntN(8 * bytes, value) !== value) bytes++;
  return Buffer.from(
    BigInt.asUintN(8 * bytes, value)
      .toString(16)
      .padStart(2 * bytes, "0"),
    "hex",
  );
}

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

describe("hashes of values", () => {
  it("are of the bytes of Iceberg's single-value serialization", () => {
    fc.assert(
      fc.property(int, long, fc.double(), fc.float(), fc.uint8Array({ minLength: 1, maxLength: 40 }), (n, big, wide, real, bytes) => {
        for (const type of ["int", "date"]) expect(hashOf(type, n)).toEqual(ofBytes(written(4, (to) => to.writeInt32LE(n))));
        for (const type of ["long", "time", "timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"])
          expect(hashOf(type, big)).toEqual(ofBytes(written(8, (to) => to.writeBigInt64LE(big))));
        expect(hashOf("double", wide)).toEqual(ofBytes(written(8, (to) => to.writeDoubleLE(wide))));
        expect(hashOf("float", real)).toEqual(ofBytes(written(4, (to) => to.writeFloatLE(real))));
        for (const type of ["string", "binary", "fixed[9]", "uuid"]) expect(hashOf(type, bytes)).toEqual(ofBytes(bytes));
        // Files hold decimals as ints, or in as many bytes as the precision takes; ints where a column is long by now, floats where it is double.
        const decimal = ofBytes(unscaled(big));
        const wideBytes = Buffer.from(BigInt.asUintN(128, big).toString(16).padStart(32, "0"), "hex");
        expect([hashOf("decimal(38, 2)", big), hashOf("decimal(38, 2)", wideBytes)]).toEqual([decimal, decimal]);
        expect(hashOf("decimal(9, 0)", n)).toEqual(ofBytes(unscaled(BigInt(n))));
        expect(hashOf("long", n)).toEqual(hashOf("long", BigInt(n)));
        expect(hashOf("double", real)).toEqual(ofBytes(written(8, (to) => to.writeDoubleLE(real))));
      }),
      { numRuns: 200 },
    );
    expect([hashOf("boolean", true), hashOf("boolean", false)]).toEqual([ofBytes(Uint8Array.of(1)), ofBytes(Uint8Array.of(0))]);
  });

  it("are none of no bytes, as in Apache DataSketches, and none of types without such bytes", () => {
    expect(hashOf("string", new Uint8Array())).toBeNull();
    expect([valueHasher("variant"), valueHasher("geometry")]).toEqual([null, null]);
    expect(() => hashOf("string", 3)).toThrow("a data file holds a number for a string");
  });
});
