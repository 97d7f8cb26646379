import { Cell } from "../../core/column.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import {
  add,
  and,
  c32,
  c64,
  ctz,
  div,
  eq,
  eqz,
  extendU,
  gtU,
  leU,
  load32,
  load64,
  load8U,
  loadF64,
  loadV128,
  ltU,
  mul,
  ne,
  or,
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
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import { f64, i32, i64, v128 } from "../../wasm/value-type.ts";
import { columnRecord } from "./column-records.ts";
import type { DecoderMemory } from "./decoder-memory.ts";
import { digitBits, digitBytes, digitsValue } from "./digits.ts";
import { rowAddress } from "./number-functions.ts";
import { specialBytes } from "./text-functions.ts";
import { word } from "./value-functions.ts";

/** Where the cell that is being read goes. */
export interface CellSink {
  state(f: FunctionBuilder): void;
  boolean(f: FunctionBuilder, value: Expr): void;
  double(f: FunctionBuilder, value: Expr): void;
  integer(f: FunctionBuilder, value: Expr): void;
  unscaled(f: FunctionBuilder, low: Expr, high: Expr): void;
  text(f: FunctionBuilder, start: Expr, length: Expr): void;
}

/** The variables of a function that reads cells in line. */
export interface CellLocals {
  /** The position. */
  readonly p: Local;
  readonly end: Local;
  readonly row: Local;
  readonly start: Local;
  readonly negative: Local;
  readonly mask: Local;
  readonly bytes: Local;
  /** Eight times a count of digits. */
  readonly bits: Local;
  readonly value: Local;
  readonly mantissa: Local;
  readonly double: Local;
  readonly vector: Local;
}

export function cellLocals(f: FunctionBuilder, p: Local, row: Local, end: Local): CellLocals {
  return {
    p,
    end,
    row,
    start: f.local(i32),
    negative: f.local(i32),
    mask: f.local(i32),
    bytes: f.local(i64),
    bits: f.local(i64),
    value: f.local(i64),
    mantissa: f.local(i64),
    double: f.local(f64),
    vector: f.local(v128),
  };
}

/** A column whose addresses are constants; `row4` and `row8` are the row's place in arrays of four and eight bytes. */
export function fixedSink(layout: ColumnLayout, row: Expr, row4: Expr, row8: Expr): CellSink {
  return {
    state: (f) => f.store8(row, c32(Cell.value), layout.state),
    boolean: (f, value) => f.store8(row, value, layout.values),
    double: (f, value) => f.storeF64(row8, value, layout.values),
    integer: (f, value) => f.store64(row8, value, layout.exact),
    unscaled: (f, low, high) => {
      f.store64(shl(row8, c32(1)), low, layout.unscaled);
      f.store64(shl(row8, c32(1)), high, layout.unscaled + 8);
    },
    text: (f, start, length) => {
      f.store32(row4, start, layout.starts);
      f.store32(row4, length, layout.lengths);
    },
  };
}

/** A column by its record. */
export function recordSink(record: Expr, row: Expr): CellSink {
  const at = (array: number, shift: number): Expr => rowAddress(record, array, row, shift);
  return {
    state: (f) => f.store8(at(columnRecord.state, 0), c32(Cell.value)),
    boolean: (f, value) => f.store8(at(columnRecord.values, 0), value),
    double: (f, value) => f.storeF64(at(columnRecord.values, 3), value),
    integer: (f, value) => f.store64(at(columnRecord.exact, 3), value),
    unscaled: (f, low, high) => {
      f.store64(at(columnRecord.exact, 4), low);
      f.store64(at(columnRecord.exact, 4), high, 8);
    },
    text: (f, start, length) => {
      f.store32(at(columnRecord.starts, 2), start);
      f.store32(at(columnRecord.lengths, 2), length);
    },
  };
}

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
function signed(l: CellLocals, value: Expr): Expr {
  const mask = sub(c64(0), extendU(l.negative));
  return sub(xor(value, mask), mask);
}

function storeInteger(f: FunctionBuilder, sink: CellSink, l: CellLocals): void {
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
function emitShortNumber(f: FunctionBuilder, memory: DecoderMemory, l: CellLocals, use: () => void, slow: () => void): void {
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

function storeDouble(f: FunctionBuilder, memory: DecoderMemory, sink: CellSink, l: CellLocals, nearest: FunctionRef): void {
  f.set(l.p, l.start);
  f.if(
    leU(l.mantissa, c64(1n << 53n)),
    // Both factors are exact, so that one operation rounds once.
    () => f.set(l.double, div(toF64S(l.mantissa), loadF64(wrap(l.bits), memory.exactPowers))),
    () => f.set(l.double, f.call(nearest, l.mantissa, sub(c32(0), shrU(wrap(l.bits), c32(3))))),
  );
  f.set(l.double, reinterpretF64(or(reinterpretI64(l.double), shl(extendU(l.negative), c64(63)))));
  sink.state(f);
  sink.double(f, l.double);
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

export function fastBoolean(f: FunctionBuilder, sink: CellSink, l: CellLocals, slow: () => void): void {
  f.set(l.start, load32(l.p));
  f.set(l.negative, eq(l.start, c32(word.true)));
  f.if(
    or(l.negative, and(eq(l.start, c32(word.fals)), eq(load8U(l.p, 4), c32(0x65)))),
    () => {
      sink.state(f);
      sink.boolean(f, l.negative);
      f.set(l.p, sub(add(l.p, c32(5)), l.negative));
    },
    slow,
  );
}

/** Text of ASCII without escapes. */
export function fastText(f: FunctionBuilder, sink: CellSink, l: CellLocals, slow: () => void): void {
  f.block((done) => {
    f.block((odd) => {
      f.brIf(odd, ne(load8U(l.p), c32(0x22)));
      f.set(l.start, add(l.p, c32(1)));
      f.loop((again) => {
        f.set(l.vector, loadV128(l.start));
        f.set(l.mask, specialBytes(l.vector, l.vector));
        f.if(eqz(l.mask), () => {
          f.set(l.start, add(l.start, c32(16)));
          f.br(again);
        });
      });
      f.set(l.start, add(l.start, ctz(l.mask)));
      f.brIf(odd, ne(load8U(l.start), c32(0x22)));
      sink.state(f);
      sink.text(f, add(l.p, c32(1)), sub(sub(l.start, l.p), c32(1)));
      f.set(l.p, add(l.start, c32(1)));
      f.br(done);
    });
    slow();
  });
}

/** What `fastAny` needs besides its variables. */
export interface AnyCell {
  readonly record: Expr;
  readonly nearest: FunctionRef;
  /** Storage numbers of the columns that it fills. */
  readonly kinds: Readonly<Record<"int" | "long" | "double" | "string", number>>;
  /** Ends the function: the cell is filled, `p` behind the value. */
  readonly done: () => void;
}

/**
 * The commonest values by their first byte, whatever the column: plain text for string columns, short numbers for int, long and double columns; comes
 * through with `p` where it was for all else. The first byte is known long before the column is, so that a wrong guess by it costs less.
 */
export function fastAny(f: FunctionBuilder, memory: DecoderMemory, l: CellLocals, { record, nearest, kinds, done }: AnyCell): void {
  const sink = recordSink(record, l.row);
  const kind = load32(record, columnRecord.kind);
  f.block((odd) => {
    f.if(eq(load8U(l.p), c32(0x22)), () => {
      f.brIf(odd, ne(kind, c32(kinds.string)));
      fastText(f, sink, l, () => f.br(odd));
      done();
    });
    const use = (): void => {
      f.if(eq(kind, c32(kinds.double)), () => {
        storeDouble(f, memory, sink, l, nearest);
        done();
      });
      f.brIf(odd, ne(l.bits, c64(0)));
      f.brIf(odd, and(ne(kind, c32(kinds.int)), ne(kind, c32(kinds.long))));
      f.set(l.p, l.start);
      f.set(l.value, signed(l, l.mantissa));
      storeInteger(f, sink, l);
      done();
    };
    emitShortNumber(f, memory, l, use, () => f.br(odd));
  });
}
