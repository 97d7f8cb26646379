import type { Field } from "./schema.ts";

/** What one cell is. A wrong type or a number out of its type's range is `invalid`, and never becomes a value. */
export const Cell = { value: 0, null: 1, missing: 2, invalid: 3 } as const;

interface ColumnBase {
  readonly field: Field;
  readonly length: number;
  /** One `Cell` a row. Values of rows that are not `Cell.value` are zero or empty. */
  readonly state: Uint8Array;
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
 * int, long, date (days), time (microseconds of the day), timestamp (microseconds since the epoch).
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

/** string, json (UTF-8 text) and binary: spans of `bytes`, which several columns may share. */
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
