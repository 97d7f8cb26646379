import { Cell } from "../../core/column.ts";
import { add, c128, c32, eqz, load32, load8U, loadV128, ltU, shl, sub, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import { i16x8, i8x16, simd, splat8 } from "../../wasm/simd.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { LocatedLayout } from "./located-layout.ts";

/** Sixteen cells of a column: the number of the first, and eight times that. */
export interface Block {
  readonly f: FunctionBuilder;
  readonly cell: Local;
  readonly cell8: Local;
}

/** A yes or no for each cell of a column (or each row). */
export interface Mask {
  /** Writes what must run before, once a chunk. */
  prepare(f: FunctionBuilder): void;
  /** Sixteen cells: a lane of ones where it is yes. Lanes behind the last cell may be anything. */
  lanes(block: Block): Expr;
}

/** A test of one cell: writes statements, answers an i32 that is 0 or 1. The cell has a value. */
export type CellTest = (f: FunctionBuilder, cell: Local) => Expr;

const nothing = (): void => {};
const ones = new Uint8Array(16).fill(255);

export const always: Mask = { prepare: nothing, lanes: () => c128(ones) };
export const never: Mask = { prepare: nothing, lanes: () => c128(new Uint8Array(16)) };

/** A mask that needs nothing before. */
export function lanesOnly(lanes: (block: Block) => Expr): Mask {
  return { prepare: nothing, lanes };
}

function join(masks: readonly Mask[], op: (a: Expr, b: Expr) => Expr, none: Mask): Mask {
  const [first, ...rest] = masks;
  if (first === undefined) return none;
  return {
    prepare: (f) => masks.forEach((mask) => mask.prepare(f)),
    lanes: (block) => rest.reduce((left, mask) => op(left, mask.lanes(block)), first.lanes(block)),
  };
}

/** Where all are yes. */
export function allOf(...masks: readonly Mask[]): Mask {
  return join(masks, simd.and, always);
}

/** Where any is yes. */
export function anyOf(...masks: readonly Mask[]): Mask {
  return join(masks, simd.or, never);
}

/** Yes where the other is no. */
export function not(mask: Mask): Mask {
  return { prepare: (f) => mask.prepare(f), lanes: (block) => simd.not(mask.lanes(block)) };
}

/** A mask that stands in memory. */
export function maskAt(address: number): Mask {
  return lanesOnly(({ cell }) => loadV128(cell, address));
}

const stateLanes = (column: ColumnLayout, { cell }: Block): Expr => loadV128(cell, column.state);

/** Cells of one state. */
export function inState(column: ColumnLayout, state: number): Mask {
  return lanesOnly((block) => i8x16.eq(stateLanes(column, block), splat8(c32(state))));
}

/** Cells that have a value. */
export function hasValue(column: ColumnLayout): Mask {
  return inState(column, Cell.value);
}

/** Null or missing cells. */
export function isAbsent(column: ColumnLayout): Mask {
  // Both states follow each other, behind that of a value.
  return lanesOnly((block) =>
    i8x16.leU(i8x16.sub(stateLanes(column, block), splat8(c32(Cell.null))), splat8(c32(Cell.missing - Cell.null))),
  );
}

/**
 * One answer for each pair of 64-bit values, of one column or two: a lane of ones for yes. Cells without a value are judged too, as zero.
 */
export function wideLanes(addresses: readonly number[], test: (...values: Local[]) => Expr): Mask {
  const word = (a: Expr, b: Expr): Expr => simd.shuffle(a, b, [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]);
  return lanesOnly(({ f, cell8 }) => {
    const values = addresses.map(() => f.local("v128"));
    const judged = Array.from({ length: 8 }, (_, pair) => {
      const out = f.local("v128");
      for (const [i, value] of values.entries()) f.set(value, loadV128(cell8, (addresses[i] as number) + pair * 16));
      f.set(out, test(...values));
      return out;
    });
    const at = (i: number): Expr => judged[i] as Expr;
    const low = i16x8.narrowS(word(at(0), at(1)), word(at(2), at(3)));
    return i8x16.narrowS(low, i16x8.narrowS(word(at(4), at(5)), word(at(6), at(7))));
  });
}

/** Runs `step` for each block of `count` cells. */
export function eachBlock(f: FunctionBuilder, count: Expr, step: (block: Block) => void): void {
  const cell = f.local("i32");
  const cell8 = f.local("i32");
  const end = f.local("i32");
  f.set(end, count);
  f.set(cell, c32(0));
  f.block((done) => {
    f.loop((again) => {
      f.brIf(done, eqz(ltU(cell, end)));
      f.set(cell8, shl(cell, c32(3)));
      step({ f, cell, cell8 });
      f.set(cell, add(cell, c32(16)));
      f.br(again);
    });
  });
}

/** The same rows, worked out once a chunk however often they are asked for. */
export function stored(kernels: KernelModule, rows: Mask): Mask {
  const address = kernels.workMask(kernels.rowsMax);
  let written = false;
  return {
    prepare(f) {
      if (written) return;
      written = true;
      rows.prepare(f);
      eachBlock(f, kernels.rows, (block) => f.storeV128(block.cell, rows.lanes(block), address));
    },
    lanes: ({ cell }) => loadV128(cell, address),
  };
}

/** The number of cells of a column: rows, or what the offsets of the lists around it end with. */
function cellCount(kernels: KernelModule, lists: readonly ColumnLayout[]): Expr {
  let count: Expr = kernels.rows;
  for (const list of lists) count = load32(shl(count, c32(2)), list.offsets);
  return count;
}

/** A test that must run cell by cell, only where there is a value; no elsewhere. */
export function testedCells(kernels: KernelModule, { column, lists }: LocatedLayout, test: CellTest): Mask {
  const address = kernels.workMask(column.capacity);
  return {
    prepare(f) {
      const cell = f.local("i32");
      const end = f.local("i32");
      const found = f.local("i32");
      f.set(end, cellCount(kernels, lists));
      f.set(cell, c32(0));
      f.block((done) => {
        f.loop((again) => {
          f.brIf(done, eqz(ltU(cell, end)));
          f.set(found, c32(0));
          f.if(eqz(load8U(cell, column.state)), () => f.set(found, sub(c32(0), test(f, cell))));
          f.store8(cell, found, address);
          f.set(cell, add(cell, c32(1)));
          f.br(again);
        });
      });
    },
    lanes: ({ cell }) => loadV128(cell, address),
  };
}

/** The rows of which any cell is set. */
export function rowsOf(kernels: KernelModule, { column, lists }: LocatedLayout, cells: Mask): Mask {
  if (lists.length === 0) return cells;
  const address = kernels.workMask(column.capacity);
  const folded = lists.map((list) => kernels.workMask(list.capacity));
  return {
    prepare(f) {
      cells.prepare(f);
      eachBlock(f, cellCount(kernels, lists), (block) => f.storeV128(block.cell, cells.lanes(block), address));
      for (let i = lists.length - 1; i >= 0; i--) {
        const inner = i === lists.length - 1 ? address : (folded[i + 1] as number);
        const list = lists[i] as ColumnLayout;
        f.run(kernels.fold, c32(list.offsets), cellCount(kernels, lists.slice(0, i)), c32(inner), c32(folded[i] as number));
      }
    },
    lanes: ({ cell }) => loadV128(cell, folded[0]),
  };
}
