import { add, and, c32, eq, eqz, geU, leS, load32, load8U, ltU, ne, or, sub, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32 } from "../../wasm/value-type.ts";
import { maxDepth } from "../json-reader.ts";
import type { DecoderMemory } from "./decoder-memory.ts";
import type { NumberFunctions } from "./number-functions.ts";
import type { TextFunctions } from "./text-functions.ts";

/** The first four bytes of the literals, as little-endian numbers. */
export const word = { null: 0x6c6c_756e, true: 0x6575_7274, fals: 0x736c_6166 } as const;

/** Whether a byte is a decimal digit. */
export function isDigit(c: Expr): Expr {
  return ltU(sub(c, c32(0x30)), c32(10));
}

/** Moves `p` over white space where there is any. */
export function skipSpace(f: FunctionBuilder, text: TextFunctions, p: Local, end: Expr): void {
  f.if(leS(load8U(p), c32(0x20)), () => f.set(p, f.call(text.space, p, end)));
}

/** (p, end): checks `true`, `false` or `null`; the position behind it, or 0. */
export function emitLiteral(m: WasmModule): FunctionRef {
  return m.func(null, [i32], [i32], (f, [p]) => {
    const four = load32(p);
    f.if(or(eq(four, c32(word.null)), eq(four, c32(word.true))), () => f.return(add(p, c32(4))));
    f.if(and(eq(four, c32(word.fals)), eq(load8U(p, 4), c32(0x65))), () => f.return(add(p, c32(5))));
    f.return(c32(0));
  });
}

/** The functions that a skipped value is made of. */
export interface ValueParts {
  readonly text: TextFunctions;
  readonly numbers: NumberFunctions;
  readonly literal: FunctionRef;
}

/** (p, end, depth): checks a whole value inside `depth` open levels, without recursion; the position behind it, or 0. May look beyond the end. */
export function emitSkip(m: WasmModule, memory: DecoderMemory, { text, numbers, literal }: ValueParts): FunctionRef {
  const key = m.func(null, [i32, i32], [i32], (f, [p, end]) => {
    skipSpace(f, text, p, end);
    f.if(or(geU(p, end), ne(load8U(p), c32(0x22))), () => f.return(c32(0)));
    f.if(eqz(f.tee(p, f.call(text.text, add(p, c32(1)), end))), () => f.return(c32(0)));
    skipSpace(f, text, p, end);
    f.if(or(geU(p, end), ne(load8U(p), c32(0x3a))), () => f.return(c32(0)));
    f.return(add(p, c32(1)));
  });
  return m.func("skip", [i32, i32, i32], [i32], (f, [p, end, depth]) => {
    const c = f.local(i32);
    const level = f.local(i32);
    const object = f.local(i32);
    const close = f.local(i32);
    const check = (): void => f.if(eqz(p), () => f.return(c32(0)));
    f.set(level, depth);
    f.loop((value) => {
      skipSpace(f, text, p, end);
      f.if(geU(p, end), () => f.return(c32(0)));
      f.set(c, load8U(p));
      f.block((scalarDone) => {
        f.if(eq(c, c32(0x22)), () => {
          f.set(p, f.call(text.text, add(p, c32(1)), end));
          f.br(scalarDone);
        });
        f.if(or(eq(c, c32(0x2d)), isDigit(c)), () => {
          f.set(p, f.call(numbers.number, p));
          f.br(scalarDone);
        });
        f.if(ne(or(c, c32(0x20)), c32(0x7b)), () => {
          f.set(p, f.call(literal, p));
          f.br(scalarDone);
        });
        f.if(geU(level, c32(maxDepth)), () => f.return(c32(0)));
        f.set(level, add(level, c32(1)));
        f.set(object, eq(c, c32(0x7b)));
        f.store8(add(level, c32(memory.levels)), object);
        f.set(p, f.call(text.space, add(p, c32(1)), end));
        f.set(close, add(c, c32(2)));
        f.if(
          and(ltU(p, end), eq(load8U(p), close)),
          () => {
            f.set(p, add(p, c32(1)));
            f.set(level, sub(level, c32(1)));
          },
          () => {
            f.if(object, () => {
              f.set(p, f.call(key, p, end));
              check();
            });
            f.br(value);
          },
        );
      });
      check();
      f.loop((after) => {
        f.if(eq(level, depth), () => f.return(p));
        skipSpace(f, text, p, end);
        f.if(geU(p, end), () => f.return(c32(0)));
        f.set(object, load8U(add(level, c32(memory.levels))));
        f.set(c, load8U(p));
        f.set(p, add(p, c32(1)));
        f.if(eq(c, c32(0x2c)), () => {
          f.if(object, () => {
            f.set(p, f.call(key, p, end));
            check();
          });
          f.br(value);
        });
        f.if(ne(c, add(c32(0x5d), mulBy32(object))), () => f.return(c32(0)));
        f.set(level, sub(level, c32(1)));
        f.br(after);
      });
    });
  });
}

/** 0x20 where the flag is set: `]` becomes `}`. */
function mulBy32(flag: Expr): Expr {
  return and(sub(c32(0), flag), c32(0x20));
}
