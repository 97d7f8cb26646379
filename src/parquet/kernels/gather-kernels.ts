import { Cell } from "../../core/column.ts";
import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  c32,
  c64,
  demote,
  eq,
  extendU,
  gtS,
  leU,
  load32,
  load64,
  load8U,
  loadF64,
  loadV128,
  ltS,
  ltU,
  mul,
  ne,
  promote,
  select,
  shl,
  sub,
  wrap,
} from "../../wasm/expression.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { copyFunction } from "./copy-text.ts";
import { advance, forEach, whileTrue } from "./counting.ts";

const i32 = "i32";
const u32At = (base: Expr, index: Expr): Expr => load32(add(base, shl(index, c32(2))));

/** Values of chosen rows, one after the other: 8 bytes each (integers; doubles, also for floats), a byte (booleans), or what PLAIN pages hold. */
export function gatherKernels(module: WasmModule): void {
  gatherLongs(module);
  gatherTimes(module);
  module.func("gatherFlags", [i32, i32, i32, i32], [], (f, [rows, n, values, out]) => {
    const i = f.local(i32);
    forEach(f, i, n, () => f.store8(add(out, i), load8U(add(values, u32At(rows, i)))));
  });
  gatherFloats(module, "gatherDoubles", (value) => value);
  gatherFloats(module, "gatherSingles", (value) => promote(demote(value)));
  gatherWide(module);
  sumLengths(module);
  const copy = copyFunction(module);
  module.func("gatherTexts", [i32, i32, i32, i32, i32, i32], [i32], (f, [rows, n, base, starts, lengths, out]) => {
    const i = f.local(i32);
    const row = f.local(i32);
    const length = f.local(i32);
    forEach(f, i, n, () => {
      f.set(row, u32At(rows, i));
      f.set(length, u32At(lengths, row));
      f.store32(out, length);
      f.run(copy, add(out, c32(4)), add(base, u32At(starts, row)), length);
      advance(f, out, add(length, c32(4)));
    });
    f.return(out);
  });
}

/** Integers, 8 bytes each. */
function gatherLongs(module: WasmModule): void {
  module.func("gatherLongs", [i32, i32, i32, i32], [], (f, [rows, n, values, out]) => {
    const i = f.local(i32);
    const from = f.local(i32);
    // Mostly all rows of a stretch are chosen: four at a time.
    whileTrue(
      f,
      () => leU(add(i, c32(4)), n),
      () => {
        f.set(from, add(values, shl(u32At(rows, i), c32(3))));
        f.if(
          eq(sub(load32(add(rows, shl(i, c32(2))), 12), u32At(rows, i)), c32(3)),
          () => {
            f.storeV128(add(out, shl(i, c32(3))), loadV128(from));
            f.storeV128(add(out, shl(i, c32(3))), loadV128(from, 16), 16);
          },
          () => {
            for (let k = 0; k < 4; k++) {
              const row = load32(add(rows, shl(i, c32(2))), k * 4);
              f.store64(add(out, shl(i, c32(3))), load64(add(values, shl(row, c32(3)))), k * 8);
            }
          },
        );
        advance(f, i, 4);
      },
    );
    whileTrue(
      f,
      () => ltU(i, n),
      () => {
        f.store64(add(out, shl(i, c32(3))), load64(add(values, shl(u32At(rows, i), c32(3)))));
        advance(f, i, 1);
      },
    );
  });
  module.func("gatherDecimals", [i32, i32, i32, i32], [], (f, [rows, n, values, out]) => {
    const i = f.local(i32);
    forEach(f, i, n, () => f.store64(add(out, shl(i, c32(3))), load64(add(values, shl(u32At(rows, i), c32(4))))));
  });
}

/** Timestamps of records (milliseconds, -1 where there is none) as microseconds, with the state of each. */
function gatherTimes(module: WasmModule): void {
  module.func("gatherTimes", [i32, i32, i32, i32], [], (f, [times, n, states, out]) => {
    const i = f.local(i32);
    const time = f.local("i64");
    forEach(f, i, n, () => {
      f.set(time, load64(add(times, shl(i, c32(3)))));
      f.store64(add(out, shl(i, c32(3))), mul(time, c64(1000)));
      f.store8(add(states, i), select(ltS(time, c64(0)), c32(Cell.null), c32(Cell.value)));
    });
  });
}

/** Answers how many are NaN. */
function gatherFloats(module: WasmModule, name: string, round: (value: Expr) => Expr): void {
  module.func(name, [i32, i32, i32, i32], [i32], (f, [rows, n, values, out]) => {
    const i = f.local(i32);
    const nans = f.local(i32);
    const value = f.local("f64");
    forEach(f, i, n, () => {
      f.set(value, round(loadF64(add(values, shl(u32At(rows, i), c32(3))))));
      f.storeF64(add(out, shl(i, c32(3))), value);
      advance(f, nans, ne(value, value));
    });
    f.return(nans);
  });
}

/** The low `width` bytes of 16-byte little-endian values, big endian. */
function gatherWide(module: WasmModule): void {
  module.func("gatherWide", [i32, i32, i32, i32, i32], [], (f, [rows, n, values, width, out]) => {
    const i = f.local(i32);
    const from = f.local(i32);
    const left = f.local(i32);
    forEach(f, i, n, () => {
      f.set(from, add(values, shl(u32At(rows, i), c32(4))));
      f.set(left, width);
      whileTrue(
        f,
        () => left,
        () => {
          f.set(left, sub(left, c32(1)));
          f.store8(out, load8U(add(from, left)));
          advance(f, out, 1);
        },
      );
    });
  });
}

/** Bytes of the chosen rows' texts, and elements of their lists; the former saturates at 2^31 - 1. */
function sumLengths(module: WasmModule): void {
  module.func("sumElements", [i32, i32, i32], [i32], (f, [rows, n, offsets]) => {
    const i = f.local(i32);
    const at = f.local(i32);
    const sum = f.local(i32);
    forEach(f, i, n, () => {
      f.set(at, add(offsets, shl(u32At(rows, i), c32(2))));
      advance(f, sum, sub(load32(at, 4), load32(at)));
    });
    f.return(sum);
  });
  module.func("sumLengths", [i32, i32, i32], [i32], (f, [rows, n, lengths]) => {
    const i = f.local(i32);
    const sum = f.local("i64");
    forEach(f, i, n, () => f.set(sum, add(sum, extendU(u32At(lengths, u32At(rows, i))))));
    f.if(gtS(sum, c64(0x7fffffff)), () => f.return(c32(0x7fffffff)));
    f.return(wrap(sum));
  });
}
