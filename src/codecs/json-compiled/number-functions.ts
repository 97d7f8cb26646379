import {
  add,
  and,
  c32,
  c64,
  demote,
  cf64,
  eq,
  eqz,
  extendU,
  ge,
  geS,
  gtS,
  gtU,
  load32,
  load64,
  load8U,
  abs,
  lt,
  ltS,
  ltU,
  mul,
  ne,
  or,
  promote,
  reinterpretF64,
  reinterpretI64,
  divU,
  remU,
  shl,
  shrU,
  sub,
  toF64S,
  wrap,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { f64, i32, i64 } from "../../wasm/value-type.ts";
import { InvalidCause } from "../../core/column.ts";
import { columnRecord } from "./column-records.ts";
import type { DecoderMemory } from "./decoder-memory.ts";
import { digitBits, digitBytes, digitsValue } from "./digits.ts";
import { emitNearestDouble } from "./float-functions.ts";

/** What a function on a cell answers besides 0 (stored) and an `InvalidCause`: the record is the reference's to read. */
export const giveUp = 255;

/** Digits that an unsigned 64-bit integer holds whatever they are. */
const mantissaDigits = 19;
const longMax = 0x7fff_ffff_ffff_ffffn;

/** The emitted functions on numbers. Those on cells (column record, row) take the number scanned last. */
export interface NumberFunctions {
  /** (p): p is at the minus or a first digit; the position behind the number, or 0. May look beyond the text. */
  readonly number: FunctionRef;
  readonly integer: FunctionRef;
  readonly float: FunctionRef;
  readonly decimal: FunctionRef;
  /** (mantissa, exponent): the nearest double. */
  readonly nearest: FunctionRef;
}

/** The number scanned last: (-1)^negative * mantissa * 10^exponent, if `digits` is at most 19. */
interface Scanned {
  readonly negative: Global;
  readonly mantissa: Global;
  readonly exponent: Global;
  readonly digits: Global;
}

/** The address of a row in an array that the column's record names. */
export function rowAddress(record: Expr, array: number, row: Expr, shift: number): Expr {
  return add(load32(record, array), shift === 0 ? row : shl(row, c32(shift)));
}

/** Emits the functions on numbers; `nearest` is exported. */
export function emitNumbers(m: WasmModule, memory: DecoderMemory): NumberFunctions {
  const scanned: Scanned = { negative: m.global("i32"), mantissa: m.global("i64"), exponent: m.global("i32"), digits: m.global("i32") };
  const { nearest, highProduct } = emitNearestDouble(m, memory);
  return {
    number: emitNumber(m, memory, scanned),
    integer: emitInteger(m, memory, scanned),
    float: emitFloat(m, scanned, nearest),
    decimal: emitDecimal(m, memory, scanned, nearest, highProduct),
    nearest,
  };
}

function emitNumber(m: WasmModule, memory: DecoderMemory, scanned: Scanned): FunctionRef {
  return m.func(null, [i32], [i32], (f, [p]) => {
    const first = f.local(i32);
    const bytes = f.local(i64);
    const bits = f.local(i64);
    const value = f.local(i64);
    const mantissa = f.local(i64);
    const digits = f.local(i32);
    const exponent = f.local(i32);
    /** Reads a run of digits on from p, eight at a time. */
    const run = (): void => {
      f.block((out) => {
        f.loop((again) => {
          f.set(bytes, digitBytes(p));
          f.set(bits, digitBits(bytes, bytes));
          f.brIf(out, eqz(bits));
          const eight = digitsValue(f, value, bytes, bits);
          f.set(mantissa, add(mul(mantissa, load64(wrap(bits), memory.integerPowers)), eight));
          f.set(digits, add(digits, shrU(wrap(bits), c32(3))));
          f.set(p, add(p, shrU(wrap(bits), c32(3))));
          f.brIf(again, eq(bits, c64(64)));
        });
      });
    };
    f.setGlobal(scanned.negative, eq(load8U(p), c32(0x2d)));
    f.set(p, add(p, scanned.negative));
    f.if(gtU(sub(load8U(p), c32(0x30)), c32(9)), () => f.return(c32(0)));
    f.if(eq(load8U(p), c32(0x30)), () => f.set(p, add(p, c32(1))), run);
    f.if(eq(load8U(p), c32(0x2e)), () => {
      f.set(first, f.tee(p, add(p, c32(1))));
      // Zeros before the first significant digit count for the exponent only.
      f.if(eqz(digits), () => {
        f.block((out) => {
          f.loop((again) => {
            f.brIf(out, ne(load8U(p), c32(0x30)));
            f.set(p, add(p, c32(1)));
            f.br(again);
          });
        });
      });
      run();
      f.if(eq(p, first), () => f.return(c32(0)));
      f.set(exponent, sub(first, p));
    });
    f.if(eq(or(load8U(p), c32(0x20)), c32(0x65)), () => emitExponent(f, p, first, exponent));
    f.setGlobal(scanned.mantissa, mantissa);
    f.setGlobal(scanned.exponent, exponent);
    f.setGlobal(scanned.digits, digits);
    f.return(p);
  });
}

/** Reads `e`, a sign and digits at p; an exponent beyond a hundred million is as good as that. */
function emitExponent(f: FunctionBuilder, p: Local, first: Local, exponent: Local): void {
  const value = f.local(i32);
  const sign = f.local(i32);
  const digit = f.local(i32);
  f.set(sign, load8U(p, 1));
  f.set(p, add(p, add(c32(1), or(eq(sign, c32(0x2b)), eq(sign, c32(0x2d))))));
  f.set(first, p);
  f.block((out) => {
    f.loop((again) => {
      f.brIf(out, gtU(f.tee(digit, sub(load8U(p), c32(0x30))), c32(9)));
      f.if(ltU(value, c32(1e8)), () => f.set(value, add(mul(value, c32(10)), digit)));
      f.set(p, add(p, c32(1)));
      f.br(again);
    });
  });
  f.if(eq(p, first), () => f.return(c32(0)));
  f.if(eq(sign, c32(0x2d)), () => f.set(value, sub(c32(0), value)));
  f.set(exponent, add(exponent, value));
}

/** The number with its sign: -1 as a mask where it is negative. */
function signed(magnitude: Expr, negative: Expr): Expr {
  return add(xor(magnitude, sub(c64(0), extendU(negative))), extendU(negative));
}

/** Takes zeros off the mantissa's end while the exponent is negative. */
function stripZeros(f: FunctionBuilder, mantissa: Local, exponent: Local): void {
  f.block((out) => {
    f.loop((again) => {
      f.brIf(out, geS(exponent, c32(0)));
      f.brIf(out, ne(remU(mantissa, c64(10)), c64(0)));
      f.set(mantissa, divU(mantissa, c64(10)));
      f.set(exponent, add(exponent, c32(1)));
      f.br(again);
    });
  });
}

function emitInteger(m: WasmModule, memory: DecoderMemory, scanned: Scanned): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [record, row, isInt]) => {
    const value = f.local(i64);
    const exponent = f.local(i32);
    const most = f.local(i64);
    f.if(gtU(scanned.digits, c32(mantissaDigits)), () => f.return(c32(giveUp)));
    f.set(value, scanned.mantissa);
    f.set(exponent, scanned.exponent);
    f.if(eqz(value), () => f.set(exponent, c32(0)));
    f.if(ne(exponent, c32(0)), () => {
      stripZeros(f, value, exponent);
      f.if(ltS(exponent, c32(0)), () => f.return(c32(InvalidCause.fraction)));
      f.if(gtS(exponent, c32(18)), () => f.return(c32(InvalidCause.range)));
      f.if(gtU(value, divU(c64(-1n), load64(shl(exponent, c32(3)), memory.integerPowers))), () => f.return(c32(InvalidCause.range)));
      f.set(value, mul(value, load64(shl(exponent, c32(3)), memory.integerPowers)));
    });
    f.set(most, c64(longMax));
    f.if(isInt, () => f.set(most, c64(0x7fff_ffffn)));
    f.if(gtU(value, add(most, extendU(scanned.negative))), () => f.return(c32(InvalidCause.range)));
    f.set(value, signed(value, scanned.negative));
    f.store64(rowAddress(record, columnRecord.exact, row, 3), value);
    f.storeF64(rowAddress(record, columnRecord.values, row, 3), toF64S(value));
    f.return(c32(0));
  });
}

function emitFloat(m: WasmModule, scanned: Scanned, nearest: FunctionRef): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [record, row, isSingle]) => {
    const value = f.local(f64);
    const single = f.local(f64);
    f.if(gtU(scanned.digits, c32(mantissaDigits)), () => f.return(c32(giveUp)));
    f.set(value, f.call(nearest, scanned.mantissa, scanned.exponent));
    f.if(isSingle, () => {
      f.set(single, promote(demote(value)));
      f.if(or(lt(single, value), lt(value, single)), () => {
        // Halfway between two floats the text decides; below the normal floats halfway lies elsewhere.
        f.if(eq(and(reinterpretI64(value), c64(0x1fff_ffff)), c64(0x1000_0000)), () => f.return(c32(giveUp)));
        f.if(lt(abs(value), cf64(2 ** -126)), () => f.return(c32(giveUp)));
      });
      f.set(value, single);
    });
    f.if(ge(value, cf64(Infinity)), () => f.return(c32(InvalidCause.range)));
    f.set(value, reinterpretF64(or(reinterpretI64(value), shl(extendU(scanned.negative), c64(63)))));
    f.storeF64(rowAddress(record, columnRecord.values, row, 3), value);
    f.return(c32(0));
  });
}

function emitDecimal(m: WasmModule, memory: DecoderMemory, scanned: Scanned, nearest: FunctionRef, highProduct: FunctionRef): FunctionRef {
  return m.func(null, [i32, i32], [i32], (f, [record, row]) => {
    const value = f.local(i64);
    const high = f.local(i64);
    const shift = f.local(i32);
    const size = f.local(i32);
    const at = f.local(i32);
    const double = f.local(f64);
    f.if(gtU(scanned.digits, c32(mantissaDigits)), () => f.return(c32(giveUp)));
    f.set(value, scanned.mantissa);
    f.set(shift, add(load32(record, columnRecord.scale), scanned.exponent));
    f.set(double, f.call(nearest, value, scanned.exponent));
    f.if(
      eqz(value),
      () => {
        // Whether the zero keeps its minus depends on how it was written.
        f.if(scanned.negative, () => {
          f.if(or(gtU(sub(c32(0), scanned.exponent), c32(22)), gtU(shift, c32(22))), () => f.return(c32(giveUp)));
        });
        f.set(shift, c32(0));
      },
      () => {
        f.set(size, add(scanned.digits, shift));
        stripZeros(f, value, shift);
        f.if(gtS(size, load32(record, columnRecord.precision)), () => f.return(c32(InvalidCause.range)));
        f.if(ltS(shift, c32(0)), () => f.return(c32(InvalidCause.scale)));
        f.if(gtS(shift, c32(mantissaDigits)), () => f.return(c32(giveUp)));
        f.if(scanned.negative, () => f.set(double, sub(cf64(0), double)));
      },
    );
    f.set(high, f.call(highProduct, value, load64(shl(shift, c32(3)), memory.integerPowers)));
    f.set(value, mul(value, load64(shl(shift, c32(3)), memory.integerPowers)));
    f.if(scanned.negative, () => {
      f.set(value, sub(c64(0), value));
      f.set(high, xor(high, c64(-1n)));
      f.if(eqz(value), () => f.set(high, add(high, c64(1))));
    });
    f.set(at, rowAddress(record, columnRecord.exact, row, 4));
    f.store64(at, value);
    f.store64(at, high, 8);
    f.storeF64(rowAddress(record, columnRecord.values, row, 3), double);
    f.return(c32(0));
  });
}
