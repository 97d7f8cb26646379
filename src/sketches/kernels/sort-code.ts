import { add, and, c32, c64, geU, gt, load32, load64, loadF64, ne, or, shl, shrS, shrU, sub, wrap, xor } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { samplesMax } from "../column-state.ts";

const digits = 8;
const bucketBytes = 256 * 4;
const countersBytes = digits * bucketBytes;

/** Bytes that `emitSort` works in. */
export const sortBytes = countersBytes + samplesMax * 8;

/**
 * (numbers, count): sorts at most `samplesMax` doubles, none NaN or -0, ascending: by bytes from the lowest, leaving out those that all have in
 * common. The host would take four times as long. `work` holds the address of `sortBytes`.
 */
export function emitSort(m: WasmModule, work: Global): FunctionRef {
  const isAscending = emitIsAscending(m);
  return m.func(null, [i32, i32], [], (f, [numbers, count]) => {
    const [from, to, end, at, spare] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
    const key = f.local(i64);
    f.if(f.call(isAscending, numbers, count), () => f.return());
    f.set(from, numbers);
    f.set(to, add(work, c32(countersBytes)));
    tallyDigits(f, numbers, count, work, key);
    for (let digit = 0; digit < digits; digit++) {
      const counters = digit * bucketBytes;
      const bucket = (): void => f.set(spare, add(work, shl(and(wrap(shrU(key, c64(8 * digit))), c32(255)), c32(2))));
      f.set(key, load64(from));
      bucket();
      f.if(ne(load32(spare, counters), count), () => {
        placeBuckets(f, work, counters);
        f.set(at, from);
        f.set(end, add(from, shl(count, c32(3))));
        f.loop((again) => {
          f.set(key, load64(at));
          bucket();
          const place = load32(spare, counters);
          f.store64(add(to, shl(place, c32(3))), key);
          f.store32(spare, add(place, c32(1)), counters);
          f.set(at, add(at, c32(8)));
          f.brIf(again, ne(at, end));
        });
        f.set(spare, from);
        f.set(from, to);
        f.set(to, spare);
      });
    }
    restore(f, from, numbers, count, key);
  });
}

function emitIsAscending(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32], [i32], (f, [numbers, count]) => {
    const end = f.local(i32);
    f.set(end, add(numbers, shl(sub(count, c32(1)), c32(3))));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(numbers, end));
        f.if(gt(loadF64(numbers), loadF64(numbers, 8)), () => f.return(c32(0)));
        f.set(numbers, add(numbers, c32(8)));
        f.br(again);
      });
    });
    f.return(c32(1));
  });
}

/** Makes the numbers words that order as they do, unsigned, and counts each of their bytes. */
function tallyDigits(f: FunctionBuilder, numbers: Local, count: Local, work: Global, key: Local): void {
  const [at, end, address] = [f.local(i32), f.local(i32), f.local(i32)];
  f.memoryFill(work, 0, c32(countersBytes));
  f.set(at, numbers);
  f.set(end, add(numbers, shl(count, c32(3))));
  f.loop((again) => {
    f.set(key, load64(at));
    // Negative numbers order the other way round, and before the others.
    f.set(key, xor(key, or(shrS(key, c64(63)), c64(1n << 63n))));
    f.store64(at, key);
    for (let digit = 0; digit < digits; digit++) {
      f.set(address, add(work, shl(and(wrap(shrU(key, c64(8 * digit))), c32(255)), c32(2))));
      f.store32(address, add(load32(address, digit * bucketBytes), c32(1)), digit * bucketBytes);
    }
    f.set(at, add(at, c32(8)));
    f.brIf(again, ne(at, end));
  });
}

/** Makes counts of a digit the places where its buckets begin. */
function placeBuckets(f: FunctionBuilder, work: Global, counters: number): void {
  const [at, end, place, size] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
  f.set(at, work);
  f.set(end, add(work, c32(bucketBytes)));
  f.set(place, c32(0));
  f.loop((again) => {
    f.set(size, load32(at, counters));
    f.store32(at, place, counters);
    f.set(place, add(place, size));
    f.set(at, add(at, c32(4)));
    f.brIf(again, ne(at, end));
  });
}

/** Makes ordered words numbers again, where they came from. */
function restore(f: FunctionBuilder, from: Local, numbers: Local, count: Local, key: Local): void {
  const end = f.local(i32);
  f.set(end, add(from, shl(count, c32(3))));
  f.loop((again) => {
    f.set(key, load64(from));
    f.store64(numbers, xor(key, or(shrS(xor(key, c64(-1)), c64(63)), c64(1n << 63n))));
    f.set(from, add(from, c32(8)));
    f.set(numbers, add(numbers, c32(8)));
    f.brIf(again, ne(from, end));
  });
}
