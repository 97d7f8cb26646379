import type { BytesColumn, Column, IntegerColumn } from "../../src/core/column.ts";
import { Cell } from "../../src/core/column.ts";
import type { Records } from "../../src/core/records.ts";
import { offsetField, partitionField, sourceField, timestampField } from "../../src/parquet/source-columns.ts";

/** The columns that say where each record came from: topic id, partition, offset, and its timestamp in microseconds (null where it has none). */
export function sourceColumnsOf(records: Records): Column[] {
  return [sourceOf(records), partitionOf(records), offsetOf(records), timestampOf(records)];
}

function sourceOf({ count, partitions, partition }: Records): BytesColumn {
  const ids = partitions.map((key) => Buffer.from(key.topicId));
  const bytes = Buffer.concat(ids);
  const starts = new Uint32Array(count);
  const lengths = new Uint32Array(count);
  const idStarts: number[] = [];
  let at = 0;
  for (const id of ids) {
    idStarts.push(at);
    at += id.length;
  }
  for (let row = 0; row < count; row++) {
    const index = partition[row] as number;
    starts[row] = idStarts[index] as number;
    lengths[row] = (ids[index] as Buffer).length;
  }
  return { kind: "bytes", field: sourceField, length: count, state: new Uint8Array(count), bytes, starts, lengths };
}

function partitionOf({ count, partitions, partition }: Records): IntegerColumn {
  const exact = new BigInt64Array(count);
  const values = new Float64Array(count);
  const numbers = partitions.map((key) => BigInt(key.partition));
  for (let row = 0; row < count; row++) {
    const index = partition[row] as number;
    exact[row] = numbers[index] as bigint;
    values[row] = (partitions[index] as { partition: number }).partition;
  }
  return { kind: "integer", field: partitionField, length: count, state: new Uint8Array(count), exact, values };
}

function offsetOf({ count, offsets }: Records): IntegerColumn {
  const values = new Float64Array(count);
  for (let row = 0; row < count; row++) values[row] = Number(offsets[row]);
  return { kind: "integer", field: offsetField, length: count, state: new Uint8Array(count), exact: offsets, values };
}

function timestampOf({ count, timestamps }: Records): IntegerColumn {
  const exact = new BigInt64Array(count);
  const values = new Float64Array(count);
  const state = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const ms = timestamps[row] as bigint;
    if (ms < 0n) state[row] = Cell.null;
    else {
      exact[row] = ms * 1000n;
      values[row] = Number(ms) * 1000;
    }
  }
  return { kind: "integer", field: timestampField, length: count, state, exact, values };
}
