import type { Batch } from "../core/batch.ts";
import type { Column } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import type { Profile } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import { settleDense } from "./dense-counts.ts";
import { emptyColumnProfile, finishColumn } from "./finish-column.ts";
import { leafFields, visitLeaves } from "./leaf-columns.ts";
import type { LeafState } from "./leaf-state.ts";
import { addLeaf, ownStates } from "./leaf-state.ts";
import type { WatchTools } from "./watched/column-watch.ts";
import { watchColumns } from "./watched/column-watch.ts";
import type { WindowProfiler } from "./window-profiler.ts";

/** The profile of no rows of a contract. */
export function emptyProfile(contract: Contract): Profile {
  return { rows: 0, columns: new Map(leafFields(contract.fields).map((field) => [field.path, emptyColumnProfile(field)])) };
}

/** Profiles columns alone, of rows that no window has in hand: what contracts watch besides is left out. */
export function profileColumns(fields: readonly Field[]): { add(columns: readonly Column[], rows: Uint32Array): void; finish(): Profile } {
  const leaves = leafFields(fields);
  const states = ownStates(leaves);
  let rowCount = 0;
  return {
    add: (columns, rows) => {
      rowCount += rows.length;
      addColumns(states, columns, rows);
    },
    finish: () => {
      for (const { state, field } of states.values()) settleDense(state, field);
      return finishProfile(leaves, states, rowCount);
    },
  };
}

function addColumns(states: ReadonlyMap<string, LeafState>, columns: readonly Column[], rows: Uint32Array): void {
  for (const column of columns) {
    visitLeaves(column, rows, (leaf, own) => {
      const found = states.get(leaf.field.path);
      if (found !== undefined) addLeaf(found, leaf, own);
    });
  }
}

/** A profiler in TypeScript: of batches wherever they are, and what the compiled one is tested against. Without `tools` only columns are watched. */
export function referenceProfiler(contract: Contract, tools: WatchTools | null = null): WindowProfiler {
  const fields = leafFields(contract.fields);
  const states = ownStates(fields);
  const watch = watchColumns(contract, tools);
  let rowCount = 0;
  return {
    reset: () => {
      rowCount = 0;
      for (const { state } of states.values()) state.reset();
      watch?.reset();
    },
    add: (batch, rows) => {
      rowCount += rows.length;
      addColumns(states, batch.columns, rows);
      watch?.add(batch, rows);
    },
    finish: () => {
      for (const { state, field } of states.values()) settleDense(state, field);
      const profile = finishProfile(fields, states, rowCount);
      return watch === null ? profile : watch.complete(profile);
    },
  };
}

/** The profile that the settled states of a contract's leaf fields hold. */
export function finishProfile(fields: readonly Field[], states: ReadonlyMap<string, LeafState>, rows: number): Profile {
  return {
    rows,
    columns: new Map(fields.map((field) => [field.path, finishColumn((states.get(field.path) as LeafState).state, field)])),
  };
}

const profilers = new WeakMap<Contract, WindowProfiler>();

/** Profiles the given rows of a batch (ascending); null: all that were decoded. Columns that the contract does not have are left out. */
export function profileBatch(contract: Contract, batch: Batch, rows: Uint32Array | null): Profile {
  // The states of a contract are some megabytes: worth keeping.
  const profiler = profilers.get(contract) ?? referenceProfiler(contract);
  profilers.set(contract, profiler);
  profiler.reset();
  profiler.add(batch, rows ?? decodedRows(batch));
  return profiler.finish();
}

function decodedRows(batch: Batch): Uint32Array {
  const rows = new Uint32Array(batch.rows);
  let count = 0;
  for (let row = 0; row < batch.rows; row++) if (batch.undecoded[row] === 0) rows[count++] = row;
  return rows.subarray(0, count);
}
