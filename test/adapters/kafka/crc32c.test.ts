import { crc32c as reference } from "@platformatic/wasm-utils";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { crc32c } from "../../../src/adapters/kafka/crc32c.ts";

it("knows RFC 3720's answers", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e);
  expect(crc32c(Buffer.alloc(0))).toBe(0);
});

it("agrees with an implementation of others, on any span", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), fc.nat(), (bytes, a, b) => {
      const [start, end] = [a % bytes.length, b % bytes.length].toSorted((x, y) => x - y) as [number, number];
      expect(crc32c(bytes, start, end)).toBe(start === end ? 0 : reference(Buffer.from(bytes.subarray(start, end))));
    }),
  );
});
