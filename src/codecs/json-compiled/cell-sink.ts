import { Cell } from "../../core/column.ts";
import { c32, shl, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import { f64, i32, i64, v128 } from "../../wasm/value-type.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import { columnRecord } from "./column-records.ts";
import { rowAddress } from "./number-functions.ts";

/** Where the cell that is being read goes. */
export interface CellSink {
  state(f: FunctionBuilder): void;
  boolean(f: FunctionBuilder, value: Expr): void;
  double(f: FunctionBuilder, value: Expr): void;
  integer(f: FunctionBuilder, value: Expr): void;
  unscaled(f: FunctionBuilder, low: Expr, high: Expr): void;
  text(f: FunctionBuilder, start: Expr, length: Expr): void;
}

/** The variables of a function that reads cells in line. */
export interface CellLocals {
  /** The position. */
  readonly p: Local;
  readonly end: Local;
  readonly row: Local;
  readonly start: Local;
  readonly negative: Local;
  readonly mask: Local;
  readonly bytes: Local;
  /** Eight times a count of digits. */
  readonly bits: Local;
  readonly value: Local;
  readonly mantissa: Local;
  readonly double: Local;
  readonly vector: Local;
}

/** Variables of a function whose position, row and record's end are in the given locals. */
export function cellLocals(f: FunctionBuilder, p: Local, row: Local, end: Local): CellLocals {
  return {
    p,
    end,
    row,
    start: f.local(i32),
    negative: f.local(i32),
    mask: f.local(i32),
    bytes: f.local(i64),
    bits: f.local(i64),
    value: f.local(i64),
    mantissa: f.local(i64),
    double: f.local(f64),
    vector: f.local(v128),
  };
}

/** A column whose addresses are constants; `row4` and `row8` are the row's place in arrays of four and eight bytes. */
export function fixedSink(layout: ColumnLayout, row: Expr, row4: Expr, row8: Expr): CellSink {
  return {
    state: (f) => f.store8(row, c32(Cell.value), layout.state),
    boolean: (f, value) => f.store8(row, value, layout.values),
    double: (f, value) => f.storeF64(row8, value, layout.values),
    integer: (f, value) => f.store64(row8, value, layout.exact),
    unscaled: (f, low, high) => {
      f.store64(shl(row8, c32(1)), low, layout.unscaled);
      f.store64(shl(row8, c32(1)), high, layout.unscaled + 8);
    },
    text: (f, start, length) => {
      f.store32(row4, start, layout.starts);
      f.store32(row4, length, layout.lengths);
    },
  };
}

/** A column by its record. */
export function recordSink(record: Expr, row: Expr): CellSink {
  const at = (array: number, shift: number): Expr => rowAddress(record, array, row, shift);
  return {
    state: (f) => f.store8(at(columnRecord.state, 0), c32(Cell.value)),
    boolean: (f, value) => f.store8(at(columnRecord.values, 0), value),
    double: (f, value) => f.storeF64(at(columnRecord.values, 3), value),
    integer: (f, value) => f.store64(at(columnRecord.exact, 3), value),
    unscaled: (f, low, high) => {
      f.store64(at(columnRecord.exact, 4), low);
      f.store64(at(columnRecord.exact, 4), high, 8);
    },
    text: (f, start, length) => {
      f.store32(at(columnRecord.starts, 2), start);
      f.store32(at(columnRecord.lengths, 2), length);
    },
  };
}
