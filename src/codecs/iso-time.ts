import { daysFromCivil, daysInMonth } from "../core/civil.ts";
import { InvalidCause } from "../core/column.ts";

/** What an ISO 8601 text said; one is filled again and again. */
export interface TimeFields {
  /** Days since 1970-01-01. */
  days: number;
  /** Microseconds of the day. */
  micros: number;
  /** Nanoseconds after them, below 1000; only where they are asked for. */
  nanos: number;
  offsetMinutes: number;
  hasOffset: boolean;
}

/** Offsets beyond this many hours exist nowhere (java.time's bound). */
const offsetHoursMax = 18;

function digitsAt(bytes: Uint8Array, p: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) {
    const digit = (bytes[p + i] as number) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** `YYYY-MM-DD` filling `bytes[p, end)`, years 0001 to 9999; answers 0 or an `InvalidCause`. */
export function parseIsoDate(bytes: Uint8Array, p: number, end: number, out: TimeFields): number {
  if (end - p !== 10 || bytes[p + 4] !== 0x2d || bytes[p + 7] !== 0x2d) return InvalidCause.form;
  const year = digitsAt(bytes, p, 4);
  const month = digitsAt(bytes, p + 5, 2);
  const day = digitsAt(bytes, p + 8, 2);
  if (year < 0 || month < 0 || day < 0) return InvalidCause.form;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return InvalidCause.range;
  out.days = daysFromCivil(year, month, day);
  return 0;
}

/** What a time may have: an offset after it; nanoseconds, where else a microsecond is the least. */
export interface TimeParts {
  readonly zone: boolean;
  readonly nanos: boolean;
}

/** `HH:MM[:SS[.f...]]` filling `bytes[p, end)`, with an offset after it where `parts` allows one; answers 0 or an `InvalidCause`. */
export function parseIsoTime(bytes: Uint8Array, p: number, end: number, parts: TimeParts, out: TimeFields): number {
  out.hasOffset = false;
  out.offsetMinutes = 0;
  if (end - p < 5 || bytes[p + 2] !== 0x3a) return InvalidCause.form;
  const hour = digitsAt(bytes, p, 2);
  const minute = digitsAt(bytes, p + 3, 2);
  if (hour < 0 || minute < 0) return InvalidCause.form;
  p += 5;
  let second = 0;
  let fraction = 0;
  let finer = false;
  if (p < end && bytes[p] === 0x3a) {
    second = p + 3 <= end ? digitsAt(bytes, p + 1, 2) : -1;
    if (second < 0) return InvalidCause.form;
    p += 3;
    if (p < end && bytes[p] === 0x2e) {
      const first = ++p;
      let weight = 100_000_000;
      for (; p < end; p++) {
        const digit = (bytes[p] as number) - 0x30;
        if (digit < 0 || digit > 9) break;
        if (weight >= 1) fraction += digit * weight;
        else if (digit !== 0) finer = true;
        weight /= 10;
      }
      // Twelve digits, picoseconds, are the most that any clock prints.
      if (p === first || p - first > 12) return InvalidCause.form;
    }
  }
  if (p < end) {
    const fault = parts.zone ? parseOffset(bytes, p, end, out) : InvalidCause.form;
    if (fault !== 0) return fault;
  }
  // 24:00 and leap seconds name no instant of the day.
  if (hour > 23 || minute > 59 || second > 59) return InvalidCause.range;
  out.nanos = fraction % 1000;
  if (finer || (out.nanos !== 0 && !parts.nanos)) return InvalidCause.scale;
  out.micros = (hour * 3600 + minute * 60 + second) * 1e6 + (fraction - out.nanos) / 1000;
  return 0;
}

/** `Z`, `+hh`, `+hhmm` or `+hh:mm` filling `bytes[p, end)`. */
function parseOffset(bytes: Uint8Array, p: number, end: number, out: TimeFields): number {
  const sign = bytes[p];
  const size = end - p;
  out.hasOffset = true;
  if (sign === 0x5a || sign === 0x7a) return size === 1 ? 0 : InvalidCause.form;
  if ((sign !== 0x2b && sign !== 0x2d) || size < 3) return InvalidCause.form;
  const hours = digitsAt(bytes, p + 1, 2);
  let minutes = 0;
  if (size > 3) {
    const colon = bytes[p + 3] === 0x3a ? 1 : 0;
    if (size !== 5 + colon) return InvalidCause.form;
    minutes = digitsAt(bytes, p + 3 + colon, 2);
  }
  if (hours < 0 || minutes < 0) return InvalidCause.form;
  if (hours > offsetHoursMax || minutes > 59) return InvalidCause.range;
  out.offsetMinutes = (sign === 0x2d ? -1 : 1) * (hours * 60 + minutes);
  return 0;
}

const withMicros: TimeParts = { zone: true, nanos: false };
const withNanos: TimeParts = { zone: true, nanos: true };

/** Date and time with `T` (or a space, as RFC 3339 allows) between them, filling `bytes[p, end)`; answers 0 or an `InvalidCause`. */
export function parseIsoTimestamp(bytes: Uint8Array, p: number, end: number, nanos: boolean, out: TimeFields): number {
  if (end - p < 16) return InvalidCause.form;
  const between = bytes[p + 10];
  if (between !== 0x54 && between !== 0x74 && between !== 0x20) return InvalidCause.form;
  const dateFault = parseIsoDate(bytes, p, p + 10, out);
  if (dateFault === InvalidCause.form) return dateFault;
  const timeFault = parseIsoTime(bytes, p + 11, end, nanos ? withNanos : withMicros, out);
  return timeFault === InvalidCause.form || dateFault === 0 ? timeFault : dateFault;
}
