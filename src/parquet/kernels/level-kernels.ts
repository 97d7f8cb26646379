import { Cell } from "../../core/column.ts";
import type { Expr } from "../../wasm/expression.ts";
import { add, c32, eq, eqz, geU, gtU, load32, load8U, loadV128, ne, shl, sub } from "../../wasm/expression.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { simd } from "../../wasm/simd.ts";
import { advance, forEach, whileTrue } from "./counting.ts";

const i32 = "i32";
const u32At = (base: Expr, index: Expr): Expr => load32(add(base, shl(index, c32(2))));

/**
 * Definition and repetition levels of rows (Dremel's, as Parquet has them). Rows are u32 arrays of row numbers; levels a byte a slot. A slot whose
 * level says that it is absent has any row number.
 */
export function levelKernels(module: WasmModule): void {
  firstAbsent(module);
  presentRows(module);
  deepen(module);
  presentSlots(module);
  spread(module);
}

/** The first of `n` rows without a value, or `n`; where `levels` is not 0, only slots of level `level` count. */
function firstAbsent(module: WasmModule): void {
  module.func("firstAbsent", [i32, i32, i32, i32, i32], [i32], (f, [rows, n, state, levels, level]) => {
    const i = f.local(i32);
    // Stretches of sixteen rows that all have a value; the first other row is looked for by itself.
    f.block((out) =>
      f.loop((again) => {
        f.brIf(out, gtU(add(i, c32(16)), n));
        f.brIf(out, ne(sub(load32(add(rows, shl(i, c32(2))), 60), u32At(rows, i)), c32(15)));
        f.brIf(out, simd.anyTrue(loadV128(add(state, u32At(rows, i)))));
        advance(f, i, 16);
        f.br(again);
      }),
    );
    f.block((out) =>
      f.loop((again) => {
        f.brIf(out, geU(i, n));
        f.if(ne(load8U(add(state, u32At(rows, i))), c32(Cell.value)), () => {
          f.if(eqz(levels), () => f.return(i));
          f.if(eq(load8U(add(levels, i)), level), () => f.return(i));
        });
        advance(f, i, 1);
        f.br(again);
      }),
    );
    f.return(n);
  });
}

/** Of rows of a top-level column: writes level 0 or 1 each, and the rows that hold a value; answers how many do. */
function presentRows(module: WasmModule): void {
  module.func("presentRows", [i32, i32, i32, i32, i32], [i32], (f, [rows, n, state, levels, out]) => {
    const i = f.local(i32);
    const count = f.local(i32);
    const row = f.local(i32);
    const has = f.local(i32);
    forEach(f, i, n, () => {
      f.set(row, u32At(rows, i));
      f.set(has, eqz(load8U(add(state, row))));
      f.store8(add(levels, i), has);
      f.store32(add(out, shl(count, c32(2))), row);
      advance(f, count, has);
    });
    f.return(count);
  });
}

/** Slots of level `level` go one level deeper where their row holds a value. */
function deepen(module: WasmModule): void {
  module.func("deepen", [i32, i32, i32, i32, i32], [], (f, [rows, n, levels, state, level]) => {
    const i = f.local(i32);
    forEach(f, i, n, () => {
      f.if(eq(load8U(add(levels, i)), level), () => {
        f.store8(add(levels, i), add(level, eqz(load8U(add(state, u32At(rows, i))))));
      });
    });
  });
}

/** Writes the rows of the slots of level `level`; answers how many there are. */
function presentSlots(module: WasmModule): void {
  module.func("presentSlots", [i32, i32, i32, i32, i32], [i32], (f, [rows, n, levels, level, out]) => {
    const i = f.local(i32);
    const count = f.local(i32);
    forEach(f, i, n, () => {
      f.store32(add(out, shl(count, c32(2))), u32At(rows, i));
      advance(f, count, eq(load8U(add(levels, i)), level));
    });
    f.return(count);
  });
}

/**
 * The slots of a list's elements: those of level `level` become one slot an element, a level deeper, or stay one slot where the list is empty; the
 * others stay. Repetition levels: the list's own for its first element, `repeated` for the rest. Answers the number of slots.
 */
function spread(module: WasmModule): void {
  module.func(
    "spread",
    [i32, i32, i32, i32, i32, i32, i32, i32, i32, i32],
    [i32],
    (f, [rows, n, levels, repetitions, offsets, level, repeated, outRows, outLevels, outRepetitions]) => {
      const i = f.local(i32);
      const count = f.local(i32);
      const element = f.local(i32);
      const end = f.local(i32);
      const own = f.local(i32);
      const repetition = f.local(i32);
      forEach(f, i, n, () => {
        f.set(own, load8U(add(levels, i)));
        f.set(repetition, load8U(add(repetitions, i)));
        f.set(element, c32(0));
        f.set(end, c32(0));
        f.if(eq(own, level), () => {
          f.set(element, u32At(offsets, u32At(rows, i)));
          f.set(end, load32(add(offsets, shl(u32At(rows, i), c32(2))), 4));
        });
        f.if(
          eq(element, end),
          () => {
            f.store32(add(outRows, shl(count, c32(2))), c32(0));
            f.store8(add(outLevels, count), own);
            f.store8(add(outRepetitions, count), repetition);
            advance(f, count, 1);
          },
          () =>
            whileTrue(
              f,
              () => ne(element, end),
              () => {
                f.store32(add(outRows, shl(count, c32(2))), element);
                f.store8(add(outLevels, count), add(level, c32(1)));
                f.store8(add(outRepetitions, count), repetition);
                f.set(repetition, repeated);
                advance(f, count, 1);
                advance(f, element, 1);
              },
            ),
        );
      });
      f.return(count);
    },
  );
}
