import { Cell } from "../../core/column.ts";
import type { Field } from "../../core/schema.ts";
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
  load32,
  load64,
  load8U,
  loadF32,
  loadF64,
  ltS,
  ltU,
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
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { BatchLayout, ColumnLayout } from "../../wasm/layout.ts";
import { WasmModule } from "../../wasm/module.ts";
import { i64x2, simd, splat64 } from "../../wasm/simd.ts";
import { f64, i32, i64 } from "../../wasm/value-type.ts";
import type { AvroPlan, AvroRead } from "../avro/avro-plan.ts";
import { CellStores, indexRow, type RowIndex } from "../wire/cell-stores.ts";
import type { ColumnPlaces } from "../wire/column-places.ts";
import { emitWire, type WireFunctions } from "../wire/text-functions.ts";
import { isCovered } from "./coverage.ts";
import { SkipFunctions, unzigzag } from "./skip-functions.ts";

/** Entries of a map that are compared with each other for a key that comes twice; larger maps are left to the reference. */
const pairsMax = 16;
/** Elements that one record may have; the reference counts cells instead. */
const elementsMax = 1 << 14;
const mostSignificantFirst = [7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0];

/**
 * The module of one writer's schema: `decode(row, rows)` decodes the loaded rows from `row` on into the columns, and answers the first that it leaves
 * to the reference (or that has no value), else `rows`. Straight-line code, a varint or a span a field; names and constants stand in the arena as data.
 */
export function avroModule(
  plan: AvroPlan,
  layout: BatchLayout,
  { arena, places }: { readonly arena: Arena; readonly places: ColumnPlaces },
): Uint8Array<ArrayBuffer> {
  const m = new WasmModule();
  const wire = emitWire(m);
  const skips = new SkipFunctions(m, wire);
  const record = m.func(null, [i32, i32, i32], [i32], (f, [p, end, row]) => {
    const emitter = new RecordEmitter({ f, p, end, wire, skips, arena, places });
    emitter.struct(plan.root as AvroRead & { kind: "struct" }, layout.columns, plan.fields, indexRow(f, row));
    // All of the record, and no more.
    f.if(ne(p, end), () => f.return(c32(0)));
    f.return(c32(1));
  });
  emitRows(m, record, layout, places);
  return m.finish();
}

/** The exported loop over rows: what a record that is given up has counted is taken back. */
export function emitRows(m: WasmModule, record: FunctionRef, layout: BatchLayout, places: ColumnPlaces): void {
  m.func("decode", [i32, i32], [i32], (f, [row, rows]) => {
    const start = f.local(i32);
    const length = f.local(i32);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(row, rows));
        f.set(length, load32(shl(row, c32(2)), layout.rowLengths));
        f.brIf(out, ltS(length, c32(0)));
        f.set(start, load32(shl(row, c32(2)), layout.rowStarts));
        if (places.countBytes > 0) f.memoryCopy(places.marks, places.counts, c32(places.countBytes));
        f.if(eqz(f.call(record, start, add(start, length), row)), () => {
          if (places.countBytes > 0) f.memoryCopy(places.counts, places.marks, c32(places.countBytes));
          f.return(row);
        });
        f.set(row, add(row, c32(1)));
        f.br(again);
      });
    });
    f.return(row);
  });
}

interface EmitterOptions {
  readonly f: FunctionBuilder;
  readonly p: Local;
  readonly end: Local;
  readonly wire: WireFunctions;
  readonly skips: SkipFunctions;
  readonly arena: Arena;
  readonly places: ColumnPlaces;
}

/** Writes the code that reads one record. */
class RecordEmitter {
  readonly #f: FunctionBuilder;
  readonly #p: Local;
  readonly #end: Local;
  readonly #wire: WireFunctions;
  readonly #skips: SkipFunctions;
  readonly #arena: Arena;
  readonly #places: ColumnPlaces;
  readonly #cells: CellStores;
  readonly #value: Local;
  readonly #byte: Local;
  readonly #length: Local;
  readonly #real: Local;

  constructor({ f, p, end, wire, skips, arena, places }: EmitterOptions) {
    this.#f = f;
    this.#p = p;
    this.#end = end;
    this.#wire = wire;
    this.#skips = skips;
    this.#arena = arena;
    this.#places = places;
    this.#cells = new CellStores(f, wire, () => f.return(c32(0)));
    this.#value = f.local(i64);
    this.#byte = f.local(i32);
    this.#length = f.local(i32);
    this.#real = f.local(f64);
  }

  #leaveIf(condition: Expr): void {
    this.#f.if(condition, () => this.#f.return(c32(0)));
  }

  #pass(bytes: number): void {
    this.#f.set(this.#p, add(this.#p, c32(bytes)));
  }

  struct(read: AvroRead & { readonly kind: "struct" }, columns: readonly ColumnLayout[], fields: readonly Field[], row: RowIndex): void {
    const filled = new Set<number>();
    for (const step of read.steps) {
      if (step.column < 0) this.#skip((step as { skip: Parameters<SkipFunctions["of"]>[0] }).skip);
      else {
        filled.add(step.column);
        this.#read((step as { read: AvroRead }).read, columns[step.column] as ColumnLayout, fields[step.column] as Field, row);
      }
    }
    for (const { column, read: value, bytes } of read.defaults) {
      filled.add(column);
      this.#default(value, columns[column] as ColumnLayout, fields[column] as Field, row, bytes);
    }
    for (const [i, column] of columns.entries()) if (!filled.has(i)) this.#empty(column, row, Cell.missing);
  }

  /** A constant of the reader's schema stands in the arena, and is read from there. */
  #default(read: AvroRead, column: ColumnLayout, field: Field, row: RowIndex, bytes: Uint8Array): void {
    const f = this.#f;
    const address = this.#arena.allocate(bytes.length + 64);
    this.#arena.bytes(address, bytes.length).set(bytes);
    const [p, end] = [f.local(i32), f.local(i32)];
    f.set(p, this.#p);
    f.set(end, this.#end);
    f.set(this.#p, c32(address));
    f.set(this.#end, c32(address + bytes.length));
    this.#read(read, column, field, row);
    f.set(this.#p, p);
    f.set(this.#end, end);
  }

  /** A cell without a value; lists in it end where the row before them ended. */
  #empty(column: ColumnLayout, row: RowIndex, state: number): void {
    this.#cells.empty(column, row, state);
    const visit = (each: ColumnLayout): void => {
      const counter = this.#places.counters.get(each);
      if (counter !== undefined) this.#f.store32(row.four, load32(counter), each.offsets + 4);
      each.children.forEach(visit);
    };
    visit(column);
  }

  #skip(schema: Parameters<SkipFunctions["of"]>[0]): void {
    if (schema.type === "null") return;
    const f = this.#f;
    f.set(this.#p, f.call(this.#skips.of(schema), this.#p, this.#end, c32(0)));
    this.#leaveIf(eqz(this.#p));
  }

  #read(read: AvroRead, column: ColumnLayout, field: Field, row: RowIndex): void {
    if (!isCovered(read, field)) return this.#f.return(c32(0));
    switch (read.kind) {
      case "null":
        return this.#empty(column, row, Cell.null);
      case "union":
        return this.#union(read, column, field, row);
      case "struct":
        this.#cells.state(column, row, Cell.value);
        return this.struct(read, column.children, field.type.kind === "struct" ? field.type.fields : [], row);
      case "list":
      case "map":
        return this.#items(read, column, field, row);
      case "cell":
        return this.#cell(read, column, row);
      default:
        return this.#f.return(c32(0));
    }
  }

  #union(read: AvroRead & { readonly kind: "union" }, column: ColumnLayout, field: Field, row: RowIndex): void {
    const f = this.#f;
    const { branches } = read;
    // An index below 64 takes one byte, twice the index.
    f.set(this.#byte, load8U(this.#p));
    this.#pass(1);
    this.#leaveIf(or(gtU(this.#byte, c32((branches.length - 1) * 2)), and(this.#byte, c32(1))));
    const write = (branch: AvroRead | undefined) => (): void => {
      if (branch !== undefined) this.#read(branch, column, field, row);
    };
    if (branches.length === 1) return write(branches[0])();
    // Most are nullable: the branch with the value first.
    if (branches.length === 2) {
      const value = branches[0]?.kind === "null" ? 1 : 0;
      const chosen = value === 1 ? this.#byte : eqz(this.#byte);
      return f.if(chosen, write(branches[value]), write(branches[1 - value]));
    }
    f.switch(
      shrU(this.#byte, c32(1)),
      branches.map((branch) => write(branch)),
    );
  }

  /** A long into `#value`: most take a byte or two. */
  #long(bits: 32 | 64): void {
    const f = this.#f;
    const p = this.#p;
    const byte = this.#byte;
    f.set(byte, load8U(p));
    f.if(
      ltU(byte, c32(0x80)),
      () => {
        f.set(this.#value, extendS(xor(shrU(byte, c32(1)), sub(c32(0), and(byte, c32(1))))));
        this.#pass(1);
      },
      () => {
        const start = f.local(i32);
        f.set(start, p);
        f.set(p, f.call(this.#wire.varint, p));
        this.#leaveIf(eqz(p));
        // A tenth byte is the reference's to judge.
        this.#leaveIf(gtU(sub(p, start), c32(9)));
        f.set(this.#value, unzigzag(this.#wire.word));
        if (bits === 32) this.#leaveIf(ne(this.#value, extend32S(this.#value)));
      },
    );
  }

  /** The length of a span into `#length`; the span lies within the record. */
  #size(): void {
    const f = this.#f;
    f.set(this.#byte, load8U(this.#p));
    f.if(
      and(this.#byte, c32(0x81)),
      () => {
        this.#long(64);
        this.#leaveIf(gtU(this.#value, c64(0x7fff_ffff)));
        f.set(this.#length, wrap(this.#value));
      },
      () => {
        f.set(this.#length, shrU(this.#byte, c32(1)));
        this.#pass(1);
      },
    );
    this.#leaveIf(gtS(this.#length, sub(this.#end, this.#p)));
  }

  #cell(read: AvroRead & { readonly kind: "cell" }, column: ColumnLayout, row: RowIndex): void {
    const f = this.#f;
    const { schema } = read;
    switch (schema.type) {
      case "null":
        return this.#empty(column, row, Cell.null);
      case "boolean":
        f.set(this.#byte, load8U(this.#p));
        this.#pass(1);
        this.#leaveIf(gtU(this.#byte, c32(1)));
        return this.#cells.boolean(column, row, this.#byte);
      case "int":
      case "long":
        this.#long(schema.type === "int" ? 32 : 64);
        return this.#whole(read, column, row, schema.type === "int");
      case "float":
        f.set(this.#real, promote(loadF32(this.#p)));
        this.#pass(4);
        return this.#cells.real(column, row, this.#real);
      case "double":
        f.set(this.#real, loadF64(this.#p));
        this.#pass(8);
        return this.#cells.real(column, row, this.#real);
      case "string":
      case "bytes":
        this.#size();
        return this.#span(read, column, row);
      case "fixed":
        f.set(this.#length, c32(schema.size));
        this.#leaveIf(gtS(this.#length, sub(this.#end, this.#p)));
        return this.#span(read, column, row);
      case "enum":
        return this.#symbol(read, column, row);
    }
  }

  #whole(read: AvroRead & { readonly kind: "cell" }, column: ColumnLayout, row: RowIndex, small: boolean): void {
    const f = this.#f;
    const value = this.#value;
    switch (read.as) {
      case "days":
        return this.#cells.exact(column, row, value);
      case "day-millis":
        f.set(value, mul(value, c64(1000)));
        return this.#cells.dayMicros(column, row, value);
      case "day-micros":
        return this.#cells.dayMicros(column, row, value);
      case "epoch-millis":
        return this.#cells.epoch(column, row, value, "millis");
      case "epoch-micros":
        return this.#cells.epoch(column, row, value, "micros");
      case "epoch-nanos":
        return this.#cells.epoch(column, row, value, "nanos");
      case "single":
        return this.#cells.single(column, row, value, small);
      default:
        return this.#cells.integer(column, row, value, small);
    }
  }

  /** The `#length` bytes at p. */
  #span(read: AvroRead & { readonly kind: "cell" }, column: ColumnLayout, row: RowIndex): void {
    const f = this.#f;
    const p = this.#p;
    const length = this.#length;
    if (read.as === "decimal") {
      this.#leaveIf(gtU(length, c32(8)));
      const last = splat64(load64(sub(add(p, length), c32(8))));
      const word = i64x2.extract(simd.shuffle(last, last, mostSignificantFirst), 0);
      const spare = extendU(shl(sub(c32(8), length), c32(3)));
      // No bytes mean zero, and a shift by 64 would be none.
      f.set(this.#value, select(eqz(length), c64(0), shrS(shl(word, spare), spare)));
      f.set(p, add(p, length));
      return this.#cells.decimal(column, row, this.#value, { scale: read.scale, small: false });
    }
    if (read.as === "text" && column.field.type.kind === "string") this.#cells.text(column, row, p, length);
    else this.#cells.span(column, row, p, length);
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
    this.#leaveIf(or(geU(this.#byte, c32(symbols.length * 2)), and(this.#byte, c32(1))));
    // Twice the index is in the byte.
    f.set(this.#byte, shl(this.#byte, c32(2)));
    const start = load32(this.#byte, table);
    if (symbols.includes(null)) this.#leaveIf(eqz(start));
    this.#cells.span(column, row, start, load32(this.#byte, table + 4));
  }

  #items(read: AvroRead & { readonly kind: "list" | "map" }, column: ColumnLayout, field: Field, row: RowIndex): void {
    const f = this.#f;
    const p = this.#p;
    const element = column.element as ColumnLayout;
    const keyed = read.kind === "map";
    const inner = field.type.kind === "list" ? field.type.element : field.type.kind === "map" ? field.type.value : field;
    const counter = this.#places.counters.get(column) as number;
    const [at, first, left] = [f.local(i32), f.local(i32), f.local(i32)];
    f.set(at, load32(counter));
    f.set(first, at);
    f.block((out) => {
      f.loop((again) => {
        this.#long(64);
        f.set(left, wrap(this.#value));
        f.brIf(out, eqz(left));
        // Blocks with sizes are the reference's, and more elements than fit.
        this.#leaveIf(or(gtU(this.#value, c64(elementsMax)), gtS(left, sub(this.#end, p))));
        this.#leaveIf(gtU(sub(add(at, left), first), c32(elementsMax)));
        this.#leaveIf(gtU(add(at, left), c32(element.capacity)));
        f.loop((next) => {
          const index = indexRow(f, at);
          if (keyed) this.#key(column, index, first, at);
          this.#read(keyed ? read.values : read.items, element, inner, index);
          this.#leaveIf(gtS(p, this.#end));
          f.set(at, add(at, c32(1)));
          f.set(left, sub(left, c32(1)));
          f.brIf(next, left);
        });
        f.br(again);
      });
    });
    this.#cells.state(column, row, Cell.value);
    f.store32(row.four, at, column.offsets + 4);
    f.store32(counter, at);
  }

  /** The key of an entry; one that comes twice is the reference's. */
  #key(column: ColumnLayout, index: RowIndex, first: Local, at: Local): void {
    const f = this.#f;
    const keys = column.keys as ColumnLayout;
    this.#leaveIf(gtU(sub(at, first), c32(pairsMax)));
    this.#size();
    this.#cells.text(keys, index, this.#p, this.#length);
    const other = f.local(i32);
    f.set(other, first);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(other, at));
        f.if(eqz(sub(load32(shl(other, c32(2)), keys.lengths), this.#length)), () => {
          const start = load32(shl(other, c32(2)), keys.starts);
          this.#leaveIf(f.call(this.#wire.same, start, this.#p, this.#length));
        });
        f.set(other, add(other, c32(1)));
        f.br(again);
      });
    });
    f.set(this.#p, add(this.#p, this.#length));
  }
}
