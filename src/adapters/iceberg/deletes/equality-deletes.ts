import { SluiceError } from "../../../core/errors.ts";
import { decimalOf } from "../../../core/iceberg-type.ts";
import type { Storage } from "../../../core/storage.ts";
import type { IcebergField } from "../../../core/table-schema.ts";
import { signedOf } from "../../../core/unscaled-bytes.ts";
import type { PhysicalValue } from "../initial-default.ts";
import { initialDefault } from "../initial-default.ts";
import { definitionMax } from "../leaf-levels.ts";
import type { ManifestEntry } from "../manifest.ts";
import { LeafReader } from "../parquet-leaf-reader.ts";
import { pathOfUri } from "../storage-path.ts";
import type { DeletedRows } from "./deleted-rows.ts";
import { isAvro, visitAvroRows } from "./avro-deletes.ts";
import { checkDeleteFile } from "./position-deletes.ts";

/** Keys in memory at once; a file of more is for its writer to compact. */
const keysMax = 10_000_000;

/** A column that rows are compared by: its id, and the type that the table has for it now. */
export interface EqualityColumn {
  readonly id: number;
  readonly type: string;
  /** What rows have whose file is without the column; null: nothing. */
  readonly absent: PhysicalValue | null;
}

/** Rows that an equality delete file deletes, by the values of its columns. */
export interface EqualityDeletes {
  readonly columns: readonly EqualityColumn[];
  readonly keys: ReadonlySet<string>;
}

type Physical = PhysicalValue;

/** A value as a text that only values equal to it have: across the types that columns were widened from; NaN equals itself, and -0 is not 0 (as in Java). */
function textOf(type: string, value: Physical | null): string {
  if (value === null) return "n";
  if (value instanceof Uint8Array) {
    return decimalOf(type) === null ? `b${Buffer.from(value).toString("latin1")}` : `i${signedOf(value)}`;
  }
  if (typeof value === "number" && (type === "float" || type === "double")) return Object.is(value, -0) ? "f-0" : `f${value}`;
  return typeof value === "boolean" ? `t${value}` : `i${value}`;
}

/** The values of a leaf that does not repeat, row by row; null where there is none. A file that lacks the leaf has the column's default in every row. */
async function valuesOf(
  reader: LeafReader,
  group: number,
  { id, absent }: EqualityColumn,
  rows: number,
): Promise<readonly (Physical | null)[]> {
  const steps = reader.stepsOf(id);
  if (steps === null) return Array.from({ length: rows }, () => absent);
  const { values, definitions, repetitions } = await reader.read(group, id);
  if (repetitions !== null) throw inList(id);
  const present = values.flatMap((page) => Array.from(page));
  if (definitions === null) return present;
  const max = definitionMax(steps);
  let next = 0;
  return Array.from(definitions, (level) => (level === max ? (present[next++] as Physical) : null));
}

function keyOf(columns: readonly EqualityColumn[], values: readonly (Physical | null)[]): string {
  const texts = columns.map(({ type }, i) => textOf(type, values[i] ?? null));
  return texts.length === 1 ? (texts[0] as string) : JSON.stringify(texts);
}

/** Visits the key of every row of an Avro file. */
function visitAvroKeys(storage: Storage, uri: string, columns: readonly EqualityColumn[], visit: (key: string) => void): Promise<void> {
  const places = new Map(columns.map(({ id }, i) => [id, i]));
  return visitAvroRows(storage, uri, (visitLeaves) => {
    const values = columns.map(({ absent }) => absent);
    visitLeaves((id, value, isRepeated) => {
      const place = places.get(id);
      if (place === undefined) return;
      if (isRepeated) throw inList(id);
      values[place] = value;
    });
    visit(keyOf(columns, values));
  });
}

function inList(id: number): SluiceError {
  return new SluiceError("TABLE_UNSUPPORTED", `rows are deleted by field ${id}, which is in a list or a map`);
}

/** Visits the key of every row of a Parquet file, with the row's number. */
async function visitKeys(
  storage: Storage,
  uri: string,
  columns: readonly EqualityColumn[],
  visit: (key: string, row: number) => void,
): Promise<void> {
  const reader = await LeafReader.open(storage, pathOfUri(storage, uri));
  let first = 0;
  const current: (Physical | null)[] = [];
  for (const [group, { rows }] of reader.rowGroups.entries()) {
    const values: (readonly (Physical | null)[])[] = [];
    for (const column of columns) values.push(await valuesOf(reader, group, column, rows));
    for (let row = 0; row < rows; row++) {
      for (const [i, each] of values.entries()) current[i] = each[row] ?? null;
      visit(keyOf(columns, current), first + row);
    }
    first += rows;
  }
}

/** Reads an equality delete file; `fieldOf`: a scalar field of the table. Rejects with TABLE_CORRUPT, TABLE_UNSUPPORTED, NOT_FOUND. */
export async function readEqualityDeletes(
  storage: Storage,
  entry: ManifestEntry,
  fieldOf: (id: number) => IcebergField & { readonly type: string },
): Promise<EqualityDeletes> {
  checkDeleteFile(entry, keysMax);
  const uri = entry.file.file_path as string;
  const ids = (entry.file.equality_ids ?? []) as readonly number[];
  if (ids.length === 0) throw new SluiceError("TABLE_CORRUPT", `equality delete file ${uri} names no columns`);
  const columns = ids.map(fieldOf).map((field) => ({ id: field.id, type: field.type, absent: initialDefault(field) }));
  const keys = new Set<string>();
  const visit = isAvro(entry.file.file_format) ? visitAvroKeys : visitKeys;
  await visit(storage, uri, columns, (key) => keys.add(key));
  return { columns, keys };
}

/** Deletes the rows of a data file that equality deletes name: its values are read, of their columns alone. */
export async function applyEqualityDeletes(
  storage: Storage,
  dataUri: string,
  { columns, keys }: EqualityDeletes,
  deleted: DeletedRows,
): Promise<void> {
  if (keys.size === 0) return;
  await visitKeys(storage, dataUri, columns, (key, row) => keys.has(key) && deleted.add(row));
}
