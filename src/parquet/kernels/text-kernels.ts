import type { Expr } from "../../wasm/expression.ts";
import { add, c32, eq, geU, gtU, load32, load8U, loadV128, ltU, select, sub } from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i8x16 } from "../../wasm/simd.ts";
import { advance, whileTrue } from "./counting.ts";

const i32 = "i32";

/** Whether texts, as PLAIN pages hold them, are UTF-8: readers give up on a file where one is not. */
export function textKernels(module: WasmModule): void {
  const isText = module.func(null, [i32, i32] as const, [i32], (f, [at, end]) => {
    const byte = f.local(i32);
    const next = f.local(i32);
    whileTrue(
      f,
      () => ltU(at, end),
      () => {
        f.set(byte, load8U(at));
        advance(f, at, 1);
        f.if(geU(byte, c32(0x80)), () => sequence(f, { byte, next, at, end }));
      },
    );
    f.return(c32(1));
  });
  module.func("areTexts", [i32, i32], [i32], (f, [area, end]) => {
    const at = f.local(i32);
    const from = f.local(i32);
    // Lengths below 128 look like ASCII too: mostly one pass over all says it.
    f.set(at, area);
    f.block((other) => {
      f.loop((again) => {
        f.if(geU(sub(end, at), c32(16)), () => {
          f.brIf(other, i8x16.bitmask(loadV128(at)));
          advance(f, at, 16);
          f.br(again);
        });
      });
      whileTrue(
        f,
        () => ltU(at, end),
        () => {
          f.brIf(other, geU(load8U(at), c32(0x80)));
          advance(f, at, 1);
        },
      );
      f.return(c32(1));
    });
    whileTrue(
      f,
      () => ltU(area, end),
      () => {
        f.set(from, add(area, c32(4)));
        f.set(area, add(from, load32(area)));
        f.if(
          f.call(isText, from, area),
          () => {},
          () => f.return(c32(0)),
        );
      },
    );
    f.return(c32(1));
  });
}

/** The bytes after a first one that is no ASCII (Unicode standard, table 3-7); the function answers 0 where they are not well formed. */
function sequence(
  f: FunctionBuilder,
  words: { readonly byte: Local; readonly next: Local; readonly at: Local; readonly end: Local },
): void {
  const { byte, next, at, end } = words;
  const refuse = (condition: Expr): void => f.if(condition, () => f.return(c32(0)));
  const take = (low: Expr, high: Expr): void => {
    refuse(geU(at, end));
    f.set(next, load8U(at));
    advance(f, at, 1);
    refuse(ltU(next, low));
    refuse(gtU(next, high));
  };
  const [first, last] = [c32(0x80), c32(0xbf)];
  refuse(ltU(byte, c32(0xc2)));
  refuse(gtU(byte, c32(0xf4)));
  take(
    select(eq(byte, c32(0xe0)), c32(0xa0), select(eq(byte, c32(0xf0)), c32(0x90), first)),
    select(eq(byte, c32(0xed)), c32(0x9f), select(eq(byte, c32(0xf4)), c32(0x8f), last)),
  );
  f.if(geU(byte, c32(0xe0)), () => take(first, last));
  f.if(geU(byte, c32(0xf0)), () => take(first, last));
}
