import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  and,
  c128,
  c32,
  c64,
  clz,
  demote,
  eq,
  eqz,
  extend32S,
  extendU,
  geU,
  gtU,
  load16U,
  load32,
  load64,
  load8U,
  loadF64,
  loadV128,
  ltS,
  ltU,
  mul,
  ne,
  or,
  select,
  shl,
  shrS,
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
type Writer = FunctionRef<readonly ["i32", "i64"]>;

/** A run of equal values is worth its two bytes where it replaces at least as many. */
const runMin = 16;
const blockValues = 128;
const miniblocks = 4;
const miniblockValues = blockValues / miniblocks;

/** Encodings of pages: each writes from `out` on and answers where it ended; up to 8 bytes behind that may be written too. */
export function encodeKernels(module: WasmModule): void {
  const varint = varintFunction(module);
  hybrid(module, varint, "hybridBytes", 0);
  hybrid(module, varint, "hybridNumbers", 1);
  packFlags(module);
  delta(module, varint);
  module.func("narrowLongs", [i32, i32, i32], [], (f, [values, n, out]) => {
    const i = f.local(i32);
    forEach(f, i, n, () => f.store32(add(out, shl(i, c32(2))), load32(add(values, shl(i, c32(3))))));
  });
  module.func("narrowDoubles", [i32, i32, i32], [], (f, [values, n, out]) => {
    const i = f.local(i32);
    forEach(f, i, n, () => f.storeF32(add(out, shl(i, c32(2))), demote(loadF64(add(values, shl(i, c32(3)))))));
  });
  // Texts of 16 bytes with their lengths, to the 16 bytes alone.
  module.func("dropLengths", [i32, i32, i32], [], (f, [values, n, out]) => {
    const i = f.local(i32);
    forEach(f, i, n, () => f.storeV128(add(out, shl(i, c32(4))), loadV128(add(values, mul(i, c32(20))), 4)));
  });
}

/** Writes an unsigned LEB128. */
function varintFunction(module: WasmModule): Writer {
  return module.func(null, [i32, i64] as const, [i32], (f, [out, value]) => {
    whileTrue(
      f,
      () => ne(shrU(value, c64(7)), c64(0)),
      () => {
        f.store8(out, or(wrap(value), c32(0x80)));
        f.set(value, shrU(value, c64(7)));
        advance(f, out, 1);
      },
    );
    f.store8(out, wrap(value));
    f.return(add(out, c32(1)));
  });
}

/** Parquet's hybrid of run-length and bit-packed values (https://github.com/apache/parquet-format/blob/master/Encodings.md), of u8 or u16 values. */
function hybrid(module: WasmModule, varint: Writer, name: string, shift: 0 | 1): void {
  const at = (values: Expr, index: Expr): Expr => (shift === 0 ? load8U(add(values, index)) : load16U(add(values, shl(index, c32(1)))));
  const literals = module.func(null, [i32, i32, i32, i32, i32] as const, [i32], (f, [values, from, to, width, out]) => {
    const end = f.local(i32);
    const held = f.local(i64);
    const bits = f.local(i32);
    f.if(eq(from, to), () => f.return(out));
    // Groups of eight; the last is filled up with zeros.
    f.set(end, add(from, and(add(sub(to, from), c32(7)), c32(-8))));
    f.set(out, f.call(varint, out, extendU(or(shl(shrU(sub(end, from), c32(3)), c32(1)), c32(1)))));
    whileTrue(
      f,
      () => ltU(from, to),
      () => {
        f.set(held, or(held, shl(extendU(at(values, from)), extendU(bits))));
        advance(f, bits, width);
        advance(f, from, 1);
        f.if(geU(bits, c32(32)), () => {
          f.store32(out, wrap(held));
          advance(f, out, 4);
          f.set(held, shrU(held, c64(32)));
          f.set(bits, sub(bits, c32(32)));
        });
      },
    );
    f.store64(out, held);
    // Zeros up to the end of the last group: at most seven values, of which some bytes may be left from an earlier page.
    advance(f, out, 4);
    f.storeV128(out, c128(new Uint8Array(16)));
    advance(f, bits, mul(width, sub(end, to)));
    f.return(sub(add(out, shrU(add(bits, c32(7)), c32(3))), c32(4)));
  });
  module.func(name, [i32, i32, i32, i32], [i32], (f, [values, n, width, out]) => {
    const from = f.local(i32);
    const i = f.local(i32);
    const end = f.local(i32);
    const value = f.local(i32);
    whileTrue(
      f,
      () => ltU(i, n),
      () => {
        f.set(value, at(values, i));
        f.set(end, add(i, c32(1)));
        f.block((out) =>
          f.loop((again) => {
            f.brIf(out, geU(end, n));
            f.brIf(out, ne(at(values, end), value));
            advance(f, end, 1);
            f.br(again);
          }),
        );
        f.if(
          geU(sub(end, i), c32(runMin)),
          () => {
            f.set(out, f.call(literals, values, from, i, width, out));
            f.set(out, f.call(varint, out, shl(extendU(sub(end, i)), c64(1))));
            f.store32(out, value);
            advance(f, out, shrU(add(width, c32(7)), c32(3)));
            f.set(i, end);
            f.set(from, end);
          },
          () => advance(f, i, 8),
        );
      },
    );
    f.return(f.call(literals, values, from, n, width, out));
  });
}

/** Bytes of 0 or 1 to bits, least significant first; the last byte is filled up with zeros. */
function packFlags(module: WasmModule): void {
  module.func("packFlags", [i32, i32, i32], [i32], (f, [values, n, out]) => {
    const i = f.local(i32);
    const byte = f.local(i32);
    forEach(f, i, n, () => {
      f.set(byte, or(byte, shl(load8U(add(values, i)), and(i, c32(7)))));
      f.if(eq(and(i, c32(7)), c32(7)), () => {
        f.store8(out, byte);
        f.set(byte, c32(0));
        advance(f, out, 1);
      });
    });
    f.if(and(n, c32(7)), () => {
      f.store8(out, byte);
      advance(f, out, 1);
    });
    f.return(out);
  });
}

/** DELTA_BINARY_PACKED: blocks of 128 values in 4 miniblocks. `single`: 1 for INT32, whose differences wrap at 32 bits. `scratch` holds a block. */
function delta(module: WasmModule, varint: Writer): void {
  const zigzag = module.func(null, [i32, i64] as const, [i32], (f, [out, value]) => {
    f.return(f.call(varint, out, xor(shl(value, c64(1)), shrS(value, c64(63)))));
  });
  const pack = packMiniblock(module);
  module.func("deltaLongs", [i32, i32, i32, i32, i32], [i32], (f, [values, n, single, scratch, out]) => {
    const [i, k, count, widths, at] = Array.from({ length: 5 }, () => f.local(i32)) as [Local, Local, Local, Local, Local];
    const [before, value, difference, least] = Array.from({ length: 4 }, () => f.local(i64)) as [Local, Local, Local, Local];
    f.set(out, f.call(varint, out, c64(blockValues)));
    f.set(out, f.call(varint, out, c64(miniblocks)));
    f.set(out, f.call(varint, out, extendU(n)));
    f.set(before, load64(values));
    f.set(out, f.call(zigzag, out, before));
    f.set(i, c32(1));
    whileTrue(
      f,
      () => ltU(i, n),
      () => {
        f.set(count, sub(n, i));
        f.if(gtU(count, c32(blockValues)), () => f.set(count, c32(blockValues)));
        f.set(least, c64(0x7fffffffffffffffn));
        forEach(f, k, count, () => {
          f.set(value, load64(add(values, shl(add(i, k), c32(3)))));
          f.set(difference, sub(value, before));
          f.if(single, () => f.set(difference, extend32S(difference)));
          f.set(before, value);
          f.set(least, select(ltS(difference, least), difference, least));
          f.store64(add(scratch, shl(k, c32(3))), difference);
        });
        f.set(out, f.call(zigzag, out, least));
        f.set(widths, out);
        f.store32(widths, c32(0));
        advance(f, out, miniblocks);
        forEach(f, k, c32(miniblocks), () => {
          f.set(at, shl(k, c32(Math.log2(miniblockValues))));
          f.if(ltU(at, count), () => {
            f.set(out, f.call(pack, add(scratch, shl(at, c32(3))), sub(count, at), least, single, add(widths, k), out));
          });
        });
        advance(f, i, count);
      },
    );
    f.return(out);
  });
}

/** Bit-packs 32 differences less their block's least one (zeros where fewer are left), and writes their width. */
function packMiniblock(module: WasmModule): FunctionRef<readonly ["i32", "i32", "i64", "i32", "i32", "i32"]> {
  return module.func(null, [i32, i32, i64, i32, i32, i32] as const, [i32], (f, [differences, left, least, single, widthAt, out]) => {
    const k = f.local(i32);
    const width = f.local(i32);
    const bits = f.local(i32);
    const [value, all, held] = Array.from({ length: 3 }, () => f.local(i64)) as [Local, Local, Local];
    forEach(f, k, c32(miniblockValues), () => {
      f.set(value, c64(0));
      f.if(ltU(k, left), () => {
        f.set(value, sub(load64(add(differences, shl(k, c32(3)))), least));
        f.if(single, () => f.set(value, and(value, c64(0xffffffff))));
      });
      f.store64(add(differences, shl(k, c32(3))), value);
      f.set(all, or(all, value));
    });
    f.set(width, sub(c32(64), wrap(clz(all))));
    f.store8(widthAt, width);
    f.if(eqz(width), () => f.return(out));
    forEach(f, k, c32(miniblockValues), () => {
      f.set(value, load64(add(differences, shl(k, c32(3)))));
      f.set(held, or(held, shl(value, extendU(bits))));
      advance(f, bits, width);
      f.if(geU(bits, c32(64)), () => {
        f.store64(out, held);
        advance(f, out, 8);
        f.set(bits, sub(bits, c32(64)));
        // What of the value did not fit; a shift by 64 would be none.
        f.set(held, select(bits, shrU(value, extendU(sub(width, bits))), c64(0)));
      });
    });
    f.if(bits, () => {
      f.store64(out, held);
      advance(f, out, shrU(bits, c32(3)));
    });
    f.return(out);
  });
}
