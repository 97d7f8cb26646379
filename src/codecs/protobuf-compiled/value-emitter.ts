import { uuidSize } from "../../core/uuid.ts";
import type { ProtoScalar } from "../../core/protobuf/proto-schema.ts";
import type { Arena } from "../../wasm/arena.ts";
import {
  add,
  and,
  c32,
  c64,
  cf64,
  divS,
  eq,
  eqz,
  extend32S,
  extendU,
  geU,
  gtS,
  gtU,
  load16U,
  load32,
  load32STo64,
  load32UTo64,
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
  remS,
  shl,
  shrU,
  sub,
  wrap,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import { f64, i32, i64 } from "../../wasm/value-type.ts";
import { scalarWire, WireType } from "../protobuf/message-index.ts";
import { isUnsigned } from "../protobuf/proto-scan.ts";
import type { ProtoRead } from "../protobuf/proto-plan.ts";
import { CellStores, type RowIndex } from "../wire/cell-stores.ts";
import type { ColumnPlaces } from "../wire/column-places.ts";
import type { WireFunctions } from "../wire/text-functions.ts";
import { enumTableMax } from "./coverage.ts";

/** What writes the code of one function over a record: its position, and where lists and constants stand. */
export interface EmitterOptions {
  readonly f: FunctionBuilder;
  readonly p: Local;
  readonly wire: WireFunctions;
  readonly arena: Arena;
  readonly places: ColumnPlaces;
}

/** Seconds of the years 0001 and 9999, and below 1e9 nanoseconds (google/protobuf/timestamp.proto). */
const secondsMin = -62_135_596_800n;
const secondsMax = 253_402_300_799n;
/** Seconds either side of the epoch that 64 bits hold with every nanosecond of them. */
const nanosSecondsMax = 2n ** 63n / 1_000_000_000n - 1n;

/** A key (tag) as its shortest varint. */
export function tagBytes(number: number, wire: number): number[] {
  const bytes: number[] = [];
  let left = number * 8 + wire;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  bytes.push(left);
  return bytes;
}

/** Writes the code that reads single Protobuf values and puts them into cells. Reading gives the record up by returning 0. */
export class ValueEmitter {
  readonly cells: CellStores;
  /** The length of the span read last; the span begins at `p`. */
  readonly length: Local;
  readonly #f: FunctionBuilder;
  readonly #p: Local;
  readonly #wire: WireFunctions;
  readonly #arena: Arena;
  readonly #value: Local;
  readonly #two: Local;
  readonly #real: Local;
  readonly #enums = new Map<ProtoRead, { readonly table: number; readonly size: number }>();

  constructor({ f, p, wire, arena, places }: EmitterOptions) {
    this.#f = f;
    this.#p = p;
    this.#wire = wire;
    this.#arena = arena;
    this.cells = new CellStores(f, { wire, places }, () => f.return(c32(0)));
    this.length = f.local(i32);
    this.#value = f.local(i64);
    this.#two = f.local(i32);
    this.#real = f.local(f64);
  }

  leaveIf(condition: Expr): void {
    this.#f.if(condition, () => this.#f.return(c32(0)));
  }

  #pass(bytes: number): void {
    this.#f.set(this.#p, add(this.#p, c32(bytes)));
  }

  /** Whether the key `number`, `wire` stands at p, before `end`; in its shortest form, as all writers print it. */
  hasTag(number: number, wire: number, end: Expr): Expr {
    const bytes = tagBytes(number, wire);
    const word = bytes.reduce((sum, byte, i) => sum + byte * 2 ** (8 * i), 0);
    const p = this.#p;
    const here =
      bytes.length === 1
        ? eq(load8U(p), c32(word))
        : bytes.length === 2
          ? eq(load16U(p), c32(word))
          : bytes.length < 5
            ? eq(and(load32(p), c32(2 ** (8 * bytes.length) - 1)), c32(word))
            : eq(and(load64(p), c64(2n ** 40n - 1n)), c64(word));
    return and(ltU(p, end), here);
  }

  /** A varint into `#value`. */
  #varint(): void {
    const f = this.#f;
    const p = this.#p;
    const two = this.#two;
    f.set(two, load16U(p));
    f.if(
      and(two, c32(0x80)),
      () => {
        f.if(
          and(two, c32(0x8000)),
          () => {
            f.set(p, f.call(this.#wire.varint, p));
            this.leaveIf(eqz(p));
            f.set(this.#value, this.#wire.word);
          },
          () => {
            f.set(this.#value, extendU(or(and(two, c32(0x7f)), shrU(and(two, c32(0x7f00)), c32(1)))));
            this.#pass(2);
          },
        );
      },
      () => {
        f.set(this.#value, extendU(and(two, c32(0x7f))));
        this.#pass(1);
      },
    );
  }

  /** The length of a span into `length`; the span lies before `end`. */
  size(end: Expr): void {
    const f = this.#f;
    f.set(this.length, load8U(this.#p));
    f.if(
      gtU(this.length, c32(0x7f)),
      () => {
        this.#varint();
        this.leaveIf(gtU(this.#value, c64(0x7fff_ffff)));
        f.set(this.length, wrap(this.#value));
      },
      () => this.#pass(1),
    );
    this.leaveIf(gtS(this.length, sub(end, this.#p)));
  }

  /** Passes over a value of a wire type. */
  skip(wire: number, end: Expr): void {
    switch (wire) {
      case WireType.varint:
        return this.#varint();
      case WireType.fixed64:
        return this.#pass(8);
      case WireType.fixed32:
        return this.#pass(4);
      case WireType.length:
        this.size(end);
        return this.#f.set(this.#p, add(this.#p, this.length));
      default:
        return this.#f.return(c32(0));
    }
  }

  /** A value at p, which lies before `end`, into a cell. */
  read(read: ProtoRead, column: ColumnLayout, row: RowIndex, end: Expr): void {
    switch (read.kind) {
      case "scalar":
        return this.#scalar(read.scalar, column, row, end);
      case "enum":
        this.#varint();
        return this.#enum(read, column, row);
      case "timestamp":
        return this.#timestamp(column, row, end);
      case "wrapper":
        return this.#wrapper(read, column, row, end);
      default:
        return this.#f.return(c32(0));
    }
  }

  #scalar(scalar: ProtoScalar, column: ColumnLayout, row: RowIndex, end: Expr): void {
    const f = this.#f;
    const p = this.#p;
    switch (scalarWire(scalar)) {
      case WireType.length:
        this.size(end);
        this.#span(scalar, column, row);
        return f.set(p, add(p, this.length));
      case WireType.fixed64:
        if (scalar === "double") f.set(this.#real, loadF64(p));
        else f.set(this.#value, load64(p));
        this.#pass(8);
        break;
      case WireType.fixed32:
        if (scalar === "float") f.set(this.#real, promote(loadF32(p)));
        else f.set(this.#value, scalar === "fixed32" ? load32UTo64(p) : load32STo64(p));
        this.#pass(4);
        break;
      default:
        this.#varint();
        this.#convert(scalar);
    }
    this.#put(scalar, column, row);
  }

  /** The `length` bytes at p. */
  #span(scalar: ProtoScalar, column: ColumnLayout, row: RowIndex): void {
    const { kind } = column.field.type;
    if (scalar === "string" || kind === "string") return this.cells.fromText(column, row, this.#p, this.length);
    if (kind === "uuid") this.leaveIf(ne(this.length, c32(uuidSize)));
    this.cells.span(column, row, this.#p, this.length);
  }

  /** What a varint means: types of 32 bits take its low half. */
  #convert(scalar: ProtoScalar): void {
    const f = this.#f;
    const value = this.#value;
    switch (scalar) {
      case "int32":
        return f.set(value, extend32S(value));
      case "uint32":
        return f.set(value, and(value, c64(0xffff_ffffn)));
      case "sint32": {
        const low = and(value, c64(0xffff_ffffn));
        return f.set(value, extend32S(xor(shrU(low, c64(1)), sub(c64(0), and(value, c64(1))))));
      }
      case "sint64":
        return f.set(value, xor(shrU(value, c64(1)), sub(c64(0), and(value, c64(1)))));
      default:
    }
  }

  #put(scalar: ProtoScalar, column: ColumnLayout, row: RowIndex): void {
    const value = this.#value;
    if (scalar === "bool") return this.cells.boolean(column, row, eqz(eqz(value)));
    if (scalar === "double" || scalar === "float") return this.cells.real(column, row, this.#real);
    // Beyond 2^63 - 1 is the reference's.
    if (isUnsigned(scalar)) this.leaveIf(ltS(value, c64(0)));
    const small = scalar === "int32" || scalar === "sint32" || scalar === "sfixed32";
    this.cells.integer(column, row, value, small);
  }

  /** An enum's number in `#value`: itself, or the name that stands in the arena. */
  #enum(read: ProtoRead & { readonly kind: "enum" }, column: ColumnLayout, row: RowIndex): void {
    const f = this.#f;
    if (column.field.type.kind !== "string") {
      f.set(this.#value, extend32S(this.#value));
      return this.cells.integer(column, row, this.#value, true);
    }
    const { table, size } = this.#table(read);
    const at = this.#two;
    this.leaveIf(geU(this.#value, c64(size)));
    f.set(at, shl(wrap(this.#value), c32(3)));
    this.leaveIf(eqz(load32(at, table)));
    this.cells.span(column, row, load32(at, table), load32(at, table + 4));
  }

  /** Addresses and lengths of the names of an enum's numbers from 0; an address of 0 where there is none. */
  #table(read: ProtoRead & { readonly kind: "enum" }): { readonly table: number; readonly size: number } {
    const known = this.#enums.get(read);
    if (known !== undefined) return known;
    const numbers = [...read.names.keys()].filter((number) => number >= 0 && number < enumTableMax);
    const size = Math.max(0, ...numbers) + 1;
    const words = new Uint32Array(size * 2);
    for (const number of numbers) {
      const name = read.names.get(number) as Uint8Array;
      const address = this.#arena.allocate(name.length + 64);
      this.#arena.bytes(address, name.length).set(name);
      words.set([address, name.length], number * 2);
    }
    const table = this.#arena.allocate(size * 8 + 16);
    this.#arena.u32(table, words.length).set(words);
    this.#enums.set(read, { table, size });
    return { table, size };
  }

  /** A message's length, and its end in a local of its own; fields of it are read up to there. */
  open(end: Expr): Local {
    const f = this.#f;
    this.size(end);
    const inner = f.local(i32);
    f.set(inner, add(this.#p, this.length));
    return inner;
  }

  #timestamp(column: ColumnLayout, row: RowIndex, end: Expr): void {
    const f = this.#f;
    const inner = this.open(end);
    const seconds = f.local(i64);
    f.set(seconds, c64(0));
    f.if(this.hasTag(1, WireType.varint, inner), () => {
      this.#pass(1);
      this.#varint();
      f.set(seconds, this.#value);
    });
    f.set(this.#value, c64(0));
    f.if(this.hasTag(2, WireType.varint, inner), () => {
      this.#pass(1);
      this.#varint();
    });
    this.leaveIf(ne(this.#p, inner));
    this.leaveIf(or(gtS(seconds, c64(secondsMax)), ltS(seconds, c64(secondsMin))));
    this.leaveIf(gtU(this.#value, c64(999_999_999)));
    const { type } = column.field;
    if (type.kind === "timestamp" && type.unit === "nanos") {
      // Seconds whose every nanosecond fits 64 bits.
      this.leaveIf(gtU(add(seconds, c64(nanosSecondsMax)), c64(2n * nanosSecondsMax)));
      f.set(this.#value, add(mul(seconds, c64(1_000_000_000)), this.#value));
    } else {
      this.leaveIf(eqz(eqz(remS(this.#value, c64(1000)))));
      f.set(this.#value, add(mul(seconds, c64(1_000_000)), divS(this.#value, c64(1000))));
    }
    this.cells.exact(column, row, this.#value);
  }

  #wrapper(read: ProtoRead & { readonly kind: "wrapper" }, column: ColumnLayout, row: RowIndex, end: Expr): void {
    const f = this.#f;
    const inner = this.open(end);
    f.if(
      this.hasTag(1, scalarWire(read.scalar), inner),
      () => {
        this.#pass(1);
        this.#scalar(read.scalar, column, row, inner);
      },
      () => this.constant(read.scalar, "", column, row),
    );
    this.leaveIf(ne(this.#p, inner));
  }

  /** A constant of a scalar type; "" is its zero, else a number's or boolean's text, text, or bytes as base64. */
  constant(scalar: ProtoScalar, text: string, column: ColumnLayout, row: RowIndex): void {
    const f = this.#f;
    switch (scalar) {
      case "string":
      case "bytes": {
        const bytes = scalar === "bytes" ? Buffer.from(text, "base64") : Buffer.from(text, "utf8");
        const { kind } = column.field.type;
        if (scalar === "bytes" && kind === "uuid" && bytes.length !== uuidSize) return f.return(c32(0));
        const address = this.#arena.allocate(bytes.length + 64);
        this.#arena.bytes(address, bytes.length).set(bytes);
        const [start, length] = [f.local(i32), f.local(i32)];
        f.set(start, c32(address));
        f.set(length, c32(bytes.length));
        if (scalar === "string" || kind === "string") return this.cells.fromText(column, row, start, length);
        return this.cells.span(column, row, start, length);
      }
      case "double":
      case "float":
        f.set(this.#real, cf64(Number(text.replace(/inf$/i, "Infinity"))));
        return this.#put(scalar, column, row);
      case "bool":
        f.set(this.#value, c64(text === "true" ? 1 : 0));
        return this.#put(scalar, column, row);
      default:
        f.set(this.#value, c64(BigInt(text === "" ? "0" : text)));
        return this.#put(scalar, column, row);
    }
  }

  /** A constant number of an enum. */
  enumConstant(read: ProtoRead & { readonly kind: "enum" }, number: number, column: ColumnLayout, row: RowIndex): void {
    this.#f.set(this.#value, c64(number));
    this.#enum(read, column, row);
  }
}
