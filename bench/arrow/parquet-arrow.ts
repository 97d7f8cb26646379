import * as arrow from "apache-arrow";
import type {
  BooleanColumn,
  BytesColumn,
  Column,
  DecimalColumn,
  FloatColumn,
  IntegerColumn,
  ListColumn,
  StructColumn,
} from "../../src/core/column.ts";
import { Cell } from "../../src/core/column.ts";
import type { FieldType } from "../../src/core/schema.ts";
import { timeText } from "../../src/core/civil.ts";
import type { IcebergField } from "../../src/core/table-schema.ts";
import type { ChildField } from "./parquet-fields.ts";
import { fieldsOf } from "./parquet-fields.ts";

/** Rows of a column, ascending; several make up one column of a file. `present` is 0 where a parent of the row is null. */
export interface Part<C extends Column = Column> {
  readonly column: C;
  readonly rows: Uint32Array;
  readonly present: Uint8Array | null;
}

/** One column of a row group: the Iceberg field that it is stored as, and where its rows come from. */
export interface ColumnParts {
  readonly field: IcebergField;
  readonly parts: readonly Part[];
}

/** The Arrow IPC stream of one record batch, each field with its `PARQUET:field_id`; `rows` is the row count of every column. */
export function arrowStream(columns: readonly ColumnParts[], rows: number): Uint8Array {
  const fields = columns.map(({ field, parts }) => arrowField(field, (parts[0] as Part).column));
  const children = columns.map(({ field, parts }, i) => gather(field, (fields[i] as arrow.Field).type, parts, rows));
  const schema = new arrow.Schema(fields);
  const struct = arrow.makeData({ type: new arrow.Struct(fields), length: rows, nullCount: 0, children });
  return arrow.tableToIPC(new arrow.Table(schema, [new arrow.RecordBatch(schema, struct)]), "stream");
}

function arrowField(field: IcebergField, column: Column): arrow.Field {
  return new arrow.Field(field.name, arrowType(field, column), !field.required, new Map([["PARQUET:field_id", String(field.id)]]));
}

/** The file's type is the column's own: where the table has a wider one by evolution, readers promote. */
function arrowType(field: IcebergField, column: Column): arrow.DataType {
  if (column.kind === "struct") {
    return new arrow.Struct(fieldsOf(field, column).map(({ field: child, column: values }) => arrowField(child, values)));
  }
  if (column.kind !== "list") return primitiveType(column.field.type);
  const children = fieldsOf(field, column).map(({ field: child, column: values }) => arrowField(child, values));
  if (column.keys === null) return new arrow.List(children[0] as arrow.Field);
  const entries = new arrow.Struct<{ key: arrow.DataType; value: arrow.DataType }>(children);
  return new arrow.Map_(new arrow.Field("key_value", entries, false));
}

function primitiveType(type: FieldType): arrow.DataType {
  switch (type.kind) {
    case "boolean":
      return new arrow.Bool();
    case "int":
      return new arrow.Int32();
    case "long":
      return new arrow.Int64();
    case "float":
      return new arrow.Float32();
    case "double":
      return new arrow.Float64();
    case "decimal":
      return new arrow.Decimal(type.scale, type.precision, 128);
    case "date":
      return new arrow.DateDay();
    case "timestamp":
      return new arrow.TimestampMicrosecond(type.zoned ? "UTC" : null);
    case "binary":
      return new arrow.Binary();
    case "time":
    case "string":
    case "json":
      return new arrow.Utf8();
    default:
      throw new Error(`${type.kind} is not a primitive type`);
  }
}

function gather(field: IcebergField, type: arrow.DataType, parts: readonly Part[], rows: number): arrow.Data {
  const base = { type, length: rows, ...validity(field, parts, rows) };
  switch ((parts[0] as Part).column.kind) {
    case "boolean":
      return makeData({ ...base, data: gatherBits(parts as Part<BooleanColumn>[], rows) });
    case "float":
      return makeData({ ...base, data: gatherFloats(parts as Part<FloatColumn>[], rows, type) });
    case "integer":
      return gatherIntegers(base, parts as Part<IntegerColumn>[]);
    case "decimal":
      return makeData({ ...base, data: gatherDecimals(parts as Part<DecimalColumn>[], rows) });
    case "bytes":
      return makeData({ ...base, ...gatherBytes(parts as Part<BytesColumn>[], rows) });
    case "struct":
      return makeData({ ...base, children: gatherStruct(field, type, parts as Part<StructColumn>[], rows) });
    default:
      return makeData({ ...base, ...gatherList(field, type, parts as Part<ListColumn>[], rows) });
  }
}

interface DataProps {
  readonly type: arrow.DataType;
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap?: Uint8Array;
  readonly data?: ArrayBufferView;
  readonly valueOffsets?: Int32Array;
  readonly children?: readonly arrow.Data[];
  readonly child?: arrow.Data;
}

/** Arrow's `makeData` has one overload a type; here the type is known at run time only. */
function makeData(props: DataProps): arrow.Data {
  return arrow.makeData(props as unknown as { type: arrow.Null; length: number; nullCount: number });
}

/** Whether every row of a part holds a value. */
function isFull({ column, rows, present }: Part): boolean {
  if (present !== null) return false;
  const { state } = column;
  let other = 0;
  for (let k = 0; k < rows.length; k++) other |= state[rows[k] as number] as number;
  return other === Cell.value;
}

/** A row's validity bit is set where its cell has a value and every parent is there. */
function validity(field: IcebergField, parts: readonly Part[], rows: number): { nullCount: number; nullBitmap?: Uint8Array } {
  if (parts.every(isFull)) return { nullCount: 0 };
  const bitmap = new Uint8Array(bitBytes(rows));
  let nulls = 0;
  let i = 0;
  for (const { column, rows: from, present } of parts) {
    for (let k = 0; k < from.length; k++, i++) {
      const isPresent = present === null || present[k] === 1;
      if (isPresent && column.state[from[k] as number] === Cell.value) bitmap[i >> 3] = (bitmap[i >> 3] as number) | (1 << (i & 7));
      else {
        if (field.required && isPresent) throw new Error(`row ${from[k]} has no value in ${column.field.path}, which the table requires`);
        nulls++;
      }
    }
  }
  // Arrow takes any null in a required field for an error, also below a null parent, where the value is never looked at.
  return nulls === 0 || field.required ? { nullCount: 0 } : { nullCount: nulls, nullBitmap: bitmap };
}

function bitBytes(rows: number): number {
  return ((rows + 63) >> 6) << 3;
}

function gatherBits(parts: readonly Part<BooleanColumn>[], rows: number): Uint8Array {
  const bits = new Uint8Array(bitBytes(rows));
  let i = 0;
  for (const { column, rows: from } of parts) {
    for (let k = 0; k < from.length; k++, i++) {
      if (column.values[from[k] as number] === 1) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
    }
  }
  return bits;
}

function gatherFloats(parts: readonly Part<FloatColumn>[], rows: number, type: arrow.DataType): Float32Array | Float64Array {
  const out = type instanceof arrow.Float32 ? new Float32Array(rows) : new Float64Array(rows);
  let i = 0;
  for (const { column, rows: from } of parts) for (let k = 0; k < from.length; k++) out[i++] = column.values[from[k] as number] as number;
  return out;
}

function gatherIntegers(base: DataProps, parts: readonly Part<IntegerColumn>[]): arrow.Data {
  const { type, length } = base;
  if (type instanceof arrow.Utf8) return makeData({ ...base, ...gatherTimes(parts, length) });
  let i = 0;
  if (type instanceof arrow.Int32 || type instanceof arrow.DateDay) {
    const out = new Int32Array(length);
    for (const { column, rows } of parts) for (let k = 0; k < rows.length; k++) out[i++] = column.values[rows[k] as number] as number;
    return makeData({ ...base, data: out });
  }
  const out = new BigInt64Array(length);
  for (const { column, rows } of parts) for (let k = 0; k < rows.length; k++) out[i++] = column.exact[rows[k] as number] as bigint;
  return makeData({ ...base, data: out });
}

function gatherTimes(parts: readonly Part<IntegerColumn>[], rows: number): { valueOffsets: Int32Array; data: Uint8Array } {
  const valueOffsets = new Int32Array(rows + 1);
  const data = Buffer.alloc(rows * 15);
  let i = 0;
  let at = 0;
  for (const { column, rows: from } of parts) {
    for (let k = 0; k < from.length; k++) {
      const row = from[k] as number;
      if (column.state[row] === Cell.value) at += data.write(timeText(column.values[row] as number), at, "latin1");
      valueOffsets[++i] = at;
    }
  }
  return { valueOffsets, data: data.subarray(0, at) };
}

function gatherDecimals(parts: readonly Part<DecimalColumn>[], rows: number): Uint32Array {
  const out = new Uint32Array(rows * 4);
  let i = 0;
  for (const { column, rows: from } of parts) {
    for (let k = 0; k < from.length; k++) {
      const at = (from[k] as number) * 4;
      for (let word = 0; word < 4; word++) out[i++] = column.unscaled[at + word] as number;
    }
  }
  return out;
}

function gatherBytes(parts: readonly Part<BytesColumn>[], rows: number): { valueOffsets: Int32Array; data: Uint8Array } {
  const valueOffsets = new Int32Array(rows + 1);
  let i = 0;
  let size = 0;
  for (const { column, rows: from, present } of parts) {
    for (let k = 0; k < from.length; k++) {
      const row = from[k] as number;
      if (column.state[row] === Cell.value && (present === null || present[k] === 1)) size += column.lengths[row] as number;
      valueOffsets[++i] = size;
    }
  }
  const data = new Uint8Array(size);
  i = 0;
  for (const { column, rows: from } of parts) {
    const { bytes, starts } = column;
    for (let k = 0; k < from.length; k++, i++) {
      const at = valueOffsets[i] as number;
      const length = (valueOffsets[i + 1] as number) - at;
      if (length === 0) continue;
      const start = starts[from[k] as number] as number;
      // A call into native code costs more than a short loop.
      if (length > 24) data.set(bytes.subarray(start, start + length), at);
      else for (let b = 0; b < length; b++) data[at + b] = bytes[start + b] as number;
    }
  }
  return { valueOffsets, data };
}

/** The same rows of a struct's child, absent where the struct is. */
function childParts(parts: readonly Part<StructColumn>[], child: (column: StructColumn) => Column): Part[] {
  return parts.map(({ column, rows, present }) => {
    const below = new Uint8Array(rows.length);
    for (let k = 0; k < rows.length; k++) {
      below[k] = column.state[rows[k] as number] === Cell.value && (present === null || present[k] === 1) ? 1 : 0;
    }
    return { column: child(column), rows, present: below };
  });
}

function gatherStruct(field: IcebergField, type: arrow.DataType, parts: readonly Part<StructColumn>[], rows: number): arrow.Data[] {
  return fieldsOf(field, (parts[0] as Part<StructColumn>).column).map(({ field: child, index }, i) => {
    const below = childParts(parts, (column) => column.children[index] as Column);
    return gather(child, (type.children[i] as arrow.Field).type, below, rows);
  });
}

function gatherList(
  field: IcebergField,
  type: arrow.DataType,
  parts: readonly Part<ListColumn>[],
  rows: number,
): { valueOffsets: Int32Array; child: arrow.Data } {
  const valueOffsets = new Int32Array(rows + 1);
  let i = 0;
  let size = 0;
  const spans = parts.map(({ column, rows: from, present }) => {
    const before = size;
    for (let k = 0; k < from.length; k++) {
      const row = from[k] as number;
      if (column.state[row] === Cell.value && (present === null || present[k] === 1)) {
        size += (column.offsets[row + 1] as number) - (column.offsets[row] as number);
      }
      valueOffsets[++i] = size;
    }
    return new Uint32Array(size - before);
  });
  i = 0;
  for (const [p, { column, rows: from }] of parts.entries()) {
    const span = spans[p] as Uint32Array;
    let at = 0;
    for (let k = 0; k < from.length; k++, i++) {
      const length = (valueOffsets[i + 1] as number) - (valueOffsets[i] as number);
      const start = column.offsets[from[k] as number] as number;
      for (let e = 0; e < length; e++) span[at++] = start + e;
    }
  }
  const children = fieldsOf(field, (parts[0] as Part<ListColumn>).column);
  const below = (child: (column: ListColumn) => Column): Part[] =>
    parts.map(({ column }, p) => ({ column: child(column), rows: spans[p] as Uint32Array, present: null }));
  const element = below((column) => column.element);
  const value = (children.at(-1) as ChildField).field;
  const inner = (type.children[0] as arrow.Field).type;
  if (children.length === 1) return { valueOffsets, child: gather(value, inner, element, size) };
  const key = (children[0] as ChildField).field;
  const keys = gather(
    key,
    (inner.children[0] as arrow.Field).type,
    below((column) => column.keys as BytesColumn),
    size,
  );
  const values = gather(value, (inner.children[1] as arrow.Field).type, element, size);
  return { valueOffsets, child: makeData({ type: inner, length: size, nullCount: 0, children: [keys, values] }) };
}
