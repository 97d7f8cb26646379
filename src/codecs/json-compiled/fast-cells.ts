import { uuidSize, uuidTextSize } from "../../core/uuid.ts";
import { add, and, c32, c64, ctz, eq, eqz, load32, load8U, loadV128, ne, or, sub, type Expr } from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef } from "../../wasm/function-builder.ts";
import { recordSink, type CellLocals, type CellSink } from "./cell-sink.ts";
import { columnRecord } from "./column-records.ts";
import type { DecoderMemory } from "./decoder-memory.ts";
import { emitShortNumber, signed, storeDouble, storeInteger } from "./fast-numbers.ts";
import { specialBytes } from "./text-functions.ts";
import { word } from "./value-functions.ts";

/** `true` or `false`. */
export function fastBoolean(f: FunctionBuilder, sink: CellSink, l: CellLocals, slow: () => void): void {
  f.set(l.start, load32(l.p));
  f.set(l.negative, eq(l.start, c32(word.true)));
  f.if(
    or(l.negative, and(eq(l.start, c32(word.fals)), eq(load8U(l.p, 4), c32(0x65)))),
    () => {
      sink.state(f);
      sink.boolean(f, l.negative);
      f.set(l.p, sub(add(l.p, c32(5)), l.negative));
    },
    slow,
  );
}

/** Text of ASCII without escapes. */
export function fastText(f: FunctionBuilder, sink: CellSink, l: CellLocals, slow: () => void): void {
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
      sink.state(f);
      sink.text(f, add(l.p, c32(1)), sub(sub(l.start, l.p), c32(1)));
      f.set(l.p, add(l.start, c32(1)));
      f.br(done);
    });
    slow();
  });
}

/** The text of a UUID without escapes, by the function `uuid`. */
export function fastUuid(f: FunctionBuilder, uuid: FunctionRef, sink: CellSink, l: CellLocals, slow: () => void): void {
  f.block((done) => {
    f.block((odd) => {
      f.brIf(odd, or(ne(load8U(l.p), c32(0x22)), ne(load8U(l.p, uuidTextSize + 1), c32(0x22))));
      f.brIf(odd, eqz(f.tee(l.start, f.call(uuid, add(l.p, c32(1))))));
      sink.state(f);
      sink.text(f, l.start, c32(uuidSize));
      f.set(l.p, add(l.p, c32(uuidTextSize + 2)));
      f.br(done);
    });
    slow();
  });
}

/** What `fastAny` needs besides its variables. */
export interface AnyCell {
  readonly record: Expr;
  readonly nearest: FunctionRef;
  /** Storage numbers of the columns that it fills. */
  readonly kinds: Readonly<Record<"int" | "long" | "double" | "string", number>>;
  /** Ends the function: the cell is filled, `p` behind the value. */
  readonly done: () => void;
}

/**
 * The commonest values by their first byte, whatever the column: plain text for string columns, short numbers for int, long and double columns; comes
 * through with `p` where it was for all else. The first byte is known long before the column is, so that a wrong guess by it costs less.
 */
export function fastAny(f: FunctionBuilder, memory: DecoderMemory, l: CellLocals, { record, nearest, kinds, done }: AnyCell): void {
  const sink = recordSink(record, l.row);
  const kind = load32(record, columnRecord.kind);
  f.block((odd) => {
    f.if(eq(load8U(l.p), c32(0x22)), () => {
      f.brIf(odd, ne(kind, c32(kinds.string)));
      fastText(f, sink, l, () => f.br(odd));
      done();
    });
    const use = (): void => {
      f.if(eq(kind, c32(kinds.double)), () => {
        storeDouble(f, memory, sink, l, nearest);
        done();
      });
      f.brIf(odd, ne(l.bits, c64(0)));
      f.brIf(odd, and(ne(kind, c32(kinds.int)), ne(kind, c32(kinds.long))));
      f.set(l.p, l.start);
      f.set(l.value, signed(l, l.mantissa));
      storeInteger(f, sink, l);
      done();
    };
    emitShortNumber(f, memory, l, use, () => f.br(odd));
  });
}
