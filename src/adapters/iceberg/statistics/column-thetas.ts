import { SluiceError } from "../../../core/errors.ts";
import type { Storage } from "../../../core/storage.ts";
import type { IcebergSchema } from "../../../core/table-schema.ts";
import { ThetaSketch } from "../../../sketches/theta.ts";
import type { DeletedRows } from "../deletes/deleted-rows.ts";
import type { PhysicalValue } from "../initial-default.ts";
import { initialDefault } from "../initial-default.ts";
import { definitionMax } from "../leaf-levels.ts";
import { LeafReader } from "../parquet-leaf-reader.ts";
import type { HashValue } from "./single-value-hash.ts";
import { valueHasher } from "./single-value-hash.ts";

/** A column whose distinct values are counted. */
export interface CountedColumn {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  /** What rows have whose file is without the column; null: nothing. */
  readonly absent: PhysicalValue | null;
}

/** The columns of a schema that are counted: those at the top whose values have bytes of their own. */
export function countedColumns({ fields }: IcebergSchema): readonly CountedColumn[] {
  return fields.flatMap((field) => {
    const { id, name, type } = field;
    return typeof type === "string" && valueHasher(type) !== null ? [{ id, name, type, absent: initialDefault(field) }] : [];
  });
}

/** A theta sketch a column, of the rows of data files. */
export class ColumnThetas {
  readonly columns: readonly (CountedColumn & { readonly sketch: ThetaSketch; readonly hash: HashValue })[];
  readonly #out = new Uint32Array(4);

  constructor(columns: readonly CountedColumn[]) {
    this.columns = columns.map((column) => ({ ...column, sketch: new ThetaSketch(), hash: valueHasher(column.type) as HashValue }));
  }

  /**
   * Adds the rows of a Parquet file that are not deleted, one column of one row group in memory at a time. Rejects with TABLE_UNSUPPORTED, TABLE_CORRUPT,
   * NOT_FOUND, STORAGE_FAILED.
   */
  async addFile(storage: Storage, path: string, deleted: DeletedRows | null): Promise<void> {
    const reader = await LeafReader.open(storage, path);
    let first = 0;
    for (const [group, { rows }] of reader.rowGroups.entries()) {
      const kept = deleted?.kept(first, rows) ?? null;
      const isAny = rows > 0 && (kept === null || kept.includes(1));
      for (const column of isAny ? this.columns : []) await this.#addColumn(reader, group, column, kept);
      first += rows;
    }
  }

  async #addColumn(
    reader: LeafReader,
    group: number,
    { id, name, absent, hash, sketch }: ColumnThetas["columns"][number],
    kept: Uint8Array | null,
  ): Promise<void> {
    const steps = reader.stepsOf(id);
    // The file is from before the column: every row has the same there.
    if (steps === null) {
      if (absent !== null && hash(absent, this.#out)) sketch.add(this.#out);
      return;
    }
    const { values, definitions, repetitions } = await reader.read(group, id);
    if (repetitions !== null) throw new SluiceError("TABLE_UNSUPPORTED", `column ${name} of a data file is a list`);
    const max = definitionMax(steps);
    let next = 0;
    for (const page of values) {
      for (let i = 0; i < page.length; i++) {
        const row = nextPresent(definitions, max, next);
        next = row + 1;
        if (kept !== null && kept[row] === 0) continue;
        if (hash(page[i] as PhysicalValue, this.#out)) sketch.add(this.#out);
      }
    }
  }
}

/** The next row from `from` on that has a value. */
function nextPresent(definitions: Uint8Array | null, max: number, from: number): number {
  if (definitions === null) return from;
  for (let row = from; ; row++) if (definitions[row] === max) return row;
}
