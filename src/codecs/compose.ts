import type { Batch, SkippedRow } from "../core/batch.ts";
import type { Column, DecodeFault } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import type { Records } from "../core/records.ts";
import { copyBatch } from "../wasm/copy-batch.ts";
import { interleave, noSource } from "./interleave.ts";
import { hasInvalid, PayloadSlab, rehome } from "./payload-slab.ts";

/** Columns that were decoded from another slab than the rest of their batch. */
export interface ForeignColumns {
  readonly columns: readonly Column[];
  readonly slab: Uint8Array;
}

/** A batch with all of the contract's columns, in its order: its own, and those decoded elsewhere. */
export function joinColumns(contract: Contract, batch: Batch, others: readonly ForeignColumns[]): Batch {
  const byName = new Map(batch.columns.map((column) => [column.field.name, column]));
  let payload = batch.payload;
  if (others.some(({ columns }) => columns.some(hasInvalid))) {
    const slab = new PayloadSlab(batch.rows, batch.payload ?? batch.records);
    for (const { columns, slab: from } of others) for (const column of columns) byName.set(column.field.name, rehome(column, from, slab));
    payload = slab.records(batch.records);
  } else for (const { columns } of others) for (const column of columns) byName.set(column.field.name, column);
  const columns = contract.fields.map((field) => byName.get(field.name) as Column);
  return { ...batch, columns, ...(payload !== undefined && { payload }), resident: null };
}

/** A decoder and the rows that are its. */
interface RowsDecoder {
  readonly decode: (records: Records) => Batch;
  readonly owns: (row: number) => boolean;
}

/** Decodes each part of a run by its own decoder, and answers the rows of all as one batch; a row that no part owns is the first one's. */
export function decodeParts(records: Records, parts: readonly RowsDecoder[], needsText: boolean): Batch {
  const batches = parts.map(({ decode, owns }) => {
    const valueLength = records.valueLength.map((length, row) => (owns(row) ? length : -1));
    const batch = decode({ ...records, valueLength });
    // What is resident is gone with the next part's.
    return batch.resident === undefined || batch.resident === null ? batch : copyBatch(batch);
  });
  const sources = new Uint16Array(records.count).fill(noSource);
  for (let row = 0; row < records.count; row++) {
    const part = parts.findIndex(({ owns }) => owns(row));
    sources[row] = Math.max(0, part);
  }
  return interleaveBatches(records, batches, sources, needsText);
}

/** One batch out of several of the same records, row by row. */
export function interleaveBatches(records: Records, batches: readonly Batch[], sources: Uint16Array, needsText: boolean): Batch {
  const slab = new PayloadSlab(records.count, null);
  const payloads = batches.map((batch) => batch.payload ?? batch.records);
  const gather = (part: number, start: number, length: number): number => slab.take((payloads[part] as Records).bytes, start, length);
  const first = batches[0] as Batch;
  const columns = first.columns.map((_, i) =>
    interleave(
      batches.map((batch) => batch.columns[i] as Column),
      sources,
      gather,
    ),
  );
  const unknown =
    first.unknown === null
      ? null
      : interleave(
          batches.map((batch) => batch.unknown as Column),
          sources,
          gather,
        );
  if (needsText) for (let row = 0; row < records.count; row++) slab.takeRow(row, payloads[sources[row] as number] as Records);
  const mine = <T extends DecodeFault | SkippedRow>(of: (batch: Batch) => readonly T[]): T[] =>
    batches.flatMap((batch, part) => of(batch).filter(({ row }) => sources[row] === part)).toSorted((a, b) => a.row - b.row);
  return {
    records,
    payload: slab.records(records),
    rows: records.count,
    columns,
    faults: mine((batch) => batch.faults),
    skipped: mine((batch) => batch.skipped),
    undecoded: Uint8Array.from(sources, (part, row) => (batches[part] as Batch).undecoded[row] as number),
    unknown,
  };
}
