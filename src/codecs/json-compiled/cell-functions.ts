import { Cell, InvalidCause } from "../../core/column.ts";
import { uuidSize, uuidTextSize } from "../../core/uuid.ts";
import { add, and, c32, c64, cf64, eq, eqz, geU, load32, load8U, ltU, or, shl, sub, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32 } from "../../wasm/value-type.ts";
import { Storage } from "../column-builder.ts";
import { maxDepth } from "../json-reader.ts";
import { columnRecord, formattedKind, momentParts } from "./column-records.ts";
import { cell, invalidCellsMax, type DecoderMemory } from "./decoder-memory.ts";
import { cellLocals } from "./cell-sink.ts";
import { fastAny } from "./fast-cells.ts";
import type { FastMoments } from "./fast-moments.ts";
import { giveUp, rowAddress, type NumberFunctions } from "./number-functions.ts";
import type { TextFunctions } from "./text-functions.ts";
import { isDigit } from "./value-functions.ts";

/** Functions on cells that are no values. */
export interface EmptyCells {
  /** (record, row, state): a cell without value: its arrays zero, its children missing, its list empty. */
  readonly empty: FunctionRef;
  /** (record, row, start, end, cause): marks the cell invalid and notes its source text; 0 where there is no room for the note. */
  readonly invalid: FunctionRef;
}

/** Emits the functions on cells that are no values; `empty` is exported. */
export function emitEmptyCells(m: WasmModule, memory: DecoderMemory): EmptyCells {
  const empty = m.declare([i32, i32, i32], [], "empty");
  m.implement(empty, (f, [record, row, state]) => {
    const kind = f.local(i32);
    const child = f.local(i32);
    const left = f.local(i32);
    f.set(kind, load32(record, columnRecord.kind));
    const at = (array: number, shift: number): Expr => rowAddress(record, array, row, shift);
    f.if(load32(record, columnRecord.state), () => f.store8(at(columnRecord.state, 0), state));
    const spans = (): void => {
      f.store32(at(columnRecord.starts, 2), c32(0));
      f.store32(at(columnRecord.lengths, 2), c32(0));
    };
    const float = (): void => f.storeF64(at(columnRecord.values, 3), cf64(0));
    const integer = (): void => {
      f.store64(at(columnRecord.exact, 3), c64(0));
      float();
    };
    const list = (): void => f.store32(at(columnRecord.ends, 2), load32(load32(record, columnRecord.counter)));
    const cases: (() => void)[] = [];
    cases[Storage.boolean] = () => f.store8(at(columnRecord.values, 0), c32(0));
    for (const each of [Storage.int, Storage.long, Storage.date, Storage.time, Storage.timestamp]) cases[each] = integer;
    cases[Storage.float] = cases[Storage.double] = float;
    cases[Storage.decimal] = () => {
      f.store64(at(columnRecord.exact, 4), c64(0));
      f.store64(at(columnRecord.exact, 4), c64(0), 8);
      float();
    };
    for (const each of [Storage.string, Storage.binary, Storage.uuid, Storage.json]) cases[each] = spans;
    cases[Storage.struct] = () => {
      f.set(child, load32(record, columnRecord.children));
      f.set(left, load32(record, columnRecord.childCount));
      f.block((out) => {
        f.loop((again) => {
          f.brIf(out, eqz(left));
          f.run(empty, child, row, c32(Cell.missing));
          f.set(child, add(child, c32(columnRecord.size)));
          f.set(left, sub(left, c32(1)));
          f.br(again);
        });
      });
    };
    cases[Storage.list] = cases[Storage.map] = list;
    cases[formattedKind] = () => {
      spans();
      integer();
    };
    f.switch(kind, cases);
  });
  const count = memory.cells + cell.invalidCount;
  const invalid = m.func(null, [i32, i32, i32, i32, i32], [i32], (f, [record, row, start, end, cause]) => {
    const at = f.local(i32);
    f.set(at, load32(count));
    f.if(geU(at, c32(invalidCellsMax)), () => f.return(c32(0)));
    f.store32(count, add(at, c32(1)));
    f.set(at, shl(at, c32(4)));
    f.store32(at, or(load32(record, columnRecord.id), shl(cause, c32(24))), memory.invalid);
    f.store32(at, row, memory.invalid + 4);
    f.store32(at, start, memory.invalid + 8);
    f.store32(at, sub(end, start), memory.invalid + 12);
    f.run(empty, record, row, c32(Cell.invalid));
    f.return(c32(1));
  });
  return { empty, invalid };
}

/** What the function of one cell is made of. */
export interface CellParts {
  readonly text: TextFunctions;
  readonly numbers: NumberFunctions;
  readonly moment: FunctionRef;
  readonly uuid: FunctionRef;
  readonly fast: FastMoments;
  readonly literal: FunctionRef;
  readonly skip: FunctionRef;
  readonly cells: EmptyCells;
  readonly object: FunctionRef;
  readonly list: FunctionRef;
  readonly map: FunctionRef;
}

interface SlowLocals {
  readonly record: Local;
  readonly row: Local;
  readonly p: Local;
  readonly end: Local;
  readonly kind: Local;
  readonly after: Local;
  readonly cause: Local;
}

/** Stores the span from `start` to `end` as the cell's text. */
function view(f: FunctionBuilder, { record, row }: SlowLocals, start: Expr, end: Expr): void {
  f.store8(rowAddress(record, columnRecord.state, row, 0), c32(Cell.value));
  f.store32(rowAddress(record, columnRecord.starts, row, 2), start);
  f.store32(rowAddress(record, columnRecord.lengths, row, 2), sub(end, start));
}

/** Ends the cell by the cause in `cause`: 0 a value, else invalid with the source text from `start` to `end`. */
function conclude(f: FunctionBuilder, { cells }: CellParts, locals: SlowLocals, start: Expr, end: Expr): void {
  const { record, row, after, cause } = locals;
  f.if(eqz(cause), () => {
    f.store8(rowAddress(record, columnRecord.state, row, 0), c32(Cell.value));
    f.return(after);
  });
  f.if(eq(cause, c32(giveUp)), () => f.return(c32(0)));
  f.if(eqz(f.call(cells.invalid, record, row, start, end, cause)), () => f.return(c32(0)));
  f.return(after);
}

/** The value of another type at p: checked, kept by json columns, invalid in others. */
function other(f: FunctionBuilder, parts: CellParts, locals: SlowLocals): void {
  const { p, kind, after, cause } = locals;
  f.if(eqz(after), () => f.return(c32(0)));
  f.if(eq(kind, c32(Storage.json)), () => {
    view(f, locals, p, after);
    f.return(after);
  });
  f.set(cause, c32(InvalidCause.type));
  conclude(f, parts, locals, p, after);
}

/** (record, row, p, end): reads the value at p into a cell; the position behind it, or 0 where the record is the reference's to read. */
export function emitCell(m: WasmModule, memory: DecoderMemory, target: FunctionRef, slow: FunctionRef, parts: CellParts): void {
  emitSlowCell(m, memory, slow, parts);
  m.implement(target, (f, params) => {
    const [record, row, p, end] = params as unknown as [Local, Local, Local, Local];
    const { nearest } = parts.numbers;
    fastAny(f, memory, cellLocals(f, p, row, end), { record, nearest, kinds: Storage, done: () => f.return(p) });
    f.return(f.call(slow, record, row, p, end));
  });
}

/** The same without the short cuts. */
function emitSlowCell(m: WasmModule, memory: DecoderMemory, target: FunctionRef, parts: CellParts): void {
  const { numbers, literal, skip } = parts;
  const string = emitString(m, memory, parts);
  m.implement(target, (f, params) => {
    const [record, row, p, end] = params as unknown as [Local, Local, Local, Local];
    const locals: SlowLocals = { record, row, p, end, kind: f.local(i32), after: f.local(i32), cause: f.local(i32) };
    const { kind, after } = locals;
    const c = f.local(i32);
    f.if(geU(p, end), () => f.return(c32(0)));
    f.set(c, load8U(p));
    f.set(kind, load32(record, columnRecord.kind));
    f.if(eq(c, c32(0x22)), () => f.return(f.call(string, record, row, p, end, kind)));
    f.if(or(eq(c, c32(0x2d)), isDigit(c)), () => {
      f.set(after, f.call(numbers.number, p));
      f.if(eqz(after), () => f.return(c32(0)));
      emitNumberCell(f, parts, locals);
      other(f, parts, locals);
    });
    f.if(eq(or(c, c32(0x20)), c32(0x7b)), () => {
      const fits = or(
        and(eq(c, c32(0x7b)), or(eq(kind, c32(Storage.struct)), eq(kind, c32(Storage.map)))),
        and(eq(c, c32(0x5b)), eq(kind, c32(Storage.list))),
      );
      f.if(fits, () => {
        f.if(geU(load32(record, columnRecord.depth), c32(maxDepth)), () => f.return(c32(0)));
        f.store8(rowAddress(record, columnRecord.state, row, 0), c32(Cell.value));
        f.if(eq(kind, c32(Storage.struct)), () => f.return(f.call(parts.object, record, row, p, end)));
        f.if(eq(kind, c32(Storage.list)), () => f.return(f.call(parts.list, record, row, p, end)));
        f.return(f.call(parts.map, record, row, p, end));
      });
      f.set(after, f.call(skip, p, end, load32(record, columnRecord.depth)));
      other(f, parts, locals);
    });
    f.set(after, f.call(literal, p));
    f.if(eqz(after), () => f.return(c32(0)));
    f.if(eq(c, c32(0x6e)), () => {
      f.run(parts.cells.empty, record, row, c32(Cell.null));
      f.return(after);
    });
    f.if(eqz(kind), () => {
      f.store8(rowAddress(record, columnRecord.state, row, 0), c32(Cell.value));
      f.store8(rowAddress(record, columnRecord.values, row, 0), eq(c, c32(0x74)));
      f.return(after);
    });
    other(f, parts, locals);
  });
}

/** The number scanned last, which ends at `after`, where the column takes numbers. */
function emitNumberCell(f: FunctionBuilder, parts: CellParts, locals: SlowLocals): void {
  const { record, row, p, kind, after, cause } = locals;
  const { integer, float, decimal } = parts.numbers;
  const cases: (() => void)[] = [];
  const stored = (value: Expr) => (): void => {
    f.set(cause, value);
    conclude(f, parts, locals, p, after);
  };
  cases[0] = () => {};
  cases[Storage.int] = stored(f.call(integer, record, row, c32(1)));
  cases[Storage.long] = stored(f.call(integer, record, row, c32(0)));
  cases[Storage.float] = stored(f.call(float, record, row, c32(1)));
  cases[Storage.double] = stored(f.call(float, record, row, c32(0)));
  cases[Storage.decimal] = stored(f.call(decimal, record, row));
  f.switch(kind, cases);
}

/** (record, row, p, end, kind): p is at the opening quote. */
function emitString(m: WasmModule, memory: DecoderMemory, parts: CellParts): FunctionRef {
  const { text, moment } = parts;
  const areaEnd = memory.cells + cell.area;
  return m.func(null, [i32, i32, i32, i32, i32], [i32], (f, [record, row, p, end, kind]) => {
    const after = f.local(i32);
    const start = f.local(i32);
    const stop = f.local(i32);
    const locals: SlowLocals = { record, row, p, end, kind, after, cause: f.local(i32) };
    const { cause } = locals;
    emitMomentCell(f, parts.fast, locals);
    f.set(after, f.call(text.text, add(p, c32(1)), end));
    f.if(eqz(after), () => f.return(c32(0)));
    f.if(or(ltU(kind, c32(Storage.date)), ltU(sub(kind, c32(Storage.json)), c32(4))), () => other(f, parts, locals));
    f.set(start, add(p, c32(1)));
    f.set(stop, sub(after, c32(1)));
    f.if(text.escaped, () => {
      // The host reads formats from the source text.
      f.if(eq(kind, c32(formattedKind)), () => f.return(c32(0)));
      f.set(start, load32(areaEnd));
      f.set(stop, f.call(text.unescape, add(p, c32(1)), stop));
    });
    f.if(or(eq(kind, c32(Storage.string)), eq(kind, c32(formattedKind))), () => {
      view(f, locals, start, stop);
      f.return(after);
    });
    f.if(eq(kind, c32(Storage.uuid)), () => {
      emitUuidCell(f, parts, locals, { start, stop, areaEnd });
      conclude(f, parts, locals, add(p, c32(1)), sub(after, c32(1)));
    });
    f.if(
      eq(kind, c32(Storage.binary)),
      () => emitBinary(f, parts, locals, { start, stop, areaEnd }),
      () => {
        f.set(cause, f.call(moment, record, row, start, stop));
        f.if(text.escaped, () => f.store32(areaEnd, start));
      },
    );
    conclude(f, parts, locals, add(p, c32(1)), sub(after, c32(1)));
  });
}

/** Dates and timestamps of the commonest form. */
function emitMomentCell(f: FunctionBuilder, fast: FastMoments, { record, row, p, kind, after }: SlowLocals): void {
  const exact = rowAddress(record, columnRecord.exact, row, 3);
  const values = rowAddress(record, columnRecord.values, row, 3);
  f.if(eq(kind, c32(Storage.date)), () => f.set(after, f.call(fast.date, p, exact, values)));
  f.if(eq(kind, c32(Storage.timestamp)), () => {
    const read = (reader: FunctionRef) => (): void => f.set(after, f.call(reader, p, exact, values));
    const parts = load32(record, columnRecord.scale);
    f.if(
      and(parts, c32(momentParts.nanos)),
      () => f.if(and(parts, c32(momentParts.zone)), read(fast.instantNanos), read(fast.localNanos)),
      () => f.if(and(parts, c32(momentParts.zone)), read(fast.instant), read(fast.local)),
    );
  });
  f.if(after, () => {
    f.store8(rowAddress(record, columnRecord.state, row, 0), c32(Cell.value));
    f.return(after);
  });
}

interface TextSpan {
  readonly start: Local;
  readonly stop: Local;
  readonly areaEnd: number;
}

/** A UUID's text from `start` to `stop`: its bytes into the area, over the text where that stands there already. */
function emitUuidCell(f: FunctionBuilder, { text, uuid }: CellParts, locals: SlowLocals, { start, stop, areaEnd }: TextSpan): void {
  const { cause, after } = locals;
  f.if(text.escaped, () => f.store32(areaEnd, start));
  f.if(eq(sub(stop, start), c32(uuidTextSize)), () => {
    f.set(start, f.call(uuid, start));
    f.if(start, () => {
      view(f, locals, start, add(start, c32(uuidSize)));
      f.return(after);
    });
  });
  f.set(cause, c32(InvalidCause.form));
}

/** Base64 from `start` to `stop`: its bytes into the area, over the text where that stands there already. */
function emitBinary(f: FunctionBuilder, { text }: CellParts, locals: SlowLocals, { start, stop, areaEnd }: TextSpan): void {
  const { cause, after } = locals;
  f.if(text.escaped, () => f.store32(areaEnd, start));
  f.set(cause, f.call(text.base64, start, stop, load32(areaEnd)));
  f.if(cause, () => {
    f.set(start, load32(areaEnd));
    f.store32(areaEnd, cause);
    view(f, locals, start, cause);
    f.return(after);
  });
  f.set(cause, c32(InvalidCause.form));
}
