import type { Batch } from "../../src/core/batch.ts";
import { Cell, type Column } from "../../src/core/column.ts";

function contentOf(column: Column, texts: Uint8Array): unknown {
  const { invalid, state } = column;
  const base = {
    path: column.field.path,
    state: [...state],
    invalid:
      invalid === null || invalid === undefined
        ? []
        : Array.from(invalid.rows, (row, i) => {
            const start = invalid.starts[i] as number;
            return [row, invalid.causes[i], Buffer.from(texts.subarray(start, start + (invalid.lengths[i] as number))).toString("latin1")];
          }),
  };
  switch (column.kind) {
    case "boolean":
    case "float":
      return { ...base, values: [...column.values] };
    case "integer":
      return { ...base, values: [...column.values], exact: [...column.exact] };
    case "decimal":
      return { ...base, values: [...column.values], unscaled: [...column.unscaled] };
    case "bytes":
      return {
        ...base,
        texts: Array.from(column.lengths, (length, row) => {
          const start = column.starts[row] as number;
          return state[row] === Cell.value ? Buffer.from(column.bytes.subarray(start, start + length)).toString("latin1") : length;
        }),
      };
    case "struct":
      return { ...base, children: column.children.map((child) => contentOf(child, texts)) };
    case "list":
      return {
        ...base,
        offsets: [...column.offsets],
        keys: column.keys === null ? null : contentOf(column.keys, texts),
        element: contentOf(column.element, texts),
      };
  }
}

/** All that a batch says, cell by cell, zeros behind cells without value included: for comparing two decoders. */
export function batchContent(batch: Batch): unknown {
  const texts = (batch.payload ?? batch.records).bytes;
  return {
    rows: batch.rows,
    faults: batch.faults,
    skipped: batch.skipped,
    undecoded: [...batch.undecoded],
    unknown: batch.unknown === null ? null : contentOf(batch.unknown, texts),
    columns: batch.columns.map((column) => contentOf(column, texts)),
  };
}
