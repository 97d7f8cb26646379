import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  c32,
  c64,
  extendU,
  geU,
  load32,
  load32UTo64,
  load64,
  load8UTo64,
  ltU,
  mul,
  or,
  rotl,
  shl,
  shrU,
  sub,
  wrap,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { advance, forEach, whileTrue } from "./counting.ts";

const i32 = "i32";
const i64 = "i64";
const [p1, p2, p3, p4, p5] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n];
/** The odd constants that spread a hash over a block's eight words (parquet-format, BloomFilter.md). */
const salts = [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31];

/** Hashes (XXH64, seed 0) of values as PLAIN pages hold them, 8 bytes each, and split-block bloom filters of them. */
export function bloomKernels(module: WasmModule): void {
  const hash = hashFunction(module);
  module.func("hashFixed", [i32, i32, i32, i32], [], (f, [values, n, width, out]) => {
    const i = f.local(i32);
    forEach(f, i, n, () => {
      f.store64(add(out, shl(i, c32(3))), f.call(hash, values, width));
      advance(f, values, width);
    });
  });
  module.func("hashTexts", [i32, i32, i32], [i32], (f, [area, end, out]) => {
    const count = f.local(i32);
    whileTrue(
      f,
      () => ltU(area, end),
      () => {
        f.store64(add(out, shl(count, c32(3))), f.call(hash, add(area, c32(4)), load32(area)));
        advance(f, area, add(load32(area), c32(4)));
        advance(f, count, 1);
      },
    );
    f.return(count);
  });
  module.func("insertHashes", [i32, i32, i32, i32], [], (f, [hashes, n, filter, blocks]) => {
    const i = f.local(i32);
    const block = f.local(i32);
    const key = f.local(i32);
    const value = f.local(i64);
    forEach(f, i, n, () => {
      f.set(value, load64(add(hashes, shl(i, c32(3)))));
      f.set(key, wrap(value));
      f.set(block, add(filter, shl(wrap(shrU(mul(shrU(value, c64(32)), extendU(blocks)), c64(32))), c32(5))));
      for (const [word, salt] of salts.entries()) {
        f.store32(block, or(load32(block, word * 4), shl(c32(1), shrU(mul(key, c32(salt)), c32(27)))), word * 4);
      }
    });
  });
}

const round = (sum: Expr, value: Expr): Expr => mul(rotl(add(sum, mul(value, c64(p2))), c64(31)), c64(p1));

/** XXH64 of `length` bytes with seed 0 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). */
function hashFunction(module: WasmModule): FunctionRef<readonly ["i32", "i32"]> {
  return module.func(null, [i32, i32] as const, [i64], (f, [at, length]) => {
    const h = f.local(i64);
    const end = f.local(i32);
    const lanes = Array.from({ length: 4 }, () => f.local(i64)) as [Local, Local, Local, Local];
    const seeds = [p1 + p2, p2, 0n, -p1];
    f.set(end, add(at, length));
    f.set(h, c64(p5));
    f.if(geU(length, c32(32)), () => {
      for (const [i, lane] of lanes.entries()) f.set(lane, c64(seeds[i] as bigint));
      whileTrue(
        f,
        () => geU(sub(end, at), c32(32)),
        () => {
          for (const [i, lane] of lanes.entries()) f.set(lane, round(lane, load64(at, i * 8)));
          advance(f, at, 32);
        },
      );
      const [a, b, c, d] = lanes;
      f.set(h, add(add(rotl(a, c64(1)), rotl(b, c64(7))), add(rotl(c, c64(12)), rotl(d, c64(18)))));
      for (const lane of lanes) f.set(h, add(mul(xor(h, round(c64(0), lane)), c64(p1)), c64(p4)));
    });
    f.set(h, add(h, extendU(length)));
    whileTrue(
      f,
      () => geU(sub(end, at), c32(8)),
      () => {
        f.set(h, add(mul(rotl(xor(h, round(c64(0), load64(at))), c64(27)), c64(p1)), c64(p4)));
        advance(f, at, 8);
      },
    );
    f.if(geU(sub(end, at), c32(4)), () => {
      f.set(h, add(mul(rotl(xor(h, mul(load32UTo64(at), c64(p1))), c64(23)), c64(p2)), c64(p3)));
      advance(f, at, 4);
    });
    whileTrue(
      f,
      () => ltU(at, end),
      () => {
        f.set(h, mul(rotl(xor(h, mul(load8UTo64(at), c64(p5))), c64(11)), c64(p1)));
        advance(f, at, 1);
      },
    );
    f.set(h, mul(xor(h, shrU(h, c64(33))), c64(p2)));
    f.set(h, mul(xor(h, shrU(h, c64(29))), c64(p3)));
    f.return(xor(h, shrU(h, c64(32))));
  });
}
