import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compileTimeFormat, formatHasOffset } from "../../src/core/time-format.ts";
import type { TimeFormatOptions } from "../../src/core/time-format.ts";

function parse(options: TimeFormatOptions, text: string): bigint | null {
  const compiled = compileTimeFormat(options);
  if ("problem" in compiled) throw new Error(compiled.problem);
  return compiled.parse(text);
}

const date = (format: string | null): TimeFormatOptions => ({ unit: "days", zoned: false, format });
const time = (format: string | null): TimeFormatOptions => ({ unit: "dayMicros", zoned: false, format });
const stamp = (format: string | null, zoned = true): TimeFormatOptions => ({ unit: "epochMicros", zoned, format });

test.each([
  [date(null), "1970-01-01", 0n],
  [date(null), "2013-02-29", null],
  [date(null), "2000-02-29", 11016n],
  [date(null), "1900-02-29", null],
  [date(null), "0001-01-01", -719162n],
  [date(null), "2013-1-1", null],
  [date(null), "2013-01-01 ", null],
  [date("yyyyMMdd"), "20130405", 15800n],
  [date("d MMM uuuu"), "5 Apr 2013", 15800n],
  [date("EEEE, d MMMM yyyy"), "Friday, 5 April 2013", 15800n],
  [date("yyyy-DDD"), "2013-095", 15800n],
  [date("yyyy-DDD"), "2013-366", null],
  [date("dd/MM/yy"), "05/04/13", 15800n],
  [time(null), "23:59:59.999999", 86_399_999_999n],
  [time(null), "24:00", null],
  [time(null), "12:30", 45_000_000_000n],
  [time(null), "12:30:00.1234567", null],
  [time("hh:mm a"), "12:05 AM", 300_000_000n],
  [time("h 'o''clock' a"), "1 oclock pm", null],
  [time("h 'o''clock' a"), "1 o'clock pm", 46_800_000_000n],
  [time("h '' a"), "1 ' pm", 46_800_000_000n],
  [time("h 'oclock' a"), "1 oclock pm", 46_800_000_000n],
  [stamp(null), "1970-01-01T00:00:00Z", 0n],
  [stamp(null), "1970-01-01 01:00+01:00", 0n],
  [stamp(null), "1970-01-01T00:00:00.000001", 1n],
  [stamp(null), "1970-01-01T 00:00", null],
  [stamp(null), "1970-01-0100:00", null],
  [stamp(null, false), "1970-01-01T00:00:00Z", null],
  [stamp(null, false), "1970-01-01T00:00:01", 1_000_000n],
  [stamp("yyyy-MM-dd'T'HH:mm:ss[.SSS]XXX"), "1970-01-01T00:00:00.500Z", 500_000n],
  [stamp("yyyy-MM-dd'T'HH:mm:ss[.SSS]XXX"), "1970-01-01T00:00:00-00:30", 1_800_000_000n],
  [stamp("yyyy-MM-dd'T'HH:mm:ss[.SSS]XXX"), "1970-01-01T00:00:00.5Z", null],
])("%j %s", (options, text, value) => {
  expect(parse(options, text)).toBe(value);
});

test.each(["YYYY-ww", "yyyy-MM", "hh:mm", "yyyy-MM-dd 'open", "[yyyy-MM-dd", "yyyy-MM-dd]", "", "G".repeat(101)])(
  "the format %j is refused",
  (format) => {
    expect(compileTimeFormat(stamp(format))).toHaveProperty("problem");
  },
);

test("every instant of JavaScript's comes back from its own ISO text", () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_135_596_800_000, max: Date.UTC(9999, 11, 31) }), (ms) => {
      const text = new Date(ms).toISOString();
      if (/^[-+]/.test(text) || text.startsWith("0000")) return;
      expect(parse(stamp(null), text)).toBe(BigInt(ms) * 1000n);
      expect(parse(date(null), text.slice(0, 10))).toBe(BigInt(Math.floor(ms / 86_400_000)));
      expect(parse(time("HH:mm:ss.SSS"), text.slice(11, 23))).toBe(BigInt(((ms % 86_400_000) + 86_400_000) % 86_400_000) * 1000n);
    }),
  );
});

test("whether a format carries an offset", () => {
  expect(formatHasOffset("yyyy-MM-dd HH:mm:ssXXX")).toBe(true);
  expect(formatHasOffset("yyyy-MM-dd 'X' HH:mm")).toBe(false);
  // One that may be left out is none to rely on.
  expect(formatHasOffset("yyyy-MM-dd HH:mm[XXX]")).toBe(false);
});
