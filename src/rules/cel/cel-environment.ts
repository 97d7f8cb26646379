import type { CelEnv } from "@bufbuild/cel";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { RE2JS } from "re2js";
import { library } from "../../core/library.ts";

/** Text in the order of its code points, as CEL defines it; JavaScript's `<` compares UTF-16 units. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // Surrogates stand for code points above all others.
    const [sx, sy] = [x >= 0xd800 && x < 0xe000, y >= 0xd800 && y < 0xe000];
    return sx === sy ? x - y : sx ? 1 : -1;
  }
  return a.length - b.length;
}

/** A moment's wall clock in a time zone, as a date whose UTC parts are that clock's. */
function wallClock(message: Timestamp, zone: string | undefined): Date {
  const date = library.protobufTypes().timestampDate(message);
  if (zone === undefined || zone === "UTC") return date;
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(date.getTime() + (offset[1] === "-" ? -minutes : minutes) * 60_000);
  }
  const parts = new Intl.DateTimeFormat("en-US", {
    hourCycle: "h23",
    timeZone: zone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    era: "short",
  }).formatToParts(date);
  const part = (name: string): number => Number(parts.find(({ type }) => type === name)?.value);
  const bc = parts.some(({ type, value }) => type === "era" && value.startsWith("B"));
  const clock = new Date(0);
  clock.setUTCFullYear(bc ? 1 - part("year") : part("year"), part("month") - 1, part("day"));
  clock.setUTCHours(part("hour"), part("minute"), part("second"), date.getUTCMilliseconds());
  return clock;
}

const dayMs = 86_400_000;

/** The parts of a moment; those of the package go through the machine's own time zone. */
const timeParts: Readonly<Record<string, (clock: Date) => number>> = {
  getFullYear: (clock) => clock.getUTCFullYear(),
  getMonth: (clock) => clock.getUTCMonth(),
  getDate: (clock) => clock.getUTCDate(),
  getDayOfMonth: (clock) => clock.getUTCDate() - 1,
  getDayOfWeek: (clock) => clock.getUTCDay(),
  getDayOfYear: (clock) => {
    const start = new Date(clock.getTime());
    start.setUTCMonth(0, 1);
    return Math.round((clock.getTime() - start.getTime()) / dayMs);
  },
  getHours: (clock) => clock.getUTCHours(),
  getMinutes: (clock) => clock.getUTCMinutes(),
  getSeconds: (clock) => clock.getUTCSeconds(),
  getMilliseconds: (clock) => clock.getUTCMilliseconds(),
};

function timeMethods() {
  const { CelScalar, celMethod, objectType } = library.cel();
  const timestampType = objectType(library.protobufTypes().TimestampSchema);
  return Object.entries(timeParts).flatMap(([name, part]) => [
    celMethod(name, timestampType, [], CelScalar.INT, function () {
      return BigInt(part(wallClock(this.message, undefined)));
    }),
    celMethod(name, timestampType, [CelScalar.STRING], CelScalar.INT, function (zone) {
      return BigInt(part(wallClock(this.message, zone)));
    }),
  ]);
}

/** Where expressions are evaluated: CEL's own functions, with text ordered by code points, times in UTC and patterns that run in linear time. */
export function celEnvironment(): CelEnv {
  const { CelScalar, celEnv, celFunc } = library.cel();
  const { STRING, BOOL } = CelScalar;
  const patterns = new Map<string, RE2JS>();
  return celEnv({
    re2: {
      compile: (pattern) => {
        const known = patterns.get(pattern) ?? RE2JS.compile(pattern);
        // Patterns are constants of the expression, so there are few.
        patterns.set(pattern, known);
        return known;
      },
    },
    funcs: [
      celFunc("_<_", [STRING, STRING], BOOL, (a, b) => compareTexts(a, b) < 0),
      celFunc("_<=_", [STRING, STRING], BOOL, (a, b) => compareTexts(a, b) <= 0),
      celFunc("_>_", [STRING, STRING], BOOL, (a, b) => compareTexts(a, b) > 0),
      celFunc("_>=_", [STRING, STRING], BOOL, (a, b) => compareTexts(a, b) >= 0),
      ...timeMethods(),
    ],
  });
}
