import { expect, test } from "vitest";
import * as bound from "../../src/parquet/bounds.ts";

test("bounds of text: 16 code points, grown over surrogates and carries, none where nothing is above", () => {
  const above = (text: string): string | null => {
    const bytes = bound.textAbove(Buffer.from(text));
    return bytes === null ? null : Buffer.from(bytes).toString();
  };
  expect(above("short")).toBe("short");
  expect(above("0123456789abcdef")).toBe("0123456789abcdef");
  expect(above("0123456789abcdefg")).toBe("0123456789abcdeg");
  expect(above(`${"a".repeat(15)}\ud7ffz`)).toBe(`${"a".repeat(15)}\ue000`);
  expect(above(`${"a".repeat(14)}b\u{10ffff}z`)).toBe(`${"a".repeat(14)}c`);
  expect(above("\u{10ffff}".repeat(17))).toBeNull();
  expect(Buffer.from(bound.textBelow(Buffer.from("\u{1f6eb}".repeat(20)))).toString()).toBe("\u{1f6eb}".repeat(16));
  expect(bound.bytesAbove(new Uint8Array(17).fill(255))).toBeNull();
  expect(bound.bytesAbove(Uint8Array.from([1, ...Array.from({ length: 16 }, () => 255)]))).toEqual(Uint8Array.of(2));
});

test("decimals take as few bytes as hold them", () => {
  const hex = (value: bigint): string => Buffer.from(bound.ofDecimal(value)).toString("hex");
  expect([0n, 127n, 128n, -128n, -129n, -1n, 10n ** 38n - 1n].map(hex)).toEqual([
    "00",
    "7f",
    "0080",
    "80",
    "ff7f",
    "ff",
    "4b3b4ca85a86c47a098a223fffffffff",
  ]);
});

test("texts are cut at whole code points, and grown within the bytes allowed", () => {
  const text = Buffer.from(`${"a".repeat(62)}\u{1f6eb}b`);
  const end = bound.endOfBytes(text, 64);
  expect(end).toBe(62);
  expect(Buffer.from(bound.textBelow(text, end)).toString()).toBe("a".repeat(62));
  expect(Buffer.from(bound.textAbove(text, end) as Uint8Array).toString()).toBe(`${"a".repeat(61)}b`);
  expect(bound.endOfBytes(Buffer.from("short"), 64)).toBe(5);
});
