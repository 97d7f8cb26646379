import { add, c32, eqz, geU, load32, ltS, shl } from "../../wasm/expression.ts";
import type { FunctionRef } from "../../wasm/function-builder.ts";
import type { BatchLayout } from "../../wasm/layout.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32 } from "../../wasm/value-type.ts";
import type { ColumnPlaces } from "./column-places.ts";

/**
 * Exports `decode(row, rows)`: calls `record(start, end, row)` for the loaded rows from `row` on, and answers the first that has no value or that it gives
 * up by answering 0, else `rows`. What a record that is given up has counted, and put into the area, is taken back.
 */
export function emitRows(m: WasmModule, record: FunctionRef, layout: BatchLayout, places: ColumnPlaces): void {
  m.func("decode", [i32, i32], [i32], (f, [row, rows]) => {
    const start = f.local(i32);
    const length = f.local(i32);
    const areaEnd = f.local(i32);
    f.block((out) => {
      f.loop((again) => {
        f.brIf(out, geU(row, rows));
        f.set(length, load32(shl(row, c32(2)), layout.rowLengths));
        f.brIf(out, ltS(length, c32(0)));
        f.set(start, load32(shl(row, c32(2)), layout.rowStarts));
        if (places.countBytes > 0) f.memoryCopy(places.marks, places.counts, c32(places.countBytes));
        f.set(areaEnd, load32(places.areaEnd));
        f.if(eqz(f.call(record, start, add(start, length), row)), () => {
          if (places.countBytes > 0) f.memoryCopy(places.counts, places.marks, c32(places.countBytes));
          f.store32(places.areaEnd, areaEnd);
          f.return(row);
        });
        f.set(row, add(row, c32(1)));
        f.br(again);
      });
    });
    f.return(row);
  });
}
