/** What a text of a date, time or timestamp column becomes: days since the epoch, microseconds of the day, micro- or nanoseconds since the epoch. */
export type TimeUnit = "days" | "dayMicros" | "epochMicros" | "epochNanos";

export interface TimeFormatOptions {
  readonly unit: TimeUnit;
  /** Only for `epochMicros` and `epochNanos`: true reads text without an offset as UTC, false refuses text with an offset. */
  readonly zoned: boolean;
  /** A pattern of `java.time.format.DateTimeFormatter`, as ODCS has it; null: ISO 8601. */
  readonly format: string | null;
}

/** The exact value of a text in the column's unit, or null where the text is not of the format, no real date, finer than the unit, or (nanoseconds) beyond 64 bits. */
export type TimeParser = (text: string) => bigint | null;

type Part = "year" | "month" | "day" | "dayOfYear" | "hour" | "hour12" | "minute" | "second" | "fraction" | "offset" | "half";

type Token =
  | { readonly kind: "number"; readonly part: Part; readonly min: number; readonly max: number }
  | { readonly kind: "year2" }
  | { readonly kind: "fraction"; readonly min: number; readonly max: number }
  | { readonly kind: "name"; readonly part: "month" | "weekday"; readonly long: boolean }
  | { readonly kind: "half" }
  | { readonly kind: "offset" }
  | { readonly kind: "literal"; readonly text: string }
  /** ISO 8601's T, or the space that RFC 3339 also allows. */
  | { readonly kind: "separator" }
  | { readonly kind: "optional"; readonly of: readonly Token[] };

type Parts = Partial<Record<Part, number>>;

const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const formatCharactersMax = 100;
const secondsOfDay = 86_400n;

/**
 * Compiles a date, time or timestamp format once; the parser it gives is pure. Supported letters: y u M d D H h a m s S E X x Z,
 * quoted literals and optional sections; English names. Answers `{ problem }` for what it can't read, or for a format that lacks a part.
 */
export function compileTimeFormat(options: TimeFormatOptions): { readonly parse: TimeParser } | { readonly problem: string } {
  const tokens = options.format === null ? isoTokens(options.unit) : tokenize(options.format);
  if (!Array.isArray(tokens)) return tokens as { problem: string };
  const missing = missingPart(tokens as Token[], options.unit);
  if (missing !== null) return { problem: `the format has no ${missing}` };
  return {
    parse: (text) => {
      const parts: Parts = {};
      return consume(tokens as Token[], text, 0, parts) === text.length ? assemble(parts, options) : null;
    },
  };
}

/** Whether texts of this format always carry their offset from UTC. */
export function formatHasOffset(format: string): boolean {
  const tokens = tokenize(format);
  return Array.isArray(tokens) && (tokens as Token[]).some((token) => token.kind === "offset");
}

function isoTokens(unit: TimeUnit): readonly Token[] {
  const date = tokenize("yyyy-MM-dd") as Token[];
  const time: Token[] = [
    ...(tokenize("HH:mm") as Token[]),
    { kind: "optional", of: [...(tokenize(":ss") as Token[]), optionalFraction()] },
  ];
  if (unit === "days") return date;
  if (unit === "dayMicros") return time;
  return [...date, { kind: "separator" }, ...time, { kind: "optional", of: [{ kind: "offset" }] }];
}

function optionalFraction(): Token {
  return {
    kind: "optional",
    of: [
      { kind: "literal", text: "." },
      { kind: "fraction", min: 1, max: 12 },
    ],
  };
}

function tokenize(format: string): readonly Token[] | { readonly problem: string } {
  if (format.length === 0 || format.length > formatCharactersMax) return { problem: `a format has 1 to ${formatCharactersMax} characters` };
  const stack: Token[][] = [[]];
  let at = 0;
  while (at < format.length) {
    const open = stack[stack.length - 1] as Token[];
    const letter = format[at] as string;
    if (letter === "'") {
      const end = quoteEnd(format, at);
      if (end < 0) return { problem: "a quote is not closed" };
      open.push({ kind: "literal", text: end === at + 1 ? "'" : format.slice(at + 1, end).replaceAll("''", "'") });
      at = end + 1;
    } else if (letter === "[") {
      if (stack.length > 4) return { problem: "optional sections are nested too deep" };
      stack.push([]);
      at++;
    } else if (letter === "]") {
      if (stack.length === 1) return { problem: "a ] has no [" };
      const of = stack.pop() as Token[];
      (stack[stack.length - 1] as Token[]).push({ kind: "optional", of });
      at++;
    } else if (/[A-Za-z]/.test(letter)) {
      let end = at;
      while (format[end] === letter) end++;
      const token = letterToken(letter, end - at);
      if (token === null) return { problem: `it can't read the letters "${format.slice(at, end)}"` };
      open.push(token);
      at = end;
    } else {
      open.push({ kind: "literal", text: letter });
      at++;
    }
  }
  return stack.length === 1 ? (stack[0] as Token[]) : { problem: "a [ is not closed" };
}

/** Where the quote that opens at `at` closes; a doubled quote inside stands for one. -1: nowhere. */
function quoteEnd(format: string, at: number): number {
  let end = format.indexOf("'", at + 1);
  while (end > at + 1 && format[end + 1] === "'") end = format.indexOf("'", end + 2);
  return end;
}

function letterToken(letter: string, count: number): Token | null {
  const number = (part: Part): Token | null => (count <= 2 ? { kind: "number", part, min: count, max: 2 } : null);
  switch (letter) {
    case "y":
    case "u":
      if (count === 2) return { kind: "year2" };
      return count === 4 || count === 1 ? { kind: "number", part: "year", min: count, max: 4 } : null;
    case "M":
    case "L":
      return count <= 2 ? number("month") : count <= 4 ? { kind: "name", part: "month", long: count === 4 } : null;
    case "E":
      return count <= 4 ? { kind: "name", part: "weekday", long: count === 4 } : null;
    case "d":
      return number("day");
    case "D":
      return count <= 3 ? { kind: "number", part: "dayOfYear", min: count, max: 3 } : null;
    case "H":
      return number("hour");
    case "h":
      return number("hour12");
    case "m":
      return number("minute");
    case "s":
      return number("second");
    case "S":
      return count <= 9 ? { kind: "fraction", min: count, max: count } : null;
    case "a":
      return count === 1 ? { kind: "half" } : null;
    case "X":
    case "x":
    case "Z":
      return count <= 3 ? { kind: "offset" } : null;
    default:
      return null;
  }
}

function missingPart(tokens: readonly Token[], unit: TimeUnit): string | null {
  const has = new Set<string>();
  for (const token of tokens) {
    if (token.kind === "number") has.add(token.part);
    else if (token.kind === "year2") has.add("year");
    else if (token.kind === "name") has.add(token.part);
    else has.add(token.kind);
  }
  if (unit !== "dayMicros") {
    if (!has.has("year")) return "year";
    if (!has.has("dayOfYear") && !(has.has("month") && has.has("day"))) return has.has("month") ? "day" : "month";
  }
  if (unit === "dayMicros" && !has.has("hour") && !has.has("hour12")) return "hour";
  if (has.has("hour12") && !has.has("half")) return "half of the day (a)";
  return null;
}

/** Position after the tokens, or -1. Numbers take as many digits as they may, but leave those that a number right after them needs. */
function consume(tokens: readonly Token[], text: string, start: number, parts: Parts): number {
  let at = start;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    if (token.kind === "optional") {
      const tried: Parts = { ...parts };
      const end = consume(token.of, text, at, tried);
      if (end >= 0) {
        Object.assign(parts, tried);
        at = end;
      }
      continue;
    }
    at = consumeToken(token, text, at, parts);
    if (at < 0) return -1;
  }
  return at;
}

function consumeToken(token: Exclude<Token, { kind: "optional" }>, text: string, at: number, parts: Parts): number {
  switch (token.kind) {
    case "literal":
      return text.startsWith(token.text, at) ? at + token.text.length : -1;
    case "separator":
      return text[at] === "T" || text[at] === " " || text[at] === "t" ? at + 1 : -1;
    case "number": {
      const end = digitsEnd(text, at, token.max);
      if (end - at < token.min) return -1;
      parts[token.part] = Number(text.slice(at, end));
      return end;
    }
    case "year2": {
      if (digitsEnd(text, at, 2) !== at + 2) return -1;
      parts.year = 2000 + Number(text.slice(at, at + 2));
      return at + 2;
    }
    case "fraction": {
      const end = digitsEnd(text, at, token.max);
      if (end - at < token.min) return -1;
      const digits = text.slice(at, end).padEnd(9, "0");
      if (/[1-9]/.test(digits.slice(9))) return -1;
      parts.fraction = Number(digits.slice(0, 9));
      return end;
    }
    case "name":
      return consumeName(token, text, at, parts);
    case "half": {
      const half = text.slice(at, at + 2).toUpperCase();
      if (half !== "AM" && half !== "PM") return -1;
      parts.half = half === "PM" ? 1 : 0;
      return at + 2;
    }
    default:
      return consumeOffset(text, at, parts);
  }
}

function digitsEnd(text: string, at: number, max: number): number {
  let end = at;
  while (end < at + max && end < text.length) {
    const code = text.charCodeAt(end);
    if (code < 48 || code > 57) break;
    end++;
  }
  return end;
}

function consumeName(
  token: { readonly part: "month" | "weekday"; readonly long: boolean },
  text: string,
  at: number,
  parts: Parts,
): number {
  const names = token.part === "month" ? months : weekdays;
  for (let i = 0; i < names.length; i++) {
    const name = token.long ? (names[i] as string) : (names[i] as string).slice(0, 3);
    if (text.slice(at, at + name.length).toLowerCase() !== name.toLowerCase()) continue;
    if (token.part === "month") parts.month = i + 1;
    return at + name.length;
  }
  return -1;
}

function consumeOffset(text: string, at: number, parts: Parts): number {
  const sign = text[at];
  if (sign === "Z" || sign === "z") {
    parts.offset = 0;
    return at + 1;
  }
  if (sign !== "+" && sign !== "-") return -1;
  if (digitsEnd(text, at + 1, 2) !== at + 3) return -1;
  let end = at + 3;
  let minutes = 0;
  const colon = text[end] === ":" ? 1 : 0;
  if (digitsEnd(text, end + colon, 2) === end + colon + 2) {
    minutes = Number(text.slice(end + colon, end + colon + 2));
    end += colon + 2;
  } else if (colon === 1) return -1;
  const hours = Number(text.slice(at + 1, at + 3));
  if (hours > 18 || minutes > 59) return -1;
  parts.offset = (sign === "-" ? -1 : 1) * (hours * 60 + minutes);
  return end;
}

function assemble(parts: Parts, options: TimeFormatOptions): bigint | null {
  const days = options.unit === "dayMicros" ? 0n : daysOf(parts);
  if (days === null) return null;
  if (options.unit === "days") return days;
  let hour = parts.hour ?? 0;
  if (parts.hour12 !== undefined) {
    if (parts.hour12 < 1 || parts.hour12 > 12) return null;
    hour = (parts.hour12 % 12) + 12 * (parts.half ?? 0);
  }
  const minute = parts.minute ?? 0;
  const second = parts.second ?? 0;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const nanos = BigInt(parts.fraction ?? 0);
  const perSecond = options.unit === "epochNanos" ? 1_000_000_000n : 1_000_000n;
  const step = 1_000_000_000n / perSecond;
  if (nanos % step !== 0n) return null;
  const ofDay = BigInt(hour * 3600 + minute * 60 + second) * perSecond + nanos / step;
  if (options.unit === "dayMicros") return ofDay;
  if (parts.offset !== undefined && !options.zoned) return null;
  const value = (days * secondsOfDay - BigInt(parts.offset ?? 0) * 60n) * perSecond + ofDay;
  return BigInt.asIntN(64, value) === value ? value : null;
}

function daysOf(parts: Parts): bigint | null {
  const year = parts.year ?? 0;
  if (year < 1) return null;
  const date = new Date(0);
  if (parts.dayOfYear !== undefined) {
    date.setUTCFullYear(year, 0, parts.dayOfYear);
    if (parts.dayOfYear < 1 || date.getUTCFullYear() !== year) return null;
  } else {
    const month = parts.month ?? 0;
    const day = parts.day ?? 0;
    if (month < 1 || month > 12 || day < 1) return null;
    date.setUTCFullYear(year, month - 1, day);
    if (date.getUTCMonth() !== month - 1) return null;
  }
  return BigInt(date.getTime() / 86_400_000);
}
