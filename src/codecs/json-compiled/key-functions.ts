import {
  add,
  and,
  c32,
  c64,
  ctz,
  eq,
  eqz,
  extendU,
  geU,
  load32,
  load64,
  load8U,
  loadV128,
  ltU,
  mul,
  ne,
  or,
  rotl,
  select,
  shl,
  shrU,
  sub,
  wrap,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i8x16 } from "../../wasm/simd.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { columnRecord, keyHashing } from "./column-records.ts";
import { cell, unknownSlots, type DecoderMemory } from "./decoder-memory.ts";
import { specialBytes, type TextFunctions } from "./text-functions.ts";

/** Unknown keys of one record that are kept to find duplicates. */
const unknownKeysMax = (unknownSlots * 3) / 4;
/** Slots that are looked at for one unknown key: keys made to collide are the reference's. */
const probesMax = 64;

/** (key, length): the hash that `keyHash` gives. */
export function emitKeyHash(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32], [i32], (f, [key, length]) => {
    const first = f.local(i64);
    f.set(first, load64(key));
    f.if(
      ltU(length, c32(8)),
      () => f.set(first, and(first, sub(shl(c64(1), extendU(shl(length, c32(3)))), c64(1)))),
      () => f.set(first, xor(first, rotl(load64(sub(add(key, length), c32(8))), c64(keyHashing.rotate)))),
    );
    f.return(wrap(shrU(mul(add(first, extendU(length)), c64(keyHashing.multiplier)), c64(keyHashing.shift))));
  });
}

/** (record, key, length): the record of the object's field with that key, or 0. */
export function emitFind(m: WasmModule, hash: FunctionRef, same: FunctionRef): FunctionRef {
  return m.func(null, [i32, i32, i32], [i32], (f, [record, key, length]) => {
    const slot = f.local(i32);
    const mask = f.local(i32);
    const field = f.local(i32);
    f.set(mask, load32(record, columnRecord.slotMask));
    f.set(slot, f.call(hash, key, length));
    f.loop((again) => {
      f.set(slot, and(slot, mask));
      f.set(field, load32(add(load32(record, columnRecord.slots), shl(slot, c32(2)))));
      f.if(eqz(field), () => f.return(c32(0)));
      f.if(eq(load32(field, columnRecord.keyLength), length), () => {
        f.if(f.call(same, load32(field, columnRecord.keyText), key, length), () => f.return(field));
      });
      f.set(slot, add(slot, c32(1)));
      f.br(again);
    });
  });
}

/** (stamp, key, length): notes an unknown key of the object instance `stamp`; 0 where it was there, or there is no room. */
export function emitNoteUnknown(m: WasmModule, memory: DecoderMemory, hash: FunctionRef, same: FunctionRef): FunctionRef {
  const count = memory.cells + cell.unknownKeys;
  return m.func(null, [i32, i32, i32], [i32], (f, [stamp, key, length]) => {
    const slot = f.local(i32);
    const at = f.local(i32);
    const owner = f.local(i32);
    const left = f.local(i32);
    f.set(left, c32(probesMax));
    f.if(geU(load32(count), c32(unknownKeysMax)), () => f.return(c32(0)));
    f.store32(count, add(load32(count), c32(1)));
    f.set(slot, add(f.call(hash, key, length), mul(stamp, c32(0x9e37))));
    f.loop((again) => {
      f.set(at, add(shl(and(slot, c32(unknownSlots - 1)), c32(4)), c32(memory.unknown)));
      f.set(owner, load32(at));
      f.if(ltU(owner, load32(memory.cells + cell.rowStamp)), () => {
        f.store32(at, stamp);
        f.store32(at, key, 4);
        f.store32(at, length, 8);
        f.return(c32(1));
      });
      f.if(and(eq(owner, stamp), eq(load32(at, 8), length)), () => {
        f.if(f.call(same, load32(at, 4), key, length), () => f.return(c32(0)));
      });
      f.set(slot, add(slot, c32(1)));
      f.brIf(again, f.tee(left, sub(left, c32(1))));
    });
    f.return(c32(0));
  });
}

interface KeyLocals {
  readonly record: Local;
  /** Where the key's text begins. */
  readonly key: Local;
  /** The record of the field that it names, or 0. */
  readonly field: Local;
  readonly p: Local;
  readonly end: Local;
  readonly length: Local;
  readonly word: Local;
  readonly bytes: Local;
}

/** Reads the key whose quote is at p, and finds its field: short plain keys in line. `p` is behind its closing quote then. */
export function emitKey(f: FunctionBuilder, text: TextFunctions, find: FunctionRef, l: KeyLocals): void {
  const { record, key, field, p, end, length, word, bytes } = l;
  f.set(key, add(p, c32(1)));
  f.block((found) => {
    f.set(bytes, loadV128(key));
    f.set(length, ctz(or(specialBytes(bytes, bytes), c32(0x10000))));
    f.if(eq(load8U(add(key, length)), c32(0x22)), () => {
      f.set(p, add(add(key, length), c32(1)));
      // The hash of `emitKeyHash`, without a branch.
      f.set(word, load64(key));
      const short = and(word, sub(shl(c64(1), extendU(shl(length, c32(3)))), c64(1)));
      const long = xor(word, rotl(load64(sub(add(key, length), c32(8))), c64(keyHashing.rotate)));
      f.set(word, add(select(ltU(length, c32(8)), short, long), extendU(length)));
      f.set(field, wrap(shrU(mul(word, c64(keyHashing.multiplier)), c64(keyHashing.shift))));
      const slot = and(field, load32(record, columnRecord.slotMask));
      f.set(field, load32(add(load32(record, columnRecord.slots), shl(slot, c32(2)))));
      const differing = i8x16.bitmask(i8x16.ne(bytes, loadV128(field, columnRecord.keyHead)));
      const same = eqz(and(differing, sub(shl(c32(1), length), c32(1))));
      f.brIf(found, and(ne(field, c32(0)), and(eq(load32(field, columnRecord.keyLength), length), same)));
      f.set(field, f.call(find, record, key, length));
      f.br(found);
    });
    f.set(p, f.call(text.text, key, end));
    // Keys with escapes are the reference's.
    f.if(or(eqz(p), text.escaped), () => f.return(c32(0)));
    f.set(field, f.call(find, record, key, sub(sub(p, c32(1)), key)));
  });
}
