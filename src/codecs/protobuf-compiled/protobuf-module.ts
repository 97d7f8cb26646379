import type { ProtoMessage } from "../../core/protobuf/proto-schema.ts";
import type { Arena } from "../../wasm/arena.ts";
import { add, and, c32, c64, eq, eqz, gtS, gtU, load8U, ltU, or, shrU, sub, wrap } from "../../wasm/expression.ts";
import type { FunctionRef } from "../../wasm/function-builder.ts";
import type { BatchLayout } from "../../wasm/layout.ts";
import { WasmModule } from "../../wasm/module.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { WireType } from "../protobuf/message-index.ts";
import type { ProtoPlan } from "../protobuf/proto-plan.ts";
import { indexRow } from "../wire/cell-stores.ts";
import type { ColumnPlaces } from "../wire/column-places.ts";
import { emitRows } from "../wire/row-loop.ts";
import { emitWire, type WireFunctions } from "../wire/text-functions.ts";
import { MessageEmitter } from "./message-emitter.ts";

/** Field numbers of a message that are told apart by a table. */
const tableMax = 4096;

/**
 * The module of a message type and a contract: `decode(row, rows)` decodes the loaded rows from `row` on into the columns, and answers the first that it
 * leaves to the reference (or that has no value), else `rows`. Constants stand in the arena as data.
 */
export function protobufModule(
  plan: ProtoPlan,
  layout: BatchLayout,
  { arena, places }: { readonly arena: Arena; readonly places: ColumnPlaces },
): Uint8Array<ArrayBuffer> {
  const m = new WasmModule();
  const wire = emitWire(m, places.areaEnd);
  const made = new Map<ProtoMessage, FunctionRef>();
  const unknown = (message: ProtoMessage): FunctionRef => {
    let skip = made.get(message);
    if (skip === undefined) {
      skip = emitUnknown(m, wire, message, { arena, ignored: plan.unknownFields === "ignore" });
      made.set(message, skip);
    }
    return skip;
  };
  const record = m.func(null, [i32, i32, i32], [i32], (f, [p, end, row]) => {
    const emitter = new MessageEmitter({ f, p, wire, arena, places }, plan.unknownFields, unknown);
    emitter.message(plan.table, { columns: layout.columns, fields: plan.fields, row: indexRow(f, row) }, end);
    f.return(c32(1));
  });
  emitRows(m, record, layout, places);
  return m.finish();
}

/** A function (p, end): the position behind a field whose number the message does not have, or 0 where it has it, or for a group, which are the reference's. */
function emitUnknown(
  m: WasmModule,
  wire: WireFunctions,
  message: ProtoMessage,
  { arena, ignored }: { readonly arena: Arena; readonly ignored: boolean },
): FunctionRef {
  const numbers = message.fields.map(({ number }) => number);
  const low = numbers.filter((number) => number < tableMax);
  const table = arena.allocate(tableMax + 16);
  const known = arena.bytes(table, tableMax);
  // Zero is no field's number.
  known[0] = 1;
  for (const number of low) known[number] = 1;
  return m.func(null, [i32, i32], [i32], (f, [p, end]) => {
    const leaveIf = (condition: Parameters<typeof f.if>[0]): void => f.if(condition, () => f.return(c32(0)));
    if (!ignored) return f.return(c32(0));
    const tag = f.local(i64);
    const number = f.local(i32);
    const kind = f.local(i32);
    const varint = (): void => {
      f.set(p, f.call(wire.varint, p));
      leaveIf(eqz(p));
    };
    varint();
    f.set(tag, wire.word);
    leaveIf(gtU(tag, c64(0xffff_ffffn)));
    f.set(number, wrap(shrU(tag, c64(3))));
    f.set(kind, and(wrap(tag), c32(7)));
    f.if(ltU(number, c32(tableMax)), () => leaveIf(load8U(number, table)));
    for (const high of numbers.filter((each) => each >= tableMax)) leaveIf(eq(number, c32(high)));
    f.if(eqz(kind), varint, () => {
      f.if(
        eq(kind, c32(WireType.length)),
        () => {
          varint();
          leaveIf(or(gtU(wire.word, c64(0x7fff_ffff)), gtS(wrap(wire.word), sub(end, p))));
          f.set(p, add(p, wrap(wire.word)));
        },
        () => {
          f.if(
            eq(kind, c32(WireType.fixed64)),
            () => f.set(p, add(p, c32(8))),
            () => {
              leaveIf(eqz(eq(kind, c32(WireType.fixed32))));
              f.set(p, add(p, c32(4)));
            },
          );
        },
      );
    });
    f.return(p);
  });
}
