import type { Expr } from "../../wasm/expression.ts";
import {
  add,
  and,
  c32,
  c64,
  ctz,
  eq,
  eqz,
  extendU,
  geU,
  gtS,
  gtU,
  leU,
  load32,
  load64,
  load8S,
  load8U,
  loadV128,
  ltS,
  ltU,
  mul,
  or,
  popcnt,
  rotl,
  select,
  shl,
  shrU,
  sub,
  toF64U,
  wrap,
  xor,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Global, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i8x16, splat8 } from "../../wasm/simd.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { Head, textShape } from "../column-state.ts";
import { textPointsMax } from "../text-points.ts";
import { emitHashSpan, loadFirst, swapBytes } from "./hash-code.ts";
import type { HostFunctions } from "./number-code.ts";
import { countCell } from "./number-code.ts";
import { admitEntry, countAgain, emitPurge, emitSeek, headOf, keyOf, numberIn, seekEntry, setHead, slotCode } from "./table-code.ts";

const shape = textShape;

/** What bytes mean: text by code points, binary by bytes, JSON of which nothing is kept. */
export const TextForm = { string: 0, binary: 1, json: 2 } as const;

/** Exports `addTexts`: (state, cells, starts, lengths, rows, rows' end, text form, scratch), which does what `addSpans` does. Scratch is 8 bytes a row. */
export function emitTexts(m: WasmModule, host: HostFunctions): void {
  const measured = m.global("i32");
  const addText = emitAddText(m, host, measured);
  m.func("addTexts", [i32, i32, i32, i32, i32, i32, i32, i32], [], (f, [state, cells, starts, lengths, rows, end, form, scratch]) => {
    const [row, cell, start, length, slot, number, address, seen] = [
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
    ];
    const [streaming, to] = [f.local(i32), f.local(i32)];
    const key = f.local(i64);
    const hashText = textHasher(f);
    f.set(streaming, headOf(state, Head.streaming));
    f.set(to, scratch);
    const note = (points: Expr): void => {
      f.storeF64(to, toF64U(points));
      f.set(to, add(to, c32(8)));
    };
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(rows, end));
        f.set(row, load32(rows));
        f.set(rows, add(rows, c32(4)));
        f.set(cell, load8U(add(cells, row)));
        f.if(cell, () => {
          countCell(f, state, cell, address);
          f.br(again);
        });
        f.set(row, shl(row, c32(2)));
        f.set(start, load32(add(starts, row)));
        f.set(length, load32(add(lengths, row)));
        f.set(seen, add(seen, c32(1)));
        hashText(key, start, length);
        f.set(slot, slotCode(key, shape));
        f.set(number, numberIn(state, slot, shape));
        f.if(number, () => {
          f.if(eq(keyOf(state, number, shape), key), () => {
            countAgain(f, state, number, shape, address);
            f.if(streaming, () => note(load32(address, shape.points - 4)));
            f.br(again);
          });
        });
        f.set(streaming, or(streaming, f.call(addText, state, key, slot, start, length, form)));
        f.if(streaming, () => note(measured));
        f.br(again);
      });
    });
    setHead(f, state, Head.values, add(headOf(state, Head.values), seen));
    f.if(streaming, () => f.run(host.moments, state, scratch, shrU(sub(to, scratch), c32(3))));
  });
}

/** Code that sets a key to what tells a span: `hashText`, two words at a time. */
export function textHasher(f: FunctionBuilder): (key: Local, start: Local, length: Local) => void {
  const [a, b, at, rest] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
  const word = f.local(i64);
  const mixIn = (): void => {
    f.set(a, add(rotl(mul(xor(a, wrap(word)), c32(0xcc9e2d51)), c32(15)), b));
    f.set(b, add(rotl(mul(xor(b, wrap(shrU(word, c64(32)))), c32(0x1b873593)), c32(13)), a));
  };
  return (key, start, length) => {
    f.if(
      ltU(length, c32(8)),
      () => f.set(key, or(loadFirst(start, length), shl(extendU(length), c64(56)))),
      () => {
        f.set(a, xor(c32(0x51ed270b), length));
        f.set(b, add(c32(0x2545f491), length));
        f.set(at, start);
        f.set(rest, length);
        f.loop((again) => {
          f.set(word, load64(at));
          mixIn();
          f.set(at, add(at, c32(8)));
          f.set(rest, sub(rest, c32(8)));
          f.brIf(again, geU(rest, c32(8)));
        });
        f.if(rest, () => {
          f.set(word, loadFirst(at, rest));
          mixIn();
        });
        f.set(a, xor(a, b));
        f.set(a, mul(xor(a, shrU(a, c32(16))), c32(0x85ebca6b)));
        f.set(a, mul(xor(a, shrU(a, c32(13))), c32(0xc2b2ae35)));
        f.set(key, or(extendU(a), shl(extendU(or(b, c32(0xff000000))), c64(32))));
      },
    );
  };
}

/** (state, key, first slot, start, length, form): adds a text that does not stand in its first slot; 1 if streaming began with it. */
function emitAddText(m: WasmModule, host: HostFunctions, measured: Global): FunctionRef {
  const hash = m.global("i64");
  const seek = emitSeek(m, shape);
  const purge = emitPurge(m, shape, host.tally);
  const hashSpan = emitHashSpan(m, hash);
  const countPoints = emitCountPoints(m);
  const cut = emitCut(m);
  const copy = emitCopy(m);
  const keepExtremes = extremesWriter(m, copy);
  return m.func(null, [i32, i64, i32, i32, i32, i32], [i32], (f, [state, key, slot, start, length, form]) => {
    const [found, started, number, full, kept, stored] = [
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
      f.local(i32),
    ];
    const prefix = f.local(i64);
    f.set(stored, slot);
    seekEntry(f, { state, key, slot: stored, found, number, probe: started }, shape);
    f.set(started, c32(0));
    f.if(gtS(found, c32(0)), () => {
      countAgain(f, state, found, shape, number);
      f.setGlobal(measured, load32(number, shape.points - 4));
      f.return(c32(0));
    });
    f.if(
      form,
      () => {
        const most = c32(textPointsMax);
        f.if(eq(form, c32(TextForm.binary)), () => f.set(kept, select(gtU(length, most), most, length)));
        f.setGlobal(measured, length);
      },
      () => {
        f.set(kept, length);
        f.if(gtU(length, c32(textPointsMax)), () => f.set(kept, f.call(cut, start, length)));
        // Most texts are short: a call for each costs more than its bytes.
        f.if(
          ltU(length, c32(16)),
          () => f.setGlobal(measured, sub(length, popcnt(and(continuations(start), sub(shl(c32(1), length), c32(1)))))),
          () => f.setGlobal(measured, f.call(countPoints, start, length)),
        );
      },
    );
    f.run(hashSpan, state, start, length);
    f.if(xor(form, c32(TextForm.json)), () => keepExtremes(f, state, start, kept, prefix));
    f.set(stored, headOf(state, Head.stored));
    f.set(full, or(eq(headOf(state, Head.size), c32(shape.entriesMax)), gtU(add(stored, kept), c32(shape.storeBytes))));
    admitEntry(f, { state, key, slot, found, full, started, number }, shape, { seek, purge, start: host.start });
    f.set(stored, headOf(state, Head.stored));
    f.store64(add(state, shl(number, c32(3))), hash, shape.hashes - 8);
    f.store32(add(state, shl(number, c32(2))), measured, shape.points - 4);
    f.store32(add(state, shl(number, c32(2))), or(shl(stored, c32(16)), kept), shape.spans - 4);
    f.run(copy, add(add(state, stored), c32(shape.store)), start, kept);
    setHead(f, state, Head.stored, add(stored, kept));
    f.return(started);
  });
}

/** (to, from, length): copies whole runs of 16 bytes; what it writes beyond the length is never read. */
function emitCopy(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32, i32], [], (f, [to, from, length]) => {
    const at = f.local(i32);
    f.loop((again) => {
      f.storeV128(add(to, at), loadV128(add(from, at)));
      f.set(at, add(at, c32(16)));
      f.brIf(again, ltU(at, length));
    });
  });
}

/** Bits of the bytes that continue a code point, 10xxxxxx: as signed numbers, those below -64. */
function continuations(address: Expr, offset = 0): Expr {
  return i8x16.bitmask(i8x16.ltS(loadV128(address, offset), splat8(c32(-64))));
}

/** (start, length): `countPoints`. */
function emitCountPoints(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32], [i32], (f, [start, length]) => {
    const [points, end] = [f.local(i32), f.local(i32)];
    f.set(points, length);
    f.set(end, add(start, and(length, c32(-16))));
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(start, end));
        f.set(points, sub(points, popcnt(continuations(start))));
        f.set(start, add(start, c32(16)));
        f.br(again);
      });
    });
    const inside = sub(shl(c32(1), and(length, c32(15))), c32(1));
    f.return(sub(points, popcnt(and(continuations(start), inside))));
  });
}

/** (start, length): how many bytes `cutAt` leaves. */
function emitCut(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32], [i32], (f, [start, length]) => {
    const [at, last, points] = [f.local(i32), f.local(i32), f.local(i32)];
    f.if(leU(length, c32(textPointsMax)), () => f.return(length));
    // Of text in ASCII the 64 points are 64 bytes.
    const foreign = [0, 16, 32, 48].map((offset) => continuations(start, offset)).reduce((a, b) => or(a, b));
    f.if(eqz(foreign), () => {
      f.if(isPointStart(load8S(start, textPointsMax)), () => f.return(c32(textPointsMax)));
    });
    f.set(last, select(gtU(length, c32(4 * textPointsMax)), c32(4 * textPointsMax), length));
    f.loop((again) => {
      f.if(isPointStart(load8S(add(start, at))), () => {
        f.set(points, add(points, c32(1)));
        f.if(gtU(points, c32(textPointsMax)), () => f.return(at));
      });
      f.set(at, add(at, c32(1)));
      f.brIf(again, ltU(at, last));
    });
    f.return(last);
  });
}

function isPointStart(byte: Expr): Expr {
  return eqz(ltS(byte, c32(-64)));
}

/**
 * Code that does what `keepExtremes` does. The first 8 bytes decide, most often: those of the least and the greatest text are kept in the head, as numbers
 * that order as they do.
 */
function extremesWriter(
  m: WasmModule,
  copy: FunctionRef,
): (f: FunctionBuilder, state: Local, start: Local, kept: Local, prefix: Local) => void {
  const settle = emitSettleExtremes(m, copy);
  return (f, state, start, kept, prefix) => {
    f.set(prefix, swapBytes(loadFirst(start, select(ltU(kept, c32(8)), kept, c32(8)))));
    const between = and(gtU(prefix, load64(state, 4 * Head.least)), ltU(prefix, load64(state, 4 * Head.most)));
    f.if(eqz(between), () => f.run(settle, state, start, kept, prefix));
  };
}

/** (state, start, kept, prefix): keeps a text that is the first, or may be the least or the greatest. */
function emitSettleExtremes(m: WasmModule, copy: FunctionRef): FunctionRef {
  const compare = emitCompare(m);
  return m.func(null, [i32, i32, i32, i64], [], (f, [state, start, kept, prefix]) => {
    for (const [at, place, lengthPlace, below] of [
      [shape.least, Head.least, Head.leastLength, true],
      [shape.most, Head.most, Head.mostLength, false],
    ] as const) {
      const keepIt = (): void => {
        f.store64(state, prefix, 4 * place);
        setHead(f, state, lengthPlace, kept);
        f.run(copy, add(state, c32(at)), start, kept);
      };
      const before = load64(state, 4 * place);
      const order = f.call(compare, start, kept, add(state, c32(at)), headOf(state, lengthPlace));
      f.if(or(eqz(headOf(state, Head.ordered)), below ? ltU(prefix, before) : gtU(prefix, before)), keepIt);
      f.if(eq(prefix, before), () => f.if(below ? ltS(order, c32(0)) : gtS(order, c32(0)), keepIt));
    }
    setHead(f, state, Head.ordered, c32(1));
  });
}

/** (a, its length, b, its length): below 0, 0 or above, as `compareWith`, 8 bytes at a time; more may be read, not compared. */
function emitCompare(m: WasmModule): FunctionRef {
  return m.func(null, [i32, i32, i32, i32], [i32], (f, [a, lengthA, b, lengthB]) => {
    const [at, shared] = [f.local(i32), f.local(i32)];
    const difference = f.local(i64);
    f.set(shared, select(ltU(lengthA, lengthB), lengthA, lengthB));
    f.block((alike) => {
      f.loop((again) => {
        f.brIf(alike, geU(at, shared));
        f.set(difference, xor(load64(add(a, at)), load64(add(b, at))));
        f.if(eqz(eqz(difference)), () => {
          f.set(at, add(at, wrap(shrU(ctz(difference), c64(3)))));
          f.brIf(alike, geU(at, shared));
          f.return(sub(load8U(add(a, at)), load8U(add(b, at))));
        });
        f.set(at, add(at, c32(8)));
        f.br(again);
      });
    });
    f.return(sub(lengthA, lengthB));
  });
}
