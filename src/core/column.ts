import type { Field } from "./schema.ts";

/** What one cell is. A wrong type or a number out of its type's range is `invalid`, and never becomes a value. */
export const Cell = { value: 0, null: 1, missing: 2, invalid: 3 } as const;

/** Why a cell is `invalid`. */
export const InvalidCause = {
  /** Another JSON type than the field's. */
  type: 1,
  /** A number, date or count of digits that the field's type can't hold. */
  range: 2,
  /** A number with a fraction in a whole-number field. */
  fraction: 3,
  /** More digits after the point than the decimal's scale, or finer than a microsecond: storing it would lose them. */
  scale: 4,
  /** Text that isn't in the field's form (a date, a time, base64, a UUID). */
  form: 5,
  /** A timestamp with an offset where the field is a local time. */
  offset: 6,
  /** Bytes that are no UTF-8, of a record key or where a binary format has text. */
  utf8: 7,
} as const;

/** The invalid cells of one column, sparse and ascending, with where each one's source text stands in the slab of the batch's payload. */
export interface InvalidCells {
  readonly rows: Uint32Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  /** One `InvalidCause` a cell. */
  readonly causes: Uint8Array;
}

interface ColumnBase {
  readonly field: Field;
  readonly length: number;
  /** One `Cell` a row. Values of rows that are not `Cell.value` are zero or empty. */
  readonly state: Uint8Array;
  /** Source text of the cells whose state is `invalid`; absent or null where the column has none. */
  readonly invalid?: InvalidCells | null;
}

/** boolean: 0 or 1 a row. */
export interface BooleanColumn extends ColumnBase {
  readonly kind: "boolean";
  readonly values: Uint8Array;
}

/** float, double. */
export interface FloatColumn extends ColumnBase {
  readonly kind: "float";
  readonly values: Float64Array;
}

/**
 * int, long, date (days), time (microseconds of the day), timestamp (microseconds or nanoseconds since the epoch, as its type says).
 * `exact` is the truth; `values` is the nearest double, for speed where |v| <= 2^53.
 */
export interface IntegerColumn extends ColumnBase {
  readonly kind: "integer";
  readonly exact: BigInt64Array;
  readonly values: Float64Array;
}

/** decimal: the unscaled value as 128-bit two's complement, little endian, 4 words a row (Arrow's layout); `values` its nearest double, scaled. */
export interface DecimalColumn extends ColumnBase {
  readonly kind: "decimal";
  readonly unscaled: Uint32Array;
  readonly values: Float64Array;
}

/** string, json (UTF-8 text), binary, and uuid (16 bytes each): spans of `bytes`, which several columns may share. */
export interface BytesColumn extends ColumnBase {
  readonly kind: "bytes";
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

export interface StructColumn extends ColumnBase {
  readonly kind: "struct";
  readonly children: readonly Column[];
}

/** list and map: row r holds child rows offsets[r] .. offsets[r + 1]; `keys` only for maps. */
export interface ListColumn extends ColumnBase {
  readonly kind: "list";
  readonly offsets: Int32Array;
  readonly keys: BytesColumn | null;
  readonly element: Column;
}

export type Column = BooleanColumn | FloatColumn | IntegerColumn | DecimalColumn | BytesColumn | StructColumn | ListColumn;

/** Why a record's bytes gave no row. */
export interface DecodeFault {
  readonly row: number;
  /** Closed list: see `codecs/`. */
  readonly code: string;
  readonly message: string;
  /** Byte position in the value where decoding gave up; null where that says nothing. */
  readonly at: number | null;
}
