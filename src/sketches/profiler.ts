import type { Batch } from "../core/batch.ts";
import type { Column } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import type { ColumnProfile, Profile } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import { emptyColumnProfile, profileColumn } from "./column-profiler.ts";

/** A contract's leaf fields in order: those that hold values themselves. Of maps, the values. */
export function leafFields(fields: readonly Field[]): readonly Field[] {
  return fields.flatMap((field) => {
    switch (field.type.kind) {
      case "struct":
        return leafFields(field.type.fields);
      case "list":
        return leafFields([field.type.element]);
      case "map":
        return leafFields([field.type.value]);
      default:
        return [field];
    }
  });
}

/** The profile of no rows of a contract. */
export function emptyProfile(contract: Contract): Profile {
  return { rows: 0, columns: new Map(leafFields(contract.fields).map((field) => [field.path, emptyColumnProfile(field)])) };
}

/** Profiles the given rows of a batch (ascending); null: all that were decoded. Columns that the contract does not have are left out. */
export function profileBatch(contract: Contract, batch: Batch, rows: Uint32Array | null): Profile {
  const chosen = rows ?? decodedRows(batch);
  const found = new Map<string, ColumnProfile>();
  for (const column of batch.columns) profileInto(found, column, chosen);
  const columns = new Map<string, ColumnProfile>();
  for (const field of leafFields(contract.fields)) columns.set(field.path, found.get(field.path) ?? emptyColumnProfile(field));
  return { rows: chosen.length, columns };
}

function decodedRows(batch: Batch): Uint32Array {
  const rows = new Uint32Array(batch.rows);
  let count = 0;
  for (let row = 0; row < batch.rows; row++) if (batch.undecoded[row] === 0) rows[count++] = row;
  return rows.subarray(0, count);
}

function profileInto(found: Map<string, ColumnProfile>, column: Column, rows: Uint32Array): void {
  if (column.kind === "struct") {
    for (const child of column.children) profileInto(found, child, rows);
  } else if (column.kind === "list") profileInto(found, column.element, elementRows(column.state, column.offsets, rows));
  else found.set(column.field.path, profileColumn(column, rows));
}

function elementRows(state: Uint8Array, offsets: Int32Array, rows: Uint32Array): Uint32Array {
  let count = 0;
  for (const row of rows) if (state[row] === Cell.value) count += (offsets[row + 1] as number) - (offsets[row] as number);
  const elements = new Uint32Array(count);
  let at = 0;
  for (const row of rows) {
    if (state[row] !== Cell.value) continue;
    for (let element = offsets[row] as number; element < (offsets[row + 1] as number); element++) elements[at++] = element;
  }
  return elements;
}
