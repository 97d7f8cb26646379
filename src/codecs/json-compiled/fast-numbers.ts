import {
  add,
  and,
  c32,
  c64,
  cf64,
  demote,
  div,
  eq,
  eqz,
  extendU,
  gtU,
  leU,
  load64,
  load8U,
  loadF64,
  lt,
  ltU,
  mul,
  ne,
  or,
  promote,
  reinterpretF64,
  reinterpretI64,
  shl,
  shrS,
  shrU,
  sub,
  toF64S,
  wrap,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef } from "../../wasm/function-builder.ts";
import type { CellLocals, CellSink } from "./cell-sink.ts";
import type { DecoderMemory } from "./decoder-memory.ts";
import { digitBits, digitBytes, digitsValue } from "./digits.ts";

/** Reads the sign and the first one to eight digits, 1 where they are there without a leading zero; `start` is behind the sign. */
function scanWhole(f: FunctionBuilder, l: CellLocals): Expr {
  f.set(l.start, add(l.p, f.tee(l.negative, eq(load8U(l.p), c32(0x2d)))));
  f.set(l.bytes, digitBytes(l.start));
  f.set(l.bits, digitBits(l.bytes, l.bytes));
  const count = ne(l.bits, c64(0));
  const leading = and(eqz(and(l.bytes, c64(0xff))), gtU(l.bits, c64(8)));
  return and(count, eqz(leading));
}

function behind(l: CellLocals, bits: Expr): Expr {
  return add(l.start, shrU(wrap(bits), c32(3)));
}

/** Whether a byte behind digits can end a number: no digit, point or `e`. What else may not stand there, the next look at the text finds. */
function endsNumber(c: Expr): Expr {
  return or(ltU(c, c32(0x2e)), eq(or(c, c32(0x20)), c32(0x7d)));
}

/** `value` with the sign of the number scanned. */
export function signed(l: CellLocals, value: Expr): Expr {
  const mask = sub(c64(0), extendU(l.negative));
  return sub(xor(value, mask), mask);
}

/** Stores `value`. */
export function storeInteger(f: FunctionBuilder, sink: CellSink, l: CellLocals): void {
  sink.state(f);
  sink.integer(f, l.value);
  sink.double(f, toF64S(l.value));
}

/** A whole number of up to eight digits, in `long` columns of up to 16. */
export function fastInteger(
  f: FunctionBuilder,
  memory: DecoderMemory,
  sink: CellSink,
  l: CellLocals,
  { long, slow }: { readonly long: boolean; readonly slow: () => void },
): void {
  f.block((done) => {
    f.block((odd) => {
      f.brIf(odd, eqz(scanWhole(f, l)));
      f.set(l.start, behind(l, l.bits));
      f.set(l.value, digitsValue(f, l.value, l.bytes, l.bits));
      if (long)
        f.if(eq(l.bits, c64(64)), () => {
          f.set(l.mantissa, l.value);
          emitDigits(f, memory, l);
          f.set(l.value, l.mantissa);
        });
      // `1.0` and `1e3` are whole numbers too.
      f.brIf(odd, eqz(endsNumber(load8U(l.start))));
      f.set(l.p, l.start);
      f.set(l.value, signed(l, l.value));
      storeInteger(f, sink, l);
      f.br(done);
    });
    slow();
  });
}

/** Appends the digits at `start`, none to eight, to `mantissa`, which has room for them; `bits` is eight times their count. */
function emitDigits(f: FunctionBuilder, memory: DecoderMemory, l: CellLocals): void {
  f.set(l.bytes, digitBytes(l.start));
  f.set(l.bits, digitBits(l.bytes, l.bytes));
  f.if(ne(l.bits, c64(0)), () => {
    const digits = digitsValue(f, l.value, l.bytes, l.bits);
    f.set(l.mantissa, add(mul(l.mantissa, load64(wrap(l.bits), memory.integerPowers)), digits));
    f.set(l.start, behind(l, l.bits));
  });
}

/**
 * Reads a number with one to eight digits before the point and at most 19 behind it: `mantissa` is its digits, `bits` eight times the count of those
 * behind the point, `start` the position behind it. `use` takes it, or leaves `p` alone; `slow` where the number is another.
 */
export function emitShortNumber(f: FunctionBuilder, memory: DecoderMemory, l: CellLocals, use: () => void, slow: () => void): void {
  f.block((done) => {
    f.block((odd) => {
      f.brIf(odd, eqz(scanWhole(f, l)));
      f.set(l.start, behind(l, l.bits));
      f.set(l.mantissa, digitsValue(f, l.value, l.bytes, l.bits));
      f.set(l.bits, c64(0));
      f.if(eq(load8U(l.start), c32(0x2e)), () => {
        f.set(l.start, add(l.start, c32(1)));
        emitFraction(f, memory, l, () => f.br(odd));
      });
      f.brIf(odd, eqz(endsNumber(load8U(l.start))));
      use();
      f.br(done);
    });
    slow();
  });
}

/** Appends the digits behind the point, where `start` is, to `mantissa`. */
function emitFraction(f: FunctionBuilder, memory: DecoderMemory, l: CellLocals, odd: () => void): void {
  emitDigits(f, memory, l);
  f.if(eqz(l.bits), odd);
  f.if(eq(l.bits, c64(64)), () => {
    // Eight digits more have room in 64 bits.
    f.if(gtU(l.mantissa, c64(10n ** 11n)), odd);
    emitDigits(f, memory, l);
    f.if(
      eq(l.bits, c64(64)),
      () => {
        f.if(gtU(l.mantissa, c64(10n ** 16n)), odd);
        emitDigits(f, memory, l);
        // Three more have.
        f.if(gtU(l.bits, c64(24)), odd);
        f.set(l.bits, add(l.bits, c64(128)));
      },
      () => f.set(l.bits, add(l.bits, c64(64))),
    );
  });
}

/** A number of at most 19 digits for a double column. `nearest` rounds what is beyond one exact operation. */
export function fastDouble(
  f: FunctionBuilder,
  memory: DecoderMemory,
  sink: CellSink,
  l: CellLocals,
  nearest: FunctionRef,
  slow: () => void,
): void {
  emitShortNumber(f, memory, l, () => storeDouble(f, memory, sink, l, nearest), slow);
}

/** Sets `double` to the number that `emitShortNumber` found, without its sign. `nearest` rounds what is beyond one exact operation. */
function roundToDouble(f: FunctionBuilder, memory: DecoderMemory, l: CellLocals, nearest: FunctionRef): void {
  f.if(
    leU(l.mantissa, c64(1n << 53n)),
    // Both factors are exact, so that one operation rounds once.
    () => f.set(l.double, div(toF64S(l.mantissa), loadF64(wrap(l.bits), memory.exactPowers))),
    () => f.set(l.double, f.call(nearest, l.mantissa, sub(c32(0), shrU(wrap(l.bits), c32(3))))),
  );
}

/** Stores `double` with the sign that was read, and moves `p` on. */
function storeSigned(f: FunctionBuilder, sink: CellSink, l: CellLocals): void {
  f.set(l.p, l.start);
  f.set(l.double, reinterpretF64(or(reinterpretI64(l.double), shl(extendU(l.negative), c64(63)))));
  sink.state(f);
  sink.double(f, l.double);
}

/** Stores the number that `emitShortNumber` found as a double, and moves `p` on. */
export function storeDouble(f: FunctionBuilder, memory: DecoderMemory, sink: CellSink, l: CellLocals, nearest: FunctionRef): void {
  roundToDouble(f, memory, l, nearest);
  storeSigned(f, sink, l);
}

/** A number of at most 19 digits for a float column, if rounding it by way of a double is sure to round once. */
export function fastFloat(
  f: FunctionBuilder,
  memory: DecoderMemory,
  sink: CellSink,
  l: CellLocals,
  { nearest, slow }: { readonly nearest: FunctionRef; readonly slow: () => void },
): void {
  f.block((done) => {
    const use = (): void => {
      f.block((odd) => {
        roundToDouble(f, memory, l, nearest);
        const single = promote(demote(l.double));
        f.if(ne(l.double, single), () => {
          // Halfway between two floats the text decides; below the normal floats halfway lies elsewhere.
          f.brIf(odd, eq(and(reinterpretI64(l.double), c64(0x1fff_ffff)), c64(0x1000_0000)));
          f.brIf(odd, lt(l.double, cf64(2 ** -126)));
          f.set(l.double, single);
        });
        f.brIf(odd, eq(l.double, cf64(Infinity)));
        storeSigned(f, sink, l);
        f.br(done);
      });
      slow();
    };
    emitShortNumber(f, memory, l, use, slow);
  });
}

/** A decimal of a scale of at most four. */
export function fastDecimal(
  f: FunctionBuilder,
  memory: DecoderMemory,
  sink: CellSink,
  l: CellLocals,
  type: { readonly precision: number; readonly scale: number },
  slow: () => void,
): void {
  const { precision, scale } = type;
  f.block((done) => {
    const use = (): void => {
      f.block((odd) => {
        f.brIf(odd, gtU(l.bits, c64(scale * 8)));
        f.set(l.value, mul(l.mantissa, load64(wrap(sub(c64(scale * 8), l.bits)), memory.integerPowers)));
        if (precision < 18) f.brIf(odd, eqz(ltU(l.value, c64(10n ** BigInt(precision)))));
        f.set(l.p, l.start);
        f.set(l.value, signed(l, l.value));
        f.set(l.mantissa, signed(l, l.mantissa));
        sink.state(f);
        sink.unscaled(f, l.value, shrS(l.value, c64(63)));
        sink.double(f, div(toF64S(l.mantissa), loadF64(wrap(l.bits), memory.exactPowers)));
        f.br(done);
      });
      slow();
    };
    emitShortNumber(f, memory, l, use, slow);
  });
}
