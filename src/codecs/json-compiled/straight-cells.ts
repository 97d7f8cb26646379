import { Cell } from "../../core/column.ts";
import type { FieldType } from "../../core/schema.ts";
import { add, c32, c64, cf64, eq, eqz, load32, shl } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import { i32 } from "../../wasm/value-type.ts";
import type { ColumnPlace } from "./column-records.ts";
import type { DecoderMemory } from "./decoder-memory.ts";
import { cellLocals, fixedSink, type CellLocals } from "./cell-sink.ts";
import { fastBoolean, fastText, fastUuid } from "./fast-cells.ts";
import { fastDecimal, fastDouble, fastFloat, fastInteger } from "./fast-numbers.ts";
import type { FastMoments } from "./fast-moments.ts";
import { word } from "./value-functions.ts";

/** Functions of the runtime module that straight-line code calls where a value is not of the commonest form. */
export interface RuntimeImports {
  readonly cell: FunctionRef;
  readonly skip: FunctionRef;
  readonly empty: FunctionRef;
  readonly keep: FunctionRef;
  readonly nearest: FunctionRef;
  readonly moments: FastMoments;
  readonly uuid: FunctionRef;
}

/** The variables of one straight-line function. */
export interface StraightLocals extends CellLocals {
  /** The row's place in arrays of four and of eight bytes. */
  readonly row4: Local;
  readonly row8: Local;
}

/** Variables of a straight-line function, and the code that sets the row's places. */
export function straightLocals(f: FunctionBuilder, p: Local, row: Local, end: Local): StraightLocals {
  const locals: StraightLocals = { ...cellLocals(f, p, row, end), row4: f.local(i32), row8: f.local(i32) };
  f.set(locals.row4, shl(row, c32(2)));
  f.set(locals.row8, shl(row, c32(3)));
  return locals;
}

/**
 * Writes the code that reads the value at `p` into the place's column: the commonest form in line, others by the runtime's `cell`. The function ends
 * with 0 where the record is not of the layout.
 */
export function emitStraightCell(
  f: FunctionBuilder,
  memory: DecoderMemory,
  runtime: RuntimeImports,
  place: ColumnPlace,
  l: StraightLocals,
): void {
  const layout = place.layout as ColumnLayout;
  const sink = fixedSink(layout, l.row, l.row4, l.row8);
  const slow = (): void => {
    f.set(l.p, f.call(runtime.cell, c32(place.address), l.row, l.p, l.end));
    f.if(eqz(l.p), () => f.return(c32(0)));
  };
  const nullOrSlow = (): void => {
    f.if(
      eq(load32(l.p), c32(word.null)),
      () => {
        emitEmpty(f, runtime, place, l, Cell.null);
        f.set(l.p, add(l.p, c32(4)));
      },
      slow,
    );
  };
  const { type } = place.field;
  switch (type.kind) {
    case "int":
    case "long":
      fastInteger(f, memory, sink, l, { long: type.kind === "long", slow: nullOrSlow });
      return;
    case "double":
      fastDouble(f, memory, sink, l, runtime.nearest, nullOrSlow);
      return;
    case "float":
      fastFloat(f, memory, sink, l, { nearest: runtime.nearest, slow: nullOrSlow });
      return;
    case "decimal":
      // The unscaled value of the digits that are read in line must fit 64 bits.
      if (type.scale <= 4) fastDecimal(f, memory, sink, l, type, nullOrSlow);
      else slow();
      return;
    case "boolean":
      fastBoolean(f, sink, l, nullOrSlow);
      return;
    case "string":
      fastText(f, sink, l, nullOrSlow);
      return;
    case "uuid":
      fastUuid(f, runtime.uuid, sink, l, nullOrSlow);
      return;
    case "date":
    case "timestamp":
      if (place.spans.starts === 0) fastMoment(f, layout, l, momentReader(runtime, type), nullOrSlow);
      else slow();
      return;
    default:
      slow();
  }
}

function momentReader({ moments }: RuntimeImports, type: FieldType): FunctionRef {
  if (type.kind === "date") return moments.date;
  if (type.kind === "timestamp" && type.unit === "nanos") return type.zoned ? moments.instantNanos : moments.localNanos;
  return type.kind === "timestamp" && type.zoned ? moments.instant : moments.local;
}

function fastMoment(f: FunctionBuilder, layout: ColumnLayout, l: StraightLocals, reader: FunctionRef, slow: () => void): void {
  f.set(l.start, f.call(reader, l.p, add(l.row8, c32(layout.exact)), add(l.row8, c32(layout.values))));
  f.if(
    l.start,
    () => {
      f.store8(l.row, c32(Cell.value), layout.state);
      f.set(l.p, l.start);
    },
    slow,
  );
}

/** Writes a cell without value. */
export function emitEmpty(f: FunctionBuilder, runtime: RuntimeImports, place: ColumnPlace, l: StraightLocals, state: number): void {
  const layout = place.layout as ColumnLayout;
  const { kind } = layout;
  if (kind === "struct" || kind === "list" || kind === "decimal" || place.spans.starts !== 0) {
    f.run(runtime.empty, c32(place.address), l.row, c32(state));
    return;
  }
  f.store8(l.row, c32(state), layout.state);
  if (kind === "boolean") f.store8(l.row, c32(0), layout.values);
  if (kind === "bytes") {
    f.store32(l.row4, c32(0), layout.starts);
    f.store32(l.row4, c32(0), layout.lengths);
  }
  if (kind === "integer") f.store64(l.row8, c64(0), layout.exact);
  if (kind === "integer" || kind === "float") f.storeF64(l.row8, cf64(0), layout.values);
}
