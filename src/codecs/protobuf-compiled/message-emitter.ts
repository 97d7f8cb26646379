import { Cell } from "../../core/column.ts";
import type { ProtoField, ProtoMessage } from "../../core/protobuf/proto-schema.ts";
import type { Field } from "../../core/schema.ts";
import { add, and, c32, c64, eq, eqz, geU, gtU, load32, ltU, ne, or, shl, sub, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { typeWire, WireType } from "../protobuf/message-index.ts";
import type { ProtoPlan, ProtoRead, ProtoSlot, ProtoTable } from "../protobuf/proto-plan.ts";
import { indexRow, type RowIndex } from "../wire/cell-stores.ts";
import { innerField } from "./coverage.ts";
import { tagBytes, ValueEmitter, type EmitterOptions } from "./value-emitter.ts";

/** Entries of a map that are compared with each other for a key that comes twice; larger maps are left to the reference. */
const pairsMax = 16;
/** Elements of one list that a record may have; the reference counts cells instead. */
const elementsMax = 1 << 14;

/** Where a message is read to: columns of a struct, and the row. */
interface Target {
  readonly columns: readonly ColumnLayout[];
  readonly fields: readonly Field[];
  readonly row: RowIndex;
}

/** A field of the message that is being read: its slot, and where its column stands. */
interface Entry {
  readonly field: ProtoField;
  readonly slot: ProtoSlot;
  readonly index: number;
}

/** Which fields of one message instance were met, as bits; and how many elements its lists have so far. */
interface Progress {
  readonly seen: readonly Local[];
  readonly counts: ReadonlyMap<number, { readonly at: Local; readonly first: Local }>;
}

/**
 * Writes the code that reads messages: one pass tries the fields in the order of their numbers, as writers print them; passes repeat while fields come in
 * another order. What needs merging (a single field that comes twice, members of a oneof after each other) is the reference's.
 */
export class MessageEmitter {
  readonly #f: FunctionBuilder;
  readonly #p: Local;
  readonly #options: EmitterOptions;
  readonly #values: ValueEmitter;
  readonly #policy: ProtoPlan["unknownFields"];
  readonly #unknown: (message: ProtoMessage) => FunctionRef;

  constructor(options: EmitterOptions, policy: ProtoPlan["unknownFields"], unknown: (message: ProtoMessage) => FunctionRef) {
    this.#f = options.f;
    this.#p = options.p;
    this.#options = options;
    this.#values = new ValueEmitter(options);
    this.#policy = policy;
    this.#unknown = unknown;
  }

  /** The message from p to `end`. */
  message(table: ProtoTable, target: Target, end: Expr): void {
    const f = this.#f;
    const { message, slots } = table;
    const entries = message.fields
      .map((field, index): Entry => ({ field, slot: slots[index] as ProtoSlot, index }))
      .toSorted((a, b) => a.field.number - b.field.number);
    const progress = this.#begin(entries, target);
    const before = f.local(i32);
    f.block((out) => {
      f.loop((again) => {
        f.set(before, this.#p);
        for (const entry of entries) this.#entry(entry, message, { target, progress, end });
        f.brIf(out, geU(this.#p, end));
        // Nothing fits here: a field that the message doesn't have.
        f.if(eq(this.#p, before), () => {
          f.set(this.#p, f.call(this.#unknown(message), this.#p, end));
          this.#values.leaveIf(eqz(this.#p));
        });
        f.br(again);
      });
    });
    this.#values.leaveIf(ne(this.#p, end));
    for (const entry of entries) this.#finish(entry, target, progress);
    for (const [i, column] of target.columns.entries())
      if (!slots.some((slot) => slot.column === i)) this.#values.cells.empty(column, target.row, Cell.missing);
  }

  #begin(entries: readonly Entry[], { columns }: Target): Progress {
    const f = this.#f;
    const seen = Array.from({ length: Math.ceil(entries.length / 64) }, () => f.local(i64));
    for (const bits of seen) f.set(bits, c64(0));
    const counts = new Map<number, { readonly at: Local; readonly first: Local }>();
    for (const { slot, index } of entries) {
      if (slot.column < 0 || (slot.into !== "list" && slot.into !== "map")) continue;
      const counter = this.#counter(columns[slot.column] as ColumnLayout);
      const [at, first] = [f.local(i32), f.local(i32)];
      f.set(at, load32(counter));
      f.set(first, at);
      counts.set(index, { at, first });
    }
    return { seen, counts };
  }

  #counter(column: ColumnLayout): number {
    return this.#options.places.counters.get(column) as number;
  }

  /** Reads a field wherever it stands at p: a single one once, a repeated one as often as it comes. */
  #entry(entry: Entry, message: ProtoMessage, at: { readonly target: Target; readonly progress: Progress; readonly end: Expr }): void {
    const { field, slot } = entry;
    const wire = field.shape === "map" ? WireType.length : typeWire(field.type);
    const repeated = field.shape !== "single";
    const packed = field.shape === "list" && field.type.kind !== "message" && wire !== WireType.length;
    const write = (packed: boolean): void => this.#value(entry, message, wire, { ...at, packed });
    const tried = (tag: number, packed: boolean): void => {
      if (repeated) this.#while(field.number, tag, at.end, () => write(packed));
      else this.#f.if(this.#values.hasTag(field.number, tag, at.end), () => write(packed));
    };
    if (packed) tried(WireType.length, true);
    if (slot.into === "mismatch" && slot.column >= 0) {
      // Such a value is an invalid cell.
      return this.#f.if(this.#values.hasTag(field.number, wire, at.end), () => this.#f.return(c32(0)));
    }
    tried(wire, false);
  }

  #while(number: number, wire: number, end: Expr, write: () => void): void {
    const f = this.#f;
    f.loop((again) => {
      f.if(this.#values.hasTag(number, wire, end), () => {
        write();
        f.br(again);
      });
    });
  }

  #value(
    { field, slot, index }: Entry,
    message: ProtoMessage,
    wire: number,
    {
      target,
      progress,
      end,
      packed,
    }: { readonly target: Target; readonly progress: Progress; readonly end: Expr; readonly packed: boolean },
  ): void {
    const f = this.#f;
    const values = this.#values;
    f.set(this.#p, add(this.#p, c32(tagBytes(field.number, packed ? WireType.length : wire).length)));
    if (wire === WireType.startGroup || slot.into === "mismatch") return f.return(c32(0));
    if (slot.column < 0) {
      if (this.#policy !== "ignore") return f.return(c32(0));
      return values.skip(packed ? WireType.length : wire, end);
    }
    const column = target.columns[slot.column] as ColumnLayout;
    const owner = target.fields[slot.column] as Field;
    if (slot.into === "single") {
      this.#once(index, field, message, progress);
      return this.#one(slot.read, column, owner, { row: target.row, end });
    }
    const count = progress.counts.get(index) as { readonly at: Local; readonly first: Local };
    if (slot.into === "map") return this.#mapEntry(slot.read, field, { column, owner, end, count });
    if (!packed) return this.#element(slot.read, { column, owner, end, count });
    const inner = values.open(end);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(this.#p, inner));
        this.#element(slot.read, { column, owner, end: inner, count });
        f.br(again);
      });
    });
    values.leaveIf(ne(this.#p, inner));
  }

  /** A single field that came before, or another member of its oneof, is merged by the reference. */
  #once(index: number, field: ProtoField, message: ProtoMessage, { seen }: Progress): void {
    const f = this.#f;
    const rivals = field.oneof < 0 ? [index] : message.fields.flatMap((other, i) => (other.oneof === field.oneof ? [i] : []));
    for (const [word, bits] of seen.entries()) {
      const mask = rivals.filter((i) => i >> 6 === word).reduce((sum, i) => sum | (1n << BigInt(i & 63)), 0n);
      if (mask !== 0n) this.#values.leaveIf(eqz(eqz(and(bits, c64(mask)))));
    }
    const bits = seen[index >> 6] as Local;
    f.set(bits, or(bits, c64(1n << BigInt(index & 63))));
  }

  /** One value into a cell. */
  #one(read: ProtoRead, column: ColumnLayout, owner: Field, { row, end }: { readonly row: RowIndex; readonly end: Expr }): void {
    if (read.kind !== "struct") return this.#values.read(read, column, row, end);
    const inner = this.#values.open(end);
    this.#values.cells.state(column, row, Cell.value);
    const fields = owner.type.kind === "struct" ? owner.type.fields : [];
    this.message(read.table, { columns: column.children, fields, row }, inner);
  }

  #element(
    read: ProtoRead,
    {
      column,
      owner,
      end,
      count: { at, first },
    }: {
      readonly column: ColumnLayout;
      readonly owner: Field;
      readonly end: Expr;
      readonly count: { readonly at: Local; readonly first: Local };
    },
  ): void {
    const f = this.#f;
    const element = column.element as ColumnLayout;
    this.#values.leaveIf(geU(at, c32(element.capacity)));
    this.#values.leaveIf(gtU(sub(at, first), c32(elementsMax)));
    this.#one(read, element, innerField(owner), { row: indexRow(f, at), end });
    f.set(at, add(at, c32(1)));
  }

  /** An entry of a map as all writers print it: its key, then its value. */
  #mapEntry(
    read: ProtoRead,
    field: ProtoField,
    {
      column,
      owner,
      end,
      count: { at, first },
    }: {
      readonly column: ColumnLayout;
      readonly owner: Field;
      readonly end: Expr;
      readonly count: { readonly at: Local; readonly first: Local };
    },
  ): void {
    const f = this.#f;
    const values = this.#values;
    const keys = column.keys as ColumnLayout;
    // Keys that are no text have to be printed.
    if (field.key !== "string") return f.return(c32(0));
    const element = column.element as ColumnLayout;
    values.leaveIf(geU(at, c32(element.capacity)));
    values.leaveIf(gtU(sub(at, first), c32(pairsMax)));
    const inner = values.open(end);
    const index = indexRow(f, at);
    values.leaveIf(eqz(values.hasTag(1, WireType.length, inner)));
    f.set(this.#p, add(this.#p, c32(1)));
    values.size(inner);
    values.cells.text(keys, index, this.#p, values.length);
    this.#leaveIfKnown(keys, first, at);
    f.set(this.#p, add(this.#p, values.length));
    values.leaveIf(eqz(values.hasTag(2, typeWire(field.type), inner)));
    f.set(this.#p, add(this.#p, c32(1)));
    this.#one(read, element, innerField(owner), { row: index, end: inner });
    values.leaveIf(ne(this.#p, inner));
    f.set(at, add(at, c32(1)));
  }

  /** Of a key that comes twice the last entry counts, which is the reference's. The key stands at p. */
  #leaveIfKnown(keys: ColumnLayout, first: Local, at: Local): void {
    const f = this.#f;
    const { wire } = this.#options;
    const { length } = this.#values;
    const other = f.local(i32);
    f.set(other, first);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(other, at));
        const four = shl(other, c32(2));
        f.if(eq(load32(four, keys.lengths), length), () =>
          this.#values.leaveIf(f.call(wire.same, load32(four, keys.starts), this.#p, length)),
        );
        f.set(other, add(other, c32(1)));
        f.brIf(again, ltU(other, at));
      });
    });
  }

  /** What a field is at the message's end: a list ends, a single field that did not come is missing or its default. */
  #finish({ field, slot, index }: Entry, { columns, row }: Target, { seen, counts }: Progress): void {
    const f = this.#f;
    if (slot.column < 0) return;
    const column = columns[slot.column] as ColumnLayout;
    const count = counts.get(index);
    if (count !== undefined) {
      this.#values.cells.state(column, row, Cell.value);
      f.store32(row.four, count.at, column.offsets + 4);
      f.store32(this.#counter(column), count.at);
      return;
    }
    const absent = eqz(and(seen[index >> 6] as Local, c64(1n << BigInt(index & 63))));
    f.if(absent, () => this.#absent(slot, field, column, row));
  }

  #absent({ read, into }: ProtoSlot, field: ProtoField, column: ColumnLayout, row: RowIndex): void {
    const { type, byDefault } = field;
    const values = this.#values;
    if (into === "mismatch" || (byDefault === null && field.presence)) return values.cells.empty(column, row, Cell.missing);
    if (read.kind === "scalar") return values.constant(read.scalar, byDefault ?? "", column, row);
    if (read.kind !== "enum" || type.kind !== "enum") return this.#f.return(c32(0));
    const chosen = type.enum.values.find(({ name }) => name === byDefault) ?? type.enum.values[0];
    values.enumConstant(read, chosen?.number ?? 0, column, row);
  }
}
