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
  wrap,
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
import type { StateShape } from "../column-state.ts";
import { denseRange, floatShape, Head, wholeShape } from "../column-state.ts";
import { denseBelow } from "../dense-counts.ts";
import { hashWord, swapBytes } from "./hash-code.ts";
import type { SampleFunctions } from "./moments-code.ts";
import { densePlace, emitGather, emitSample } from "./moments-code.ts";
import type { TableFunctions } from "./table-code.ts";
import { admitEntry, countAgain, emitPurge, emitSeek, headOf, keyOf, numberIn, seekEntry, setHead, slotCode } from "./table-code.ts";

/** How a value's words are hashed (`hashValue`): 8 bytes as they are, the low 4, as a float of 4, the low one, or a decimal's fewest. */
export const HashForm = { long: 0, int: 1, float: 2, boolean: 3, decimal: 4 } as const;

/** Where a kernel finds a column's numbers. */
type Source = "longs" | "doubles" | "decimals" | "booleans";

/** What the host does for the kernels, and what both kinds of column share. */
export interface HostFunctions extends SampleFunctions {
  /** (state): `startStreaming`, which also makes room. */
  readonly start: FunctionRef;
  /** Address of 512 bytes. */
  readonly tally: Global;
  readonly moments: FunctionRef;
}

/**
 * Exports `addLongs`, `addDoubles`, `addDecimals` and `addBooleans`: (state, cells, values, rows, rows' end, hash form, doubles, factor, divisor,
 * scratch), which do what `addNumbers` does, and `settleDense`: (state, hash form). `values` are the numbers' words, `doubles` the same as f64;
 * scratch is 8 bytes a row.
 */
export function emitNumbers(m: WasmModule, host: HostFunctions): void {
  const hash = emitHashValue(m);
  const gather = emitGather(m);
  for (const shape of [wholeShape, floatShape]) {
    const table = { seek: emitSeek(m, shape), purge: emitPurge(m, shape, host.tally), start: host.start };
    const sample = emitSample(m, shape, host);
    const kernels: readonly (readonly [string, Source])[] =
      shape === wholeShape
        ? [
            ["addLongs", "longs"],
            ["addDecimals", "decimals"],
          ]
        : [
            ["addDoubles", "doubles"],
            ["addBooleans", "booleans"],
          ];
    for (const [name, source] of kernels) {
      const addValue = emitAddValue(m, shape, source === "doubles", hash, table);
      emitKernel(m, name, source, shape, { addValue, gather, sample, moments: host.moments });
    }
  }
  emitSettleDense(m, hash);
}

interface KernelFunctions {
  readonly addValue: FunctionRef;
  readonly gather: FunctionRef;
  readonly sample: FunctionRef;
  readonly moments: FunctionRef;
}

function emitKernel(m: WasmModule, name: string, source: Source, shape: StateShape, functions: KernelFunctions): void {
  const params = [i32, i32, i32, i32, i32, i32, i32, f64, f64, i32] as const;
  m.func(name, params, [], (f, [state, cells, values, rows, end, form, doubles, factor, divisor, scratch]) => {
    const streamed = f.local(i32);
    const count = f.local(i32);
    const block = f.local(i64);
    f.set(streamed, end);
    f.if(headOf(state, Head.streaming), () => f.set(streamed, rows));
    if (shape.dense >= 0) setBlock(f, { state, cells, values, rows, end, block }, shiftOf[source]);
    writeLoop(f, source, shape, { state, cells, values, rows, end, form, streamed, block }, functions.addValue);
    if (source === "booleans") return;
    f.if(ltU(streamed, end), () => {
      const words = shape.dense >= 0 ? values : c32(0);
      const { gather, moments, sample } = functions;
      f.set(count, f.call(gather, cells, doubles, words, c32(shiftOf[source]), block, streamed, end, factor, divisor, scratch));
      f.run(moments, state, scratch, count);
      f.run(sample, state, scratch, count);
    });
  });
}

/** Bytes of a value, as a power of two. */
const shiftOf: Readonly<Record<Source, number>> = { longs: 3, doubles: 3, decimals: 4, booleans: 0 };

interface BlockLocals {
  readonly state: Local;
  readonly cells: Local;
  readonly values: Local;
  readonly rows: Local;
  readonly end: Local;
  readonly block: Local;
}

/** Sets `block` to the state's, which the first value of a window places (`placeDense`). */
function setBlock(f: FunctionBuilder, { state, cells, values, rows, end, block }: BlockLocals, shift: number): void {
  const [at, row] = [f.local(i32), f.local(i32)];
  f.if(eqz(headOf(state, Head.based)), () => {
    f.set(at, rows);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(at, end));
        f.set(row, load32(at));
        f.set(at, add(at, c32(4)));
        f.brIf(again, load8U(add(cells, row)));
        const first = load64(add(values, shl(row, c32(shift))));
        f.store64(state, and(add(first, c64(denseBelow)), c64(-denseRange)), 4 * Head.block);
        setHead(f, state, Head.based, c32(1));
      });
    });
  });
  f.set(block, load64(state, 4 * Head.block));
}

interface LoopLocals extends BlockLocals {
  readonly form: Local;
  readonly streamed: Local;
}

/** Counts every row's cell. */
function writeLoop(f: FunctionBuilder, source: Source, shape: StateShape, locals: LoopLocals, addValue: FunctionRef): void {
  const { state, cells, values, rows, end, form, streamed, block } = locals;
  const [at, row, cell, slot, number] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
  const [address, seen] = [f.local(i32), f.local(i32)];
  const [key, place] = [f.local(i64), f.local(i64)];
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
      const value = add(values, shl(row, c32(shiftOf[source])));
      if (source === "booleans") f.set(key, load8UTo64(value));
      else if (source !== "doubles") f.set(key, load64(value));
      else {
        f.set(double, loadF64(value));
        f.if(ne(double, double), () => {
          setHead(f, state, Head.nan, add(headOf(state, Head.nan), c32(1)));
          f.br(again);
        });
        // Adding 0 makes -0 the same value as 0.
        f.set(key, reinterpretI64(add(double, cf64(0))));
      }
      f.set(seen, add(seen, c32(1)));
      if (shape.dense >= 0) {
        f.set(place, densePlace(key, block));
        f.if(ltU(place, c64(denseRange)), () => {
          f.set(address, add(state, shl(wrap(place), c32(2))));
          f.store32(address, add(load32(address, shape.dense), c32(1)), shape.dense);
          f.br(again);
        });
      }
      f.set(slot, slotCode(key, shape));
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

/** (state, key, first slot, hash form): adds a value that does not stand in its first slot; 1 if streaming began with it. */
function emitAddValue(m: WasmModule, shape: StateShape, doubles: boolean, hash: FunctionRef, table: TableFunctions): FunctionRef {
  return m.func(null, [i32, i64, i32, i32], [i32], (f, [state, key, slot, form]) => {
    const [found, started, number, full, at] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
    f.set(at, slot);
    seekEntry(f, { state, key, slot: at, found, number, probe: started }, shape);
    f.set(started, c32(0));
    f.if(gtS(found, c32(0)), () => {
      countAgain(f, state, found, shape, number);
      f.return(c32(0));
    });
    f.run(hash, state, key, form);
    keepExtremes(f, state, key, doubles);
    f.set(full, eq(headOf(state, Head.size), c32(shape.entriesMax)));
    admitEntry(f, { state, key, slot, found, full, started, number }, shape, table);
    f.return(started);
  });
}

/** Exports `settleDense`: (state, hash form). */
function emitSettleDense(m: WasmModule, hash: FunctionRef): void {
  const shape = wholeShape;
  m.func("settleDense", [i32, i32], [], (f, [state, form]) => {
    const at = f.local(i32);
    const key = f.local(i64);
    f.loop((again) => {
      f.if(load32(add(state, shl(at, c32(2))), shape.dense), () => {
        f.set(key, sub(add(load64(state, 4 * Head.block), extendU(at)), c64(denseBelow)));
        f.run(hash, state, key, form);
        keepExtremes(f, state, key, false);
      });
      f.set(at, add(at, c32(1)));
      f.brIf(again, ltU(at, c32(denseRange)));
    });
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
    hashWord(f, state, key, length);
  });
}
