import type { BytesColumn, Column, IntegerColumn } from "../core/column.ts";
import type { PartitionKey } from "../core/position.ts";
import type { Records } from "../core/records.ts";
import type { Field, FieldType } from "../core/schema.ts";
import { sourceColumns } from "../core/table-schema.ts";
import type { Block } from "./block-pool.ts";
import type { EncoderMemory } from "./encoder-memory.ts";
import type { PlacedColumn, Spot } from "./placement.ts";

/** The fields that every table of records has, as `core/table-schema.ts` names them. */
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
export const sourceField = field(sourceColumns.source, { kind: "string" }, true);
export const partitionField = field(sourceColumns.partition, { kind: "int" }, true);
export const offsetField = field(sourceColumns.offset, { kind: "long" }, true);
export const timestampField = field(sourceColumns.timestamp, { kind: "timestamp", zoned: true, unit: "micros" }, false);
/** Only exact integers are stored. */
const noValues = new Float64Array(0);

/**
 * The columns that say where each record came from: topic id, partition, offset, and its timestamp in microseconds (null where it has none). What
 * is the same from batch to batch is made once.
 */
export class SourceColumns {
  #zeros = new Uint8Array(0);
  #constant: { readonly partition: PartitionKey; readonly source: BytesColumn; readonly number: IntegerColumn } | null = null;

  /** Their `values` are empty, and the timestamp's numbers are milliseconds, with a state that `derive` makes. */
  of(records: Records): Column[] {
    const { count, offsets, timestamps } = records;
    if (this.#zeros.length < count) this.#zeros = new Uint8Array(count);
    const state = this.#zeros;
    const integer = { kind: "integer", length: count, state, values: noValues } as const;
    return [
      ...this.#partitions(records),
      { ...integer, field: offsetField, exact: offsets },
      { ...integer, field: timestampField, exact: timestamps },
    ];
  }

  /** The placed column of timestamps, whose places `derive` fills in. */
  placeTimes(column: Column, placed: PlacedColumn): { placed: PlacedColumn; derive: (memory: EncoderMemory) => Block } {
    const state = { address: 0 };
    const values = { address: 0 };
    const times: Spot = placed.values;
    const derive = (memory: EncoderMemory): Block => {
      const block = memory.pool.take(column.length * 9);
      values.address = block.address;
      state.address = block.address + column.length * 8;
      memory.kernels.gatherTimes(times.address, column.length, state.address, values.address);
      return block;
    };
    return { placed: { ...placed, state, values }, derive };
  }

  /** Whether a column is the records' timestamps. */
  isTimes(column: Column): boolean {
    return column.field === timestampField;
  }

  #partitions({ count, partitions, partition }: Records): readonly [BytesColumn, IntegerColumn] {
    const [only] = partitions;
    if (partitions.length !== 1 || only === undefined) return partitionColumns(count, partitions, partition, this.#zeros);
    let known = this.#constant;
    const isSame = known?.partition.topicId === only.topicId && known.partition.partition === only.partition;
    if (known === null || !isSame || known.source.length < count) {
      const [source, number] = partitionColumns(count, partitions, new Uint16Array(count), this.#zeros);
      known = { partition: only, source, number };
      this.#constant = known;
    }
    const { source, number } = known;
    if (source.length === count) return [source, number];
    const starts = source.starts.subarray(0, count);
    const lengths = source.lengths.subarray(0, count);
    return [
      { ...source, length: count, starts, lengths },
      { ...number, length: count, exact: number.exact.subarray(0, count) },
    ];
  }
}

function partitionColumns(
  count: number,
  partitions: readonly PartitionKey[],
  partition: Uint16Array,
  state: Uint8Array,
): readonly [BytesColumn, IntegerColumn] {
  const ids = partitions.map((key) => Buffer.from(key.topicId));
  const idStarts = ids.map((_, i) => ids.slice(0, i).reduce((sum, id) => sum + id.length, 0));
  const starts = new Uint32Array(count);
  const lengths = new Uint32Array(count);
  const exact = new BigInt64Array(count);
  // Partitions are below 2^31: the low words say all, without a bigint a row.
  const words = new Int32Array(exact.buffer);
  for (let row = 0; row < count; row++) {
    const index = partition[row] as number;
    starts[row] = idStarts[index] as number;
    lengths[row] = (ids[index] as Buffer).length;
    words[row * 2] = (partitions[index] as PartitionKey).partition;
  }
  return [
    { kind: "bytes", field: sourceField, length: count, state, bytes: Buffer.concat(ids), starts, lengths },
    { kind: "integer", field: partitionField, length: count, state, exact, values: noValues },
  ];
}
