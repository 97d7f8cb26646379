import { SluiceError } from "../../../core/errors.ts";
import { decimalOf } from "../../../core/iceberg-type.ts";
import { unscaledBytes } from "../../../core/unscaled-bytes.ts";
import type { Hash128 } from "../../../sketches/murmur3.ts";
import { hashBytes, hashWords } from "../../../sketches/murmur3.ts";
import type { PhysicalValue } from "../initial-default.ts";

/** Hashes a value into `out` by the bytes of Iceberg's single-value serialization; false: it has none, and DataSketches leaves it out. */
export type HashValue = (value: PhysicalValue, out: Hash128) => boolean;

const word = new DataView(new ArrayBuffer(8));

function hashWord(length: 4 | 8, out: Hash128): true {
  hashWords(word.getUint32(0, true), length === 8 ? word.getUint32(4, true) : 0, length, out);
  return true;
}

function hashSpan(bytes: Uint8Array, start: number, out: Hash128): boolean {
  if (bytes.length === start) return false;
  hashBytes(bytes, start, bytes.length - start, out);
  return true;
}

/** Where a big-endian two's complement number begins once the bytes that only repeat its sign are left out. */
function signStart(bytes: Uint8Array): number {
  let start = 0;
  while (start + 1 < bytes.length) {
    const [first, next] = [bytes[start] as number, bytes[start + 1] as number];
    if (!(first === 0 && next < 128) && !(first === 255 && next >= 128)) break;
    start++;
  }
  return start;
}

/**
 * How values of a primitive type are hashed (Iceberg spec, appendix D, "Binary single-value serialization"), from those that a file may hold for it: ints for
 * longs too, floats for doubles, and decimals as ints or bytes. Null for types that have no such bytes.
 */
export function valueHasher(type: string): HashValue | null {
  const bytesOf = (value: PhysicalValue): Uint8Array => {
    if (value instanceof Uint8Array) return value;
    throw new SluiceError("TABLE_CORRUPT", `a data file holds a ${typeof value} for a ${type}`);
  };
  if (decimalOf(type) !== null) {
    return (value, out) => {
      const bytes = value instanceof Uint8Array ? value : unscaledBytes(BigInt(value));
      return hashSpan(bytes, signStart(bytes), out);
    };
  }
  if (type.startsWith("fixed[")) return (value, out) => hashSpan(bytesOf(value), 0, out);
  switch (type) {
    case "boolean":
      return (value, out) => {
        hashWords(value === true ? 1 : 0, 0, 1, out);
        return true;
      };
    case "int":
    case "date":
      return (value, out) => {
        word.setInt32(0, Number(value), true);
        return hashWord(4, out);
      };
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "timestamp_ns":
    case "timestamptz_ns":
      return (value, out) => {
        word.setBigInt64(0, BigInt(value as number | bigint), true);
        return hashWord(8, out);
      };
    case "float":
      return (value, out) => {
        word.setFloat32(0, Number(value), true);
        return hashWord(4, out);
      };
    case "double":
      return (value, out) => {
        word.setFloat64(0, Number(value), true);
        return hashWord(8, out);
      };
    case "string":
    case "binary":
    case "uuid":
      return (value, out) => hashSpan(bytesOf(value), 0, out);
    default:
      return null;
  }
}
