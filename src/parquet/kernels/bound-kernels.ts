import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  c32,
  cf64,
  eq,
  eqz,
  gt,
  gtS,
  gtU,
  load16U,
  load32,
  load64,
  load8S,
  load8U,
  loadF64,
  lt,
  ltS,
  ltU,
  ne,
  select,
  shl,
  sub,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { advance, forEach, whileTrue } from "./counting.ts";

const i32 = "i32";

/** Least and greatest of a page's values, which is what statistics and page indexes hold. `out` gets two of them, or (texts, wide) two addresses. */
export function boundKernels(module: WasmModule): void {
  module.func("minMaxLongs", [i32, i32, i32], [], (f, [values, n, out]) => {
    const i = f.local(i32);
    const [value, least, most] = Array.from({ length: 3 }, () => f.local("i64")) as [Local, Local, Local];
    f.set(least, load64(values));
    f.set(most, least);
    forEach(f, i, n, () => {
      f.set(value, load64(add(values, shl(i, c32(3)))));
      f.set(least, select(ltS(value, least), value, least));
      f.set(most, select(gtS(value, most), value, most));
    });
    f.store64(out, least);
    f.store64(out, most, 8);
  });
  minMaxDoubles(module);
  const order = orderFunction(module);
  minMaxTexts(module, order);
  minMaxWide(module);
  usedEntries(module, order);
  module.func("countFlags", [i32, i32], [i32], (f, [values, n]) => {
    const i = f.local(i32);
    const count = f.local(i32);
    forEach(f, i, n, () => advance(f, count, load8U(add(values, i))));
    f.return(count);
  });
}

/** Leaves NaNs out, and answers how many values are none; infinities the wrong way round where all are. */
function minMaxDoubles(module: WasmModule): void {
  module.func("minMaxDoubles", [i32, i32, i32], [i32], (f, [values, n, out]) => {
    const i = f.local(i32);
    const count = f.local(i32);
    const [value, least, most] = Array.from({ length: 3 }, () => f.local("f64")) as [Local, Local, Local];
    f.set(least, cf64(Number.POSITIVE_INFINITY));
    f.set(most, cf64(Number.NEGATIVE_INFINITY));
    forEach(f, i, n, () => {
      f.set(value, loadF64(add(values, shl(i, c32(3)))));
      f.set(least, select(lt(value, least), value, least));
      f.set(most, select(gt(value, most), value, most));
      advance(f, count, eqNumber(value));
    });
    f.storeF64(out, least);
    f.storeF64(out, most, 8);
    f.return(count);
  });
}

const eqNumber = (value: Expr): Expr => eq(value, value);

/** Less than, equal to or greater than 0 as text a (with its length before it) orders before, like or after b, byte by byte, unsigned. */
function orderFunction(module: WasmModule): FunctionRef<readonly ["i32", "i32"]> {
  return module.func(null, [i32, i32] as const, [i32], (f, [a, b]) => {
    const [lengthA, lengthB, end, byteA, byteB] = Array.from({ length: 5 }, () => f.local(i32)) as [Local, Local, Local, Local, Local];
    f.set(lengthA, load32(a));
    f.set(lengthB, load32(b));
    advance(f, a, 4);
    advance(f, b, 4);
    f.set(end, add(a, select(ltU(lengthA, lengthB), lengthA, lengthB)));
    f.block((differ) =>
      f.loop((again) => {
        f.brIf(differ, gtU(add(a, c32(8)), end));
        f.brIf(differ, ne(load64(a), load64(b)));
        advance(f, a, 8);
        advance(f, b, 8);
        f.br(again);
      }),
    );
    whileTrue(
      f,
      () => ltU(a, end),
      () => {
        f.set(byteA, load8U(a));
        f.set(byteB, load8U(b));
        f.if(ne(byteA, byteB), () => f.return(sub(byteA, byteB)));
        advance(f, a, 1);
        advance(f, b, 1);
      },
    );
    f.return(sub(lengthA, lengthB));
  });
}

/** Widens `least` and `most` (addresses of texts) by the text at `at`. */
function widen(f: FunctionBuilder, order: FunctionRef, at: Expr, least: Local, most: Local): void {
  f.if(
    ltS(f.call(order, at, least), c32(0)),
    () => f.set(least, at),
    () => f.if(gtS(f.call(order, at, most), c32(0)), () => f.set(most, at)),
  );
}

/** Of texts as a PLAIN page holds them, from `area` to `end`. */
function minMaxTexts(module: WasmModule, order: FunctionRef): void {
  module.func("minMaxTexts", [i32, i32, i32], [], (f, [area, end, out]) => {
    const least = f.local(i32);
    const most = f.local(i32);
    f.set(least, area);
    f.set(most, area);
    whileTrue(
      f,
      () => ltU(area, end),
      () => {
        widen(f, order, area, least, most);
        advance(f, area, add(load32(area), c32(4)));
      },
    );
    f.store32(out, least);
    f.store32(out, most, 4);
  });
}

/** Of big-endian two's complement values of `width` bytes. */
function minMaxWide(module: WasmModule): void {
  const less = module.func(null, [i32, i32, i32] as const, [i32], (f, [a, b, width]) => {
    const i = f.local(i32);
    f.if(ne(load8S(a), load8S(b)), () => f.return(ltS(load8S(a), load8S(b))));
    forEach(f, i, width, () => {
      f.if(ne(load8U(add(a, i)), load8U(add(b, i))), () => f.return(ltU(load8U(add(a, i)), load8U(add(b, i)))));
    });
    f.return(c32(0));
  });
  module.func("minMaxWide", [i32, i32, i32, i32], [], (f, [values, n, width, out]) => {
    const i = f.local(i32);
    const least = f.local(i32);
    const most = f.local(i32);
    f.set(least, values);
    f.set(most, values);
    forEach(f, i, n, () => {
      f.if(f.call(less, values, least, width), () => f.set(least, values));
      f.if(f.call(less, most, values, width), () => f.set(most, values));
      advance(f, values, width);
    });
    f.store32(out, least);
    f.store32(out, most, 4);
  });
}

/** Which of a dictionary's entries a page uses: a byte an entry, set by `markUsed` and cleared by the others. */
function usedEntries(module: WasmModule, order: FunctionRef): void {
  module.func("markUsed", [i32, i32, i32], [], (f, [indices, n, used]) => {
    const i = f.local(i32);
    forEach(f, i, n, () => f.store8(add(used, load16U(add(indices, shl(i, c32(1))))), c32(1)));
  });
  module.func("usedLongs", [i32, i32, i32, i32], [i32], (f, [used, count, entries, out]) => {
    const i = f.local(i32);
    const found = f.local(i32);
    forEach(f, i, count, () => {
      f.store64(add(out, shl(found, c32(3))), load64(add(entries, shl(i, c32(3)))));
      advance(f, found, load8U(add(used, i)));
      f.store8(add(used, i), c32(0));
    });
    f.return(found);
  });
  module.func("minMaxUsedTexts", [i32, i32, i32, i32, i32], [], (f, [used, count, entries, area, out]) => {
    const [i, least, most, at] = Array.from({ length: 4 }, () => f.local(i32)) as [Local, Local, Local, Local];
    forEach(f, i, count, () => {
      f.if(load8U(add(used, i)), () => {
        f.store8(add(used, i), c32(0));
        f.set(at, add(area, load32(add(entries, shl(i, c32(4))), 8)));
        f.if(
          eqz(least),
          () => {
            f.set(least, at);
            f.set(most, at);
          },
          () => widen(f, order, at, least, most),
        );
      });
    });
    f.store32(out, least);
    f.store32(out, most, 4);
  });
}
