import type { Batch } from "../core/batch.ts";
import type { FilePartition } from "../core/encoded-file.ts";
import type { PartitionValue } from "../core/partition-transform.ts";
import { compileTransform, parseTransform } from "../core/partition-transform.ts";
import type { FileLayout } from "../core/table-layout.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import { sortKeyOf, sortRows } from "../core/row-order.ts";
import { scalarWithId, valuesIn, type ScalarField } from "./row-values.ts";

/** Rows that go to one file, by their numbers over all batches, in the file's order. */
export interface FileRows {
  readonly rows: Uint32Array;
  readonly partition: FilePartition;
}

interface PartitionPart {
  readonly fieldId: number;
  /** Null: the table has no such field any more, and rows are null in it. */
  readonly source: ScalarField | null;
  readonly apply: (value: PartitionValue) => PartitionValue;
}

/** Files that one lot of rows may become: each costs a footer, a manifest entry and a request of every reader. */
export const filesMax = 100;

/** Divides rows into files as a table's layout has it. */
export class RowLayout {
  readonly #layout: FileLayout;
  readonly #parts: readonly PartitionPart[];
  readonly #sorted: readonly (ScalarField | null)[];

  constructor(schema: IcebergSchema, layout: FileLayout) {
    this.#layout = layout;
    this.#parts = layout.spec.fields.map((field) => {
      const source = scalarWithId(schema.fields, field["source-id"]);
      const transform = parseTransform(field.transform);
      if (transform === null) throw new Error(`bug: a layout by ${field.transform} was let through`);
      return { fieldId: field["field-id"], source, apply: source === null ? () => null : compileTransform(transform, source.type) };
    });
    this.#sorted = layout.sortOrder.fields.map((field) => scalarWithId(schema.fields, field["source-id"]));
  }

  /**
   * The files of some batches' rows, one a partition, largest first. Rows of more partitions than `filesMax` allows go to one file of the unpartitioned
   * spec, where the table has one: every reader finds them there, by the file's own bounds.
   */
  divide(batches: readonly Batch[]): FileRows[] {
    const groups = this.#group(batches).toSorted((a, b) => b.rows.length - a.rows.length);
    const { unpartitionedSpecId, sortOrder } = this.#layout;
    const keys = this.#sorted.map((source) => this.#valuesOf(batches, source).map(sortKeyOf));
    const files = groups.map(({ rows, values }) => ({ rows: Uint32Array.from(rows), partition: this.#partitionOf(values) }));
    const kept = files.length <= filesMax || unpartitionedSpecId === null ? files : files.slice(0, filesMax - 1);
    const surplus = files.slice(kept.length).flatMap((file) => [...file.rows]);
    if (surplus.length > 0) {
      kept.push({ rows: Uint32Array.from(surplus).toSorted(), partition: { specId: unpartitionedSpecId as number, values: new Map() } });
    }
    return sortOrder.fields.length === 0 ? kept : kept.map((file) => ({ ...file, rows: sortRows(file.rows, sortOrder.fields, keys) }));
  }

  #partitionOf(values: readonly PartitionValue[]): FilePartition {
    return { specId: this.#layout.spec["spec-id"], values: new Map(this.#parts.map(({ fieldId }, i) => [fieldId, values[i] ?? null])) };
  }

  #group(batches: readonly Batch[]): { readonly rows: number[]; readonly values: readonly PartitionValue[] }[] {
    const columns = this.#parts.map(({ source, apply }) => this.#valuesOf(batches, source).map(apply));
    const count = batches.reduce((sum, batch) => sum + batch.rows, 0);
    const groups = new Map<string, { rows: number[]; values: PartitionValue[] }>();
    for (let row = 0; row < count; row++) {
      const values = columns.map((column) => column[row] as PartitionValue);
      const key = values.map(keyOf).join("\u0000");
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { rows: [row], values });
      else group.rows.push(row);
    }
    return [...groups.values()];
  }

  #valuesOf(batches: readonly Batch[], source: ScalarField | null): PartitionValue[] {
    return batches.flatMap((batch) => {
      if (source === null) return Array.from({ length: batch.rows }, () => null);
      const value = valuesIn(batch, source);
      return Array.from({ length: batch.rows }, (_, row) => value(row));
    });
  }
}

/** A text by which equal values are one partition: its length tells texts with a separator apart. */
function keyOf(value: PartitionValue): string {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
  return value === null ? "" : `${text.length} ${text}`;
}
