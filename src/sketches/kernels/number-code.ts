import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  c32,
  c64,
  cf64,
  clz,
  demote,
  eq,
  eqz,
  extendU,
  geU,
  gt,
  gtS,
  load32,
  load64,
  load8U,
  load8UTo64,
  loadF64,
  lt,
  ltS,
  ltU,
  ne,
  or,
  and,
  reinterpretF64,
  reinterpretI32,
  reinterpretI64,
  shl,
  shrS,
  shrU,
  sub,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { f64, i32, i64 } from "../../wasm/value-type.ts";
import { Head, numberShape } from "../column-state.ts";
import { emitHashWord, swapBytes } from "./hash-code.ts";
import { emitGather, emitSample } from "./moments-code.ts";
import { blocked, countAgain, emitPurge, emitSeek, headOf, insertEntry, keyOf, numberIn, setHead, setNumberSlot } from "./table-code.ts";

const shape = numberShape;

/** How a value's words are hashed (`hashValue`): 8 bytes as they are, the low 4, as a float of 4, the low one, or a decimal's fewest. */
export const HashForm = { long: 0, int: 1, float: 2, boolean: 3, decimal: 4 } as const;

/** Where a kernel finds a column's numbers. */
type Source = "longs" | "doubles" | "decimals" | "booleans";

/** What the host does for the kernels, and what both kinds of column share. */
export interface HostFunctions {
  /** (state): `startStreaming`, which also makes room. */
  readonly start: FunctionRef;
  /** (state): `foldSamples`. */
  readonly fold: FunctionRef;
  /** Address of 512 bytes. */
  readonly tally: Global;
  readonly moments: FunctionRef;
}

/**
 * Exports `addLongs`, `addDoubles`, `addDecimals` and `addBooleans`: (state, cells, values, rows, rows' end, hash form, doubles, factor, divisor,
 * scratch), which do what `addNumbers` does. `values` are the numbers' words, `doubles` the same as f64; scratch is 8 bytes a row.
 */
export function emitNumbers(m: WasmModule, host: HostFunctions): void {
  const seek = emitSeek(m, shape);
  const purge = emitPurge(m, shape, host.tally);
  const hash = emitHashValue(m);
  const gather = emitGather(m);
  const sample = emitSample(m, host.fold);
  for (const [name, source] of [
    ["addLongs", "longs"],
    ["addDoubles", "doubles"],
    ["addDecimals", "decimals"],
    ["addBooleans", "booleans"],
  ] as const) {
    const addValue = emitAddValue(m, source === "doubles", { seek, purge, hash, start: host.start });
    const params = [i32, i32, i32, i32, i32, i32, i32, f64, f64, i32] as const;
    m.func(name, params, [], (f, [state, cells, values, rows, end, form, doubles, factor, divisor, scratch]) => {
      const streamed = f.local(i32);
      const count = f.local(i32);
      f.set(streamed, end);
      f.if(headOf(state, Head.streaming), () => f.set(streamed, rows));
      writeLoop(f, source, { state, cells, values, rows, end, form, streamed }, addValue);
      if (source === "booleans") return;
      f.if(ltU(streamed, end), () => {
        f.set(count, f.call(gather, cells, doubles, streamed, end, factor, divisor, scratch));
        f.run(host.moments, state, scratch, count);
        f.run(sample, state, scratch, count);
      });
    });
  }
}

interface LoopLocals {
  readonly state: Local;
  readonly cells: Local;
  readonly values: Local;
  readonly rows: Local;
  readonly end: Local;
  readonly form: Local;
  readonly streamed: Local;
}

/** Counts every row's cell. */
function writeLoop(f: FunctionBuilder, source: Source, locals: LoopLocals, addValue: FunctionRef): void {
  const { state, cells, values, rows, end, form, streamed } = locals;
  const [at, row, cell, slot, number, address, seen] = [
    f.local(i32),
    f.local(i32),
    f.local(i32),
    f.local(i32),
    f.local(i32),
    f.local(i32),
    f.local(i32),
  ];
  const key = f.local(i64);
  const double = f.local(f64);
  f.set(at, rows);
  f.block((out) => {
    f.loop((again) => {
      f.brIf(out, geU(at, end));
      f.set(row, load32(at));
      f.set(at, add(at, c32(4)));
      f.set(cell, load8U(add(cells, row)));
      f.if(cell, () => {
        countCell(f, state, cell, address);
        f.br(again);
      });
      if (source === "longs") f.set(key, load64(add(values, shl(row, c32(3)))));
      else if (source === "decimals") f.set(key, load64(add(values, shl(row, c32(4)))));
      else if (source === "booleans") f.set(key, load8UTo64(add(values, row)));
      else {
        f.set(double, loadF64(add(values, shl(row, c32(3)))));
        f.if(ne(double, double), () => {
          setHead(f, state, Head.nan, add(headOf(state, Head.nan), c32(1)));
          f.br(again);
        });
        // Adding 0 makes -0 the same value as 0.
        f.set(key, reinterpretI64(add(double, cf64(0))));
      }
      f.set(seen, add(seen, c32(1)));
      setNumberSlot(f, slot, key, shape);
      f.set(number, numberIn(state, slot, shape));
      f.if(number, () => {
        f.if(eq(keyOf(state, number, shape), key), () => {
          countAgain(f, state, number, shape, address);
          f.br(again);
        });
      });
      f.if(f.call(addValue, state, key, slot, form), () => f.set(streamed, sub(at, c32(4))));
      f.br(again);
    });
  });
  setHead(f, state, Head.values, add(headOf(state, Head.values), seen));
}

/** Counts a cell that holds no value. `address` is a spare local. */
export function countCell(f: FunctionBuilder, state: Local, cell: Local, address: Local): void {
  f.if(ltU(cell, c32(3)), () => {
    // The places of nulls and missing cells stand in the order of their cells.
    f.set(address, add(state, shl(cell, c32(2))));
    f.store32(address, add(load32(address, 4 * (Head.nulls - 1)), c32(1)), 4 * (Head.nulls - 1));
  });
}

interface ValueFunctions {
  readonly seek: FunctionRef;
  readonly purge: FunctionRef;
  readonly hash: FunctionRef;
  readonly start: FunctionRef;
}

/** (state, key, first slot, hash form): adds a value that does not stand in its first slot; 1 if streaming began with it. */
function emitAddValue(m: WasmModule, doubles: boolean, { seek, purge, hash, start }: ValueFunctions): FunctionRef {
  return m.func(null, [i32, i64, i32, i32], [i32], (f, [state, key, slot, form]) => {
    const [found, started, number, full] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
    f.set(found, f.call(seek, state, key, slot));
    f.if(gtS(found, c32(0)), () => {
      countAgain(f, state, found, shape, number);
      f.return(c32(0));
    });
    f.set(full, eq(headOf(state, Head.size), c32(shape.entriesMax)));
    f.set(started, and(eqz(headOf(state, Head.streaming)), or(full, eq(found, c32(blocked)))));
    f.if(or(full, started), () => {
      f.if(
        started,
        () => f.run(start, state),
        () => f.run(purge, state),
      );
      f.set(found, f.call(seek, state, key, slot));
    });
    f.run(hash, state, key, form);
    keepExtremes(f, state, key, doubles);
    f.if(
      eq(found, c32(blocked)),
      () => setHead(f, state, Head.error, add(headOf(state, Head.error), c32(1))),
      () => insertEntry(f, state, key, found, number, shape),
    );
    f.return(started);
  });
}

function keepExtremes(f: FunctionBuilder, state: Local, key: Local, doubles: boolean): void {
  const kept = (place: number): Expr => load64(state, 4 * place);
  const below = (a: Expr, b: Expr): Expr => (doubles ? lt(reinterpretF64(a), reinterpretF64(b)) : ltS(a, b));
  const above = (a: Expr, b: Expr): Expr => (doubles ? gt(reinterpretF64(a), reinterpretF64(b)) : gtS(a, b));
  f.if(
    headOf(state, Head.ordered),
    () => {
      f.if(below(key, kept(Head.least)), () => f.store64(state, key, 4 * Head.least));
      f.if(above(key, kept(Head.most)), () => f.store64(state, key, 4 * Head.most));
    },
    () => {
      f.store64(state, key, 4 * Head.least);
      f.store64(state, key, 4 * Head.most);
      setHead(f, state, Head.ordered, c32(1));
    },
  );
}

/** (state, key, hash form): adds a value's hash to the registers. */
function emitHashValue(m: WasmModule): FunctionRef {
  const hashWord = emitHashWord(m);
  return m.func(null, [i32, i64, i32], [], (f, [state, key, form]) => {
    const length = f.local(i64);
    const bits = f.local(i64);
    f.set(length, c64(8));
    f.switch(form, [
      () => {},
      () => {
        f.set(key, and(key, c64(0xffffffffn)));
        f.set(length, c64(4));
      },
      () => {
        f.set(key, extendU(reinterpretI32(demote(reinterpretF64(key)))));
        f.set(length, c64(4));
      },
      () => f.set(length, c64(1)),
      () => {
        f.set(bits, sub(c64(64), clz(xor(key, shrS(key, c64(63))))));
        f.set(length, add(shrU(bits, c64(3)), c64(1)));
        f.set(key, shrU(swapBytes(key), shl(sub(c64(8), length), c64(3))));
      },
    ]);
    f.run(hashWord, state, key, length);
  });
}
