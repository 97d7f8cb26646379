import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import type { FileMetaData } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Field, FieldType } from "../../../src/core/schema.ts";
import { uuidText } from "../../../src/core/uuid.ts";
import { timeText } from "../../../src/core/civil.ts";
import type { Value } from "./parquet-fixture.ts";

/** A Parquet file's metadata and rows as hyparquet reads them, with decimals as unscaled integers and dates and timestamps as plain numbers. */
export async function readBack(bytes: Uint8Array): Promise<{ metadata: FileMetaData; rows: Record<string, unknown>[] }> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const metadata = await parquetMetadataAsync(file);
  const plain = structuredClone(metadata);
  for (const element of plain.schema) {
    if (element.converted_type === "DECIMAL") {
      delete element.converted_type;
      delete element.logical_type;
    }
  }
  const parsers = {
    timestampFromMicroseconds: (micros: bigint) => micros,
    dateFromDays: (days: number) => BigInt(days),
    // Keeps a byte order mark.
    stringFromBytes: (text: Uint8Array) => Buffer.from(text).toString(),
  };
  const rows = await parquetReadObjects({ file, metadata: plain, compressors, utf8: false, parsers });
  return { metadata, rows };
}

/** What a reader must give for a cell, in the form of `actual`. */
export function expected(type: FieldType, value: Value): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case "time":
      return timeText(Number(value));
    case "float":
      return Math.fround(value as number);
    case "binary":
      return Buffer.from(value as Uint8Array).toString("hex");
    case "uuid":
      return uuidText(value as Uint8Array);
    case "struct":
      return type.fields.map((child) => expected(child.type, (value as Record<string, Value>)[child.name]));
    case "list":
      return (value as readonly Value[]).map((element) => expected(type.element.type, element));
    case "map":
      return (value as readonly (readonly [string, Value])[]).map(([key, of]) => [key, expected(type.value.type, of)]);
    default:
      return value;
  }
}

/** A value that hyparquet read, in the form of `expected`. */
export function actual(of: Field, value: unknown): unknown {
  const { type } = of;
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case "int":
      return BigInt(value as number);
    case "decimal":
      return value instanceof Uint8Array
        ? BigInt.asIntN(8 * value.length, BigInt(`0x${Buffer.from(value).toString("hex")}`))
        : BigInt(value as number);
    case "binary":
      return Buffer.from(value as Uint8Array).toString("hex");
    case "struct":
      return type.fields.map((child) => actual(child, (value as Record<string, unknown>)[child.name]));
    case "list":
      return (value as unknown[]).map((element) => actual(type.element, element));
    case "map":
      return Object.entries(value as Record<string, unknown>).map(([key, child]) => [key, actual(type.value, child)]);
    default:
      return value;
  }
}
