import type { Batch } from "./batch.ts";
import type { BytesColumn, Column, ListColumn } from "./column.ts";
import type { PartitionKey } from "./position.ts";
import { partitionId } from "./position.ts";
import type { Records } from "./records.ts";
import { allocateRecords } from "./records.ts";

/** Rows of some batches, in any order: the batch of each, and its row there. */
export interface RowPicks {
  readonly source: Uint32Array;
  readonly row: Uint32Array;
}

/** Rows of one batch as picks. */
export function picksOf(rows: Uint32Array): RowPicks {
  return { source: new Uint32Array(rows.length), row: rows };
}

/**
 * A batch of its own made of rows of others, which are of one contract. Its records tell where they came from and when; their bytes are left behind, and
 * so is why rows gave no columns.
 */
export function gatherBatch(batches: readonly Batch[], picks: RowPicks): Batch {
  const rows = picks.row.length;
  const first = batches[0] as Batch;
  const column = (of: (batch: Batch) => Column): Column => gatherColumn(batches.map(of), picks);
  return {
    records: gatherRecords(
      batches.map((batch) => batch.records),
      picks,
    ),
    rows,
    columns: first.columns.map((_, i) => column((batch) => batch.columns[i] as Column)),
    faults: [],
    undecoded: new Uint8Array(rows),
    skipped: [],
    unknown: first.unknown === null ? null : column((batch) => batch.unknown as Column),
    resident: null,
  };
}

function gatherRecords(records: readonly Records[], { source, row }: RowPicks): Records {
  const partitions: PartitionKey[] = [];
  const known = new Map<string, number>();
  const renumbered = records.map((each) =>
    each.partitions.map((key) => {
      const id = `${key.topic} ${partitionId(key)}`;
      const index = known.get(id) ?? partitions.push(key) - 1;
      known.set(id, index);
      return index;
    }),
  );
  const gathered = allocateRecords(row.length, new Uint8Array(0), partitions);
  for (let i = 0; i < row.length; i++) {
    const from = records[source[i] as number] as Records;
    const at = row[i] as number;
    gathered.partition[i] = (renumbered[source[i] as number] as number[])[from.partition[at] as number] as number;
    gathered.offsets[i] = from.offsets[at] as bigint;
    gathered.timestamps[i] = from.timestamps[at] as bigint;
    gathered.timestampTypes[i] = from.timestampTypes[at] as number;
  }
  return gathered;
}

/** One column made of rows of others, all of one kind. */
export function gatherColumn(columns: readonly Column[], picks: RowPicks): Column {
  const { source, row } = picks;
  const length = row.length;
  const first = columns[0] as Column;
  const state = new Uint8Array(length);
  for (let i = 0; i < length; i++) state[i] = (columns[source[i] as number] as Column).state[row[i] as number] as number;
  const base = { length, state, invalid: null };
  switch (first.kind) {
    case "boolean": {
      const values = copyOf(
        new Uint8Array(length),
        (columns as readonly (typeof first)[]).map((each) => each.values),
        picks,
      );
      return { ...base, kind: first.kind, field: first.field, values };
    }
    case "float": {
      const values = copyOf(
        new Float64Array(length),
        (columns as readonly (typeof first)[]).map((each) => each.values),
        picks,
      );
      return { ...base, kind: first.kind, field: first.field, values };
    }
    case "integer": {
      const own = columns as readonly (typeof first)[];
      const exact = copyOf(
        new BigInt64Array(length),
        own.map((each) => each.exact),
        picks,
      );
      const values = copyOf(
        new Float64Array(length),
        own.map((each) => each.values),
        picks,
      );
      return { ...base, kind: first.kind, field: first.field, exact, values };
    }
    case "decimal": {
      const own = columns as readonly (typeof first)[];
      const unscaled = new Uint32Array(length * 4);
      for (let i = 0; i < length; i++) {
        const words = (own[source[i] as number] as typeof first).unscaled;
        for (let word = 0; word < 4; word++) unscaled[i * 4 + word] = words[(row[i] as number) * 4 + word] as number;
      }
      return {
        ...base,
        kind: first.kind,
        field: first.field,
        unscaled,
        values: copyOf(
          new Float64Array(length),
          own.map((each) => each.values),
          picks,
        ),
      };
    }
    case "bytes":
      return { ...base, kind: first.kind, field: first.field, ...gatherBytes(columns as readonly BytesColumn[], picks) };
    case "struct": {
      const own = columns as readonly (typeof first)[];
      const children = first.children.map((_, i) =>
        gatherColumn(
          own.map((each) => each.children[i] as Column),
          picks,
        ),
      );
      return { ...base, kind: first.kind, field: first.field, children };
    }
    case "list":
      return { ...base, kind: first.kind, field: first.field, ...gatherLists(columns as readonly ListColumn[], picks) };
    default:
      return first satisfies never;
  }
}

interface Cells<T> {
  readonly [row: number]: T;
}

function copyOf<T, Into extends { [row: number]: T }>(into: Into, from: readonly Cells<T>[], { source, row }: RowPicks): Into {
  for (let i = 0; i < row.length; i++) into[i] = (from[source[i] as number] as Cells<T>)[row[i] as number] as T;
  return into;
}

function gatherBytes(columns: readonly BytesColumn[], { source, row }: RowPicks): Pick<BytesColumn, "bytes" | "starts" | "lengths"> {
  const count = row.length;
  const lengths = new Uint32Array(count);
  const starts = new Uint32Array(count);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const length = (columns[source[i] as number] as BytesColumn).lengths[row[i] as number] as number;
    lengths[i] = length;
    starts[i] = size;
    size += length;
  }
  const bytes = new Uint8Array(size);
  for (let i = 0; i < count; i++) {
    const from = columns[source[i] as number] as BytesColumn;
    const start = from.starts[row[i] as number] as number;
    const length = lengths[i] as number;
    const at = starts[i] as number;
    // Short texts: a call for each costs more than its bytes.
    if (length < 24) for (let k = 0; k < length; k++) bytes[at + k] = from.bytes[start + k] as number;
    else bytes.set(from.bytes.subarray(start, start + length), at);
  }
  return { bytes, starts, lengths };
}

function gatherLists(columns: readonly ListColumn[], { source, row }: RowPicks): Pick<ListColumn, "offsets" | "keys" | "element"> {
  const count = row.length;
  const offsets = new Int32Array(count + 1);
  let items = 0;
  for (let i = 0; i < count; i++) {
    const from = (columns[source[i] as number] as ListColumn).offsets;
    const at = row[i] as number;
    items += (from[at + 1] as number) - (from[at] as number);
    offsets[i + 1] = items;
  }
  const inner = { source: new Uint32Array(items), row: new Uint32Array(items) };
  for (let i = 0; i < count; i++) {
    const from = (columns[source[i] as number] as ListColumn).offsets[row[i] as number] as number;
    const start = offsets[i] as number;
    const length = (offsets[i + 1] as number) - start;
    for (let k = 0; k < length; k++) {
      inner.source[start + k] = source[i] as number;
      inner.row[start + k] = from + k;
    }
  }
  const keys =
    columns[0]?.keys === null
      ? null
      : (gatherColumn(
          columns.map((each) => each.keys as Column),
          inner,
        ) as BytesColumn);
  return {
    offsets,
    keys,
    element: gatherColumn(
      columns.map((each) => each.element),
      inner,
    ),
  };
}

/** The bytes that a batch's columns and places take. */
export function batchBytes(batch: Batch): number {
  const columns = [...batch.columns, ...(batch.unknown === null ? [] : [batch.unknown])];
  return columns.reduce((sum, column) => sum + columnBytes(column), batch.rows * 20);
}

function columnBytes(column: Column): number {
  const { length } = column;
  switch (column.kind) {
    case "boolean":
      return length * 2;
    case "float":
      return length * 9;
    case "integer":
      return length * 17;
    case "decimal":
      return length * 25;
    case "bytes":
      return length * 9 + column.bytes.byteLength;
    case "struct":
      return column.children.reduce((sum, child) => sum + columnBytes(child), length);
    case "list":
      return length * 5 + columnBytes(column.element) + (column.keys === null ? 0 : columnBytes(column.keys));
    default:
      return column satisfies never;
  }
}
