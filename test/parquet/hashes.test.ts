import { expect, test } from "vitest";
import { kernelsOver } from "../../src/parquet/kernels.ts";
import { Arena } from "../../src/wasm/arena.ts";

test("XXH64 gives the known hashes, of every length class", () => {
  const arena = new Arena();
  const { hashFixed } = kernelsOver(arena);
  const [at, out] = [arena.allocate(256), arena.allocate(8)];
  const hash = (text: string): bigint => {
    const bytes = Buffer.from(text);
    arena.u8.set(bytes, at);
    hashFixed(at, 1, bytes.length, out);
    return BigInt.asUintN(64, arena.i64(out, 1)[0] as bigint);
  };
  // Of the reference implementation (xxhsum -H1).
  expect(hash("")).toBe(0xef46db3751d8e999n);
  expect(hash("a")).toBe(0xd24ec4f1a98c6e5bn);
  expect(hash("abc")).toBe(0x44bc2cf5ad770999n);
  expect(hash("message digest")).toBe(0x066ed728fceeb3ben);
  expect(hash("abcdefghijklmnopqrstuvwxyz")).toBe(0xcfe1f278fa89835cn);
  expect(hash("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")).toBe(0xaaa46907d3047814n);
  expect(hash("1234567890".repeat(8))).toBe(0xe04a477f19ee145dn);
});
