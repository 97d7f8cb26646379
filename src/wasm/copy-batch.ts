import type { Batch } from "../core/batch.ts";
import type { BytesColumn, Column } from "../core/column.ts";

function copyText(column: BytesColumn): Pick<BytesColumn, "bytes" | "starts" | "lengths"> {
  const { length } = column;
  let size = 0;
  for (let i = 0; i < length; i++) size += column.lengths[i] as number;
  const bytes = new Uint8Array(size);
  const starts = new Uint32Array(length);
  let at = 0;
  for (let i = 0; i < length; i++) {
    const start = column.starts[i] as number;
    const count = column.lengths[i] as number;
    // Short texts: a call for each costs more than its bytes.
    if (count < 24) for (let k = 0; k < count; k++) bytes[at + k] = column.bytes[start + k] as number;
    else bytes.set(column.bytes.subarray(start, start + count), at);
    starts[i] = at;
    at += count;
  }
  return { bytes, starts, lengths: column.lengths.slice(0, length) };
}

function copyColumn(column: Column): Column {
  const base = { state: column.state.slice() };
  switch (column.kind) {
    case "boolean":
      return { ...column, ...base, values: column.values.slice() };
    case "float":
      return { ...column, ...base, values: column.values.slice() };
    case "integer":
      return { ...column, ...base, values: column.values.slice(), exact: column.exact.slice() };
    case "decimal":
      return { ...column, ...base, values: column.values.slice(), unscaled: column.unscaled.slice() };
    case "bytes":
      return { ...column, ...base, ...copyText(column) };
    case "struct":
      return { ...column, ...base, children: column.children.map(copyColumn) };
    case "list":
      return {
        ...column,
        ...base,
        offsets: column.offsets.slice(),
        keys: column.keys === null ? null : (copyColumn(column.keys) as BytesColumn),
        element: copyColumn(column.element),
      };
  }
}

/** The same batch with columns of its own, which outlive the arena's next chunk. Its records and their bytes are shared, not copied. */
export function copyBatch(batch: Batch): Batch {
  return {
    ...batch,
    columns: batch.columns.map(copyColumn),
    undecoded: batch.undecoded.slice(),
    unknown: batch.unknown === null ? null : copyColumn(batch.unknown),
    resident: null,
  };
}
