import { Cell } from "../../core/column.ts";
import { uuidSize, uuidTextSize } from "../../core/uuid.ts";
import {
  abs,
  add,
  and,
  c32,
  c64,
  cf64,
  demote,
  div,
  divS,
  eqz,
  extend32S,
  ge,
  gtS,
  gtU,
  leS,
  load32,
  loadV128,
  ltS,
  mul,
  ne,
  or,
  promote,
  shl,
  shrS,
  sub,
  toF64S,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import { i8x16 } from "../../wasm/simd.ts";
import { f64, i32, i64 } from "../../wasm/value-type.ts";
import type { ColumnPlaces } from "./column-places.ts";
import type { WireFunctions } from "./text-functions.ts";

const doubleExact = 2n ** 53n;
const powersOfTen = Array.from({ length: 19 }, (_, i) => 10n ** BigInt(i));

/** The row that cells are written to, as offsets into arrays of 1, 4, 8 and 16 bytes a row. */
export interface RowIndex {
  readonly one: Expr;
  readonly four: Expr;
  readonly eight: Expr;
  readonly sixteen: Expr;
}

/** Offsets of a row in locals of their own. */
export function indexRow(f: FunctionBuilder, row: Expr): RowIndex {
  const one = f.local(i32);
  const four = f.local(i32);
  const eight = f.local(i32);
  const sixteen = f.local(i32);
  f.set(one, row);
  f.set(four, shl(one, c32(2)));
  f.set(eight, shl(one, c32(3)));
  f.set(sixteen, shl(one, c32(4)));
  return { one, four, eight, sixteen };
}

/**
 * Writes code that puts typed values into cells, as `CellWriter` does. What only the reference can do gives the record up: `giveUp` writes the code
 * that leaves.
 */
export class CellStores {
  readonly #f: FunctionBuilder;
  readonly #wire: WireFunctions;
  readonly #places: ColumnPlaces;
  readonly #giveUp: () => void;
  readonly #real: Local;
  readonly #whole: Local;
  readonly #at: Local;

  constructor(f: FunctionBuilder, { wire, places }: { readonly wire: WireFunctions; readonly places: ColumnPlaces }, giveUp: () => void) {
    this.#f = f;
    this.#wire = wire;
    this.#places = places;
    this.#giveUp = giveUp;
    this.#real = f.local(f64);
    this.#whole = f.local(i64);
    this.#at = f.local(i32);
  }

  #leaveIf(condition: Expr): void {
    this.#f.if(condition, this.#giveUp);
  }

  state(column: ColumnLayout, row: RowIndex, state: number): void {
    this.#f.store8(row.one, c32(state), column.state);
  }

  /** A cell without a value; its children have none either, and are missing, and a list ends where the row before it ended. */
  empty(column: ColumnLayout, row: RowIndex, state: number): void {
    const f = this.#f;
    this.state(column, row, state);
    if (column.kind === "boolean") f.store8(row.one, c32(0), column.values);
    else if (column.values !== 0) f.storeF64(row.eight, cf64(0), column.values);
    if (column.exact !== 0) f.store64(row.eight, c64(0), column.exact);
    if (column.unscaled !== 0) {
      f.store64(row.sixteen, c64(0), column.unscaled);
      f.store64(row.sixteen, c64(0), column.unscaled + 8);
    }
    if (column.kind === "bytes") {
      f.store32(row.four, c32(0), column.starts);
      f.store32(row.four, c32(0), column.lengths);
    }
    const counter = this.#places.counters.get(column);
    if (counter !== undefined) f.store32(row.four, load32(counter), column.offsets + 4);
    for (const child of column.children) this.empty(child, row, Cell.missing);
  }

  boolean(column: ColumnLayout, row: RowIndex, value: Expr): void {
    this.state(column, row, Cell.value);
    this.#f.store8(row.one, value, column.values);
  }

  /** A signed whole number in a local, into any numeric column; `small`: it has 32 bits. */
  integer(column: ColumnLayout, row: RowIndex, value: Local, small: boolean): void {
    const f = this.#f;
    const { type } = column.field;
    if (type.kind === "decimal") return this.decimal(column, row, value, { scale: 0, small });
    if (type.kind === "double" || type.kind === "float") {
      if (type.kind === "float" && !small) this.#leaveIf(this.#beyondDouble(value));
      f.set(this.#real, toF64S(value));
      this.state(column, row, Cell.value);
      f.storeF64(row.eight, type.kind === "float" ? promote(demote(this.#real)) : this.#real, column.values);
      return;
    }
    if (type.kind === "int" && !small) this.#leaveIf(ne(value, extend32S(value)));
    this.exact(column, row, value);
  }

  #beyondDouble(value: Expr): Expr {
    return gtU(add(value, c64(doubleExact)), c64(doubleExact * 2n));
  }

  /** A whole number into a column of 64-bit integers, unchecked. */
  exact(column: ColumnLayout, row: RowIndex, value: Expr): void {
    const f = this.#f;
    this.state(column, row, Cell.value);
    f.store64(row.eight, value, column.exact);
    f.storeF64(row.eight, toF64S(value), column.values);
  }

  /** An unscaled value of `scale` in a local into any numeric column. */
  decimal(column: ColumnLayout, row: RowIndex, value: Local, { scale, small }: { readonly scale: number; readonly small: boolean }): void {
    const f = this.#f;
    const { type } = column.field;
    if (type.kind !== "decimal") {
      if (scale === 0) return this.integer(column, row, value, small);
      if (type.kind !== "double" || scale > 22) return this.#giveUp();
      this.#leaveIf(this.#beyondDouble(value));
      this.state(column, row, Cell.value);
      f.storeF64(row.eight, div(toF64S(value), cf64(Number(`1e${scale}`))), column.values);
      return;
    }
    const shift = type.scale - scale;
    // A value of at most 2^53 in 18 digits, whose nearest double is one division.
    const digits = Math.min(18, type.precision) - shift;
    if (shift < 0 || digits < 0 || type.scale > 22) return this.#giveUp();
    const limit = powersOfTen[digits] as bigint;
    const most = limit - 1n < doubleExact ? limit - 1n : doubleExact;
    this.#leaveIf(or(gtS(value, c64(most)), ltS(value, c64(-most))));
    f.set(this.#whole, mul(value, c64(powersOfTen[shift] as bigint)));
    this.state(column, row, Cell.value);
    f.store64(row.sixteen, this.#whole, column.unscaled);
    f.store64(row.sixteen, shrS(this.#whole, c64(63)), column.unscaled + 8);
    const double = toF64S(value);
    f.storeF64(row.eight, scale === 0 ? double : div(double, cf64(Number(`1e${scale}`))), column.values);
  }

  /** A floating-point number in a local into a float or double column. */
  real(column: ColumnLayout, row: RowIndex, value: Local): void {
    const f = this.#f;
    if (column.field.type.kind === "float") f.set(value, promote(demote(value)));
    // NaN is not less than infinity either.
    this.#leaveIf(eqz(ge(cf64(Number.MAX_VALUE), abs(value))));
    this.state(column, row, Cell.value);
    f.storeF64(row.eight, value, column.values);
  }

  /** A signed whole number in a local that is read as a 32-bit float. */
  single(column: ColumnLayout, row: RowIndex, value: Local, small: boolean): void {
    if (!small) this.#leaveIf(this.#beyondDouble(value));
    this.state(column, row, Cell.value);
    this.#f.storeF64(row.eight, promote(demote(toF64S(value))), column.values);
  }

  /** Units since the epoch in a local, as the column's own. */
  epoch(column: ColumnLayout, row: RowIndex, value: Local, unit: "millis" | "micros" | "nanos"): void {
    const f = this.#f;
    const { type } = column.field;
    if (type.kind === "timestamp" && type.unit === "nanos") {
      const factor = { millis: 1_000_000n, micros: 1000n, nanos: 1n }[unit];
      const most = (2n ** 63n - 1n) / factor;
      if (factor > 1n) this.#leaveIf(or(gtS(value, c64(most)), ltS(value, c64(-most))));
      f.set(value, mul(value, c64(factor)));
    } else if (unit === "millis") {
      this.#leaveIf(gtU(add(value, c64(2n ** 53n)), c64(2n ** 54n)));
      f.set(value, mul(value, c64(1000)));
    } else if (unit === "nanos") {
      f.set(this.#whole, value);
      f.set(value, divS(value, c64(1000)));
      this.#leaveIf(ne(mul(value, c64(1000)), this.#whole));
    }
    this.exact(column, row, value);
  }

  /** A time of the day in a local, in microseconds. */
  dayMicros(column: ColumnLayout, row: RowIndex, value: Local): void {
    this.#leaveIf(gtU(value, c64(86_399_999_999n)));
    this.exact(column, row, value);
  }

  /** A span of the arena as it is. */
  span(column: ColumnLayout, row: RowIndex, start: Expr, length: Expr): void {
    const f = this.#f;
    this.state(column, row, Cell.value);
    f.store32(row.four, start, column.starts);
    f.store32(row.four, length, column.lengths);
  }

  /** A span that must be UTF-8: most are short and ASCII. */
  text(column: ColumnLayout, row: RowIndex, start: Local, length: Local): void {
    this.checkText(start, length);
    this.span(column, row, start, length);
  }

  /** Text into a column that takes text (`takesText`). */
  fromText(column: ColumnLayout, row: RowIndex, start: Local, length: Local): void {
    const { kind } = column.field.type;
    if (kind === "string") this.text(column, row, start, length);
    else if (kind === "uuid") this.#uuid(column, row, start, length);
    else if (kind === "binary") this.span(column, row, start, length);
    else this.#moment(column, row, start, length);
  }

  #moment(column: ColumnLayout, row: RowIndex, start: Local, length: Local): void {
    const record = c32(this.#places.moments.get(column) as number);
    this.#leaveIf(this.#f.call(this.#wire.moment, record, row.one, start, add(start, length)));
    this.state(column, row, Cell.value);
  }

  #uuid(column: ColumnLayout, row: RowIndex, start: Local, length: Local): void {
    this.#leaveIf(ne(length, c32(uuidTextSize)));
    this.#leaveWithoutRoom(uuidSize);
    this.#f.set(this.#at, this.#f.call(this.#wire.uuid, start));
    this.#leaveIf(eqz(this.#at));
    this.span(column, row, this.#at, c32(uuidSize));
  }

  /** The 16 bytes of a UUID as its text. */
  uuidText(column: ColumnLayout, row: RowIndex, start: Local): void {
    this.#leaveWithoutRoom(uuidTextSize);
    this.#f.set(this.#at, this.#f.call(this.#wire.uuidText, start));
    this.span(column, row, this.#at, c32(uuidTextSize));
  }

  #leaveWithoutRoom(bytes: number): void {
    this.#leaveIf(gtU(load32(this.#places.areaEnd), c32(this.#places.areaLimit - bytes)));
  }

  checkText(start: Local, length: Local): void {
    const f = this.#f;
    const special = and(i8x16.bitmask(loadV128(start)), sub(shl(c32(1), length), c32(1)));
    f.if(
      leS(length, c32(16)),
      () => {
        f.if(special, () => this.#leaveIf(eqz(f.call(this.#wire.utf8, start, add(start, length)))));
      },
      () => this.#leaveIf(eqz(f.call(this.#wire.utf8, start, add(start, length)))),
    );
  }
}
