import type { Expr } from "../../wasm/expression.ts";
import { add, c32, geU } from "../../wasm/expression.ts";
import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";

/** Runs `body`, and `after` it, with `i` = 0 .. n - 1; `i` is an i32 local. */
export function forEach(f: FunctionBuilder, i: Local, n: Expr, body: () => void, after: () => void = () => {}): void {
  f.set(i, c32(0));
  f.block((out) =>
    f.loop((again) => {
      f.brIf(out, geU(i, n));
      body();
      after();
      f.set(i, add(i, c32(1)));
      f.br(again);
    }),
  );
}

/** Adds to an i32 local. */
export function advance(f: FunctionBuilder, local: Local, by: Expr | number): void {
  f.set(local, add(local, typeof by === "number" ? c32(by) : by));
}

/** Runs `body` while the condition holds. */
export function whileTrue(f: FunctionBuilder, condition: () => Expr, body: () => void): void {
  f.block((out) =>
    f.loop((again) => {
      f.if(
        condition(),
        () => {},
        () => f.br(out),
      );
      body();
      f.br(again);
    }),
  );
}
