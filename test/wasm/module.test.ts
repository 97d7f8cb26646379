import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Arena } from "../../src/wasm/arena.ts";
import {
  add,
  and,
  c128,
  c32,
  c64,
  cf64,
  eq,
  eqz,
  extendU,
  load32,
  load8U,
  loadF64,
  loadV128,
  ltU,
  mul,
  select,
  sub,
  toF64S,
  wrap,
} from "../../src/wasm/expression.ts";
import { signedLeb, unsignedLeb } from "../../src/wasm/leb128.ts";
import { WasmModule } from "../../src/wasm/module.ts";
import { i8x16, splat8 } from "../../src/wasm/simd.ts";
import { f64, i32, i64 } from "../../src/wasm/value-type.ts";

describe("WasmModule", () => {
  it("sums an array by a loop", () => {
    const arena = new Arena();
    const at = arena.allocate(40);
    const m = new WasmModule();
    m.func("sum", [i32, i32], [i32], (f, [from, end]) => {
      const total = f.local(i32);
      f.loop((again) => {
        f.set(total, add(total, load32(from)));
        f.set(from, add(from, c32(4)));
        f.brIf(again, ltU(from, end));
      });
      f.return(total);
    });
    const { sum } = arena.instantiate(m.finish());
    arena.u32(at, 10).set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(sum?.(at, at + 40)).toBe(55);
  });

  it("takes every case of a switch once, and the default beyond", () => {
    const m = new WasmModule();
    m.func("pick", [i32], [i32], (f, [index]) => {
      const out = f.local(i32);
      f.switch(
        index,
        [0, 1, 2].map((i) => () => f.set(out, add(out, c32(10 + i)))),
        () => f.set(out, c32(99)),
      );
      f.return(out);
    });
    const { pick } = new Arena().instantiate(m.finish());
    expect([0, 1, 2, 3, 4_000_000_000].map((i) => pick?.(i))).toEqual([10, 11, 12, 99, 99]);
  });

  it("calls functions declared before their bodies", () => {
    const m = new WasmModule();
    const factorial = m.declare([i64], [i64]);
    m.implement(factorial, (f, [n]) => {
      f.if(eqz(n), () => f.return(c64(1)));
      f.return(mul(n, f.call(factorial, sub(n, c64(1)))));
    });
    m.func("factorial", [i32], [f64], (f, [n]) => f.return(toF64S(f.call(factorial, extendU(n)))));
    const run = new Arena().instantiate(m.finish()).factorial;
    expect(run?.(20)).toBe(2432902008176640000);
  });

  it("keeps globals between calls and calls the host", () => {
    const m = new WasmModule();
    const tell = m.import("tell", [i32], []);
    const count = m.global("i32", 5);
    m.func("next", [], [i32], (f) => {
      f.setGlobal(count, add(count, c32(1)));
      f.run(tell, count);
      f.return(count);
    });
    const heard: number[] = [];
    const { next } = new Arena().instantiate(m.finish(), { tell: (value: number) => void heard.push(value) });
    expect([next?.(), next?.()]).toEqual([6, 7]);
    expect(heard).toEqual([6, 7]);
  });

  it("places data and reads it 16 bytes at a time", () => {
    const arena = new Arena();
    const at = arena.allocate(32);
    const m = new WasmModule();
    m.data(at, new TextEncoder().encode('no quote here "!'));
    m.func("mask", [i32], [i32], (f, [p]) => f.return(i8x16.bitmask(i8x16.eq(loadV128(p), splat8(c32(0x22))))));
    m.func("same", [i32], [i32], (f, [p]) =>
      f.return(i8x16.allTrue(i8x16.eq(loadV128(p), c128(new TextEncoder().encode('no quote here "!'))))),
    );
    const { mask, same } = arena.instantiate(m.finish());
    expect(mask?.(at)).toBe(1 << 14);
    expect(same?.(at)).toBe(1);
  });

  it("copies, fills, stores and selects", () => {
    const arena = new Arena();
    const at = arena.allocate(64);
    const m = new WasmModule();
    m.func("work", [i32], [i32], (f, [p]) => {
      f.memoryFill(p, 7, c32(8));
      f.memoryCopy(add(p, c32(8)), p, c32(4));
      f.store16(p, c32(0x0102), 12);
      f.storeF64(p, cf64(0.5), 16);
      f.store8(p, select(eq(wrap(c64(3)), c32(3)), c32(42), c32(1)), 24);
      f.return(and(load8U(p, 24), c32(0xff)));
    });
    m.func("half", [i32], [f64], (f, [p]) => f.return(loadF64(p, 16)));
    const { work, half } = arena.instantiate(m.finish());
    expect(work?.(at)).toBe(42);
    expect(half?.(at)).toBe(0.5);
    expect([...arena.bytes(at, 14)]).toEqual([7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 2, 1]);
  });

  it("refuses operands of different types", () => {
    expect(() => add(c32(1), c64(1))).toThrow(/i32 and i64/);
  });

  it("writes any constant so that it comes back", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.double(), (whole, real) => {
        const arena = new Arena();
        const at = arena.allocate(16);
        const m = new WasmModule();
        m.func("put", [], [], (f) => {
          f.store64(at, c64(whole));
          f.storeF64(at, cf64(real), 8);
        });
        arena.instantiate(m.finish()).put?.();
        expect(arena.i64(at, 1)[0]).toBe(whole);
        expect(arena.f64(at + 8, 1)[0]).toBe(real);
      }),
      { numRuns: 200 },
    );
  });
});

describe("LEB128", () => {
  it("has the specification's examples", () => {
    expect(unsignedLeb(624_485)).toEqual([0xe5, 0x8e, 0x26]);
    expect(signedLeb(-123_456n)).toEqual([0xc0, 0xbb, 0x78]);
  });
});
