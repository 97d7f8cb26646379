import { Buffer } from "node:buffer";
import type { BooleanColumn, BytesColumn, DecimalColumn, FloatColumn, IntegerColumn } from "../core/column.ts";
import { dateText, timeText, timestampText } from "../core/civil.ts";
import type { FieldType } from "../core/schema.ts";

/** Longest text that a profile keeps of one value, in code points (binary: bytes, written as hex). */
const valueTextMax = 64;

/** A column that holds values itself, not through children. */
export type LeafColumn = BooleanColumn | FloatColumn | IntegerColumn | DecimalColumn | BytesColumn;

/** The text of one cell that has a value: decimal digits, ISO 8601, `true` or `false`, text cut at 64 code points, hex of binary. */
export function valueText(column: LeafColumn, row: number): string {
  switch (column.kind) {
    case "boolean":
      return column.values[row] === 1 ? "true" : "false";
    case "float":
      return String((column.values[row] as number) + 0);
    case "integer":
      return integerText(column.field.type, column.exact[row] as bigint);
    case "decimal":
      return decimalText(unscaledAt(column, row), column.field.type.kind === "decimal" ? column.field.type.scale : 0);
    default:
      return spanText(column, row);
  }
}

function integerText(type: FieldType, value: bigint): string {
  if (type.kind === "date") return dateText(Number(value));
  if (type.kind === "time") return timeText(Number(value));
  if (type.kind === "timestamp") return timestampText(value, type.zoned);
  return value.toString();
}

/** The unscaled value of a decimal cell. */
export function unscaledAt(column: DecimalColumn, row: number): bigint {
  let value = 0n;
  for (let word = 4 * row + 3; word >= 4 * row; word--) value = (value << 32n) | BigInt(column.unscaled[word] as number);
  return BigInt.asIntN(128, value);
}

function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString();
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function spanText(column: BytesColumn, row: number): string {
  const start = column.starts[row] as number;
  const end = start + (column.lengths[row] as number);
  const buffer = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength);
  if (column.field.type.kind === "binary") return buffer.toString("hex", start, Math.min(end, start + valueTextMax));
  return buffer.toString("utf8", start, cutAt(column.bytes, start, end));
}

/** Where the 65th code point of a span begins, or its end; at most 256 bytes on, even in bytes that are no UTF-8. */
export function cutAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= valueTextMax) return end;
  const last = Math.min(end, start + 4 * valueTextMax);
  let points = 0;
  for (let i = start; i < last; i++) {
    if (((bytes[i] as number) & 0xc0) !== 0x80 && ++points > valueTextMax) return i;
  }
  return last;
}

/** A number of seconds (as moments and quantiles of time columns have it) as the column's own kind of text. */
export function secondsText(type: FieldType, seconds: number): string {
  if (type.kind === "date") return dateText(Math.floor(seconds / 86_400));
  if (type.kind === "time") return timeText(Math.round(seconds * 1e6));
  return timestampText(BigInt(Math.round(seconds)) * 1_000_000n, type.kind === "timestamp" && type.zoned);
}
