import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  and,
  c32,
  eq,
  eqz,
  geU,
  gtU,
  leU,
  load16U,
  load32,
  load64,
  loadV128,
  ltU,
  mul,
  ne,
  or,
  popcnt,
  select,
  shl,
  shrU,
  sub,
  wrap,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32x4, splat32 } from "../../wasm/simd.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import type { StateShape } from "../column-state.ts";
import { Head } from "../column-state.ts";
import { cutMax, drawBits, probesMax } from "../count-table.ts";
import { c64 } from "../../wasm/expression.ts";

/** The value of a u32 of a state's head. */
export function headOf(state: Expr, place: number): Expr {
  return load32(state, 4 * place);
}

/** Sets a u32 of a state's head. */
export function setHead(f: FunctionBuilder, state: Expr, place: number, value: Expr): void {
  f.store32(state, value, 4 * place);
}

/** The slot where the search for a key begins: `slotOf`. */
export function slotCode(key: Expr, shape: StateShape): Expr {
  const folded = wrap(xor(key, shrU(key, c64(32))));
  return shrU(mul(folded, c32(0x9e3779b1)), c32(1 + Math.clz32(shape.slotCount)));
}

/** `drawEntry`: 1 for one of eight calls. `seed` is a spare local. */
function drawCode(f: FunctionBuilder, state: Local, seed: Local): Expr {
  f.set(seed, add(mul(headOf(state, Head.seed), c32(1_664_525)), c32(1_013_904_223)));
  setHead(f, state, Head.seed, seed);
  return eqz(shrU(seed, c32(32 - drawBits)));
}

/** The number of the entry in a slot, from 1; 0: free. */
export function numberIn(state: Expr, slot: Expr, shape: StateShape): Expr {
  return load16U(add(state, shl(slot, c32(1))), shape.slots);
}

/** The key of the entry of a number. */
export function keyOf(state: Expr, number: Expr, shape: StateShape): Expr {
  return load64(add(state, shl(number, c32(3))), shape.keys - 8);
}

/** Adds one to an entry's count. `address` is a spare local. */
export function countAgain(f: FunctionBuilder, state: Expr, number: Expr, shape: StateShape, address: Local): void {
  f.set(address, add(state, shl(number, c32(2))));
  f.store32(address, add(load32(address, shape.counts - 4), c32(1)), shape.counts - 4);
}

/** What a search gives where every probed slot is taken. */
const blocked = -0x8000_0000;

interface SeekLocals {
  readonly state: Local;
  readonly key: Local;
  /** Where the search begins; it moves. */
  readonly slot: Local;
  readonly found: Local;
  /** Spare. */
  readonly number: Local;
  readonly probe: Local;
}

/** Code that sets `found` to the number of a key's entry, from 1; or to the free slot where it would stand, less 2^31 - 1; or to `blocked`. */
export function seekEntry(f: FunctionBuilder, { state, key, slot, found, number, probe }: SeekLocals, shape: StateShape): void {
  f.set(probe, c32(probesMax));
  f.set(found, c32(blocked));
  f.block((out) => {
    f.loop((again) => {
      f.set(number, numberIn(state, slot, shape));
      f.if(eqz(number), () => {
        f.set(found, add(slot, c32(blocked + 1)));
        f.br(out);
      });
      f.if(eq(keyOf(state, number, shape), key), () => {
        f.set(found, number);
        f.br(out);
      });
      f.set(slot, and(add(slot, c32(1)), c32(shape.slotCount - 1)));
      f.set(probe, sub(probe, c32(1)));
      f.brIf(again, probe);
    });
  });
}

/** (state, key, first slot): what `seekEntry` finds. */
export function emitSeek(m: WasmModule, shape: StateShape): FunctionRef {
  return m.func(null, [i32, i64, i32], [i32], (f, [state, key, slot]) => {
    const found = f.local(i32);
    seekEntry(f, { state, key, slot, found, number: f.local(i32), probe: f.local(i32) }, shape);
    f.return(found);
  });
}

/** Appends an entry with count 1 in the free slot that a search found; leaves its number. The caller fills its other parts. */
function insertEntry(f: FunctionBuilder, state: Local, key: Expr, found: Local, number: Local, shape: StateShape): void {
  f.set(number, add(headOf(state, Head.size), c32(1)));
  setHead(f, state, Head.size, number);
  f.store16(add(state, shl(sub(found, c32(blocked + 1)), c32(1))), number, shape.slots);
  f.store64(add(state, shl(number, c32(3))), key, shape.keys - 8);
  f.store32(add(state, shl(number, c32(2))), c32(1), shape.counts - 4);
}

/** What makes room in a table, and finds where a key then stands. */
export interface TableFunctions {
  readonly seek: FunctionRef;
  readonly purge: FunctionRef;
  /** The host's `startStreaming`. */
  readonly start: FunctionRef;
}

/**
 * Decides about an entry for a key that the table does not hold, and inserts it where it may: the same steps as in the reference. `found` is
 * what the search for it gave, `full` whether there is no room. The function returns here, 1 if streaming began with the key, or goes on
 * with `number` as the new entry's.
 */
export function admitEntry(
  f: FunctionBuilder,
  locals: { state: Local; key: Local; slot: Local; found: Local; full: Local; started: Local; number: Local },
  shape: StateShape,
  { seek, purge, start }: TableFunctions,
): void {
  const { state, key, slot, found, full, started, number } = locals;
  f.if(
    headOf(state, Head.streaming),
    () => {
      f.if(eqz(drawCode(f, state, number)), () => f.return(c32(0)));
      f.if(full, () => {
        f.run(purge, state);
        f.set(found, f.call(seek, state, key, slot));
      });
    },
    () =>
      f.if(or(full, eq(found, c32(blocked))), () => {
        f.run(start, state);
        f.set(started, c32(1));
        f.set(found, f.call(seek, state, key, slot));
      }),
  );
  f.if(eq(found, c32(blocked)), () => {
    setHead(f, state, Head.error, add(headOf(state, Head.error), c32(2 ** drawBits)));
    f.return(started);
  });
  insertEntry(f, state, key, found, number, shape);
}

/** (state): `purge` of `count-table.ts`. `tally` holds the address of 512 bytes. */
export function emitPurge(m: WasmModule, shape: StateShape, tally: Global): FunctionRef {
  const cutOf = emitCut(m, shape, tally);
  const drop = emitDrop(m, shape);
  const rebuild = emitRebuild(m, shape);
  return m.func(null, [i32], [], (f, [state]) => {
    const target = f.local(i32);
    const size = f.local(i32);
    const cut = f.local(i32);
    setHead(f, state, Head.purges, add(headOf(state, Head.purges), c32(1)));
    f.set(size, headOf(state, Head.size));
    f.set(target, lesser(c32(shape.entriesKept), shrU(size, c32(1))));
    f.loop((again) => {
      f.set(cut, f.call(cutOf, state, size, lesser(target, shrU(size, c32(1)))));
      setHead(f, state, Head.error, add(headOf(state, Head.error), cut));
      f.run(drop, state, size, cut);
      f.set(size, headOf(state, Head.size));
      f.brIf(again, or(gtU(size, target), gtU(headOf(state, Head.stored), c32(shape.storeBytes >>> 1))));
    });
    f.run(rebuild, state, size);
  });
}

function lesser(a: Expr, b: Expr): Expr {
  return select(ltU(a, b), a, b);
}

/** (state, size, kept): the largest count up to `cutMax` that more than `kept` of the counts reach. */
function emitCut(m: WasmModule, shape: StateShape, tally: Global): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [state, size, kept]) => {
    const at = f.local(i32);
    const end = f.local(i32);
    const ones = f.local(i32);
    const reached = f.local(i32);
    const cut = f.local(i32);
    const address = f.local(i32);
    // Most often nearly all counts are 1, which spares the tally.
    f.set(at, state);
    f.set(end, add(state, shl(and(size, c32(-4)), c32(2))));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, eq(at, end));
        f.set(ones, add(ones, popcnt(i32x4.bitmask(i32x4.eq(loadV128(at, shape.counts), splat32(c32(1)))))));
        f.set(at, add(at, c32(16)));
        f.br(again);
      });
    });
    f.set(end, add(state, shl(size, c32(2))));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, eq(at, end));
        f.set(ones, add(ones, eq(load32(at, shape.counts), c32(1))));
        f.set(at, add(at, c32(4)));
        f.br(again);
      });
    });
    f.if(leU(sub(size, ones), kept), () => f.return(c32(1)));
    f.memoryFill(tally, 0, c32(2 * (cutMax + 1)));
    f.set(at, state);
    f.loop((again) => {
      f.set(cut, load32(at, shape.counts));
      f.set(address, add(tally, shl(lesser(cut, c32(cutMax)), c32(1))));
      f.store16(address, add(load16U(address), c32(1)));
      f.set(at, add(at, c32(4)));
      f.brIf(again, ne(at, end));
    });
    f.set(cut, c32(cutMax));
    f.loop((again) => {
      f.set(reached, add(reached, load16U(add(tally, shl(cut, c32(1))))));
      f.if(gtU(reached, kept), () => f.return(cut));
      f.set(cut, sub(cut, c32(1)));
      f.brIf(again, gtU(cut, c32(1)));
    });
    f.return(c32(1));
  });
}

/** (state, size, cut): keeps the entries whose count is above `cut`, in their order, lessened by it. */
function emitDrop(m: WasmModule, shape: StateShape): FunctionRef {
  return m.func(null, [i32, i32, i32], [], (f, [state, size, cut]) => {
    const count = f.local(i32);
    const stored = f.local(i32);
    const span = f.local(i32);
    // Addresses of an entry's u32 and u64 parts, less the part's place in the state.
    const from4 = f.local(i32);
    const from8 = f.local(i32);
    const to4 = f.local(i32);
    const to8 = f.local(i32);
    const end = f.local(i32);
    for (const each of [from4, from8, to4, to8]) f.set(each, state);
    f.set(end, add(state, shl(size, c32(2))));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, eq(from4, end));
        f.set(count, load32(from4, shape.counts));
        f.if(gtU(count, cut), () => {
          f.store32(to4, sub(count, cut), shape.counts);
          f.store64(to8, load64(from8, shape.keys), shape.keys);
          if (shape.storeBytes > 0) {
            f.store64(to8, load64(from8, shape.hashes), shape.hashes);
            f.store32(to4, load32(from4, shape.points), shape.points);
            f.set(span, load32(from4, shape.spans));
            const length = and(span, c32(0xffff));
            f.memoryCopy(add(add(state, c32(shape.store)), stored), add(add(state, c32(shape.store)), shrU(span, c32(16))), length);
            f.store32(to4, or(shl(stored, c32(16)), length), shape.spans);
            f.set(stored, add(stored, length));
          }
          f.set(to4, add(to4, c32(4)));
          f.set(to8, add(to8, c32(8)));
        });
        f.set(from4, add(from4, c32(4)));
        f.set(from8, add(from8, c32(8)));
        f.br(again);
      });
    });
    setHead(f, state, Head.size, shrU(sub(to4, state), c32(2)));
    setHead(f, state, Head.stored, stored);
  });
}

/** (state, size): puts every entry into a slot again, in their order. */
function emitRebuild(m: WasmModule, shape: StateShape): FunctionRef {
  return m.func(null, [i32, i32], [], (f, [state, size]) => {
    const number = f.local(i32);
    const slot = f.local(i32);
    const key = f.local(i64);
    f.memoryFill(add(state, c32(shape.slots)), 0, c32(2 * shape.slotCount));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(number, size));
        f.set(number, add(number, c32(1)));
        f.set(key, keyOf(state, number, shape));
        f.set(slot, slotCode(key, shape));
        f.block((free) => {
          f.loop((taken) => {
            f.brIf(free, eqz(numberIn(state, slot, shape)));
            f.set(slot, and(add(slot, c32(1)), c32(shape.slotCount - 1)));
            f.br(taken);
          });
        });
        f.store16(add(state, shl(slot, c32(1))), number, shape.slots);
        f.br(again);
      });
    });
  });
}
