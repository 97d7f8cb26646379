import type { Comparison } from "../../core/rule.ts";
import {
  add,
  and,
  c32,
  eq,
  eqz,
  geS,
  gtS,
  gtU,
  leS,
  leU,
  load32,
  load64,
  load8U,
  loadV128,
  ltS,
  ltU,
  ne,
  or,
  popcnt,
  select,
  shl,
  sub,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import { i8x16, splat8 } from "../../wasm/simd.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { LocatedLayout } from "./located-layout.ts";
import { testedCells, type Mask } from "./mask.ts";

/** A test of one text in memory, behind which 64 bytes can be read: an i32 that is 0 or 1. */
export type TextTest = (f: FunctionBuilder, start: Local, length: Local) => Expr;

/** A text's address and length as expressions. */
export interface TextSpan {
  readonly start: Expr;
  readonly length: Expr;
}

/** The text of a cell. */
export function spanAt(column: LocatedLayout["column"], cell: Expr): TextSpan {
  const at = shl(cell, c32(2));
  return { start: load32(at, column.starts), length: load32(at, column.lengths) };
}

/** The cells with a value whose text passes a test. */
export function testedTexts(kernels: KernelModule, located: LocatedLayout, test: TextTest): Mask {
  return testedCells(kernels, located, (f, cell) => {
    const start = f.local("i32");
    const length = f.local("i32");
    const span = spanAt(located.column, cell);
    f.set(start, span.start);
    f.set(length, span.length);
    return test(f, start, length);
  });
}

/** (start, length): how many code points: the bytes that don't continue another. */
function codePoints(kernels: KernelModule): FunctionRef {
  return kernels.shared("codePoints", () =>
    kernels.wasm.func(null, ["i32", "i32"], ["i32"], (f, [start, length]) => {
      const count = f.local("i32");
      const firsts = f.local("i32");
      f.loop((more) => {
        // As signed bytes, 0x80 to 0xbf are the least ones.
        f.set(firsts, i8x16.bitmask(i8x16.geS(loadV128(start), splat8(c32(-64)))));
        f.if(ltU(length, c32(16)), () => f.set(firsts, and(firsts, sub(shl(c32(1), length), c32(1)))));
        f.set(count, add(count, popcnt(firsts)));
        f.if(gtU(length, c32(16)), () => {
          f.set(start, add(start, c32(16)));
          f.set(length, sub(length, c32(16)));
          f.br(more);
        });
      });
      f.return(count);
    }),
  );
}

/** No text is longer. */
const bytesMax = 2 ** 30;

/** Texts that are too short or too long, in code points, or (binary) bytes. */
export function lengthTest(kernels: KernelModule, min: number | null, max: number | null, text: boolean): TextTest {
  if (max !== null && max < 0) return () => c32(1);
  const least = Math.min(Math.max(Math.ceil(min ?? 0), 0), bytesMax);
  const most = Math.min(Math.floor(max ?? bytesMax), bytesMax);
  const outside = (length: Expr): Expr => or(ltU(length, c32(least)), gtU(length, c32(most)));
  if (!text) return (_f, _start, length) => outside(length);
  return (f, start, length) => {
    const offends = f.local("i32");
    const count = f.local("i32");
    f.set(offends, c32(0));
    // A code point takes one to four bytes: most texts need not be looked at.
    f.if(or(ltU(length, c32(Math.min(least * 4, bytesMax))), gtU(length, c32(most))), () => {
      f.set(count, f.call(codePoints(kernels), start, length));
      f.set(offends, outside(count));
    });
    return offends;
  };
}

/** (start, length, start, length): below zero, zero, or above, as the texts' bytes are ordered. */
function compareTexts(kernels: KernelModule): FunctionRef {
  return kernels.shared("compareTexts", () =>
    kernels.wasm.func(null, ["i32", "i32", "i32", "i32"], ["i32"], (f, [a, aLength, b, bLength]) => {
      const end = f.local("i32");
      const difference = f.local("i32");
      f.set(end, add(a, select(ltU(aLength, bLength), aLength, bLength)));
      f.loop((again) => {
        f.if(and(leU(add(a, c32(8)), end), eq(load64(a), load64(b))), () => {
          f.set(a, add(a, c32(8)));
          f.set(b, add(b, c32(8)));
          f.br(again);
        });
      });
      f.loop((again) => {
        f.if(ltU(a, end), () => {
          f.set(difference, sub(load8U(a), load8U(b)));
          f.if(ne(difference, c32(0)), () => f.return(difference));
          f.set(a, add(a, c32(1)));
          f.set(b, add(b, c32(1)));
          f.br(again);
        });
      });
      f.return(sub(aLength, bLength));
    }),
  );
}

/** Whether a comparison holds for a sign. */
export function signTest(op: Comparison, sign: Expr): Expr {
  const tests = {
    eq: eqz,
    ne: (a: Expr) => ne(a, c32(0)),
    lt: (a: Expr) => ltS(a, c32(0)),
    le: (a: Expr) => leS(a, c32(0)),
    gt: (a: Expr) => gtS(a, c32(0)),
    ge: (a: Expr) => geS(a, c32(0)),
  };
  return tests[op](sign);
}

/** Compares two texts; equality looks at their lengths first. */
export function compareSpans(kernels: KernelModule, f: FunctionBuilder, op: Comparison, left: TextSpan, right: TextSpan): Expr {
  const sign = f.local("i32");
  const compare = (): void => f.set(sign, f.call(compareTexts(kernels), left.start, left.length, right.start, right.length));
  if (op !== "eq" && op !== "ne") compare();
  else f.if(eq(left.length, right.length), compare, () => f.set(sign, c32(1)));
  return signTest(op, sign);
}

/** A constant text: its address and length. */
export function constantSpan(kernels: KernelModule, bytes: Uint8Array): TextSpan {
  return { start: c32(kernels.constant(bytes)), length: c32(bytes.length) };
}
