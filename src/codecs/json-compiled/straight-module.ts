import { Cell } from "../../core/column.ts";
import {
  add,
  and,
  c32,
  c64,
  eq,
  eqz,
  geU,
  gtS,
  load32,
  load64,
  load8U,
  ltS,
  ltU,
  ne,
  or,
  select,
  shl,
  sub,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import { WasmModule } from "../../wasm/module.ts";
import { f64, i32, i64 } from "../../wasm/value-type.ts";
import type { ColumnPlace } from "./column-records.ts";
import { cell, fixedRollbackWords, missRowsMax, type DecoderMemory } from "./decoder-memory.ts";
import { emitFastMoments } from "./fast-moments.ts";
import { emitUuid } from "../wire/uuid-functions.ts";
import type { ObjectShape, ShapeStep } from "./record-shape.ts";
import { emitEmpty, emitStraightCell, straightLocals, type RuntimeImports, type StraightLocals } from "./straight-cells.ts";

/** Cells that one function reads at most: V8 compiles small functions soon and at little cost. */
const cellsPerFunction = 24;
/** Rollback words that are copied one by one. */
const unrolledWords = 32;
const freeCells = 1 << 20;
const cellsPerByte = 4;

/** Whether these bytes stand at `p`, eight at a time. */
function matchBytes(p: Expr, bytes: Uint8Array): Expr {
  const word = (at: number, count: number): bigint => {
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] as number);
    return value;
  };
  const { length } = bytes;
  if (length === 0) return c32(1);
  if (length < 8) return eq(and(load64(p), c64((1n << BigInt(length * 8)) - 1n)), c64(word(0, length)));
  let different: Expr | null = null;
  for (let at = 0; at < length; at += 8) {
    // The last word overlaps the one before it.
    const from = Math.min(at, length - 8);
    const each = xor(load64(p, from), c64(word(from, 8)));
    different = different === null ? each : or(different, each);
  }
  return eqz(different as Expr);
}

/** Emits the straight-line code of one layout. */
class StraightEmitter {
  readonly #m: WasmModule;
  readonly #memory: DecoderMemory;
  readonly #runtime: RuntimeImports;

  constructor(m: WasmModule, memory: DecoderMemory, runtime: RuntimeImports) {
    this.#m = m;
    this.#memory = memory;
    this.#runtime = runtime;
  }

  /** (p, row, end): reads a record of the shape; the position behind it, or 0 (or another than `end`) where it is of another shape. */
  root(shape: ObjectShape): FunctionRef {
    return this.#function((f, l) => {
      this.#object(f, l, shape, this.#memory.records.root.children);
      f.return(l.p);
    });
  }

  #function(write: (f: FunctionBuilder, l: StraightLocals) => void): FunctionRef {
    return this.#m.func(null, [i32, i32, i32], [i32], (f, [p, row, end]) => {
      write(f, straightLocals(f, p, row, end));
    });
  }

  /** The object at `l.p`, from its brace on, which is part of the first literal. */
  #object(f: FunctionBuilder, l: StraightLocals, shape: ObjectShape, children: readonly ColumnPlace[]): void {
    const groups = grouped(shape.steps);
    if (groups.length <= 1) for (const step of shape.steps) this.#step(f, l, step);
    else
      for (const group of groups) {
        const part = this.#function((inner, locals) => {
          for (const step of group) this.#step(inner, locals, step);
          inner.return(locals.p);
        });
        f.set(l.p, f.call(part, l.p, l.row, l.end));
        f.if(eqz(l.p), () => f.return(c32(0)));
      }
    f.if(eqz(matchBytes(l.p, shape.close)), () => f.return(c32(0)));
    f.set(l.p, add(l.p, c32(shape.close.length)));
    const there = new Set(shape.steps.map((step) => step.place));
    const absent = children.filter((child) => !there.has(child));
    this.#absent(f, l, absent);
  }

  #absent(f: FunctionBuilder, l: StraightLocals, places: readonly ColumnPlace[]): void {
    if (places.length <= cellsPerFunction) {
      for (const place of places) emitEmpty(f, this.#runtime, place, l, Cell.missing);
      return;
    }
    for (let i = 0; i < places.length; i += cellsPerFunction) {
      const part = this.#function((inner, locals) => {
        this.#absent(inner, locals, places.slice(i, i + cellsPerFunction));
        inner.return(locals.p);
      });
      f.run(part, l.p, l.row, l.end);
    }
  }

  #step(f: FunctionBuilder, l: StraightLocals, step: ShapeStep): void {
    const { place } = step;
    const there = matchBytes(l.p, step.literal);
    const read = (): void => {
      f.set(l.p, add(l.p, c32(step.literal.length)));
      this.#value(f, l, step);
    };
    if (step.optional)
      f.if(there, read, () => {
        if (place !== null) emitEmpty(f, this.#runtime, place, l, Cell.missing);
      });
    else {
      f.if(eqz(there), () => f.return(c32(0)));
      read();
    }
  }

  #value(f: FunctionBuilder, l: StraightLocals, { literal, place, depth, inner }: ShapeStep): void {
    const runtime = this.#runtime;
    if (place === null) {
      f.set(l.start, l.p);
      f.set(l.p, f.call(runtime.skip, l.p, l.end, c32(depth)));
      f.if(eqz(l.p), () => f.return(c32(0)));
      if (this.#memory.kept !== 0) {
        const from = (quote: number): Expr => sub(l.start, c32(literal.length - quote));
        const key = [from(literal.indexOf(0x22)), from(literal.lastIndexOf(0x22) + 1)] as const;
        f.if(eqz(f.call(runtime.keep, l.row, ...key, l.start, l.p)), () => f.return(c32(0)));
      }
    } else if (inner === null) emitStraightCell(f, this.#memory, runtime, place, l);
    else
      f.if(
        eq(load8U(l.p), c32(0x7b)),
        () => {
          f.store8(l.row, c32(Cell.value), place.layout?.state ?? 0);
          this.#object(f, l, inner, place.children);
        },
        () => emitStraightCell(f, this.#memory, runtime, place, l),
      );
  }
}

/** Cells that a step reads in line. */
function weight({ inner }: ShapeStep): number {
  if (inner === null) return 1;
  const sum = inner.steps.reduce((total, step) => total + weight(step), 1);
  // A larger object is read by functions of its own.
  return sum > cellsPerFunction ? 1 : sum;
}

function grouped(steps: readonly ShapeStep[]): ShapeStep[][] {
  const groups: ShapeStep[][] = [];
  let room = 0;
  for (const step of steps) {
    const cells = weight(step);
    if (cells > room) {
      groups.push([]);
      room = cellsPerFunction;
    }
    groups.at(-1)?.push(step);
    room -= cells;
  }
  return groups;
}

/** What a record that is given up takes back. */
interface Rollback {
  readonly keep: () => void;
  readonly back: () => void;
}

function rollback(f: FunctionBuilder, memory: DecoderMemory): Rollback {
  const { mark, rollbackWords: words } = memory;
  const block = memory.cells + cell.area;
  const copy = (to: number, from: number): void => {
    if (words > unrolledWords) f.memoryCopy(c32(to), c32(from), c32(words * 4));
    else for (let i = 0; i < words; i += 2) f.store64(c32(0), load64(c32(0), from + i * 4), to + i * 4);
  };
  return { keep: () => copy(mark, block), back: () => copy(block, mark) };
}

/**
 * The module that decodes a chunk: `decode(row, rows)` reads the records from `row` on whose spans stand in `rowStarts` and `rowLengths`, those of a
 * learned shape by straight-line code, others by the runtime module. It answers the first row that is the reference's to read, or `rows`.
 */
export function straightModule(memory: DecoderMemory, shapes: readonly ObjectShape[]): Uint8Array<ArrayBuffer> {
  const m = new WasmModule();
  const root = m.import("root", [i32, i32, i32], [i32]);
  const imports = {
    cell: m.import("cell", [i32, i32, i32, i32], [i32]),
    skip: m.import("skip", [i32, i32, i32], [i32]),
    empty: m.import("empty", [i32, i32, i32], []),
    keep: m.import("keep", [i32, i32, i32, i32, i32], [i32]),
    nearest: m.import("nearest", [i64, i32], [f64]),
  };
  const runtime: RuntimeImports = { ...imports, moments: emitFastMoments(m, memory), uuid: emitUuid(m, memory.cells + cell.area) };
  const emitter = new StraightEmitter(m, memory, runtime);
  const readers = shapes.map((shape) => emitter.root(shape));
  const { layout, cells } = memory;
  m.func("decode", [i32, i32], [i32], (f, [row, rows]) => {
    const p = f.local(i32);
    const end = f.local(i32);
    const current = f.local(i32);
    const { keep, back } = rollback(f, memory);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(row, rows));
        f.set(p, load32(shl(row, c32(2)), layout.rowStarts));
        f.set(end, load32(shl(row, c32(2)), layout.rowLengths));
        f.brIf(out, ltS(end, c32(0)));
        if (memory.rollbackWords > fixedRollbackWords) {
          const allowed = shl(end, c32(Math.log2(cellsPerByte)));
          f.store32(cells + cell.cellsLeft, select(gtS(allowed, c32(freeCells)), allowed, c32(freeCells)));
        }
        f.set(end, add(p, end));
        keep();
        f.block((taken) => {
          emitAttempts(f, readers, { cells, p, row, end, current, back, taken: () => f.br(taken) });
          f.if(f.call(root, row, p, end), () => {
            const misses = cells + cell.misses;
            f.if(ltU(load32(misses), c32(missRowsMax)), () => f.store32(shl(load32(misses), c32(2)), row, cells + cell.missRows));
            f.store32(misses, add(load32(misses), c32(1)));
            f.br(taken);
          });
          back();
          f.br(out);
        });
        f.set(row, add(row, c32(1)));
        f.br(again);
      });
    });
    f.return(row);
  });
  return m.finish();
}

interface Attempts {
  readonly cells: number;
  readonly p: Local;
  readonly row: Local;
  readonly end: Local;
  readonly current: Local;
  readonly back: () => void;
  readonly taken: () => void;
}

/** Tries the shape that the last record had, then the others. */
function emitAttempts(f: FunctionBuilder, readers: readonly FunctionRef[], { cells, p, row, end, current, back, taken }: Attempts): void {
  const attempt = (reader: FunctionRef, i: number): void => {
    f.if(
      eq(f.call(reader, p, row, end), end),
      () => {
        const hits = cells + cell.hits + i * 4;
        f.store32(hits, add(load32(hits), c32(1)));
        if (readers.length > 1) f.store32(cells + cell.current, c32(i));
        taken();
      },
      back,
    );
  };
  if (readers.length > 1) {
    f.set(current, load32(cells + cell.current));
    f.switch(
      current,
      readers.map((reader, i) => () => attempt(reader, i)),
    );
    for (const [i, reader] of readers.entries()) f.if(ne(current, c32(i)), () => attempt(reader, i));
  } else for (const [i, reader] of readers.entries()) attempt(reader, i);
}
