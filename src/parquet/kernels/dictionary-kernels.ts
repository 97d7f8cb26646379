import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  and,
  c32,
  c64,
  eq,
  eqz,
  extendU,
  geU,
  gtU,
  load16U,
  leU,
  load32,
  load64,
  ltU,
  mul,
  ne,
  rotl,
  shl,
  shrU,
  sub,
  wrap,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Label, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { copyFunction } from "./copy-text.ts";
import { advance, forEach, whileTrue } from "./counting.ts";

const i32 = "i32";
const i64 = "i64";
const u32At = (base: Expr, index: Expr): Expr => load32(add(base, shl(index, c32(2))));
const numberAt = (base: Expr, index: Expr): Expr => load16U(add(base, shl(index, c32(1))));

/**
 * Where the words of a dictionary's control block stand (`base` has 8 bytes). An open-addressing table of u32 (an entry's number + 1; 0: free) leads to entries: 8 bytes (the
 * value) for numbers; 16 bytes (key, offset in the area, length) for texts, whose area holds them as a dictionary page does (u32 length, bytes).
 */
export const DictionaryBlock = {
  count: 0,
  mask: 4,
  table: 8,
  entries: 12,
  entriesMax: 16,
  area: 20,
  areaUsed: 24,
  areaMax: 28,
  base: 32,
  bytes: 40,
} as const;

export const textEntryBytes = 16;

/** How far apart integers of a near table can be; more entries than fit a u16 can't come from so few. */
export const nearSlots = 16_384;

/** Odd constants with well mixed bits (of xxHash). */
const prime = 0x9e3779b185ebca87n;
const prime2 = 0xc2b2ae3d27d4eb4fn;

/** The table's slot of a 64-bit key. Whole numbers as doubles differ in their high bits only, which a product does not carry down: they are folded in. */
const slotOf = (key: Expr, mask: Expr): Expr => and(wrap(shrU(mul(xor(key, shrU(key, c64(32))), c64(prime)), c64(32))), mask);

/** Values to the numbers of their dictionary entries, u16 each, adding entries as values are new. */
export function dictionaryKernels(module: WasmModule): void {
  numberValues(module);
  numberNear(module);
  numberTexts(module);
  rehash(module, "rehashLongs", 3);
  rehash(module, "rehashTexts", 4);
  const copy = copyFunction(module);
  module.func("expandLongs", [i32, i32, i32, i32], [], (f, [indices, n, entries, out]) => {
    const i = f.local(i32);
    forEach(f, i, n, () => f.store64(add(out, shl(i, c32(3))), load64(add(entries, shl(numberAt(indices, i), c32(3))))));
  });
  module.func("expandedBytes", [i32, i32, i32], [i32], (f, [indices, n, entries]) => {
    const i = f.local(i32);
    const sum = f.local(i32);
    forEach(f, i, n, () => advance(f, sum, add(load32(add(entries, shl(numberAt(indices, i), c32(4))), 12), c32(4))));
    f.return(sum);
  });
  module.func("expandTexts", [i32, i32, i32, i32, i32], [i32], (f, [indices, n, entries, area, out]) => {
    const i = f.local(i32);
    const entry = f.local(i32);
    const size = f.local(i32);
    forEach(f, i, n, () => {
      f.set(entry, add(entries, shl(numberAt(indices, i), c32(4))));
      f.set(size, add(load32(entry, 12), c32(4)));
      f.run(copy, out, add(area, load32(entry, 8)), size);
      advance(f, out, size);
    });
    f.return(out);
  });
}

/** Takes the first slot that is free, or whose entry is equal; a full dictionary ends the function with the number of values done. */
function findOrAdd(
  f: FunctionBuilder,
  words: {
    readonly block: Expr;
    readonly mask: Expr;
    readonly table: Expr;
    readonly count: Local;
    readonly slot: Local;
    readonly at: Local;
  },
  leaveIfEqual: (index: Expr, found: Label) => void,
  insert: () => void,
): void {
  const { block, mask, table, count, slot, at } = words;
  f.block((found) =>
    f.loop((again) => {
      f.set(at, load32(add(table, shl(slot, c32(2)))));
      f.if(eqz(at), () => {
        insert();
        f.set(count, add(count, c32(1)));
        f.set(at, count);
        f.store32(add(table, shl(slot, c32(2))), count);
        f.store32(block, count, DictionaryBlock.count);
        f.br(found);
      });
      leaveIfEqual(sub(at, c32(1)), found);
      f.set(slot, and(add(slot, c32(1)), mask));
      f.br(again);
    }),
  );
}

/** Answers how many values were done before the dictionary was full. */
function numberValues(module: WasmModule): void {
  module.func("numberLongs", [i32, i32, i32, i32], [i32], (f, [block, values, n, out]) => {
    const [i, mask, table, entries, count, most, slot, at] = [i32, i32, i32, i32, i32, i32, i32, i32].map((type) =>
      f.local(type as "i32"),
    ) as [Local, Local, Local, Local, Local, Local, Local, Local];
    const key = f.local(i64);
    loadBlock(f, block, { mask, table, entries, count, most });
    forEach(f, i, n, () => {
      f.set(key, load64(add(values, shl(i, c32(3)))));
      f.set(slot, slotOf(key, mask));
      findOrAdd(
        f,
        { block, mask, table, count, slot, at },
        (index, found) => f.brIf(found, eq(load64(add(entries, shl(index, c32(3)))), key)),
        () => {
          f.if(eq(count, most), () => f.return(i));
          f.store64(add(entries, shl(count, c32(3))), key);
        },
      );
      f.store16(add(out, shl(i, c32(1))), sub(at, c32(1)));
    });
    f.return(n);
  });
}

/**
 * Like `numberLongs`, of chosen rows, for integers near one another: a table of u16 (an entry's number + 1) by the value's distance from the block's `base`. Ends early
 * at a value outside of it too.
 */
function numberNear(module: WasmModule): void {
  module.func("numberNear", [i32, i32, i32, i32, i32], [i32], (f, [block, rows, n, values, out]) => {
    const [i, table, entries, count, most, at, slot] = Array.from({ length: 7 }, () => f.local(i32)) as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const [base, distance] = [f.local(i64), f.local(i64)];
    f.set(table, load32(block, DictionaryBlock.table));
    f.set(entries, load32(block, DictionaryBlock.entries));
    f.set(count, load32(block, DictionaryBlock.count));
    f.set(most, load32(block, DictionaryBlock.entriesMax));
    f.set(base, load64(block, DictionaryBlock.base));
    forEach(f, i, n, () => {
      f.set(distance, sub(load64(add(values, shl(u32At(rows, i), c32(3)))), base));
      f.if(geU(distance, c64(nearSlots)), () => f.return(i));
      f.set(slot, add(table, shl(wrap(distance), c32(1))));
      f.set(at, load16U(slot));
      f.if(eqz(at), () => {
        f.if(eq(count, most), () => f.return(i));
        f.store64(add(entries, shl(count, c32(3))), add(base, distance));
        f.set(count, add(count, c32(1)));
        f.set(at, count);
        f.store16(slot, count);
        f.store32(block, count, DictionaryBlock.count);
      });
      f.store16(add(out, shl(i, c32(1))), sub(at, c32(1)));
    });
    f.return(n);
  });
}

function loadBlock(
  f: FunctionBuilder,
  block: Expr,
  words: { readonly mask: Local; readonly table: Local; readonly entries: Local; readonly count: Local; readonly most: Local },
): void {
  f.set(words.mask, load32(block, DictionaryBlock.mask));
  f.set(words.table, load32(block, DictionaryBlock.table));
  f.set(words.entries, load32(block, DictionaryBlock.entries));
  f.set(words.count, load32(block, DictionaryBlock.count));
  f.set(words.most, load32(block, DictionaryBlock.entriesMax));
}

/** The key of an empty text or one of more than 8 bytes: a hash. That of a shorter one is its bytes, which with the length say all. */
function keyFunction(module: WasmModule): FunctionRef<readonly ["i32", "i32"]> {
  return module.func(null, [i32, i32] as const, [i64], (f, [from, length]) => {
    const key = f.local(i64);
    const last = f.local(i32);
    f.if(eqz(length), () => f.return(c64(0)));
    f.set(last, sub(add(from, length), c32(8)));
    f.set(key, mul(xor(extendU(length), load64(last)), c64(prime)));
    whileTrue(
      f,
      () => ltU(from, last),
      () => {
        f.set(key, rotl(mul(xor(key, load64(from)), c64(prime2)), c64(29)));
        advance(f, from, 8);
      },
    );
    f.return(key);
  });
}

/** Whether two texts of one length, more than 8, are equal. */
function equalFunction(module: WasmModule): FunctionRef<readonly ["i32", "i32", "i32"]> {
  return module.func(null, [i32, i32, i32] as const, [i32], (f, [a, b, length]) => {
    const last = f.local(i32);
    f.set(last, sub(length, c32(8)));
    f.if(ne(load64(add(a, last)), load64(add(b, last))), () => f.return(c32(0)));
    f.set(last, add(a, last));
    whileTrue(
      f,
      () => ltU(a, last),
      () => {
        f.if(ne(load64(a), load64(b)), () => f.return(c32(0)));
        advance(f, a, 8);
        advance(f, b, 8);
      },
    );
    f.return(c32(1));
  });
}

/** A slot's start: keys of short texts are their bytes, so that their lengths are mixed in. */
const textSlot = (key: Expr, length: Expr, mask: Expr): Expr => slotOf(xor(key, rotl(extendU(length), c64(56))), mask);

/** Answers how many rows were done before the dictionary, or its area, was full. */
function numberTexts(module: WasmModule): void {
  const keyOf = keyFunction(module);
  const isEqual = equalFunction(module);
  const copy = copyFunction(module);
  module.func("numberTexts", [i32, i32, i32, i32, i32, i32, i32], [i32], (f, [block, rows, n, base, starts, lengths, out]) => {
    const [i, mask, table, entries, count, most, slot, at, row, from, length, area, used, entry] = Array.from({ length: 14 }, () =>
      f.local(i32),
    ) as [Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local];
    const key = f.local(i64);
    const [before, start, same] = [f.local(i32), f.local(i32), f.local(i32)];
    loadBlock(f, block, { mask, table, entries, count, most });
    f.set(area, load32(block, DictionaryBlock.area));
    f.set(before, c32(-1));
    forEach(
      f,
      i,
      n,
      () =>
        f.block((done) => {
          f.set(row, u32At(rows, i));
          f.set(start, u32At(starts, row));
          f.set(same, length);
          f.set(length, u32At(lengths, row));
          // Constant columns have all their values in one place.
          f.brIf(done, and(eq(start, before), eq(length, same)));
          f.set(before, start);
          f.set(from, add(base, start));
          f.if(
            leU(sub(length, c32(1)), c32(7)),
            () => f.set(key, and(load64(from), shrU(c64(-1), extendU(shl(sub(c32(8), length), c32(3)))))),
            () => f.set(key, f.call(keyOf, from, length)),
          );
          f.set(slot, textSlot(key, length, mask));
          findOrAdd(
            f,
            { block, mask, table, count, slot, at },
            (index, found) => {
              f.set(entry, add(entries, shl(index, c32(4))));
              // Key and length are all of a short text; a long one's bytes are looked at only where those agree.
              f.if(and(eq(load64(entry), key), eq(load32(entry, 12), length)), () => {
                f.brIf(found, leU(length, c32(8)));
                f.brIf(found, f.call(isEqual, from, add(add(area, load32(entry, 8)), c32(4)), length));
              });
            },
            () => {
              f.if(eq(count, most), () => f.return(i));
              f.set(used, load32(block, DictionaryBlock.areaUsed));
              f.if(gtU(add(used, add(length, c32(4))), load32(block, DictionaryBlock.areaMax)), () => f.return(i));
              f.store32(add(area, used), length);
              f.run(copy, add(add(area, used), c32(4)), from, length);
              f.set(entry, add(entries, shl(count, c32(4))));
              f.store64(entry, key);
              f.store32(entry, used, 8);
              f.store32(entry, length, 12);
              f.store32(block, add(used, add(length, c32(4))), DictionaryBlock.areaUsed);
            },
          );
        }),
      () => f.store16(add(out, shl(i, c32(1))), sub(at, c32(1))),
    );
    f.return(n);
  });
}

/** Fills the block's (new, zeroed) table from its entries of 2^shift bytes. */
function rehash(module: WasmModule, name: string, shift: 3 | 4): void {
  module.func(name, [i32], [], (f, [block]) => {
    const [i, mask, table, entries, count, most, slot, entry] = Array.from({ length: 8 }, () => f.local(i32)) as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    loadBlock(f, block, { mask, table, entries, count, most });
    forEach(f, i, count, () => {
      f.set(entry, add(entries, shl(i, c32(shift))));
      f.set(slot, shift === 3 ? slotOf(load64(entry), mask) : textSlot(load64(entry), load32(entry, 12), mask));
      whileTrue(
        f,
        () => u32At(table, slot),
        () => f.set(slot, and(add(slot, c32(1)), mask)),
      );
      f.store32(add(table, shl(slot, c32(2))), add(i, c32(1)));
    });
  });
}
