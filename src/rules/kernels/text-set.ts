import {
  add,
  and,
  c32,
  c64,
  eq,
  extendU,
  geU,
  leU,
  load32,
  load64,
  ltU,
  mul,
  ne,
  select,
  shl,
  shrU,
  sub,
  wrap,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { TextTest } from "./text-mask.ts";

const multiplier = 0x9e3779b97f4a7c15n;

/** A slot: the first eight bytes, the length (all ones: empty), and where the whole text stands. */
const slotBytes = 16;
const empty = 0xffffffff;

/** The first (up to) eight bytes of a text as a number, little endian. */
function firstWord(text: Uint8Array): bigint {
  let word = 0n;
  for (let i = Math.min(text.length, 8) - 1; i >= 0; i--) word = (word << 8n) | BigInt(text[i] as number);
  return word;
}

function lastWord(text: Uint8Array): bigint {
  return text.length > 8 ? firstWord(text.subarray(text.length - 8)) : 0n;
}

/** The slot where the search for a text begins. */
function slotOf(text: Uint8Array, bits: number): number {
  const mixed = firstWord(text) ^ (lastWord(text) << 1n) ^ (BigInt(text.length) << 59n);
  return Number(BigInt.asUintN(64, BigInt.asUintN(64, mixed) * multiplier) >> BigInt(64 - bits));
}

/** The table (open addressing, at most half full), with the texts behind it. */
function makeTable(kernels: KernelModule, texts: readonly Uint8Array[]): { readonly address: number; readonly bits: number } {
  let bits = 2;
  while (1 << bits < texts.length * 2 + 1) bits++;
  const size = 1 << bits;
  const table = new Uint8Array(size * slotBytes);
  const view = new DataView(table.buffer);
  for (let slot = 0; slot < size; slot++) view.setUint32(slot * slotBytes + 8, empty, true);
  for (const text of texts) {
    let slot = slotOf(text, bits);
    while (view.getUint32(slot * slotBytes + 8, true) !== empty) slot = (slot + 1) & (size - 1);
    view.setBigUint64(slot * slotBytes, firstWord(text), true);
    view.setUint32(slot * slotBytes + 8, text.length, true);
    view.setUint32(slot * slotBytes + 12, text.length > 8 ? kernels.constant(text) : 0, true);
  }
  return { address: kernels.constant(table), bits };
}

/** Sets `same` to 0 where the bytes from the ninth on differ: eight at a time, the last eight anew. */
function compareRest(f: FunctionBuilder, same: Local, start: Local, length: Local, other: Local): void {
  const at = f.local("i32");
  const last = f.local("i32");
  f.set(last, sub(length, c32(8)));
  f.set(at, c32(8));
  f.loop((again) => {
    f.set(at, select(ltU(at, last), at, last));
    f.if(
      ne(load64(add(start, at)), load64(add(other, at))),
      () => f.set(same, c32(0)),
      () => {
        f.if(ltU(at, last), () => {
          f.set(at, add(at, c32(8)));
          f.br(again);
        });
      },
    );
  });
}

/** Whether a text is one of a set of different ones. */
export function textSetTest(kernels: KernelModule, texts: readonly Uint8Array[]): TextTest {
  if (texts.length === 0) return () => c32(0);
  const { address, bits } = makeTable(kernels, texts);
  const longest = Math.max(...texts.map((text) => text.length));
  return (f, start, length) => {
    const found = f.local("i32");
    const word = f.local("i64");
    const tail = f.local("i64");
    const slot = f.local("i32");
    const known = f.local("i32");
    const other = f.local("i32");
    const firstBits = sub(shl(c64(1), extendU(shl(length, c32(3)))), c64(1));
    f.set(found, c32(0));
    f.if(leU(length, c32(longest)), () => {
      f.set(word, select(geU(length, c32(8)), load64(start), and(load64(start), firstBits)));
      f.set(tail, c64(0));
      // Not before it is known that there are so many bytes: an empty text may stand at address 0.
      if (longest > 8) f.if(ltU(c32(8), length), () => f.set(tail, load64(sub(add(start, length), c32(8)))));
      const mixed = xor(xor(word, shl(tail, c64(1))), shl(extendU(length), c64(59)));
      f.set(slot, wrap(shrU(mul(mixed, c64(multiplier)), c64(64 - bits))));
      f.loop((again) => {
        const at = shl(slot, c32(4));
        f.set(known, load32(at, address + 8));
        f.if(ne(known, c32(empty)), () => {
          f.set(found, and(eq(known, length), eq(load64(at, address), word)));
          if (longest > 8)
            f.if(and(found, ltU(c32(8), length)), () => {
              f.set(other, load32(at, address + 12));
              compareRest(f, found, start, length, other);
            });
          f.set(slot, and(add(slot, c32(1)), c32((1 << bits) - 1)));
          f.brIf(again, eq(found, c32(0)));
        });
      });
    });
    return found;
  };
}
