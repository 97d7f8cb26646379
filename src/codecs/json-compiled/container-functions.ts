import { Cell } from "../../core/column.ts";
import type { Policies } from "../../core/contract.ts";
import { add, and, c32, eq, eqz, geU, load32, load8U, ltS, ltU, ne, or, sub, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32, i64, v128 } from "../../wasm/value-type.ts";
import { columnRecord } from "./column-records.ts";
import { cell, type DecoderMemory } from "./decoder-memory.ts";
import { rowAddress } from "./number-functions.ts";
import { Storage } from "../column-builder.ts";
import { cellLocals } from "./cell-sink.ts";
import { fastAny } from "./fast-cells.ts";
import type { EmptyCells } from "./cell-functions.ts";
import type { TextFunctions } from "./text-functions.ts";
import { emitFind, emitKey, emitKeyHash, emitNoteUnknown } from "./key-functions.ts";
import { skipSpace } from "./value-functions.ts";

/** What objects, lists and maps are read with. */
export interface ContainerParts {
  readonly text: TextFunctions;
  readonly skip: FunctionRef;
  readonly cells: EmptyCells;
  readonly cell: FunctionRef;
  /** `cell` without the short cuts, which objects take in line. */
  readonly slowCell: FunctionRef;
  readonly nearest: FunctionRef;
  /** (row, key, key's end, value, value's end): notes an unknown field that is to be kept; 0 where there is no room for the note. */
  readonly keep: FunctionRef;
  /** What becomes of fields that the contract doesn't name; a record that has one to reject is given up. */
  readonly unknownFields: Policies["unknownFields"];
}

/** Entries of a map whose keys are compared one by one. */
const mapEntriesMax = 256;

/** (record, row, p, end): p is at the brace; reads the fields of an object into row `row` of its children. */
export function emitObject(m: WasmModule, memory: DecoderMemory, target: FunctionRef, parts: ContainerParts): void {
  const { text, cells } = parts;
  const hash = emitKeyHash(m);
  const find = emitFind(m, hash, text.same);
  const note = emitNoteUnknown(m, memory, hash, text.same);
  const stampAt = memory.cells + cell.stamp;
  m.implement(target, (f, params) => {
    const [record, row, p, end] = params as unknown as [Local, Local, Local, Local];
    const stamp = f.local(i32);
    const seen = f.local(i32);
    const key = f.local(i32);
    const field = f.local(i32);
    const c = f.local(i32);
    const value = cellLocals(f, p, row, end);
    const variables = { length: f.local(i32), word: f.local(i64), bytes: f.local(v128) };
    const refuse = (when: Expr): void => f.if(when, () => f.return(c32(0)));
    f.set(stamp, add(load32(stampAt), c32(1)));
    f.store32(stampAt, stamp);
    f.set(p, add(p, c32(1)));
    skipSpace(f, text, p, end);
    f.block((out) => {
      f.if(and(ltU(p, end), eq(load8U(p), c32(0x7d))), () => {
        f.set(p, add(p, c32(1)));
        f.br(out);
      });
      f.loop((again) => {
        refuse(or(geU(p, end), ne(load8U(p), c32(0x22))));
        emitKey(f, text, find, { record, key, field, p, end, ...variables });
        f.if(ne(load8U(p), c32(0x3a)), () => {
          f.set(p, f.call(text.space, p, end));
          refuse(or(geU(p, end), ne(load8U(p), c32(0x3a))));
        });
        f.if(
          field,
          () => {
            refuse(eq(load32(field, columnRecord.stamp), stamp));
            f.store32(field, stamp, columnRecord.stamp);
            f.set(seen, add(seen, c32(1)));
            f.set(p, add(p, c32(1)));
            skipSpace(f, text, p, end);
            f.block((done) => {
              fastAny(f, memory, value, { record: field, nearest: parts.nearest, kinds: Storage, done: () => f.br(done) });
              f.set(p, f.call(parts.slowCell, field, row, p, end));
            });
          },
          () => emitUnknown(f, parts, memory, note, { record, row, stamp, key, p, end }),
        );
        refuse(eqz(p));
        skipSpace(f, text, p, end);
        refuse(geU(p, end));
        f.set(c, load8U(p));
        f.set(p, add(p, c32(1)));
        f.if(eq(c, c32(0x2c)), () => {
          skipSpace(f, text, p, end);
          f.br(again);
        });
        refuse(ne(c, c32(0x7d)));
      });
    });
    f.if(ne(seen, load32(record, columnRecord.childCount)), () => emitMissing(f, cells, { record, row, stamp, field, seen }));
    f.return(p);
  });
}

interface UnknownLocals {
  readonly record: Local;
  readonly row: Local;
  readonly stamp: Local;
  readonly key: Local;
  readonly p: Local;
  readonly end: Local;
}

/** Passes over a field that the contract doesn't name; `p` is at its colon. */
function emitUnknown(f: FunctionBuilder, parts: ContainerParts, memory: DecoderMemory, note: FunctionRef, l: UnknownLocals): void {
  const { record, row, stamp, key, p, end } = l;
  const keep = parts.unknownFields === "keep";
  if (parts.unknownFields === "reject") {
    f.return(c32(0));
    return;
  }
  // What a nested object has is kept under its path: by the reference.
  if (keep) f.if(ne(record, c32(memory.records.root.address)), () => f.return(c32(0)));
  const length = f.local(i32);
  // Spaces may stand before the colon: the key ends at its last quote.
  f.set(length, p);
  f.loop((again) => {
    f.set(length, sub(length, c32(1)));
    f.brIf(again, ne(load8U(length), c32(0x22)));
  });
  f.if(eqz(f.call(note, stamp, key, sub(length, key))), () => f.return(c32(0)));
  f.set(p, f.call(parts.text.space, add(p, c32(1)), end));
  const value = f.local(i32);
  f.set(value, p);
  f.set(p, f.call(parts.skip, p, end, add(load32(record, columnRecord.depth), c32(1))));
  if (keep) {
    const noted = f.call(parts.keep, row, sub(key, c32(1)), add(length, c32(1)), value, p);
    f.if(and(ne(p, c32(0)), eqz(noted)), () => f.return(c32(0)));
  }
}

interface MissingLocals {
  readonly record: Local;
  readonly row: Local;
  readonly stamp: Local;
  /** Overwritten. */
  readonly field: Local;
  readonly seen: Local;
}

/** Marks the fields that this object did not have. */
function emitMissing(f: FunctionBuilder, cells: EmptyCells, { record, row, stamp, field, seen }: MissingLocals): void {
  f.set(field, load32(record, columnRecord.children));
  f.set(seen, load32(record, columnRecord.childCount));
  f.loop((again) => {
    f.if(ne(load32(field, columnRecord.stamp), stamp), () => f.run(cells.empty, field, row, c32(Cell.missing)));
    f.set(field, add(field, c32(columnRecord.size)));
    f.brIf(again, f.tee(seen, sub(seen, c32(1))));
  });
}

/** Takes the next element's row, or gives the record up. */
function emitNextElement(f: FunctionBuilder, memory: DecoderMemory, element: Local, counter: Local, at: Local): void {
  const left = memory.cells + cell.cellsLeft;
  f.store32(left, sub(load32(left), load32(element, columnRecord.width)));
  f.if(ltS(load32(left), c32(0)), () => f.return(c32(0)));
  f.set(at, load32(counter));
  f.if(geU(at, load32(element, columnRecord.capacity)), () => {
    f.store32(memory.cells + cell.full, c32(1));
    f.return(c32(0));
  });
  f.store32(counter, add(at, c32(1)));
}

/** (record, row, p, end): p is at the bracket of a list, or at the brace of a map; reads its elements. */
export function emitElements(
  m: WasmModule,
  memory: DecoderMemory,
  target: FunctionRef,
  parts: ContainerParts & { readonly map: boolean },
): void {
  const { text, map } = parts;
  const entry = map ? emitMapKey(m, parts) : null;
  m.implement(target, (f, params) => {
    const [record, row, p, end] = params as unknown as [Local, Local, Local, Local];
    const element = f.local(i32);
    const counter = f.local(i32);
    const at = f.local(i32);
    const first = f.local(i32);
    const c = f.local(i32);
    const refuse = (when: Expr): void => f.if(when, () => f.return(c32(0)));
    const close = c32(map ? 0x7d : 0x5d);
    f.set(element, load32(record, columnRecord.element));
    f.set(counter, load32(record, columnRecord.counter));
    f.set(first, load32(counter));
    f.set(p, add(p, c32(1)));
    skipSpace(f, text, p, end);
    f.block((out) => {
      f.if(and(ltU(p, end), eq(load8U(p), close)), () => {
        f.set(p, add(p, c32(1)));
        f.br(out);
      });
      f.loop((again) => {
        emitNextElement(f, memory, element, counter, at);
        if (entry !== null) {
          refuse(geU(sub(at, first), c32(mapEntriesMax)));
          refuse(eqz(f.tee(p, f.call(entry, load32(record, columnRecord.keys), at, first, p, end))));
        }
        refuse(eqz(f.tee(p, f.call(parts.cell, element, at, p, end))));
        skipSpace(f, text, p, end);
        refuse(geU(p, end));
        f.set(c, load8U(p));
        f.set(p, add(p, c32(1)));
        f.if(eq(c, c32(0x2c)), () => {
          skipSpace(f, text, p, end);
          f.br(again);
        });
        refuse(ne(c, close));
      });
    });
    f.store32(rowAddress(record, columnRecord.ends, row, 2), load32(counter));
    f.return(p);
  });
}

/** (keys, at, first, p, end): reads a map's key at p into row `at` of the keys, unlike those from `first` on; the value's position, or 0. */
function emitMapKey(m: WasmModule, parts: ContainerParts): FunctionRef {
  const { text } = parts;
  return m.func(null, [i32, i32, i32, i32, i32], [i32], (f, [keys, at, first, p, end]) => {
    const length = f.local(i32);
    const start = f.local(i32);
    const refuse = (when: Expr): void => f.if(when, () => f.return(c32(0)));
    refuse(or(geU(p, end), ne(load8U(p), c32(0x22))));
    refuse(eqz(f.tee(p, f.call(parts.cell, keys, at, p, end))));
    f.set(start, load32(rowAddress(keys, columnRecord.starts, at, 2)));
    f.set(length, load32(rowAddress(keys, columnRecord.lengths, at, 2)));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(first, at));
        f.if(eq(load32(rowAddress(keys, columnRecord.lengths, first, 2)), length), () => {
          refuse(f.call(text.same, load32(rowAddress(keys, columnRecord.starts, first, 2)), start, length));
        });
        f.set(first, add(first, c32(1)));
        f.br(again);
      });
    });
    skipSpace(f, text, p, end);
    refuse(or(geU(p, end), ne(load8U(p), c32(0x3a))));
    f.set(p, add(p, c32(1)));
    skipSpace(f, text, p, end);
    f.return(p);
  });
}
