import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  and,
  c128,
  c32,
  c64,
  clz,
  eqz,
  extendU,
  gtU,
  load64,
  load8U,
  ltU,
  mul,
  rotl,
  select,
  shl,
  shrU,
  sub,
  wrap,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i64x2, simd, splat64 } from "../../wasm/simd.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { floatShape } from "../column-state.ts";
import { rankMax, registerCount } from "../distinct.ts";
import { hashSeed } from "../murmur3.ts";

const first = c64(0x87c37b91114253d5n);
const second = c64(0x4cf5ad432745937fn);

/** An i64's bytes in the other order. */
export function swapBytes(value: Expr): Expr {
  const lanes = c128([7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  return i64x2.extract(simd.swizzle(splat64(value), lanes), 0);
}

/** The first `length` (0 to 8) bytes of an i64 read at an address, zeros above. */
export function loadFirst(address: Expr, length: Expr): Expr {
  const bits = shl(extendU(sub(c32(8), length)), c64(3));
  return select(eqz(length), c64(0), shrU(shl(load64(address), bits), bits));
}

function mixFirst(key: Expr): Expr {
  return mul(rotl(mul(key, first), c64(31)), second);
}

function mixSecond(key: Expr): Expr {
  return mul(rotl(mul(key, second), c64(33)), first);
}

function finalize(f: FunctionBuilder, key: Local): void {
  f.set(key, mul(xor(key, shrU(key, c64(33))), c64(0xff51afd7ed558ccdn)));
  f.set(key, mul(xor(key, shrU(key, c64(33))), c64(0xc4ceb9fe1a85ec53n)));
  f.set(key, xor(key, shrU(key, c64(33))));
}

/** Ends Murmur3 and adds the hash to a state's registers (`distinct.ts`); they stand at one place in every state. */
function finishHash(f: FunctionBuilder, state: Local, h1: Local, h2: Local, length: Expr): void {
  const register = f.local(i32);
  const rank = f.local(i32);
  f.set(h1, xor(h1, length));
  f.set(h2, xor(h2, length));
  f.set(h1, add(h1, h2));
  f.set(h2, add(h2, h1));
  finalize(f, h1);
  finalize(f, h2);
  f.set(h1, add(h1, h2));
  f.set(h2, add(h2, h1));
  f.set(register, add(state, and(wrap(h1), c32(registerCount - 1))));
  f.set(rank, wrap(clz(h2)));
  f.set(rank, add(select(gtU(rank, c32(rankMax - 1)), c32(rankMax - 1), rank), c32(1)));
  f.if(gtU(rank, load8U(register, floatShape.registers)), () => f.store8(register, rank, floatShape.registers));
}

/** Code that hashes the first `length` (at most 8) bytes of a word, zeros above, into a state's registers. */
export function hashWord(f: FunctionBuilder, state: Local, word: Expr, length: Expr): void {
  const h1 = f.local(i64);
  const h2 = f.local(i64);
  f.set(h1, xor(mixFirst(word), c64(hashSeed)));
  f.set(h2, c64(hashSeed));
  finishHash(f, state, h1, h2, length);
}

/** (state, start, length): hashes a span into the state's registers, and leaves the hash's first 64 bits in a global. */
export function emitHashSpan(m: WasmModule, hash: Global): FunctionRef {
  return m.func(null, [i32, i32, i32], [], (f, [state, start, length]) => {
    const h1 = f.local(i64);
    const h2 = f.local(i64);
    const at = f.local(i32);
    const end = f.local(i32);
    const rest = f.local(i32);
    f.set(h1, c64(hashSeed));
    f.set(h2, c64(hashSeed));
    f.set(at, start);
    f.set(end, add(start, and(length, c32(-16))));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, eqz(ltU(at, end)));
        f.set(h1, rotl(xor(h1, mixFirst(load64(at))), c64(27)));
        f.set(h1, add(mul(add(h1, h2), c64(5)), c64(0x52dce729)));
        f.set(h2, rotl(xor(h2, mixSecond(load64(at, 8))), c64(31)));
        f.set(h2, add(mul(add(h2, h1), c64(5)), c64(0x38495ab5)));
        f.set(at, add(at, c32(16)));
        f.br(again);
      });
    });
    f.set(rest, and(length, c32(15)));
    f.if(gtU(rest, c32(8)), () => {
      f.set(h2, xor(h2, mixSecond(loadFirst(add(at, c32(8)), sub(rest, c32(8))))));
      f.set(rest, c32(8));
    });
    f.if(rest, () => f.set(h1, xor(h1, mixFirst(loadFirst(at, rest)))));
    finishHash(f, state, h1, h2, extendU(length));
    f.setGlobal(hash, h1);
  });
}
