import type { Data, DataType, Decimal, Field, FixedSizeList, Timestamp, Time } from "apache-arrow";
import { Type } from "apache-arrow";
import { dateText, nanosOfDayText, nanosText } from "../../core/civil.ts";
import { uuidSize, uuidText } from "../../core/uuid.ts";
import { SluiceError } from "../../core/errors.ts";

/** The JSON text of the value at an index of a column's data. */
export type WriteAt = (index: number) => string;

/** Nanoseconds of one unit, by Arrow's number for it: seconds, milli-, micro-, nanoseconds. */
const nanosOfUnit = [1_000_000_000n, 1_000_000n, 1000n, 1n] as const;
const textTypes: ReadonlySet<Type> = new Set([Type.Utf8, Type.LargeUtf8, Type.Utf8View]);
/** A view of text or bytes: its length, then the bytes themselves where that many fit, else which buffer has them, and where. */
const viewSize = 16;
const inlineBytesMax = 12;
const hasOwnText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What says of a field that its values are UUIDs: Arrow's canonical extension type. */
function isUuid(field: Field | undefined): boolean {
  return field?.metadata.get("ARROW:extension:name") === "arrow.uuid";
}

/**
 * Compiles a column of an Arrow record batch to a writer of JSON, as Parquet's are: integers and decimals with all their digits, dates and times in ISO 8601
 * (timestamps with `Z` if they are instants), bytes as base64, UUIDs (the
 * extension type `arrow.uuid`) and NaN and infinities as text. Rejects with FILE_UNREADABLE what JSON can't carry.
 */
export function compileArrowCell(data: Data, field?: Field): WriteAt {
  const write = compileValue(data, isUuid(field));
  return (index) => (data.typeId !== Type.Null && data.getValid(index) ? write(index) : "null");
}

function compileValue(data: Data, asUuid: boolean): WriteAt {
  const { type, values } = data as { readonly type: DataType; readonly values: ArrayLike<number | bigint> };
  switch (type.typeId) {
    case Type.Null:
      return () => "null";
    case Type.Bool:
      return (i) => (bitAt(data.values as Uint8Array, data.offset + i) ? "true" : "false");
    case Type.Int:
      return (i) => String(values[i]);
    case Type.Float:
      // Halves are stored as their bits.
      return values instanceof Uint16Array ? (i) => float(halfFloat(values[i] as number)) : (i) => float(values[i] as number);
    case Type.Utf8:
    case Type.LargeUtf8:
      return (i) => JSON.stringify(hasOwnText.decode(bytesAt(data, i)));
    case Type.Binary:
    case Type.LargeBinary:
      return (i) => base64(bytesAt(data, i));
    case Type.Utf8View:
      return (i) => JSON.stringify(hasOwnText.decode(viewedBytes(data, i)));
    case Type.BinaryView:
      return (i) => base64(viewedBytes(data, i));
    case Type.FixedSizeBinary:
      if (asUuid && data.stride === uuidSize) return (i) => `"${uuidText(data.values as Uint8Array, i * uuidSize)}"`;
      return (i) => base64((data.values as Uint8Array).subarray(i * data.stride, (i + 1) * data.stride));
    case Type.Decimal:
      return decimalWriter(data as Data<Decimal>);
    case Type.Date:
      // Days in 32 bits, or milliseconds in 64.
      return (i) => `"${dateText(typeof values[i] === "bigint" ? Number(values[i] / 86_400_000n) : (values[i] as number))}"`;
    case Type.Time:
      return (i) => `"${nanosOfDayText(BigInt(values[i] as number) * (nanosOfUnit[(type as Time).unit] as bigint))}"`;
    case Type.Timestamp: {
      const { unit, timezone } = type as Timestamp;
      const zoned = timezone !== null && timezone !== undefined && timezone !== "";
      return (i) => `"${nanosText(BigInt(values[i] as bigint) * (nanosOfUnit[unit] as bigint), zoned)}"`;
    }
    default:
      return compileNested(data);
  }
}

function compileNested(data: Data): WriteAt {
  const fields = data.type.children as readonly Field[];
  const children = data.children.map((child, i) => compileArrowCell(child, fields[i]));
  const [first] = children;
  switch (data.typeId) {
    case Type.Dictionary: {
      const { dictionary } = data;
      const parts = (dictionary?.data ?? []).map((part) => ({ length: part.length, write: compileArrowCell(part) }));
      const indexes = data.values as ArrayLike<number | bigint>;
      return (i) => {
        let index = Number(indexes[i]);
        for (const { length, write } of parts) {
          if (index < length) return write(index);
          index -= length;
        }
        throw unreadable("a dictionary lacks a value that a column refers to");
      };
    }
    case Type.Struct: {
      const labels = data.type.children.map(({ name }: { readonly name: string }) => `${JSON.stringify(name)}:`);
      return (i) => `{${children.map((write, c) => labels[c] + write(i)).join(",")}}`;
    }
    case Type.List:
    case Type.LargeList: {
      const { valueOffsets } = data;
      return (i) => list(first as WriteAt, Number(valueOffsets[i]), Number(valueOffsets[i + 1]));
    }
    case Type.FixedSizeList: {
      const size = (data.type as FixedSizeList).listSize;
      return (i) => list(first as WriteAt, i * size, (i + 1) * size);
    }
    case Type.Map:
      return mapWriter(data);
    default:
      throw unreadable(`the type ${Type[data.typeId]} has no form in JSON`);
  }
}

function mapWriter(data: Data): WriteAt {
  const [keys, values] = (data.children[0] as Data).children as [Data, Data];
  if (!textTypes.has(keys.typeId)) throw unreadable(`keys of maps are text, not ${Type[keys.typeId]}`);
  const [entries] = data.type.children as readonly Field[];
  const key = compileArrowCell(keys);
  const value = compileArrowCell(values, entries?.type.children[1]);
  const { valueOffsets } = data;
  return (i) => {
    const parts: string[] = [];
    for (let k = Number(valueOffsets[i]); k < Number(valueOffsets[i + 1]); k++) parts.push(`${key(k)}:${value(k)}`);
    return `{${parts.join(",")}}`;
  };
}

function decimalWriter(data: Data<Decimal>): WriteAt {
  const { scale } = data.type;
  const words = data.values;
  return (i) => {
    let unscaled = 0n;
    for (let w = data.stride - 1; w >= 0; w--) unscaled = (unscaled << 32n) | BigInt(words[i * data.stride + w] as number);
    const value = BigInt.asIntN(data.stride * 32, unscaled);
    return scale === 0 ? String(value) : `${value}e${-scale}`;
  };
}

function unreadable(message: string): SluiceError {
  return new SluiceError("FILE_UNREADABLE", message);
}

function bitAt(bits: Uint8Array, index: number): boolean {
  return (((bits[index >> 3] as number) >> (index & 7)) & 1) === 1;
}

function bytesAt(data: Data, i: number): Uint8Array {
  return (data.values as Uint8Array).subarray(Number(data.valueOffsets[i]), Number(data.valueOffsets[i + 1]));
}

/** The bytes that a view means. Throws where it points beyond its buffers. */
function viewedBytes(data: Data, i: number): Uint8Array {
  const views = data.values as Uint8Array;
  const view = new DataView(views.buffer, views.byteOffset + i * viewSize, viewSize);
  const length = view.getInt32(0, true);
  if (length >= 0 && length <= inlineBytesMax) return views.subarray(i * viewSize + 4, i * viewSize + 4 + length);
  const from = view.getInt32(12, true);
  const bytes = data.variadicBuffers[view.getInt32(8, true)];
  if (bytes === undefined || length < 0 || from < 0 || from + length > bytes.length)
    throw unreadable("a view points beyond its column's bytes");
  return bytes.subarray(from, from + length);
}

function base64(bytes: Uint8Array): string {
  return `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")}"`;
}

function float(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0" : String(value);
}

function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function list(write: WriteAt, from: number, to: number): string {
  const parts: string[] = [];
  for (let i = from; i < to; i++) parts.push(write(i));
  return `[${parts.join(",")}]`;
}
