import type { Batch } from "../../../src/core/batch.ts";
import type { Contract } from "../../../src/core/contract.ts";
import type { Records } from "../../../src/core/records.ts";
import { cellValue } from "../../fixtures/column-value.ts";
import { makeContract, makeRecords, type FieldSketch } from "../../fixtures/contract.ts";

/** Rows of a batch as objects by column, `fault` for those that gave none. */
export function rowsOf(batch: Batch): unknown[] {
  const faults = new Map(batch.faults.map((fault) => [fault.row, fault.code]));
  return Array.from({ length: batch.rows }, (_, row) =>
    faults.has(row)
      ? { fault: faults.get(row) }
      : Object.fromEntries(batch.columns.map((column) => [column.field.name, cellValue(column, row)])),
  );
}

/** Decodes values by a compiled format. */
export function decodeValues(
  compile: (contract: Contract) => (records: Records) => Batch,
  fields: Readonly<Record<string, FieldSketch>>,
  values: readonly (Uint8Array | string | null)[],
): Batch {
  return compile(makeContract(fields))(makeRecords(values));
}
