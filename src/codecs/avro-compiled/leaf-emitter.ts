import { uuidSize } from "../../core/uuid.ts";
import { Cell } from "../../core/column.ts";
import type { Arena } from "../../wasm/arena.ts";
import {
  add,
  and,
  c32,
  c64,
  eqz,
  extend32S,
  extendS,
  extendU,
  geU,
  gtS,
  gtU,
  load16U,
  load32,
  load64,
  load8U,
  loadF32,
  loadF64,
  mul,
  ne,
  or,
  promote,
  select,
  shl,
  shrS,
  shrU,
  sub,
  wrap,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import { i64x2, simd, splat64 } from "../../wasm/simd.ts";
import { f64, i32, i64 } from "../../wasm/value-type.ts";
import type { AvroRead } from "../avro/avro-plan.ts";
import { CellStores, type RowIndex } from "../wire/cell-stores.ts";
import type { ColumnPlaces } from "../wire/column-places.ts";
import { type WireFunctions } from "../wire/text-functions.ts";
import { unzigzag } from "./skip-functions.ts";

const mostSignificantFirst = [7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0];

/** What writes the code of one function over a record: its position, the record's end, and where lists and constants stand. */
export interface EmitterOptions {
  readonly f: FunctionBuilder;
  readonly p: Local;
  readonly end: Local;
  readonly wire: WireFunctions;
  readonly arena: Arena;
  readonly places: ColumnPlaces;
}

/** Writes the code that reads Avro values which are no containers, and puts them into cells. Reading gives the record up by returning 0. */
export class LeafEmitter {
  readonly cells: CellStores;
  /** The whole number read last. */
  readonly value: Local;
  /** The length of the span read last; the span begins at `p`. */
  readonly length: Local;
  readonly #f: FunctionBuilder;
  readonly #p: Local;
  readonly #end: Local;
  readonly #wire: WireFunctions;
  readonly #arena: Arena;
  readonly #byte: Local;
  readonly #two: Local;
  readonly #start: Local;
  readonly #real: Local;

  constructor({ f, p, end, wire, arena, places }: EmitterOptions) {
    this.#f = f;
    this.#p = p;
    this.#end = end;
    this.#wire = wire;
    this.#arena = arena;
    this.cells = new CellStores(f, { wire, places }, () => f.return(c32(0)));
    this.value = f.local(i64);
    this.length = f.local(i32);
    this.#byte = f.local(i32);
    this.#two = f.local(i32);
    this.#start = f.local(i32);
    this.#real = f.local(f64);
  }

  leaveIf(condition: Expr): void {
    this.#f.if(condition, () => this.#f.return(c32(0)));
  }

  #pass(bytes: number): void {
    this.#f.set(this.#p, add(this.#p, c32(bytes)));
  }

  /** A long into `value`: most take a byte or two. */
  long(bits: 32 | 64): void {
    const f = this.#f;
    const p = this.#p;
    const two = this.#two;
    const small = (word: Expr): Expr => extendS(xor(shrU(word, c32(1)), sub(c32(0), and(word, c32(1)))));
    f.set(two, load16U(p));
    f.if(
      and(two, c32(0x80)),
      () => {
        f.if(
          and(two, c32(0x8000)),
          () => this.#longVarint(bits),
          () => {
            f.set(two, or(and(two, c32(0x7f)), shrU(and(two, c32(0x7f00)), c32(1))));
            f.set(this.value, small(two));
            this.#pass(2);
          },
        );
      },
      () => {
        f.set(two, and(two, c32(0x7f)));
        f.set(this.value, small(two));
        this.#pass(1);
      },
    );
  }

  #longVarint(bits: 32 | 64): void {
    const f = this.#f;
    const p = this.#p;
    const start = this.#start;
    f.set(start, p);
    f.set(p, f.call(this.#wire.varint, p));
    this.leaveIf(eqz(p));
    // A tenth byte is the reference's to judge.
    this.leaveIf(gtU(sub(p, start), c32(9)));
    f.set(this.value, unzigzag(this.#wire.word));
    if (bits === 32) this.leaveIf(ne(this.value, extend32S(this.value)));
  }

  /** The length of a span into `length`; the span lies within the record. */
  size(): void {
    const f = this.#f;
    f.set(this.#byte, load8U(this.#p));
    f.if(
      and(this.#byte, c32(0x81)),
      () => {
        this.long(64);
        this.leaveIf(gtU(this.value, c64(0x7fff_ffff)));
        f.set(this.length, wrap(this.value));
      },
      () => {
        f.set(this.length, shrU(this.#byte, c32(1)));
        this.#pass(1);
      },
    );
    this.leaveIf(gtS(this.length, sub(this.#end, this.#p)));
  }

  cell(read: AvroRead & { readonly kind: "cell" }, column: ColumnLayout, row: RowIndex): void {
    const f = this.#f;
    const { schema } = read;
    switch (schema.type) {
      case "null":
        return this.cells.empty(column, row, Cell.null);
      case "boolean":
        f.set(this.#byte, load8U(this.#p));
        this.#pass(1);
        this.leaveIf(gtU(this.#byte, c32(1)));
        return this.cells.boolean(column, row, this.#byte);
      case "int":
      case "long":
        this.long(schema.type === "int" ? 32 : 64);
        return this.#whole(read, column, row, schema.type === "int");
      case "float":
        f.set(this.#real, promote(loadF32(this.#p)));
        this.#pass(4);
        return this.cells.real(column, row, this.#real);
      case "double":
        f.set(this.#real, loadF64(this.#p));
        this.#pass(8);
        return this.cells.real(column, row, this.#real);
      case "string":
      case "bytes":
        this.size();
        return this.#span(read, column, row);
      case "fixed":
        f.set(this.length, c32(schema.size));
        this.leaveIf(gtS(this.length, sub(this.#end, this.#p)));
        return this.#span(read, column, row);
      case "enum":
        return this.#symbol(read, column, row);
    }
  }

  #whole(read: AvroRead & { readonly kind: "cell" }, column: ColumnLayout, row: RowIndex, small: boolean): void {
    const f = this.#f;
    const value = this.value;
    switch (read.as) {
      case "days":
        return this.cells.exact(column, row, value);
      case "day-millis":
        f.set(value, mul(value, c64(1000)));
        return this.cells.dayMicros(column, row, value);
      case "day-micros":
        return this.cells.dayMicros(column, row, value);
      case "epoch-millis":
        return this.cells.epoch(column, row, value, "millis");
      case "epoch-micros":
        return this.cells.epoch(column, row, value, "micros");
      case "epoch-nanos":
        return this.cells.epoch(column, row, value, "nanos");
      case "single":
        return this.cells.single(column, row, value, small);
      default:
        return this.cells.integer(column, row, value, small);
    }
  }

  /** The `length` bytes at p. */
  #span(read: AvroRead & { readonly kind: "cell" }, column: ColumnLayout, row: RowIndex): void {
    const f = this.#f;
    const p = this.#p;
    const length = this.length;
    if (read.as === "decimal") {
      this.leaveIf(gtU(length, c32(8)));
      const last = splat64(load64(sub(add(p, length), c32(8))));
      const word = i64x2.extract(simd.shuffle(last, last, mostSignificantFirst), 0);
      const spare = extendU(shl(sub(c32(8), length), c32(3)));
      // No bytes mean zero, and a shift by 64 would be none.
      f.set(this.value, select(eqz(length), c64(0), shrS(shl(word, spare), spare)));
      f.set(p, add(p, length));
      return this.cells.decimal(column, row, this.value, { scale: read.scale, small: false });
    }
    if (read.as === "uuid-bytes") this.leaveIf(ne(length, c32(uuidSize)));
    if (read.as === "uuid") this.cells.uuidText(column, row, p);
    else if (read.as === "text") this.cells.fromText(column, row, p, length);
    else this.cells.span(column, row, p, length);
    f.set(p, add(p, length));
  }

  /** An enum's symbols stand in the arena, each with its address and length. */
  #symbol(read: AvroRead & { readonly kind: "cell" }, column: ColumnLayout, row: RowIndex): void {
    const f = this.#f;
    const symbols = read.symbols ?? [];
    const table = this.#arena.allocate(symbols.length * 8 + 16);
    const places = symbols.flatMap((symbol) => {
      if (symbol === null) return [0, 0];
      const address = this.#arena.allocate(symbol.length + 64);
      this.#arena.bytes(address, symbol.length).set(symbol);
      return [address, symbol.length];
    });
    this.#arena.u32(table, places.length).set(places);
    f.set(this.#byte, load8U(this.#p));
    this.#pass(1);
    this.leaveIf(or(geU(this.#byte, c32(symbols.length * 2)), and(this.#byte, c32(1))));
    // Twice the index is in the byte.
    f.set(this.#byte, shl(this.#byte, c32(2)));
    const start = load32(this.#byte, table);
    if (symbols.includes(null)) this.leaveIf(eqz(start));
    this.cells.span(column, row, start, load32(this.#byte, table + 4));
  }
}
