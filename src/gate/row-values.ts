import type { Batch } from "../core/batch.ts";
import { timeText } from "../core/civil.ts";
import { Cell, type Column } from "../core/column.ts";
import type { PartitionValue } from "../core/partition-transform.ts";
import type { PartitionKey } from "../core/position.ts";
import type { IcebergField } from "../core/table-schema.ts";
import { sourceColumns } from "../core/table-schema.ts";

/** A scalar field of a table: the names that lead to it through structs, and its Iceberg type. */
export interface ScalarField {
  readonly path: readonly string[];
  readonly type: string;
}

/** The scalar field with an id that stands once in a row; null where there is none. */
export function scalarWithId(fields: readonly IcebergField[], id: number): ScalarField | null {
  for (const field of fields) {
    if (field.id === id) return typeof field.type === "string" ? { path: [field.name], type: field.type } : null;
    if (typeof field.type !== "object" || field.type.type !== "struct") continue;
    const inner = scalarWithId(field.type.fields, id);
    if (inner !== null) return { ...inner, path: [field.name, ...inner.path] };
  }
  return null;
}

/** The values of a table's field in a batch, by row, as the table will hold them; null in all rows where the batch has no such column. */
export function valuesIn(batch: Batch, field: ScalarField): (row: number) => PartitionValue {
  const { records, unknown } = batch;
  const keyOf = (row: number): PartitionKey | undefined => records.partitions[records.partition[row] as number];
  const [name] = field.path;
  if (name === sourceColumns.source) return (row) => keyOf(row)?.topicId ?? null;
  if (name === sourceColumns.partition) return (row) => keyOf(row)?.partition ?? null;
  if (name === sourceColumns.offset) return (row) => records.offsets[row] as bigint;
  if (name === sourceColumns.timestamp)
    return (row) => (records.timestamps[row] === -1n ? null : (records.timestamps[row] as bigint) * 1000n);
  let columns: readonly Column[] = unknown === null ? batch.columns : [...batch.columns, unknown];
  const chain: Column[] = [];
  for (const part of field.path) {
    const column = columns.find((each) => each.field.name === part);
    if (column === undefined) return () => null;
    chain.push(column);
    columns = column.kind === "struct" ? column.children : [];
  }
  const read = readerOf(chain.at(-1) as Column, field.type);
  return (row) => (chain.every((column) => column.state[row] === Cell.value) ? read(row) : null);
}

function readerOf(column: Column, type: string): (row: number) => PartitionValue {
  switch (column.kind) {
    case "boolean":
      return (row) => column.values[row] === 1;
    case "float":
      return (row) => column.values[row] as number;
    case "integer":
      if (column.field.type.kind === "time") return (row) => timeText(column.values[row] as number);
      return type === "int" || type === "date" ? (row) => Number(column.exact[row]) : (row) => column.exact[row] as bigint;
    case "decimal":
      return (row) => unscaledAt(column.unscaled, row);
    case "bytes": {
      const bytes = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength);
      const { starts, lengths } = column;
      const end = (row: number): number => (starts[row] as number) + (lengths[row] as number);
      if (type === "binary" || type === "uuid") return (row) => column.bytes.slice(starts[row], end(row));
      return (row) => bytes.toString("utf8", starts[row], end(row));
    }
    default:
      return () => null;
  }
}

function unscaledAt(words: Uint32Array, row: number): bigint {
  let value = 0n;
  for (let word = 3; word >= 0; word--) value = (value << 32n) | BigInt(words[row * 4 + word] as number);
  return BigInt.asIntN(128, value);
}
