import type { BytesColumn, Column, IntegerColumn } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { Records } from "../core/records.ts";
import type { Field, FieldType } from "../core/schema.ts";
import { sourceColumns } from "../core/table-schema.ts";

/**
 * The columns that say where each record came from: topic id, partition, offset, and its timestamp in microseconds (null where it has none). Their
 * `values` are empty: only the exact integers are stored.
 */
export function sourceColumnsOf(records: Records): Column[] {
  return [sourceOf(records), partitionOf(records), offsetOf(records), timestampOf(records)];
}

const field = (name: string, type: FieldType, required: boolean): Field => ({
  name,
  sourceName: name,
  path: name,
  type,
  required,
  doc: null,
  classification: null,
  format: null,
});
const sourceField = field(sourceColumns.source, { kind: "string" }, true);
const partitionField = field(sourceColumns.partition, { kind: "int" }, true);
const offsetField = field(sourceColumns.offset, { kind: "long" }, true);
const timestampField = field(sourceColumns.timestamp, { kind: "timestamp", zoned: true }, false);
const noValues = new Float64Array(0);

function sourceOf({ count, partitions, partition }: Records): BytesColumn {
  const ids = partitions.map((key) => Buffer.from(key.topicId));
  const starts = new Uint32Array(count);
  const lengths = new Uint32Array(count);
  const idStarts: number[] = [];
  let at = 0;
  for (const id of ids) {
    idStarts.push(at);
    at += id.length;
  }
  if (ids.length === 1) lengths.fill((ids[0] as Buffer).length);
  else {
    for (let row = 0; row < count; row++) {
      const index = partition[row] as number;
      starts[row] = idStarts[index] as number;
      lengths[row] = (ids[index] as Buffer).length;
    }
  }
  return { kind: "bytes", field: sourceField, length: count, state: new Uint8Array(count), bytes: Buffer.concat(ids), starts, lengths };
}

function partitionOf({ count, partitions, partition }: Records): IntegerColumn {
  const exact = new BigInt64Array(count);
  // Partitions are below 2^31: the low words say all, without a bigint a row.
  const words = new Int32Array(exact.buffer);
  const numbers = partitions.map((key) => key.partition);
  for (let row = 0; row < count; row++) words[row * 2] = numbers[partition[row] as number] as number;
  return { kind: "integer", field: partitionField, length: count, state: new Uint8Array(count), exact, values: noValues };
}

function offsetOf({ count, offsets }: Records): IntegerColumn {
  return { kind: "integer", field: offsetField, length: count, state: new Uint8Array(count), exact: offsets, values: noValues };
}

function timestampOf({ count, timestamps }: Records): IntegerColumn {
  const exact = new BigInt64Array(count);
  const state = new Uint8Array(count);
  let last = -1n;
  let micros = 0n;
  for (let row = 0; row < count; row++) {
    const ms = timestamps[row] as bigint;
    if (ms < 0n) {
      state[row] = Cell.null;
      continue;
    }
    if (ms !== last) {
      last = ms;
      micros = ms * 1000n;
    }
    exact[row] = micros;
  }
  return { kind: "integer", field: timestampField, length: count, state, exact, values: noValues };
}
