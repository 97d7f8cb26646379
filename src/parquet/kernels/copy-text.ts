import { add, c32, geU, leU, load16U, load32, load64, load8U, ltU, sub } from "../../wasm/expression.ts";
import type { FunctionRef } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { advance, whileTrue } from "./counting.ts";

const i32 = "i32";

/** A function (to, from, length) that copies a text and touches no byte beside it: short ones are most, and a bulk copy costs more than they do. */
export function copyFunction(module: WasmModule): FunctionRef<readonly ["i32", "i32", "i32"]> {
  return module.func(null, [i32, i32, i32] as const, [], (f, [to, from, length]) => {
    const last = f.local(i32);
    f.if(geU(length, c32(8)), () => {
      f.if(geU(length, c32(64)), () => {
        f.memoryCopy(to, from, length);
        f.return();
      });
      // Whole words, and one that ends where the text does.
      f.set(last, sub(length, c32(8)));
      f.store64(add(to, last), load64(add(from, last)));
      f.set(last, add(from, last));
      whileTrue(
        f,
        () => ltU(from, last),
        () => {
          f.store64(to, load64(from));
          advance(f, to, 8);
          advance(f, from, 8);
        },
      );
      f.return();
    });
    f.if(geU(length, c32(4)), () => {
      f.set(last, sub(length, c32(4)));
      f.store32(to, load32(from));
      f.store32(add(to, last), load32(add(from, last)));
      f.return();
    });
    f.if(length, () => {
      f.store8(to, load8U(from));
      f.if(leU(length, c32(1)), () => f.return());
      f.set(last, sub(length, c32(2)));
      f.store16(add(to, last), load16U(add(from, last)));
    });
  });
}
