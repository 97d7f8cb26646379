import { InvalidCause } from "../../core/column.ts";
import {
  add,
  and,
  c32,
  c64,
  divU,
  eq,
  eqz,
  extendS,
  geU,
  gtS,
  gtU,
  leU,
  load32,
  load8U,
  ltS,
  ltU,
  mul,
  ne,
  or,
  remU,
  select,
  sub,
  toF64S,
  extendU,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { Storage } from "../column-builder.ts";
import { columnRecord, momentParts } from "./column-records.ts";
import { rowAddress } from "./number-functions.ts";

/** What the pieces of an ISO 8601 text said. */
interface Moment {
  readonly days: Global;
  readonly micros: Global;
  /** Below 1000, after the microseconds. */
  readonly nanos: Global;
  readonly offsetMinutes: Global;
  readonly hasOffset: Global;
}

const notDigits = 100;
const offsetHoursMax = 18;
const fractionDigitsMax = 12;
/** Microseconds either side of the epoch in which 64 bits of nanoseconds end. */
const nanosMicrosMax = 9_223_372_036_854_776n;

/** Two digits at an address: their number, or 100 where they are none. */
function twoDigits(f: FunctionBuilder, into: Local, address: Expr, offset: number): void {
  const tens = f.local(i32);
  const ones = f.local(i32);
  f.set(tens, sub(load8U(address, offset), c32(0x30)));
  f.set(ones, sub(load8U(address, offset + 1), c32(0x30)));
  f.set(into, select(or(gtU(tens, c32(9)), gtU(ones, c32(9))), c32(notDigits), add(mul(tens, c32(10)), ones)));
}

function refuse(f: FunctionBuilder, condition: Expr, cause: number): void {
  f.if(condition, () => f.return(c32(cause)));
}

/** (record, row, start, end): reads ISO 8601 text into a date, time or timestamp cell; 0 or an `InvalidCause`. */
export function emitMoment(m: WasmModule): FunctionRef {
  const moment: Moment = {
    days: m.global("i32"),
    micros: m.global("i64"),
    nanos: m.global("i32"),
    offsetMinutes: m.global("i32"),
    hasOffset: m.global("i32"),
  };
  const date = emitDate(m, moment);
  const time = emitTime(m, moment, emitOffset(m, moment));
  return m.func(null, [i32, i32, i32, i32], [i32], (f, [record, row, start, end]) => {
    const kind = f.local(i32);
    const cause = f.local(i32);
    const timeCause = f.local(i32);
    const value = f.local(i64);
    const between = f.local(i32);
    const nanos = f.local(i64);
    f.set(kind, load32(record, columnRecord.kind));
    f.if(
      eq(kind, c32(Storage.date)),
      () => {
        f.set(cause, f.call(date, start, end));
        f.if(cause, () => f.return(cause));
        f.set(value, extendS(moment.days));
      },
      () => {
        f.if(
          eq(kind, c32(Storage.time)),
          () => {
            f.set(cause, f.call(time, start, end, c32(0)));
            f.if(cause, () => f.return(cause));
            f.set(value, moment.micros);
          },
          () => {
            refuse(f, ltS(sub(end, start), c32(16)), InvalidCause.form);
            f.set(between, load8U(start, 10));
            refuse(f, and(ne(or(between, c32(0x20)), c32(0x74)), ne(between, c32(0x20))), InvalidCause.form);
            f.set(cause, f.call(date, start, add(start, c32(10))));
            refuse(f, eq(cause, c32(InvalidCause.form)), InvalidCause.form);
            f.set(timeCause, f.call(time, add(start, c32(11)), end, or(load32(record, columnRecord.scale), c32(momentParts.zone))));
            f.if(or(eq(timeCause, c32(InvalidCause.form)), eqz(cause)), () => f.set(cause, timeCause));
            f.if(cause, () => f.return(cause));
            refuse(f, and(moment.hasOffset, eqz(and(load32(record, columnRecord.scale), c32(momentParts.zone)))), InvalidCause.offset);
            f.set(value, add(mul(extendS(moment.days), c64(86_400_000_000)), moment.micros));
            f.set(value, sub(value, mul(extendS(moment.offsetMinutes), c64(60_000_000))));
            f.if(and(load32(record, columnRecord.scale), c32(momentParts.nanos)), () => {
              refuse(f, gtU(add(value, c64(nanosMicrosMax)), c64(2n * nanosMicrosMax)), InvalidCause.range);
              f.set(nanos, add(mul(value, c64(1000)), extendU(moment.nanos)));
              // In the last microseconds at both ends what does not fit comes out with the other sign.
              refuse(f, ltS(xor(nanos, value), c64(0)), InvalidCause.range);
              f.set(value, nanos);
            });
          },
        );
      },
    );
    f.store64(rowAddress(record, columnRecord.exact, row, 3), value);
    f.storeF64(rowAddress(record, columnRecord.values, row, 3), toF64S(value));
    f.return(c32(0));
  });
}

/** Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms"); `year` is overwritten. */
export function civilDays(f: FunctionBuilder, year: Local, month: Expr, day: Expr): Expr {
  const era = f.local(i32);
  const early = leU(month, c32(2));
  f.set(year, sub(year, early));
  // Years begin at 1: with 400 more nothing is negative.
  f.set(year, add(year, c32(400)));
  f.set(era, divU(year, c32(400)));
  const yearOfEra = sub(year, mul(era, c32(400)));
  const shifted = add(month, select(early, c32(9), c32(-3)));
  const dayOfYear = sub(add(divU(add(mul(shifted, c32(153)), c32(2)), c32(5)), day), c32(1));
  f.set(year, yearOfEra);
  const dayOfEra = add(sub(add(mul(year, c32(365)), divU(year, c32(4))), divU(year, c32(100))), dayOfYear);
  return sub(add(mul(era, c32(146_097)), dayOfEra), c32(719_468 + 146_097));
}

/** Sets `last` to the number of the month's days. */
export function emitLastDay(f: FunctionBuilder, last: Local, year: Expr, month: Expr): void {
  // 30 days, one more in odd months up to July and even ones from August on.
  f.set(last, add(c32(30), and(add(month, geU(month, c32(8))), c32(1))));
  f.if(eq(month, c32(2)), () => {
    const leap = and(eqz(and(year, c32(3))), or(ne(remU(year, c32(100)), c32(0)), eqz(remU(year, c32(400)))));
    f.set(last, add(c32(28), leap));
  });
}

function emitDate(m: WasmModule, moment: Moment): FunctionRef {
  return m.func(null, [i32, i32], [i32], (f, [p, end]) => {
    const century = f.local(i32);
    const year = f.local(i32);
    const month = f.local(i32);
    const day = f.local(i32);
    const last = f.local(i32);
    refuse(f, ne(sub(end, p), c32(10)), InvalidCause.form);
    refuse(f, or(ne(load8U(p, 4), c32(0x2d)), ne(load8U(p, 7), c32(0x2d))), InvalidCause.form);
    twoDigits(f, century, p, 0);
    twoDigits(f, year, p, 2);
    twoDigits(f, month, p, 5);
    twoDigits(f, day, p, 8);
    const wrong = [century, year, month, day].map((each) => eq(each, c32(notDigits))) as [Expr, Expr, Expr, Expr];
    refuse(f, or(or(wrong[0], wrong[1]), or(wrong[2], wrong[3])), InvalidCause.form);
    f.set(year, add(mul(century, c32(100)), year));
    refuse(f, or(eqz(year), gtU(sub(month, c32(1)), c32(11))), InvalidCause.range);
    emitLastDay(f, last, year, month);
    refuse(f, gtU(sub(day, c32(1)), sub(last, c32(1))), InvalidCause.range);
    f.setGlobal(moment.days, civilDays(f, year, month, day));
    f.return(c32(0));
  });
}

/** (p, end, parts): `HH:MM[:SS[.f...]]`, with what else `momentParts` of it has. */
function emitTime(m: WasmModule, moment: Moment, offset: FunctionRef): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [p, end, parts]) => {
    const hour = f.local(i32);
    const minute = f.local(i32);
    const second = f.local(i32);
    const fraction = f.local(i32);
    const finer = f.local(i32);
    const cause = f.local(i32);
    f.setGlobal(moment.hasOffset, c32(0));
    f.setGlobal(moment.offsetMinutes, c32(0));
    refuse(f, ltS(sub(end, p), c32(5)), InvalidCause.form);
    refuse(f, ne(load8U(p, 2), c32(0x3a)), InvalidCause.form);
    twoDigits(f, hour, p, 0);
    twoDigits(f, minute, p, 3);
    refuse(f, or(eq(hour, c32(notDigits)), eq(minute, c32(notDigits))), InvalidCause.form);
    f.set(p, add(p, c32(5)));
    f.if(and(ltU(p, end), eq(load8U(p), c32(0x3a))), () => {
      twoDigits(f, second, p, 1);
      refuse(f, or(gtU(add(p, c32(3)), end), eq(second, c32(notDigits))), InvalidCause.form);
      f.set(p, add(p, c32(3)));
      f.if(and(ltU(p, end), eq(load8U(p), c32(0x2e))), () => emitFraction(f, { p, end, fraction, finer }));
    });
    f.if(ltU(p, end), () => {
      refuse(f, eqz(and(parts, c32(momentParts.zone))), InvalidCause.form);
      f.set(cause, f.call(offset, p, end));
      f.if(cause, () => f.return(cause));
    });
    refuse(f, or(or(gtU(hour, c32(23)), gtU(minute, c32(59))), gtU(second, c32(59))), InvalidCause.range);
    f.setGlobal(moment.nanos, remU(fraction, c32(1000)));
    refuse(f, or(finer, and(ne(moment.nanos, c32(0)), eqz(and(parts, c32(momentParts.nanos))))), InvalidCause.scale);
    const seconds = add(add(mul(hour, c32(3600)), mul(minute, c32(60))), second);
    f.setGlobal(moment.micros, add(mul(extendU(seconds), c64(1_000_000)), extendU(divU(fraction, c32(1000)))));
    f.return(c32(0));
  });
}

interface FractionLocals {
  readonly p: Local;
  readonly end: Local;
  readonly fraction: Local;
  readonly finer: Local;
}

/** The digits behind the point at p: nanoseconds, and whether there is anything finer. */
function emitFraction(f: FunctionBuilder, { p, end, fraction, finer }: FractionLocals): void {
  const first = f.local(i32);
  const weight = f.local(i32);
  const digit = f.local(i32);
  f.set(first, f.tee(p, add(p, c32(1))));
  f.set(weight, c32(100_000_000));
  f.block((out) => {
    f.loop((again) => {
      f.brIf(out, geU(p, end));
      f.brIf(out, gtU(f.tee(digit, sub(load8U(p), c32(0x30))), c32(9)));
      f.set(fraction, add(fraction, mul(digit, weight)));
      f.set(finer, or(finer, and(eqz(weight), ne(digit, c32(0)))));
      f.set(weight, divU(weight, c32(10)));
      f.set(p, add(p, c32(1)));
      f.br(again);
    });
  });
  refuse(f, or(eq(p, first), gtS(sub(p, first), c32(fractionDigitsMax))), InvalidCause.form);
}

/** (p, end): `Z`, `+hh`, `+hhmm` or `+hh:mm`. */
function emitOffset(m: WasmModule, moment: Moment): FunctionRef {
  return m.func(null, [i32, i32], [i32], (f, [p, end]) => {
    const sign = f.local(i32);
    const size = f.local(i32);
    const colon = f.local(i32);
    const hours = f.local(i32);
    const minutes = f.local(i32);
    f.set(sign, load8U(p));
    f.set(size, sub(end, p));
    f.setGlobal(moment.hasOffset, c32(1));
    f.if(eq(or(sign, c32(0x20)), c32(0x7a)), () => {
      refuse(f, ne(size, c32(1)), InvalidCause.form);
      f.return(c32(0));
    });
    refuse(f, and(ne(sign, c32(0x2b)), ne(sign, c32(0x2d))), InvalidCause.form);
    refuse(f, ltS(size, c32(3)), InvalidCause.form);
    twoDigits(f, hours, p, 1);
    f.if(gtS(size, c32(3)), () => {
      f.set(colon, eq(load8U(p, 3), c32(0x3a)));
      refuse(f, ne(size, add(c32(5), colon)), InvalidCause.form);
      twoDigits(f, minutes, add(p, colon), 3);
    });
    refuse(f, or(eq(hours, c32(notDigits)), eq(minutes, c32(notDigits))), InvalidCause.form);
    refuse(f, or(gtU(hours, c32(offsetHoursMax)), gtU(minutes, c32(59))), InvalidCause.range);
    f.set(minutes, add(mul(hours, c32(60)), minutes));
    f.setGlobal(moment.offsetMinutes, select(eq(sign, c32(0x2d)), sub(c32(0), minutes), minutes));
    f.return(c32(0));
  });
}
