import { InvalidCause } from "../../core/column.ts";
import type { CellWriter } from "../cell-writer.ts";
import { Storage, type ColumnBuilder } from "../column-builder.ts";
import { durationText, isTimestamp, type Seconds } from "./proto-json.ts";
import { scaledText } from "../avro/avro-json.ts";

const encoder = new TextEncoder();

/** A `google.protobuf.Timestamp` into a timestamp column. */
export function writeTimestamp(writer: CellWriter, column: ColumnBuilder, row: number, time: Seconds): void {
  if (!isTimestamp(time)) return writer.invalid(column, row, `${time.seconds} s and ${time.nanos} ns`, InvalidCause.range);
  const { type } = column.field;
  if (type.kind === "timestamp" && type.unit === "nanos") {
    const nanos = time.seconds * 1_000_000_000n + BigInt(time.nanos);
    if (BigInt.asIntN(64, nanos) !== nanos)
      return writer.invalid(column, row, `${time.seconds} s and ${time.nanos} ns`, InvalidCause.range);
    return writer.epoch(column, row, Number(BigInt.asIntN(32, nanos)), Number(BigInt.asIntN(32, nanos >> 32n)), "nanos", true);
  }
  if (time.nanos % 1000 !== 0) return writer.invalid(column, row, `${time.seconds} s and ${time.nanos} ns`, InvalidCause.scale);
  const micros = time.seconds * 1_000_000n + BigInt(time.nanos / 1000);
  writer.epoch(column, row, Number(BigInt.asIntN(32, micros)), Number(BigInt.asIntN(32, micros >> 32n)), "micros", true);
}

/** A `google.protobuf.Duration` as text (`1.5s`) into a string column, as seconds into a column of numbers. */
export function writeDuration(writer: CellWriter, column: ColumnBuilder, row: number, time: Seconds): void {
  const text = durationText(time);
  if (text === null) return writer.invalid(column, row, `${time.seconds} s and ${time.nanos} ns`, InvalidCause.range);
  if (column.storage === Storage.string) {
    const bytes = encoder.encode(text);
    writer.raw(column, row, bytes, 0, bytes.length);
    return;
  }
  writer.numberText(column, row, scaledText(time.seconds * 1_000_000_000n + BigInt(time.nanos), 9));
}
