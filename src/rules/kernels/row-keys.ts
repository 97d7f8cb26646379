import {
  add,
  and,
  c32,
  c64,
  cf64,
  ctz,
  eqz,
  gtU,
  leU,
  load32,
  load64,
  load8U,
  loadF64,
  loadV128,
  ltU,
  mul,
  ne,
  reinterpretI64,
  select,
  shl,
  shrU,
  sub,
  wrap,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import { i8x16, simd } from "../../wasm/simd.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { LocatedLayout } from "./located-layout.ts";
import { allOf, eachBlock, hasValue } from "./mask.ts";
import { spanAt } from "./text-mask.ts";

/** Where the keys of a rule's rows stand, as `ChunkKeys` has them. */
export interface KeyPlaces {
  readonly rule: number;
  /** i32: how many keys there are; below zero: they did not fit. */
  readonly count: number;
  readonly rows: number;
  readonly ends: number;
  readonly hashes: number;
  readonly words: number;
}

/** Words that a column's key takes at most; of texts, what there is room for on average. */
const wordsOfKind: Readonly<Partial<Record<ColumnLayout["kind"], number>>> = { boolean: 1, integer: 2, float: 2, decimal: 4, bytes: 9 };

/** Writes the words of one key, as `WordKeys` and `hashWords` do. */
class KeyWriter {
  readonly #f: FunctionBuilder;
  readonly #at: Local;
  readonly #hash: Local;

  constructor(f: FunctionBuilder, at: Local, hash: Local) {
    this.#f = f;
    this.#at = at;
    this.#hash = hash;
  }

  #word(value: Local): void {
    const f = this.#f;
    f.store32(this.#at, value);
    f.set(this.#at, add(this.#at, c32(4)));
    f.set(this.#hash, mul(xor(this.#hash, value), c32(0x85ebca6b)));
    f.set(this.#hash, xor(this.#hash, shrU(this.#hash, c32(15))));
  }

  #pair(value: Expr): void {
    const both = this.#f.local("i64");
    const word = this.#f.local("i32");
    this.#f.set(both, value);
    this.#f.set(word, wrap(both));
    this.#word(word);
    this.#f.set(word, wrap(shrU(both, c64(32))));
    this.#word(word);
  }

  #bytes(start: Local, length: Local): void {
    const f = this.#f;
    const word = f.local("i32");
    const left = f.local("i32");
    this.#word(length);
    f.set(left, length);
    f.loop((again) => {
      f.if(left, () => {
        f.set(word, load32(start));
        f.if(ltU(left, c32(4)), () => f.set(word, and(word, sub(shl(c32(1), shl(left, c32(3))), c32(1)))));
        this.#word(word);
        f.set(start, add(start, c32(4)));
        f.set(left, select(gtU(left, c32(4)), sub(left, c32(4)), c32(0)));
        f.br(again);
      });
    });
  }

  append(column: ColumnLayout, row: Local): void {
    const f = this.#f;
    const row8 = shl(row, c32(3));
    switch (column.kind) {
      case "boolean": {
        const word = f.local("i32");
        f.set(word, load8U(row, column.values));
        return this.#word(word);
      }
      case "integer":
        return this.#pair(load64(row8, column.exact));
      case "float": {
        const value = f.local("f64");
        f.set(value, add(loadF64(row8, column.values), cf64(0)));
        return this.#pair(select(ne(value, value), c64(0x7ff80000_00000000n), reinterpretI64(value)));
      }
      case "decimal":
        this.#pair(load64(shl(row, c32(4)), column.unscaled));
        return this.#pair(load64(shl(row, c32(4)), column.unscaled + 8));
      default: {
        const start = f.local("i32");
        const length = f.local("i32");
        const span = spanAt(column, row);
        f.set(start, span.start);
        f.set(length, span.length);
        this.#bytes(start, length);
      }
    }
  }
}

/** A kernel that writes the keys of the rows of a mask that have a value in every column; null where a column has no such key. */
export function writeKeys(
  kernels: KernelModule,
  rule: number,
  located: readonly LocatedLayout[],
  applying: number,
): { readonly places: KeyPlaces; write(f: FunctionBuilder): void } | null {
  if (located.length === 0 || located.some(({ column, lists }) => lists.length > 0 || wordsOfKind[column.kind] === undefined)) return null;
  const columns = located.map(({ column }) => column);
  const { rowsMax } = kernels;
  const wordsMax = columns.reduce((sum, { kind }) => sum + (wordsOfKind[kind] as number), 0) * rowsMax;
  const room = (words: number): number => kernels.allocate(words * 4);
  const places: KeyPlaces = {
    rule,
    count: room(1),
    rows: room(rowsMax),
    ends: room(rowsMax),
    hashes: room(rowsMax),
    words: room(wordsMax),
  };
  const fixed = columns.reduce((sum, { kind }) => sum + (kind === "bytes" ? 8 : (wordsOfKind[kind] as number) * 4), 0);
  const complete = allOf(...columns.map(hasValue));
  const write = (f: FunctionBuilder): void => {
    const at = f.local("i32");
    const key = f.local("i32");
    const bits = f.local("i32");
    const row = f.local("i32");
    const hash = f.local("i32");
    f.set(at, c32(places.words));
    f.set(key, c32(0));
    f.store32(places.count, c32(-1));
    eachBlock(f, kernels.rows, (block) => {
      f.set(bits, i8x16.bitmask(simd.and(complete.lanes(block), loadV128(block.cell, applying))));
      f.loop((again) => {
        f.if(bits, () => {
          f.set(row, add(block.cell, ctz(bits)));
          const size = columns
            .filter(({ kind }) => kind === "bytes")
            .reduce((sum, column) => add(sum, spanAt(column, row).length), c32(fixed));
          // Without room the reference makes the keys.
          f.if(eqz(leU(add(at, size), c32(places.words + wordsMax * 4))), () => f.return());
          f.set(hash, c32(0x811c9dc5));
          const writer = new KeyWriter(f, at, hash);
          for (const column of columns) writer.append(column, row);
          f.store32(key, row, places.rows);
          f.store32(key, shrU(sub(at, c32(places.words)), c32(2)), places.ends);
          f.store32(key, xor(mul(hash, c32(0xc2b2ae35)), shrU(hash, c32(13))), places.hashes);
          f.set(key, add(key, c32(4)));
          f.set(bits, and(bits, sub(bits, c32(1))));
          f.br(again);
        });
      });
    });
    f.store32(places.count, shrU(key, c32(2)));
  };
  return { places, write };
}
