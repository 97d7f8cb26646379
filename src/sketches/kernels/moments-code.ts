import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  and,
  c32,
  c64,
  cf64,
  clz,
  div,
  eq,
  eqz,
  geU,
  gt,
  gtU,
  load32,
  load64,
  load8U,
  loadF64,
  loadV128,
  lt,
  ltU,
  mul,
  ne,
  or,
  select,
  shl,
  shrU,
  sub,
  toF64U,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { f64x2, splatF64 } from "../../wasm/simd.ts";
import { f64, i32, i64, v128 } from "../../wasm/value-type.ts";
import type { StateShape } from "../column-state.ts";
import { denseRange, Head, samplesMax } from "../column-state.ts";
import { denseBelow } from "../dense-counts.ts";
import { unsampledBits } from "../sampler.ts";
import { headOf, setHead } from "./table-code.ts";

const isFinite = (value: Expr): Expr => eq(sub(value, value), cf64(0));

/** Whether a whole number is dense, and then its place: below `denseRange`. */
export function densePlace(key: Expr, block: Expr): Expr {
  return xor(add(key, c64(denseBelow)), block);
}

/**
 * (cells, values, words, word shift, block, rows, rows' end, factor, divisor, numbers): writes the finite numbers of the rows that have one, in order;
 * answers how many. Whole numbers have words, 2^shift bytes a row, and those that are dense are left out; of others words is 0.
 */
export function emitGather(m: WasmModule): FunctionRef {
  const params = [i32, i32, i32, i32, i64, i32, i32, f64, f64, i32] as const;
  return m.func(null, params, [i32], (f, [cells, values, words, shift, block, rows, end, factor, divisor, numbers]) => {
    const row = f.local(i32);
    const to = f.local(i32);
    const value = f.local(f64);
    f.set(to, numbers);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(rows, end));
        f.set(row, load32(rows));
        f.set(rows, add(rows, c32(4)));
        f.brIf(again, load8U(add(cells, row)));
        f.if(words, () => f.brIf(again, ltU(densePlace(load64(add(words, shl(row, shift))), block), c64(denseRange))));
        f.set(value, div(mul(add(loadF64(add(values, shl(row, c32(3)))), cf64(0)), factor), divisor));
        f.storeF64(to, value);
        f.set(to, add(to, shl(isFinite(value), c32(3))));
        f.br(again);
      });
    });
    f.return(shrU(sub(to, numbers), c32(3)));
  });
}

/** Runs `body` for each pair of vectors of the first `whole` numbers, then `rest` for each number that is left. */
function eachNumber(f: FunctionBuilder, numbers: Expr, count: Expr, body: (at: Local) => void, rest: (at: Local) => void): void {
  const at = f.local(i32);
  const end = f.local(i32);
  f.set(at, numbers);
  const walk = (to: Expr, step: number, write: (at: Local) => void): void => {
    f.set(end, add(numbers, shl(to, c32(3))));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(at, end));
        write(at);
        f.set(at, add(at, c32(step)));
        f.br(again);
      });
    });
  };
  walk(and(count, c32(-4)), 32, body);
  walk(count, 8, rest);
}

/** (state, numbers, count): `addMoments` of `streaming.ts`, adding in the same order. */
export function emitMoments(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32, i32], [], (f, [state, numbers, count]) => {
    const [ab, cd, low, high, pair] = [f.local(v128), f.local(v128), f.local(v128), f.local(v128), f.local(v128)];
    const [mean, m2, least, most, value, n] = [f.local(f64), f.local(f64), f.local(f64), f.local(f64), f.local(f64), f.local(f64)];
    f.if(eqz(count), () => f.return());
    f.set(low, splatF64(cf64(Infinity)));
    f.set(high, splatF64(cf64(-Infinity)));
    f.set(least, cf64(Infinity));
    f.set(most, cf64(-Infinity));
    const sumOf = (): Expr => add(add(f64x2.extract(ab, 0), f64x2.extract(cd, 0)), add(f64x2.extract(ab, 1), f64x2.extract(cd, 1)));
    const vectorPass = (each: (vector: Expr) => Expr, single: (number: Expr) => Expr, extremes: boolean): void => {
      f.set(ab, splatF64(cf64(0)));
      f.set(cd, splatF64(cf64(0)));
      eachNumber(
        f,
        numbers,
        count,
        (at) => {
          for (const [lane, offset] of [
            [ab, 0],
            [cd, 16],
          ] as const) {
            f.set(pair, loadV128(at, offset));
            if (extremes) {
              f.set(low, f64x2.pmin(low, pair));
              f.set(high, f64x2.pmax(high, pair));
            }
            f.set(lane, f64x2.add(lane, each(pair)));
          }
        },
        (at) => {
          f.set(value, loadF64(at));
          if (extremes) {
            f.set(least, select(lt(value, least), value, least));
            f.set(most, select(gt(value, most), value, most));
          }
          // Lane 0 takes what does not fill all four, one by one, as the reference does.
          f.set(ab, f64x2.replace(ab, 0, add(f64x2.extract(ab, 0), single(value))));
        },
      );
    };
    vectorPass(
      (vector) => vector,
      (number) => number,
      true,
    );
    f.set(n, toF64U(count));
    f.set(mean, sumOf());
    f.if(
      isFinite(mean),
      () => f.set(mean, div(mean, n)),
      () => {
        f.set(mean, cf64(0));
        const add1 = (at: Local, offset: number): void => f.set(mean, add(mean, div(loadF64(at, offset), n)));
        eachNumber(
          f,
          numbers,
          count,
          (at) => [0, 8, 16, 24].forEach((offset) => add1(at, offset)),
          (at) => add1(at, 0),
        );
      },
    );
    const square = f.local(v128);
    vectorPass(
      (vector) => {
        f.set(square, f64x2.sub(vector, splatF64(mean)));
        return f64x2.mul(square, square);
      },
      (number) => mul(sub(number, mean), sub(number, mean)),
      false,
    );
    f.set(m2, sumOf());
    for (const lane of [0, 1]) {
      f.set(value, f64x2.extract(low, lane));
      f.set(least, select(lt(value, least), value, least));
      f.set(value, f64x2.extract(high, lane));
      f.set(most, select(gt(value, most), value, most));
    }
    mergeInto(f, state, { n, mean, m2, least, most });
  });
}

/** `mergeMoments` of a state's moments and a run's. */
function mergeInto(f: FunctionBuilder, state: Local, run: { n: Local; mean: Local; m2: Local; least: Local; most: Local }): void {
  const at = (place: number): Expr => loadF64(state, 8 * place);
  const store = (place: number, value: Expr): void => f.storeF64(state, value, 8 * place);
  const before = f.local(f64);
  const count = f.local(f64);
  const delta = f.local(f64);
  f.set(before, at(Head.count));
  f.if(
    eq(before, cf64(0)),
    () => {
      store(Head.mean, run.mean);
      store(Head.m2, run.m2);
      store(Head.min, run.least);
      store(Head.max, run.most);
      store(Head.count, run.n);
    },
    () => {
      f.set(count, add(before, run.n));
      f.set(delta, sub(run.mean, at(Head.mean)));
      store(Head.m2, add(add(at(Head.m2), run.m2), mul(mul(delta, delta), mul(div(before, count), run.n))));
      store(Head.mean, add(mul(div(at(Head.mean), count), before), mul(div(run.mean, count), run.n)));
      store(Head.min, select(lt(run.least, at(Head.min)), run.least, at(Head.min)));
      store(Head.max, select(gt(run.most, at(Head.max)), run.most, at(Head.max)));
      store(Head.count, count);
    },
  );
}

/** Sets `level` to `blockLevel` of a start. */
function setLevel(f: FunctionBuilder, level: Local, start: Expr): void {
  const bits = c32(32 - unsampledBits);
  f.set(level, select(ltU(clz(start), bits), sub(bits, clz(start)), c32(0)));
}

/** `mixWord` in place. */
function mix(f: FunctionBuilder, x: Local): void {
  f.set(x, mul(xor(x, shrU(x, c32(16))), c32(0x85ebca6b)));
  f.set(x, mul(xor(x, shrU(x, c32(13))), c32(0xc2b2ae35)));
  f.set(x, xor(x, shrU(x, c32(16))));
}

/** What becomes of full samples. */
export interface SampleFunctions {
  readonly sort: FunctionRef;
  /** (state): the host's `foldSamples`. */
  readonly fold: FunctionRef;
}

/** (state, numbers, count): `sampleNumbers` of `sampler.ts`. */
export function emitSample(m: WasmModule, shape: StateShape, { sort, fold }: SampleFunctions): FunctionRef {
  return m.func(null, [i32, i32, i32], [], (f, [state, numbers, count]) => {
    const [from, to, start, end, pick, waiting, level, x] = [
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
    ];
    const valueAt = (position: Expr): Expr => loadF64(add(numbers, shl(sub(position, from), c32(3))));
    const setPending = (value: Expr): void => f.storeF64(state, value, 8 * Head.pending);
    f.set(from, headOf(state, Head.seen));
    f.set(to, add(from, count));
    f.set(start, headOf(state, Head.blockStart));
    f.set(end, headOf(state, Head.blockEnd));
    f.set(pick, headOf(state, Head.pickAt));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(start, to));
        f.if(
          and(geU(pick, from), ltU(pick, to)),
          () => setPending(valueAt(pick)),
          () => f.if(geU(start, from), () => setPending(valueAt(start))),
        );
        f.brIf(out, gtU(end, to));
        f.set(waiting, headOf(state, Head.samples));
        f.storeF64(add(state, shl(waiting, c32(3))), loadF64(state, 8 * Head.pending), shape.samples);
        setHead(f, state, Head.samples, add(waiting, c32(1)));
        setLevel(f, level, end);
        f.if(or(eq(waiting, c32(samplesMax - 1)), ne(level, headOf(state, Head.level))), () => {
          f.run(sort, add(state, c32(shape.samples)), add(waiting, c32(1)));
          f.run(fold, state);
        });
        setHead(f, state, Head.level, level);
        f.set(start, end);
        f.set(end, add(start, shl(c32(1), level)));
        f.set(pick, start);
        f.if(level, () => {
          f.set(x, start);
          mix(f, x);
          f.set(pick, add(start, shrU(x, sub(c32(32), level))));
        });
        f.br(again);
      });
    });
    setHead(f, state, Head.blockStart, start);
    setHead(f, state, Head.blockEnd, end);
    setHead(f, state, Head.pickAt, pick);
    setHead(f, state, Head.seen, to);
  });
}
