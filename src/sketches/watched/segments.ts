import type { Batch } from "../../core/batch.ts";
import type { Contract } from "../../core/contract.ts";
import type { ColumnProfile } from "../../core/profile.ts";
import type { Condition } from "../../core/rule.ts";
import type { Field } from "../../core/schema.ts";
import { ColumnState } from "../column-state.ts";
import { settleDense } from "../dense-counts.ts";
import { finishColumn } from "../finish-column.ts";
import type { LeafColumn } from "../leaf-columns.ts";
import type { LeafState } from "../leaf-state.ts";
import { addLeaf, shapeFor } from "../leaf-state.ts";

/** Those of some rows (ascending) of a batch that a condition is true of; valid until the next call. */
export type SelectRows = (batch: Batch, rows: Uint32Array) => Uint32Array;

/** The rows of the conditions that segments are made by, each asked once a batch whatever the number of columns. */
export class Selections {
  readonly #contract: Contract;
  readonly #compile: (contract: Contract, where: Condition) => SelectRows;
  readonly #byText = new Map<string, { readonly select: SelectRows; rows: Uint32Array }>();

  constructor(contract: Contract, compile: (contract: Contract, where: Condition) => SelectRows) {
    this.#contract = contract;
    this.#compile = compile;
  }

  /** How to get at the rows of the batch that was taken last. */
  rowsOf(where: Condition): () => Uint32Array {
    const text = JSON.stringify(where);
    const known = this.#byText.get(text) ?? { select: this.#compile(this.#contract, where), rows: new Uint32Array(0) };
    this.#byText.set(text, known);
    return () => known.rows;
  }

  take(batch: Batch, rows: Uint32Array): void {
    for (const each of this.#byText.values()) each.rows = each.select(batch, rows);
  }
}

/** The statistics of a column over some of its rows, under a name of their own. */
export class SegmentColumn {
  readonly #path: string;
  readonly #leaf: LeafState;

  constructor(path: string, field: Field) {
    this.#path = path;
    this.#leaf = { field, state: new ColumnState(shapeFor(field)) };
  }

  reset(): void {
    this.#leaf.state.reset();
  }

  add(column: LeafColumn, rows: Uint32Array): void {
    if (rows.length > 0) addLeaf(this.#leaf, column, rows);
  }

  finish(): ColumnProfile {
    const { field, state } = this.#leaf;
    settleDense(state, field);
    return { ...finishColumn(state, field), path: this.#path };
  }
}
