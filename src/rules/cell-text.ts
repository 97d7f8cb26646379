import type { Batch } from "../core/batch.ts";
import { dateText, epochText, timeText } from "../core/civil.ts";
import { uuidText } from "../core/uuid.ts";
import { Cell, type BytesColumn, type Column, type DecimalColumn } from "../core/column.ts";

/** Observed values are cut here. */
const observedCharactersMax = 256;

/** At most 256 characters (code points) of a text. */
export function cutText(text: string): string {
  if (text.length <= observedCharactersMax) return text;
  return Array.from(text.slice(0, observedCharactersMax * 2))
    .slice(0, observedCharactersMax)
    .join("");
}

function textOfSpan(bytes: Uint8Array, start: number, length: number): string {
  // A code point takes four bytes at most; a character that the cut breaks is beyond the limit.
  const size = Math.min(length, (observedCharactersMax + 1) * 4);
  return cutText(Buffer.from(bytes.buffer, bytes.byteOffset + start, size).toString("utf8"));
}

/** The unscaled value of one decimal cell. */
export function unscaledAt(column: DecimalColumn, cell: number): bigint {
  const { unscaled } = column;
  const at = cell * 4;
  let value = BigInt.asIntN(32, BigInt(unscaled[at + 3] as number));
  for (let i = 2; i >= 0; i--) value = (value << 32n) | BigInt(unscaled[at + i] as number);
  return value;
}

/** Decimal text of an unscaled value: `-0.05`. */
function decimalToText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const sign = unscaled < 0n ? "-" : "";
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function bytesText(column: BytesColumn, cell: number): string {
  const start = column.starts[cell] as number;
  const length = column.lengths[cell] as number;
  if (column.field.type.kind === "uuid") return uuidText(column.bytes, start);
  if (column.field.type.kind !== "binary") return textOfSpan(column.bytes, start, length);
  return Buffer.from(column.bytes.buffer, column.bytes.byteOffset + start, Math.min(length, 192)).toString("base64");
}

/** One cell as people read it, cut at 256 characters; for an invalid cell its source text; null where it has no value. */
export function cellText(column: Column, cell: number, batch: Batch): string | null {
  const state = column.state[cell];
  if (state === Cell.invalid) return invalidText(column, cell, batch);
  if (state !== Cell.value) return null;
  switch (column.kind) {
    case "boolean":
      return column.values[cell] === 1 ? "true" : "false";
    case "float":
      return String(column.values[cell]);
    case "integer": {
      const { type } = column.field;
      const value = column.exact[cell] as bigint;
      if (type.kind === "date") return dateText(Number(value));
      if (type.kind === "time") return timeText(Number(value));
      return type.kind === "timestamp" ? epochText(type, value) : String(value);
    }
    case "decimal":
      return decimalToText(unscaledAt(column, cell), column.field.type.kind === "decimal" ? column.field.type.scale : 0);
    case "bytes":
      return bytesText(column, cell);
    case "list": {
      const count = (column.offsets[cell + 1] as number) - (column.offsets[cell] as number);
      return `${count} ${column.keys === null ? "items" : "entries"}`;
    }
    default:
      return null;
  }
}

/** Where an invalid cell stands in its column's list of them, or -1. */
export function invalidIndex(column: Column, cell: number): number {
  const rows = column.invalid?.rows;
  if (rows === undefined) return -1;
  let low = 0;
  let high = rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const row = rows[middle] as number;
    if (row === cell) return middle;
    if (row < cell) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

function invalidText(column: Column, cell: number, batch: Batch): string | null {
  const i = invalidIndex(column, cell);
  const { invalid } = column;
  if (i < 0 || invalid === undefined || invalid === null) return null;
  return textOfSpan((batch.payload ?? batch.records).bytes, invalid.starts[i] as number, invalid.lengths[i] as number);
}
