import type { Data, Dictionary, Null, Vector } from "apache-arrow";
import { DataType, makeData, Precision } from "apache-arrow";
import { BrokenInvariant } from "../core/broken-invariant.ts";
import type { BytesColumn, Column, ListColumn } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { ListedValues } from "./arrow-schema.ts";

/** Rows of a column, ascending; null: all of it. */
export type Rows = Uint32Array | null;

/** What a column's data is made with. */
export interface ColumnContext {
  readonly listed: ReadonlyMap<string, ListedValues>;
}

interface DataProps {
  readonly type: DataType;
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap?: Uint8Array;
  readonly data?: ArrayBufferView;
  readonly valueOffsets?: Int32Array;
  readonly children?: readonly Data[];
  readonly child?: Data;
  readonly dictionary?: Vector;
}

/** Arrow's `makeData` has one overload a type; here the type is known at run time only. */
function make(props: DataProps): Data {
  return makeData(props as unknown as { type: Null; length: number; nullCount: number });
}

/**
 * Some rows of a column as Arrow's data of a type that `planArrow` gave its field. Where all rows are taken and the layouts agree (64-bit numbers, decimals,
 * offsets of lists), the data are views of the column's own arrays and hold as long as those; texts are gathered, since a view's buffer would be
 * the whole memory that they stand in.
 */
export function arrowColumn(column: Column, type: DataType, rows: Rows, context: ColumnContext): Data {
  const length = rows?.length ?? column.length;
  const base = { type, length, ...validity(column.state, rows, length) };
  switch (column.kind) {
    case "boolean":
      return make({ ...base, data: bits(column.values, 1, rows, length) });
    case "float":
      return make({
        ...base,
        data:
          DataType.isFloat(type) && type.precision === Precision.SINGLE
            ? singles(column.values, rows, length)
            : doubles(column.values, rows, length),
      });
    case "integer":
      return make({
        ...base,
        data:
          (DataType.isInt(type) && type.bitWidth === 32) || DataType.isDate(type)
            ? words(column.values, rows, length)
            : longs(column.exact, rows, length),
      });
    case "decimal":
      return make({ ...base, data: decimals(column.unscaled, rows, length) });
    case "bytes":
      if (DataType.isFixedSizeBinary(type)) return make({ ...base, data: fixed(column, type.byteWidth, rows, length) });
      return DataType.isDictionary(type) ? numbered(base, column, rows, context) : make({ ...base, ...texts(column, rows, length) });
    case "struct":
      return make({
        ...base,
        children: column.children.map((child, i) =>
          arrowColumn(child, (type.children[i] as { readonly type: DataType }).type, rows, context),
        ),
      });
    case "list":
      return make({ ...base, ...lists(column, type, rows, context) });
  }
}

/** Bytes of a state or flag, one a row. */
type Flags = Uint8Array;

/** Bits of the rows whose flag is a value, eight rows a byte. */
function bits(flags: Flags, value: number, rows: Rows, length: number): Uint8Array {
  const out = new Uint8Array(((length + 63) >> 6) << 3);
  for (let i = 0; i < length; i += 8) {
    const end = Math.min(8, length - i);
    let byte = 0;
    if (rows === null) for (let k = 0; k < end; k++) byte |= flags[i + k] === value ? 1 << k : 0;
    else for (let k = 0; k < end; k++) byte |= flags[rows[i + k] as number] === value ? 1 << k : 0;
    out[i >> 3] = byte;
  }
  return out;
}

function validity(state: Flags, rows: Rows, length: number): { nullCount: number; nullBitmap?: Uint8Array } {
  let nullCount = 0;
  if (rows === null) for (let i = 0; i < length; i++) nullCount += state[i] === Cell.value ? 0 : 1;
  else for (let i = 0; i < length; i++) nullCount += state[rows[i] as number] === Cell.value ? 0 : 1;
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap: bits(state, Cell.value, rows, length) };
}

function doubles(values: Float64Array, rows: Rows, length: number): Float64Array {
  return rows === null ? values.subarray(0, length) : gathered(values, rows, new Float64Array(length));
}

function singles(values: Float64Array, rows: Rows, length: number): Float32Array {
  return rows === null ? new Float32Array(values.subarray(0, length)) : gathered(values, rows, new Float32Array(length));
}

function gathered<T extends Float64Array | Float32Array | Int32Array>(values: Float64Array, rows: Uint32Array, out: T): T {
  for (let i = 0; i < rows.length; i++) out[i] = values[rows[i] as number] as number;
  return out;
}

/** Whole numbers of 32 bits: their doubles are exact. */
function words(values: Float64Array, rows: Rows, length: number): Int32Array {
  return rows === null ? new Int32Array(values.subarray(0, length)) : gathered(values, rows, new Int32Array(length));
}

function longs(exact: BigInt64Array, rows: Rows, length: number): BigInt64Array {
  if (rows === null) return exact.subarray(0, length);
  const out = new BigInt64Array(length);
  // Words of 32 bits: a BigInt a row would cost more than the rest.
  gather(new Uint32Array(exact.buffer, exact.byteOffset, exact.length * 2), new Uint32Array(out.buffer), rows, 2);
  return out;
}

function decimals(unscaled: Uint32Array, rows: Rows, length: number): Uint32Array {
  if (rows === null) return unscaled.subarray(0, length * 4);
  const out = new Uint32Array(length * 4);
  gather(unscaled, out, rows, 4);
  return out;
}

function gather(from: Uint32Array, to: Uint32Array, rows: Uint32Array, stride: number): void {
  for (let i = 0, at = 0; i < rows.length; i++) {
    const start = (rows[i] as number) * stride;
    for (let w = 0; w < stride; w++) to[at++] = from[start + w] as number;
  }
}

function texts({ state, bytes, starts, lengths }: BytesColumn, rows: Rows, length: number): { valueOffsets: Int32Array; data: Uint8Array } {
  const valueOffsets = new Int32Array(length + 1);
  let size = 0;
  for (let i = 0; i < length; i++) {
    const row = rows === null ? i : (rows[i] as number);
    if (state[row] === Cell.value) size += lengths[row] as number;
    valueOffsets[i + 1] = size;
  }
  const data = new Uint8Array(size);
  for (let i = 0; i < length; i++) {
    const at = valueOffsets[i] as number;
    const count = (valueOffsets[i + 1] as number) - at;
    const start = starts[rows === null ? i : (rows[i] as number)] as number;
    // Short texts: a call for each costs more than its bytes.
    if (count < 24) for (let k = 0; k < count; k++) data[at + k] = bytes[start + k] as number;
    else data.set(bytes.subarray(start, start + count), at);
  }
  return { valueOffsets, data };
}

/** Values of one width, zeros where there is none. */
function fixed({ state, bytes, starts }: BytesColumn, width: number, rows: Rows, length: number): Uint8Array {
  const data = new Uint8Array(length * width);
  for (let i = 0; i < length; i++) {
    const row = rows === null ? i : (rows[i] as number);
    if (state[row] !== Cell.value) continue;
    const start = starts[row] as number;
    for (let k = 0; k < width; k++) data[i * width + k] = bytes[start + k] as number;
  }
  return data;
}

function numbered(base: DataProps, column: BytesColumn, rows: Rows, { listed }: ColumnContext): Data {
  const known = listed.get(column.field.path) as ListedValues;
  const { length } = base;
  const data = (base.type as Dictionary).indices.bitWidth === 8 ? new Int8Array(length) : new Int16Array(length);
  for (let i = 0; i < length; i++) {
    const row = rows === null ? i : (rows[i] as number);
    if (column.state[row] !== Cell.value) continue;
    const number = known.numbers.of(column.bytes, column.starts[row] as number, column.lengths[row] as number);
    if (number < 0) throw new BrokenInvariant(`a row that passed has another value in ${column.field.path} than those that its rule lists`);
    data[i] = number;
  }
  return make({ ...base, data, dictionary: known.dictionary });
}

function lists(column: ListColumn, type: DataType, rows: Rows, context: ColumnContext): Pick<DataProps, "valueOffsets" | "child"> {
  const length = rows?.length ?? column.length;
  const { offsets, elements } =
    rows === null ? { offsets: column.offsets.subarray(0, length + 1), elements: null } : elementsOf(column, rows);
  const child = (type.children[0] as { readonly type: DataType }).type;
  if (column.keys === null) return { valueOffsets: offsets, child: arrowColumn(column.element, child, elements, context) };
  const [key, value] = child.children as readonly { readonly type: DataType }[];
  const count = elements?.length ?? column.element.length;
  const entries = make({
    type: child,
    length: count,
    nullCount: 0,
    children: [
      arrowColumn(column.keys, (key as { readonly type: DataType }).type, elements, context),
      arrowColumn(column.element, (value as { readonly type: DataType }).type, elements, context),
    ],
  });
  return { valueOffsets: offsets, child: entries };
}

/** The elements of some rows' lists, and where each list begins among them. */
function elementsOf({ offsets }: ListColumn, rows: Uint32Array): { readonly offsets: Int32Array; readonly elements: Uint32Array } {
  const out = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    out[i + 1] = (out[i] as number) + (offsets[row + 1] as number) - (offsets[row] as number);
  }
  const elements = new Uint32Array(out[rows.length] as number);
  for (let i = 0; i < rows.length; i++) {
    const first = offsets[rows[i] as number] as number;
    const at = out[i] as number;
    const count = (out[i + 1] as number) - at;
    for (let k = 0; k < count; k++) elements[at + k] = first + k;
  }
  return { offsets: out, elements };
}
