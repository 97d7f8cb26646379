import { Cell } from "../../core/column.ts";
import type { Field } from "../../core/schema.ts";
import type { Arena } from "../../wasm/arena.ts";
import { add, and, c32, c64, eqz, geU, gtS, gtU, load32, load8U, or, shl, shrU, sub, wrap } from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import { i32 } from "../../wasm/value-type.ts";
import { isEmptySchema } from "../avro/avro-cursor.ts";
import type { AvroRead } from "../avro/avro-plan.ts";
import { indexRow, type RowIndex } from "../wire/cell-stores.ts";
import type { ColumnPlaces } from "../wire/column-places.ts";
import { type WireFunctions } from "../wire/text-functions.ts";
import { isCovered } from "./coverage.ts";
import type { SkipFunctions } from "./skip-functions.ts";
import { LeafEmitter, type EmitterOptions } from "./leaf-emitter.ts";

/** Entries of a map that are compared with each other for a key that comes twice; larger maps are left to the reference. */
const pairsMax = 16;
/** Elements that one record may have; the reference counts cells instead. */
const elementsMax = 1 << 14;

/** Writes the code that reads records and what they hold. */
export class RecordEmitter {
  readonly #f: FunctionBuilder;
  readonly #p: Local;
  readonly #end: Local;
  readonly #wire: WireFunctions;
  readonly #skips: SkipFunctions;
  readonly #arena: Arena;
  readonly #places: ColumnPlaces;
  readonly #leaves: LeafEmitter;
  readonly #byte: Local;

  constructor(options: EmitterOptions, skips: SkipFunctions) {
    this.#f = options.f;
    this.#p = options.p;
    this.#end = options.end;
    this.#wire = options.wire;
    this.#skips = skips;
    this.#arena = options.arena;
    this.#places = options.places;
    this.#leaves = new LeafEmitter(options);
    this.#byte = options.f.local(i32);
  }

  /** A record into the columns of a struct. */
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
    for (const [i, column] of columns.entries()) if (!filled.has(i)) this.#leaves.cells.empty(column, row, Cell.missing);
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

  #skip(schema: Parameters<SkipFunctions["of"]>[0]): void {
    if (isEmptySchema(schema)) return;
    const f = this.#f;
    f.set(this.#p, f.call(this.#skips.of(schema), this.#p, this.#end, c32(0)));
    this.#leaves.leaveIf(eqz(this.#p));
  }

  #read(read: AvroRead, column: ColumnLayout, field: Field, row: RowIndex): void {
    if (!isCovered(read, field)) return this.#f.return(c32(0));
    switch (read.kind) {
      case "null":
        return this.#leaves.cells.empty(column, row, Cell.null);
      case "union":
        return this.#union(read, column, field, row);
      case "struct":
        this.#leaves.cells.state(column, row, Cell.value);
        return this.struct(read, column.children, field.type.kind === "struct" ? field.type.fields : [], row);
      case "list":
      case "map":
        return this.#items(read, column, field, row);
      case "cell":
        return this.#leaves.cell(read, column, row);
      default:
        return this.#f.return(c32(0));
    }
  }

  #union(read: AvroRead & { readonly kind: "union" }, column: ColumnLayout, field: Field, row: RowIndex): void {
    const f = this.#f;
    const { branches } = read;
    // An index below 64 takes one byte, twice the index.
    f.set(this.#byte, load8U(this.#p));
    f.set(this.#p, add(this.#p, c32(1)));
    this.#leaves.leaveIf(or(gtU(this.#byte, c32((branches.length - 1) * 2)), and(this.#byte, c32(1))));
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
        this.#leaves.long(64);
        f.set(left, wrap(this.#leaves.value));
        f.brIf(out, eqz(left));
        // Blocks with sizes are the reference's, and more elements than fit.
        this.#leaves.leaveIf(or(gtU(this.#leaves.value, c64(elementsMax)), gtS(left, sub(this.#end, p))));
        this.#leaves.leaveIf(gtU(sub(add(at, left), first), c32(elementsMax)));
        this.#leaves.leaveIf(gtU(add(at, left), c32(element.capacity)));
        f.loop((next) => {
          const index = indexRow(f, at);
          if (keyed) this.#key(column, index, first, at);
          this.#read(keyed ? read.values : read.items, element, inner, index);
          this.#leaves.leaveIf(gtS(p, this.#end));
          f.set(at, add(at, c32(1)));
          f.set(left, sub(left, c32(1)));
          f.brIf(next, left);
        });
        f.br(again);
      });
    });
    this.#leaves.cells.state(column, row, Cell.value);
    f.store32(row.four, at, column.offsets + 4);
    f.store32(counter, at);
  }

  /** The key of an entry; one that comes twice is the reference's. */
  #key(column: ColumnLayout, index: RowIndex, first: Local, at: Local): void {
    const f = this.#f;
    const keys = column.keys as ColumnLayout;
    this.#leaves.leaveIf(gtU(sub(at, first), c32(pairsMax)));
    this.#leaves.size();
    this.#leaves.cells.text(keys, index, this.#p, this.#leaves.length);
    const other = f.local(i32);
    f.set(other, first);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(other, at));
        f.if(eqz(sub(load32(shl(other, c32(2)), keys.lengths), this.#leaves.length)), () => {
          const start = load32(shl(other, c32(2)), keys.starts);
          this.#leaves.leaveIf(f.call(this.#wire.same, start, this.#p, this.#leaves.length));
        });
        f.set(other, add(other, c32(1)));
        f.br(again);
      });
    });
    f.set(this.#p, add(this.#p, this.#leaves.length));
  }
}
