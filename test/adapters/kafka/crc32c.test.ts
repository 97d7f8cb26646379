import { crc32c as reference } from "@platformatic/wasm-utils";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { crc32c, crc32cSliced } from "../../../src/adapters/kafka/crc32c.ts";

it.each([
  ["as chosen", (bytes: Uint8Array) => crc32c(bytes)],
  ["by tables", (bytes: Uint8Array) => crc32cSliced(bytes, 0, bytes.length)],
])("%s: knows RFC 3720's answers", (_, crc) => {
  expect(crc(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e);
  expect(crc(Buffer.alloc(0))).toBe(0);
});

it("agrees with an implementation of others, on any span", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 900 }), fc.nat(), fc.nat(), (bytes, a, b) => {
      const [start, end] = [a % bytes.length, b % bytes.length].toSorted((x, y) => x - y) as [number, number];
      const expected = start === end ? 0 : reference(Buffer.from(bytes.subarray(start, end)));
      expect([crc32c(bytes, start, end), crc32cSliced(bytes, start, end)]).toEqual([expected, expected]);
    }),
  );
});
