import {
  add,
  and,
  c32,
  c64,
  eq,
  eqz,
  extendS,
  extendU,
  gtU,
  leU,
  load32UTo64,
  load64,
  load8U,
  mul,
  ne,
  or,
  shrU,
  sub,
  toF64S,
  wrap,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import type { DecoderMemory } from "./decoder-memory.ts";
import { digitBits, digitBytes, digitsValue } from "./digits.ts";
import { civilDays, emitLastDay } from "./time-functions.ts";

/** Eight bytes of text as a number, the first byte lowest; a digit's place as 0. */
function pattern(text: string, separator: (byte: number) => number, digit: number): bigint {
  let value = 0n;
  for (let i = text.length - 1; i >= 0; i--) {
    const letter = text[i] as string;
    value = (value << 8n) | BigInt(letter === "0" ? digit : separator(letter.charCodeAt(0)));
  }
  return value;
}

/**
 * Digits and separators of a text like `form` at an address: into `into` the digits' values, separators as 0. Answers the bits that are set where a byte
 * is neither.
 */
function matchForm(f: FunctionBuilder, into: Local, text: Expr, form: string): Expr {
  f.set(into, xor(text, c64(pattern(form, (byte) => byte, 0x30))));
  // What must be 0 to 9 has six to spare up to its top bit, what must be 0 has none.
  return and(or(add(into, c64(pattern(form, () => 0x7f, 0x76))), into), c64(pattern(form, () => 0x80, 0x80)));
}

/** Two digits each at the places where a form has them: the byte at `place` of ten times each byte plus the next one. */
function pair(pairs: Expr, place: number): Expr {
  return and(wrap(shrU(pairs, c64(place * 8))), c32(0xff));
}

/** Refuses what is no day of the calendar, and answers the days since 1970-01-01; the pairs are those of `YYYY-MM-` and of `DD`. */
function calendarDays(f: FunctionBuilder, refuse: (when: Expr) => void, yearMonth: Expr, dayPairs: Expr): Expr {
  const year = f.local(i32);
  const month = f.local(i32);
  const day = f.local(i32);
  f.set(year, add(mul(pair(yearMonth, 0), c32(100)), pair(yearMonth, 2)));
  f.set(month, pair(yearMonth, 5));
  f.set(day, pair(dayPairs, 0));
  refuse(or(or(eqz(year), gtU(sub(month, c32(1)), c32(11))), gtU(sub(day, c32(1)), c32(30))));
  f.if(gtU(day, c32(28)), () => {
    const last = f.local(i32);
    emitLastDay(f, last, year, month);
    refuse(gtU(day, last));
  });
  return civilDays(f, year, month, day);
}

/** The functions that read the commonest dates and timestamps: (p, exact, values), p at an opening quote; the position behind the closing one, or 0. */
export interface FastMoments {
  /** `"YYYY-MM-DD"`. */
  readonly date: FunctionRef;
  /** `"YYYY-MM-DDTHH:MM:SS[.f{1,6}]"`, and after it `Z`, `+HH:MM` or `-HH:MM`. */
  readonly instant: FunctionRef;
  /** The same without an offset. */
  readonly local: FunctionRef;
  /** Both with up to nine digits of the second, as nanoseconds. */
  readonly instantNanos: FunctionRef;
  readonly localNanos: FunctionRef;
}

/** A unit of timestamps: how many make a second, in how many digits. */
interface EpochUnit {
  readonly perSecond: bigint;
  readonly digits: number;
}

const micros: EpochUnit = { perSecond: 1_000_000n, digits: 6 };
const nanos: EpochUnit = { perSecond: 1_000_000_000n, digits: 9 };
/** Seconds either side of the epoch that 64 bits of nanoseconds hold whatever the offset; what is beyond is rare, and left to others. */
const nanosSecondsMax = 9_223_200_000n;

/** They store the value as an i64 at `exact` and as a double at `values`; text of another form, or no such time, is left to others. */
export function emitFastMoments(m: WasmModule, memory: DecoderMemory): FastMoments {
  return {
    date: emitFastDate(m),
    instant: emitFastTimestamp(m, memory, true, micros),
    local: emitFastTimestamp(m, memory, false, micros),
    instantNanos: emitFastTimestamp(m, memory, true, nanos),
    localNanos: emitFastTimestamp(m, memory, false, nanos),
  };
}

function pairs(f: FunctionBuilder, digits: Local): void {
  f.set(digits, add(mul(digits, c64(10)), shrU(digits, c64(8))));
}

function emitFastDate(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [p, exact, values]) => {
    const first = f.local(i64);
    const second = f.local(i64);
    const wrong = f.local(i64);
    const refuse = (when: Expr): void => f.if(when, () => f.return(c32(0)));
    f.set(wrong, matchForm(f, first, load64(p, 1), "0000-00-"));
    f.set(wrong, or(wrong, matchForm(f, second, load32UTo64(p, 9), '00"')));
    refuse(or(ne(load8U(p), c32(0x22)), ne(wrong, c64(0))));
    for (const each of [first, second]) pairs(f, each);
    f.set(first, extendS(calendarDays(f, refuse, first, second)));
    f.store64(exact, first);
    f.storeF64(values, toF64S(first));
    f.return(add(p, c32(12)));
  });
}

function emitFastTimestamp(m: WasmModule, memory: DecoderMemory, zoned: boolean, unit: EpochUnit): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [p, exact, values]) => {
    const first = f.local(i64);
    const second = f.local(i64);
    const third = f.local(i64);
    const wrong = f.local(i64);
    const refuse = (when: Expr): void => f.if(when, () => f.return(c32(0)));
    f.set(wrong, matchForm(f, first, load64(p, 1), "0000-00-"));
    f.set(wrong, or(wrong, matchForm(f, second, load64(p, 9), "00T00:00")));
    f.set(wrong, or(wrong, matchForm(f, third, load32UTo64(p, 17), ":00")));
    refuse(or(ne(load8U(p), c32(0x22)), ne(wrong, c64(0))));
    for (const each of [first, second, third]) pairs(f, each);
    refuse(or(or(gtU(pair(second, 3), c32(23)), gtU(pair(second, 6), c32(59))), gtU(pair(third, 1), c32(59))));
    f.set(first, mul(extendS(calendarDays(f, refuse, first, second)), c64(86_400)));
    const ofDay = add(mul(add(mul(pair(second, 3), c32(60)), pair(second, 6)), c32(60)), pair(third, 1));
    f.set(first, add(first, extendU(ofDay)));
    if (unit === nanos) refuse(gtU(add(first, c64(nanosSecondsMax)), c64(2n * nanosSecondsMax)));
    f.set(first, mul(first, c64(unit.perSecond)));
    f.set(p, add(p, c32(20)));
    emitFraction(f, memory, refuse, { p, value: first, bytes: second, bits: third, unit });
    if (zoned) emitZone(f, refuse, { p, value: first, digits: second, unit });
    refuse(ne(load8U(p), c32(0x22)));
    f.store64(exact, first);
    f.storeF64(values, toF64S(first));
    f.return(add(p, c32(1)));
  });
}

interface FractionLocals {
  readonly p: Local;
  readonly value: Local;
  readonly bytes: Local;
  readonly bits: Local;
  readonly unit: EpochUnit;
}

/** A point and as many digits as the unit has at p, one at least, where there is a point. */
function emitFraction(f: FunctionBuilder, memory: DecoderMemory, refuse: (when: Expr) => void, l: FractionLocals): void {
  const { p, value, bytes, bits, unit } = l;
  f.if(eq(load8U(p), c32(0x2e)), () => {
    f.set(bytes, digitBytes(p, 1));
    f.set(bits, digitBits(bytes, bytes));
    refuse(gtU(sub(bits, c64(8)), c64(Math.min(unit.digits - 1, 7) * 8)));
    const digits = digitsValue(f, bytes, bytes, bits);
    f.set(value, add(value, mul(digits, load64(wrap(sub(c64(unit.digits * 8), bits)), memory.integerPowers))));
    f.set(p, add(p, add(c32(1), shrU(wrap(bits), c32(3)))));
    if (unit.digits < 9) return;
    // The ninth digit stands behind the eight that are read at once.
    f.set(bytes, extendU(sub(load8U(p), c32(0x30))));
    f.if(and(eq(bits, c64(64)), leU(bytes, c64(9))), () => {
      f.set(value, add(value, bytes));
      f.set(p, add(p, c32(1)));
    });
  });
}

interface ZoneLocals {
  readonly p: Local;
  readonly value: Local;
  readonly digits: Local;
  readonly unit: EpochUnit;
}

/** `Z` or an offset at p. */
function emitZone(f: FunctionBuilder, refuse: (when: Expr) => void, { p, value, digits, unit }: ZoneLocals): void {
  const minutes = f.local(i64);
  f.if(
    eq(load8U(p), c32(0x5a)),
    () => f.set(p, add(p, c32(1))),
    () => {
      refuse(and(ne(load8U(p), c32(0x2b)), ne(load8U(p), c32(0x2d))));
      refuse(ne(matchForm(f, digits, and(load64(p, 1), c64(0xff_ffff_ffffn)), "00:00"), c64(0)));
      pairs(f, digits);
      refuse(or(gtU(pair(digits, 0), c32(18)), gtU(pair(digits, 3), c32(59))));
      f.set(minutes, extendU(add(mul(pair(digits, 0), c32(60)), pair(digits, 3))));
      f.if(eq(load8U(p), c32(0x2b)), () => f.set(minutes, sub(c64(0), minutes)));
      f.set(value, add(value, mul(minutes, c64(60n * unit.perSecond))));
      f.set(p, add(p, c32(6)));
    },
  );
}
