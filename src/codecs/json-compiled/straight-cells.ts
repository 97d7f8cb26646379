import { Cell } from "../../core/column.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import {
  add,
  and,
  c32,
  c64,
  cf64,
  ctz,
  div,
  eq,
  eqz,
  extendU,
  gtU,
  load32,
  load64,
  load8U,
  loadF64,
  loadV128,
  ltU,
  mul,
  ne,
  or,
  reinterpretF64,
  reinterpretI64,
  shl,
  shrS,
  shrU,
  sub,
  toF64S,
  wrap,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import { f64, i32, i64, v128 } from "../../wasm/value-type.ts";
import type { ColumnPlace } from "./column-records.ts";
import type { DecoderMemory } from "./decoder-memory.ts";
import { digitBits, digitBytes, digitsValue } from "./digits.ts";
import { specialBytes } from "./text-functions.ts";
import { word } from "./value-functions.ts";

/** Functions of the runtime module that straight-line code calls where a value is not of the commonest form. */
export interface RuntimeImports {
  readonly cell: FunctionRef;
  readonly skip: FunctionRef;
  readonly empty: FunctionRef;
}

/** The variables of one straight-line function. */
export interface StraightLocals {
  /** The position; the function ends with 0 where the record is not of the layout. */
  readonly p: Local;
  readonly end: Local;
  readonly row: Local;
  /** The row's place in arrays of four and of eight bytes. */
  readonly row4: Local;
  readonly row8: Local;
  readonly start: Local;
  readonly negative: Local;
  readonly mask: Local;
  readonly bytes: Local;
  readonly bits: Local;
  readonly value: Local;
  readonly mantissa: Local;
  readonly double: Local;
  readonly vector: Local;
}

export function straightLocals(f: FunctionBuilder, p: Local, row: Local, end: Local): StraightLocals {
  const locals: StraightLocals = {
    p,
    end,
    row,
    row4: f.local(i32),
    row8: f.local(i32),
    start: f.local(i32),
    negative: f.local(i32),
    mask: f.local(i32),
    bytes: f.local(i64),
    bits: f.local(i64),
    value: f.local(i64),
    mantissa: f.local(i64),
    double: f.local(f64),
    vector: f.local(v128),
  };
  f.set(locals.row4, shl(row, c32(2)));
  f.set(locals.row8, shl(row, c32(3)));
  return locals;
}

/** Writes the code that reads the value at `p` into the place's column: the commonest form in line, others by the runtime's `cell`. */
export function emitStraightCell(
  f: FunctionBuilder,
  memory: DecoderMemory,
  runtime: RuntimeImports,
  place: ColumnPlace,
  l: StraightLocals,
): void {
  const layout = place.layout as ColumnLayout;
  const slow = (): void => {
    f.set(l.p, f.call(runtime.cell, c32(place.address), l.row, l.p, l.end));
    f.if(eqz(l.p), () => f.return(c32(0)));
  };
  const nullOrSlow = (): void => {
    f.if(
      eq(load32(l.p), c32(word.null)),
      () => {
        emitEmpty(f, runtime, place, l, Cell.null);
        f.set(l.p, add(l.p, c32(4)));
      },
      slow,
    );
  };
  switch (place.field.type.kind) {
    case "int":
    case "long":
      emitInteger(f, layout, l, nullOrSlow);
      return;
    case "double":
      emitDouble(f, memory, layout, l, nullOrSlow);
      return;
    case "decimal":
      // The unscaled value of the digits that are read in line must fit 64 bits.
      if (place.field.type.scale <= 4) emitDecimal(f, memory, layout, l, nullOrSlow);
      else slow();
      return;
    case "boolean":
      emitBoolean(f, layout, l, nullOrSlow);
      return;
    case "string":
      emitText(f, layout, l, nullOrSlow);
      return;
    default:
      slow();
  }
}

/** Writes a cell without value. */
export function emitEmpty(f: FunctionBuilder, runtime: RuntimeImports, place: ColumnPlace, l: StraightLocals, state: number): void {
  const layout = place.layout as ColumnLayout;
  const { kind } = layout;
  if (kind === "struct" || kind === "list" || kind === "decimal" || place.spans.starts !== 0) {
    f.run(runtime.empty, c32(place.address), l.row, c32(state));
    return;
  }
  f.store8(l.row, c32(state), layout.state);
  if (kind === "boolean") f.store8(l.row, c32(0), layout.values);
  if (kind === "bytes") {
    f.store32(l.row4, c32(0), layout.starts);
    f.store32(l.row4, c32(0), layout.lengths);
  }
  if (kind === "integer") f.store64(l.row8, c64(0), layout.exact);
  if (kind === "integer" || kind === "float") f.storeF64(l.row8, cf64(0), layout.values);
}

/** Reads the sign and one to seven digits without a leading zero; `start` is behind the sign, `bits` eight times the count of digits. */
function scanWhole(f: FunctionBuilder, l: StraightLocals): Expr {
  f.set(l.start, add(l.p, f.tee(l.negative, eq(load8U(l.p), c32(0x2d)))));
  f.set(l.bytes, digitBytes(l.start));
  f.set(l.bits, digitBits(l.bytes, l.bytes));
  const count = ltU(sub(l.bits, c64(8)), c64(56));
  const leading = and(eqz(and(l.bytes, c64(0xff))), gtU(l.bits, c64(8)));
  return and(count, eqz(leading));
}

function behind(l: StraightLocals, bits: Expr): Expr {
  return add(l.start, shrU(wrap(bits), c32(3)));
}

function emitInteger(f: FunctionBuilder, layout: ColumnLayout, l: StraightLocals, slow: () => void): void {
  const whole = scanWhole(f, l);
  // `1.0` and `1e3` are whole numbers too.
  const next = (): Expr => load8U(behind(l, l.bits));
  f.if(
    and(whole, and(ne(next(), c32(0x2e)), ne(or(next(), c32(0x20)), c32(0x65)))),
    () => {
      f.set(l.p, behind(l, l.bits));
      f.set(l.value, digitsValue(f, l.value, l.bytes, l.bits));
      f.set(l.value, sub(xor(l.value, sub(c64(0), extendU(l.negative))), sub(c64(0), extendU(l.negative))));
      f.store8(l.row, c32(Cell.value), layout.state);
      f.store64(l.row8, l.value, layout.exact);
      f.storeF64(l.row8, toF64S(l.value), layout.values);
    },
    slow,
  );
}

/** Reads a number with at most seven digits before and after the point: `mantissa` its digits, `bits` eight times the count behind the point. */
function emitShortNumber(f: FunctionBuilder, memory: DecoderMemory, l: StraightLocals, use: () => void, slow: () => void): void {
  f.block((done) => {
    f.block((odd) => {
      f.brIf(odd, eqz(scanWhole(f, l)));
      f.set(l.start, behind(l, l.bits));
      f.set(l.mantissa, digitsValue(f, l.value, l.bytes, l.bits));
      f.set(l.bits, c64(0));
      f.if(eq(load8U(l.start), c32(0x2e)), () => {
        f.set(l.start, add(l.start, c32(1)));
        f.set(l.bytes, digitBytes(l.start));
        f.set(l.bits, digitBits(l.bytes, l.bytes));
        f.brIf(odd, eqz(ltU(sub(l.bits, c64(8)), c64(56))));
        const fraction = digitsValue(f, l.value, l.bytes, l.bits);
        f.set(l.mantissa, add(mul(l.mantissa, load64(wrap(l.bits), memory.integerPowers)), fraction));
        f.set(l.start, behind(l, l.bits));
      });
      f.brIf(odd, eq(or(load8U(l.start), c32(0x20)), c32(0x65)));
      f.set(l.p, l.start);
      use();
      f.br(done);
    });
    slow();
  });
}

function emitDouble(f: FunctionBuilder, memory: DecoderMemory, layout: ColumnLayout, l: StraightLocals, slow: () => void): void {
  const use = (): void => {
    // At most fourteen digits: both factors are exact, so that one operation rounds once.
    f.set(l.double, div(toF64S(l.mantissa), loadF64(wrap(l.bits), memory.exactPowers)));
    f.set(l.double, reinterpretF64(or(reinterpretI64(l.double), shl(extendU(l.negative), c64(63)))));
    f.store8(l.row, c32(Cell.value), layout.state);
    f.storeF64(l.row8, l.double, layout.values);
  };
  emitShortNumber(f, memory, l, use, slow);
}

function emitDecimal(f: FunctionBuilder, memory: DecoderMemory, layout: ColumnLayout, l: StraightLocals, slow: () => void): void {
  const { type } = layout.field;
  if (type.kind !== "decimal") throw new Error("not a decimal column");
  const { precision, scale } = type;
  f.block((done) => {
    const stay = f.local(i32);
    f.set(stay, l.p);
    const use = (): void => {
      const shift = sub(c64(scale * 8), l.bits);
      f.block((odd) => {
        f.brIf(odd, gtU(l.bits, c64(scale * 8)));
        f.set(l.value, mul(l.mantissa, load64(wrap(shift), memory.integerPowers)));
        if (precision < 18) f.brIf(odd, eqz(ltU(l.value, c64(10n ** BigInt(precision)))));
        const mask = sub(c64(0), extendU(l.negative));
        f.set(l.value, sub(xor(l.value, mask), mask));
        f.set(l.mantissa, sub(xor(l.mantissa, mask), mask));
        f.store8(l.row, c32(Cell.value), layout.state);
        f.store64(shl(l.row, c32(4)), l.value, layout.unscaled);
        f.store64(shl(l.row, c32(4)), shrS(l.value, c64(63)), layout.unscaled + 8);
        f.storeF64(l.row8, div(toF64S(l.mantissa), loadF64(wrap(l.bits), memory.exactPowers)), layout.values);
        f.br(done);
      });
      f.set(l.p, stay);
      slow();
    };
    emitShortNumber(f, memory, l, use, slow);
  });
}

function emitBoolean(f: FunctionBuilder, layout: ColumnLayout, l: StraightLocals, slow: () => void): void {
  f.set(l.start, load32(l.p));
  f.set(l.negative, eq(l.start, c32(word.true)));
  f.if(
    or(l.negative, and(eq(l.start, c32(word.fals)), eq(load8U(l.p, 4), c32(0x65)))),
    () => {
      f.store8(l.row, c32(Cell.value), layout.state);
      f.store8(l.row, l.negative, layout.values);
      f.set(l.p, sub(add(l.p, c32(5)), l.negative));
    },
    slow,
  );
}

function emitText(f: FunctionBuilder, layout: ColumnLayout, l: StraightLocals, slow: () => void): void {
  f.block((done) => {
    f.block((odd) => {
      f.brIf(odd, ne(load8U(l.p), c32(0x22)));
      f.set(l.start, add(l.p, c32(1)));
      f.loop((again) => {
        f.set(l.vector, loadV128(l.start));
        f.set(l.mask, specialBytes(l.vector, l.vector));
        f.if(eqz(l.mask), () => {
          f.set(l.start, add(l.start, c32(16)));
          f.br(again);
        });
      });
      f.set(l.start, add(l.start, ctz(l.mask)));
      f.brIf(odd, ne(load8U(l.start), c32(0x22)));
      f.store8(l.row, c32(Cell.value), layout.state);
      f.store32(l.row4, add(l.p, c32(1)), layout.starts);
      f.store32(l.row4, sub(sub(l.start, l.p), c32(1)), layout.lengths);
      f.set(l.p, add(l.start, c32(1)));
      f.br(done);
    });
    slow();
  });
}
