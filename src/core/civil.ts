/** Calendar arithmetic of the proleptic Gregorian calendar, and the ISO 8601 text of stored dates and times. */

export const microsPerDay = 86_400_000_000;

const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days in a month (1-12). */
export function daysInMonth(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (monthLengths[month - 1] as number);
}

/** Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms"). */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Year, month (1-12) and day of a count of days since 1970-01-01. */
function civilFromDays(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1 };
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/** `YYYY-MM-DD` of days since 1970-01-01; years beyond 0000 to 9999 as ISO 8601 expands them, with a sign and six digits. */
export function dateText(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const yearText = year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? "-" : "+"}${pad(Math.abs(year), 6)}`;
  return `${yearText}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** `HH:MM:SS[.ffffff]` of microseconds of the day; the fraction only where there is one. */
export function timeText(micros: number): string {
  const seconds = Math.floor(micros / 1e6);
  const fraction = micros - seconds * 1e6;
  const whole = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return fraction === 0 ? whole : `${whole}.${pad(fraction, 6)}`;
}

/** `YYYY-MM-DDTHH:MM:SS[.ffffff]`, with `Z` if zoned, of microseconds since the epoch. */
export function timestampText(micros: bigint, zoned: boolean): string {
  const day = BigInt(microsPerDay);
  const ofDay = ((micros % day) + day) % day;
  return `${dateText(Number((micros - ofDay) / day))}T${timeText(Number(ofDay))}${zoned ? "Z" : ""}`;
}

/** The same of a timestamp column's values, in the unit of its type. */
export function epochText(type: { readonly unit: "micros" | "nanos"; readonly zoned: boolean }, value: bigint): string {
  return type.unit === "nanos" ? nanosText(value, type.zoned) : timestampText(value, type.zoned);
}

/** The same of nanoseconds since the epoch: nine digits of the second where six don't hold it. */
export function nanosText(nanos: bigint, zoned: boolean): string {
  const below = ((nanos % 1000n) + 1000n) % 1000n;
  const text = withNanos(timestampText((nanos - below) / 1000n, false), below);
  return zoned ? `${text}Z` : text;
}

/** `HH:MM:SS[.fff...]` of nanoseconds of the day, in as many digits. */
export function nanosOfDayText(nanos: bigint): string {
  return withNanos(timeText(Number(nanos / 1000n)), nanos % 1000n);
}

function withNanos(text: string, below: bigint): string {
  return below === 0n ? text : `${text.includes(".") ? text : `${text}.000000`}${pad(Number(below), 3)}`;
}
