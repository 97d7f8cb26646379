import type { FileMetaData } from "hyparquet";
import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { Cell, type Column } from "../../core/column.ts";
import { SluiceError } from "../../core/errors.ts";
import type { Field } from "../../core/schema.ts";
import type { Storage } from "../../core/storage.ts";
import type { IcebergField } from "../../core/table-schema.ts";
import { uuidSize } from "../../core/uuid.ts";
import { signedOf } from "../../core/unscaled-bytes.ts";
import type { PhysicalValue } from "./initial-default.ts";
import { initialDefault } from "./initial-default.ts";
import { asyncBuffer, parquetCompressors } from "./parquet-buffer.ts";

/** One row group: physical values by column name, null where there is none. */
export interface PhysicalRows {
  readonly count: number;
  readonly values: ReadonlyMap<string, readonly unknown[]>;
}

/**
 * Reads top-level columns of a Parquet file, a row group at a time, as physical values: numbers, bigints, booleans and bytes, without any conversion. A
 * column that the file does not have is its initial default, else null. `fields`: what columns are now; a file may have them under names of its time.
 */
export async function* readPhysicalColumns(
  storage: Storage,
  path: string,
  columns: readonly string[],
  fields: readonly IcebergField[] = [],
): AsyncIterable<PhysicalRows> {
  const file = await asyncBuffer(storage, path);
  const metadata = withoutLogicalTypes(await parquetMetadataAsync(file));
  const known = new Map(fields.map((field) => [field.name, field]));
  const names = namesInFile(metadata, columns, known);
  const absent = new Map(columns.flatMap((name) => (names.has(name) ? [] : [[name, absentValue(known.get(name))] as const])));
  const wanted = [...new Set(names.values())];
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await parquetReadObjects({
      file,
      metadata,
      rowStart,
      rowEnd,
      columns: wanted,
      utf8: false,
      compressors: parquetCompressors,
    });
    const valuesOf = (column: string): unknown[] => {
      const name = names.get(column);
      if (name === undefined) return rows.map(() => absent.get(column) ?? null);
      return rows.map((row) => (row as Record<string, unknown>)[name] ?? null);
    };
    const values = new Map(columns.map((name) => [name, valuesOf(name)]));
    yield { count: rowEnd - rowStart, values };
    rowStart = rowEnd;
  }
}

function absentValue(field: IcebergField | undefined): PhysicalValue | null {
  return field === undefined ? null : initialDefault(field);
}

/** The names that a file has columns under, of those that it has. Other programs' files may be without ids: they go by names. */
function namesInFile(metadata: FileMetaData, columns: readonly string[], known: ReadonlyMap<string, IcebergField>): Map<string, string> {
  const elements = parquetSchema(metadata).children.map(({ element }) => element);
  const found = columns.flatMap((name) => {
    const id = known.get(name)?.id;
    const own = elements.find((element) =>
      id === undefined || element.field_id === undefined ? element.name === name : element.field_id === id,
    );
    return own === undefined ? [] : [[name, own.name] as const];
  });
  return new Map(found);
}

/** Conversions of logical types lose digits of decimals and of times: they are taken off before pages are read. */
function withoutLogicalTypes(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element) => {
    if (element.num_children !== undefined && element.num_children > 0) return element;
    const { logical_type: _, converted_type: __, ...physical } = element;
    return physical;
  });
  return { ...metadata, schema };
}

/** Physical values as a column of a scalar field. Throws TABLE_UNSUPPORTED for kinds that are no keys (structs, lists, maps) and values of another kind. */
export function columnOfPhysical(field: Field, values: readonly unknown[]): Column {
  const length = values.length;
  const state = Uint8Array.from(values, (value) => (value === null ? Cell.null : Cell.value));
  const base = { field, length, state, invalid: null };
  const { kind } = field.type;
  const bad = (value: unknown): never => {
    throw new SluiceError("TABLE_UNSUPPORTED", `column ${field.path} of the table holds ${typeof value} values, which are no ${kind}`);
  };
  switch (kind) {
    case "boolean":
      return { ...base, kind: "boolean", values: Uint8Array.from(values, (value) => (value === true ? 1 : 0)) };
    case "float":
    case "double":
      return {
        ...base,
        kind: "float",
        values: Float64Array.from(values, (value) => (typeof value === "number" ? value : value === null ? 0 : bad(value))),
      };
    case "int":
    case "long":
    case "date":
    case "timestamp": {
      const exact = BigInt64Array.from(values, (value) =>
        typeof value === "number" || typeof value === "bigint" ? BigInt(value) : value === null ? 0n : bad(value),
      );
      return { ...base, kind: "integer", exact, values: Float64Array.from(exact, Number) };
    }
    case "decimal": {
      const unscaled = new Uint32Array(length * 4);
      values.forEach((value, i) => value !== null && writeDecimal(value, unscaled.subarray(4 * i, 4 * i + 4), bad));
      return { ...base, kind: "decimal", unscaled, values: new Float64Array(length) };
    }
    case "string":
    case "binary":
    case "uuid": {
      const fits = (value: unknown): value is Uint8Array => value instanceof Uint8Array && (kind !== "uuid" || value.length === uuidSize);
      const texts = values.map((value) => (fits(value) ? value : value === null ? new Uint8Array(0) : bad(value)));
      const starts = new Uint32Array(length);
      let size = 0;
      texts.forEach((text, i) => {
        starts[i] = size;
        size += text.length;
      });
      const bytes = new Uint8Array(size);
      texts.forEach((text, i) => bytes.set(text, starts[i]));
      return { ...base, kind: "bytes", bytes, starts, lengths: Uint32Array.from(texts, (text) => text.length) };
    }
    default:
      throw new SluiceError("TABLE_UNSUPPORTED", `column ${field.path} is a ${kind}, whose stored values are not compared`);
  }
}

/** A decimal's unscaled value as 128-bit two's complement, little endian; files hold it as an integer or as big-endian bytes. */
function writeDecimal(value: unknown, words: Uint32Array, bad: (value: unknown) => never): void {
  const number =
    value instanceof Uint8Array ? signedOf(value) : typeof value === "number" || typeof value === "bigint" ? BigInt(value) : bad(value);
  for (let i = 0; i < 4; i++) words[i] = Number(BigInt.asUintN(32, number >> BigInt(32 * i)));
}
