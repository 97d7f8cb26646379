import type { Arena } from "../../wasm/arena.ts";
import { c32, ne } from "../../wasm/expression.ts";
import type { BatchLayout } from "../../wasm/layout.ts";
import { WasmModule } from "../../wasm/module.ts";
import { i32 } from "../../wasm/value-type.ts";
import type { AvroPlan, AvroRead } from "../avro/avro-plan.ts";
import { indexRow } from "../wire/cell-stores.ts";
import type { ColumnPlaces } from "../wire/column-places.ts";
import { emitWire } from "../wire/text-functions.ts";
import { SkipFunctions } from "./skip-functions.ts";
import { emitRows } from "../wire/row-loop.ts";
import { RecordEmitter } from "./record-emitter.ts";

/**
 * The module of one writer's schema: `decode(row, rows)` decodes the loaded rows from `row` on into the columns, and answers the first that it leaves
 * to the reference (or that has no value), else `rows`. Straight-line code, a varint or a span a field; names and constants stand in the arena as data.
 */
export function avroModule(
  plan: AvroPlan,
  layout: BatchLayout,
  { arena, places }: { readonly arena: Arena; readonly places: ColumnPlaces },
): Uint8Array<ArrayBuffer> {
  const m = new WasmModule();
  const wire = emitWire(m, places.areaEnd);
  const skips = new SkipFunctions(m, wire);
  const record = m.func(null, [i32, i32, i32], [i32], (f, [p, end, row]) => {
    const emitter = new RecordEmitter({ f, p, end, wire, arena, places }, skips);
    emitter.struct(plan.root as AvroRead & { kind: "struct" }, layout.columns, plan.fields, indexRow(f, row));
    // All of the record, and no more.
    f.if(ne(p, end), () => f.return(c32(0)));
    f.return(c32(1));
  });
  emitRows(m, record, layout, places);
  return m.finish();
}
