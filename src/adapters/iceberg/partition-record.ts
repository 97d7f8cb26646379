import { decimalOf } from "../../core/iceberg-type.ts";
import type { PartitionValue } from "../../core/partition-transform.ts";
import { parseTransform, transformedType } from "../../core/partition-transform.ts";
import type { PartitionField, PartitionSpec } from "../../core/table-layout.ts";
import { fieldWithId } from "../../core/table-schema.ts";
import { signedOf, unscaledBytes } from "../../core/unscaled-bytes.ts";
import { SluiceError } from "../../core/errors.ts";
import { ofDouble, ofFloat, ofInt, ofLong } from "../../parquet/bounds.ts";
import type { AvroRecord, AvroRow, AvroSchema, AvroValue } from "./avro-schema.ts";
import { optionalField } from "./avro-schema.ts";
import type { TableMetadata } from "./table-metadata.ts";

/** A part of a partition spec with the type of its values. */
export interface PartitionColumn {
  readonly field: PartitionField;
  readonly type: string;
}

/** A partition spec ready to write manifests by. */
export interface ManifestPartition {
  readonly spec: PartitionSpec;
  readonly columns: readonly PartitionColumn[];
}

export const unpartitioned: ManifestPartition = { spec: { "spec-id": 0, fields: [] }, columns: [] };

/** A spec of a table, with the types of its partition values. Throws TABLE_CORRUPT where the table has none such, TABLE_UNSUPPORTED where types can't be told. */
export function partitionOf(metadata: TableMetadata, specId: number): ManifestPartition {
  const spec = metadata["partition-specs"].find((each) => each["spec-id"] === specId);
  if (spec === undefined) throw new SluiceError("TABLE_CORRUPT", `table ${metadata["table-uuid"]} has no partition spec ${specId}`);
  return { spec, columns: spec.fields.map((field) => ({ field, type: typeOf(metadata, field) })) };
}

/** Whether manifests of a spec can be written here. */
export function isWritable(metadata: TableMetadata, specId: number): boolean {
  try {
    partitionOf(metadata, specId);
    return true;
  } catch (fault) {
    if (fault instanceof SluiceError) return false;
    throw fault;
  }
}

function typeOf(metadata: TableMetadata, field: PartitionField): string {
  const current = metadata.schemas.find((schema) => schema["schema-id"] === metadata["current-schema-id"]);
  // The newest that still has the column: other programs may have dropped it since.
  for (const schema of [current, ...metadata.schemas.toReversed()]) {
    const source = schema === undefined ? null : fieldWithId(schema.fields, field["source-id"]);
    if (source === null || typeof source.type !== "string") continue;
    const transform = parseTransform(field.transform);
    if (transform !== null) return transformedType(transform, source.type);
  }
  throw new SluiceError("TABLE_UNSUPPORTED", `partitions by ${field.transform} of field ${field["source-id"]} are not known here`);
}

/** The Avro record of a partition tuple (spec, "Manifests", field 102). */
export function partitionSchema(columns: readonly PartitionColumn[]): AvroRecord {
  const fields = columns.map(({ field, type }) => optionalField(field["field-id"], avroName(field.name), avroTypeOf(type)));
  return { type: "record", name: "r102", fields };
}

/** Avro's names take letters, digits and `_` (as Iceberg's Java writes others). */
function avroName(name: string): string {
  const code = (character: string): string => `_x${(character.codePointAt(0) as number).toString(16).toUpperCase()}`;
  const safe = Array.from(name, (character) => (/[A-Za-z0-9_]/.test(character) ? character : code(character))).join("");
  return /^[0-9]/.test(safe) ? `_${safe}` : safe;
}

function avroTypeOf(type: string): AvroSchema {
  const decimal = decimalOf(type);
  if (decimal !== null) {
    const { precision, scale } = decimal;
    const name = `decimal_${precision}_${scale}`;
    return { type: "fixed", name, size: bytesOfPrecision(precision), logicalType: "decimal", precision, scale };
  }
  const fixed = /^fixed\[(\d+)\]$/.exec(type);
  if (fixed !== null) return { type: "fixed", name: `fixed_${fixed[1]}`, size: Number(fixed[1]) };
  switch (type) {
    case "date":
      return { type: "int", logicalType: "date" };
    case "time":
      return { type: "long", logicalType: "time-micros" };
    case "timestamp":
    case "timestamptz":
      return { type: "long", logicalType: "timestamp-micros", "adjust-to-utc": type === "timestamptz" };
    case "timestamp_ns":
    case "timestamptz_ns":
      return { type: "long", logicalType: "timestamp-nanos", "adjust-to-utc": type === "timestamptz_ns" };
    case "binary":
      return "bytes";
    case "uuid":
      return { type: "fixed", name: "uuid_fixed", size: 16, logicalType: "uuid" };
    default:
      return type;
  }
}

/** The bytes that hold every unscaled value of a precision. */
function bytesOfPrecision(precision: number): number {
  return unscaledBytes(10n ** BigInt(precision) - 1n).length;
}

/** A partition tuple as manifests hold it, by partition field id in decimal digits; `values` are by that id too. */
export function partitionRecord(columns: readonly PartitionColumn[], values: ReadonlyMap<number, PartitionValue>): AvroRow {
  const entries = columns.map(
    ({ field, type }) => [String(field["field-id"]), avroValueOf(type, values.get(field["field-id"]) ?? null)] as const,
  );
  return Object.fromEntries(entries);
}

function avroValueOf(type: string, value: PartitionValue): AvroValue {
  return decimalOf(type) !== null && typeof value === "bigint" ? unscaledBytes(value) : value;
}

/** A tuple under the names of its Avro record, decimals in as many bytes as the record's type has. */
export function namedPartition(columns: readonly PartitionColumn[], record: AvroRow): AvroRow {
  const entries = columns.map(({ field, type }) => {
    const value = record[String(field["field-id"])] ?? null;
    const decimal = decimalOf(type);
    return [
      avroName(field.name),
      decimal === null || value === null ? value : widened(value as Uint8Array, bytesOfPrecision(decimal.precision)),
    ] as const;
  });
  return Object.fromEntries(entries);
}

/** Two's complement, big endian, in so many bytes. */
function widened(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length >= size) return bytes.subarray(bytes.length - size);
  const wide = new Uint8Array(size).fill((bytes[0] as number) > 127 ? 0xff : 0);
  wide.set(bytes, size - bytes.length);
  return wide;
}

/** What a manifest list says of a manifest's partitions (spec, `field_summary`): for each part, whether there are nulls and NaNs, and its bounds. */
export function summarizePartitions(columns: readonly PartitionColumn[], records: readonly AvroRow[]): AvroRow[] {
  return columns.map(({ field, type }) => {
    const values = records.map((record) => record[String(field["field-id"])] ?? null);
    const present = values.filter((value) => value !== null && !Number.isNaN(value));
    const ordered = present.map((value) => orderedOf(type, value)).toSorted((a, b) => compareOrdered(a.order, b.order));
    return {
      contains_null: values.includes(null),
      contains_nan: values.some((value) => Number.isNaN(value)),
      lower_bound: ordered[0]?.bytes ?? null,
      upper_bound: ordered.at(-1)?.bytes ?? null,
    };
  });
}

interface Ordered {
  readonly order: number | bigint | Uint8Array;
  /** Iceberg's single-value serialisation (spec, appendix D). */
  readonly bytes: Uint8Array;
}

function orderedOf(type: string, value: AvroValue): Ordered {
  if (value instanceof Uint8Array) {
    if (decimalOf(type) === null) return { order: value, bytes: value };
    const unscaled = signedOf(value);
    return { order: unscaled, bytes: unscaledBytes(unscaled) };
  }
  if (typeof value === "string") return { order: Buffer.from(value), bytes: Buffer.from(value) };
  if (typeof value === "boolean") return { order: Number(value), bytes: Uint8Array.of(Number(value)) };
  if (type === "float") return { order: value as number, bytes: ofFloat(value as number) };
  if (type === "double") return { order: value as number, bytes: ofDouble(value as number) };
  const isInt = type === "int" || type === "date";
  return { order: value as number | bigint, bytes: isInt ? ofInt(Number(value)) : ofLong(BigInt(value as bigint)) };
}

function compareOrdered(a: Ordered["order"], b: Ordered["order"]): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}
