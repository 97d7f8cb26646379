import { Cell, type Column } from "../../core/column.ts";
import { SluiceError } from "../../core/errors.ts";
import { uuidSize } from "../../core/uuid.ts";
import { signedOf } from "../../core/unscaled-bytes.ts";
import type { Leaf } from "../../parquet/file-schema.ts";
import type { LeafSlots } from "../../parquet/leaf-file.ts";
import { emptyScalar, scalarType } from "../../parquet/schema-columns.ts";
import type { PhysicalValue } from "./initial-default.ts";
import type { LeafPages, PhysicalValues } from "./parquet-leaf-reader.ts";

function* flat(pages: readonly PhysicalValues[]): Iterable<number | bigint | boolean | Uint8Array> {
  for (const page of pages) for (let i = 0; i < page.length; i++) yield page[i] as number | bigint | boolean | Uint8Array;
}

function misfit(path: string, type: string, value: unknown): SluiceError {
  return new SluiceError("TABLE_UNSUPPORTED", `column ${path} of a data file holds ${typeof value} values, which are no ${type}`);
}

/** Values of pages as a flat column of a table's primitive type; wider than the file's where the column was promoted since. */
function columnOfPages(leaf: Leaf, type: string, pages: readonly PhysicalValues[]): Column {
  const length = pages.reduce((sum, page) => sum + page.length, 0);
  const path = leaf.path.join(".");
  const fieldType = scalarType(type);
  const field = { name: path, sourceName: path, path, type: fieldType, required: true, doc: null, classification: null, format: null };
  const base = { ...emptyScalar(field), length, state: new Uint8Array(length).fill(Cell.value) };
  const integer = (value: unknown): bigint => {
    if (typeof value === "number" || typeof value === "bigint") return BigInt(value);
    if (value instanceof Uint8Array && fieldType.kind === "decimal") return signedOf(value);
    throw misfit(path, type, value);
  };
  let i = 0;
  switch (leaf.type.kind) {
    case "flag": {
      const values = new Uint8Array(length);
      for (const value of flat(pages)) values[i++] = value === true ? 1 : 0;
      return { ...base, kind: "boolean", values };
    }
    case "single":
    case "double": {
      const values = new Float64Array(length);
      for (const value of flat(pages)) {
        if (typeof value !== "number") throw misfit(path, type, value);
        values[i++] = value;
      }
      return { ...base, kind: "float", values };
    }
    case "long": {
      const exact = new BigInt64Array(length);
      for (const value of flat(pages)) exact[i++] = integer(value);
      return { ...base, kind: "integer", exact, values: new Float64Array(0) };
    }
    case "wide": {
      const unscaled = new Uint32Array(length * 4);
      for (const value of flat(pages)) {
        const number = integer(value);
        for (let word = 0; word < 4; word++) unscaled[i * 4 + word] = Number(BigInt.asUintN(32, number >> BigInt(32 * word)));
        i++;
      }
      return { ...base, kind: "decimal", unscaled, values: new Float64Array(0) };
    }
    default:
      return { ...base, kind: "bytes", ...spansOf(path, type, pages, length) };
  }
}

/** Texts one behind the other; a text that a dictionary gave to many rows stands there once. */
function spansOf(
  path: string,
  type: string,
  pages: readonly PhysicalValues[],
  length: number,
): { bytes: Uint8Array; starts: Uint32Array; lengths: Uint32Array } {
  const places = new Map<Uint8Array, number>();
  const starts = new Uint32Array(length);
  const lengths = new Uint32Array(length);
  let size = 0;
  let i = 0;
  for (const value of flat(pages)) {
    if (!(value instanceof Uint8Array) || (type === "uuid" && value.length !== uuidSize)) throw misfit(path, type, value);
    let start = places.get(value);
    if (start === undefined) {
      start = size;
      places.set(value, start);
      size += value.length;
    }
    starts[i] = start;
    lengths[i++] = value.length;
  }
  const bytes = new Uint8Array(size);
  for (const [value, start] of places) bytes.set(value, start);
  return { bytes, starts, lengths };
}

/**
 * One leaf of a row group as the next file takes it: levels as the table counts them, and without the slots of rows that `keep` leaves out (a byte a
 * row; null keeps all).
 */
export function slotsOf(leaf: Leaf, type: string, pages: LeafPages, levels: Int8Array, keep: Uint8Array | null): LeafSlots {
  const column = columnOfPages(leaf, type, pages.values);
  const { slots } = pages;
  const fileMax = levels.length - 1;
  const identity = levels.every((level, i) => level === i);
  if (keep === null && identity && fileMax === leaf.definitionMax) {
    return {
      column,
      rows: Uint32Array.from({ length: column.length }, (_, i) => i),
      definitions: pages.definitions,
      repetitions: pages.repetitions,
      slots,
    };
  }
  const definitions = leaf.definitionMax === 0 ? null : new Uint8Array(slots);
  const repetitions = pages.repetitions === null ? null : new Uint8Array(slots);
  const rows = new Uint32Array(column.length);
  let [kept, values, value, row] = [0, 0, 0, -1];
  for (let slot = 0; slot < slots; slot++) {
    const repetition = pages.repetitions === null ? 0 : (pages.repetitions[slot] as number);
    if (repetition === 0) row++;
    const definition = pages.definitions === null ? fileMax : (pages.definitions[slot] as number);
    const isValue = definition === fileMax;
    if (isValue) value++;
    if (keep !== null && keep[row] === 0) continue;
    const level = levels[definition] as number;
    if (level < 0)
      throw new SluiceError("TABLE_UNSUPPORTED", `column ${leaf.path.join(".")} is required, and a data file has rows without it`);
    if (definitions !== null) definitions[kept] = level;
    if (repetitions !== null) repetitions[kept] = repetition;
    if (isValue) rows[values++] = value - 1;
    kept++;
  }
  return {
    column,
    rows: rows.subarray(0, values),
    definitions: definitions === null ? null : definitions.subarray(0, kept),
    repetitions: repetitions === null ? null : repetitions.subarray(0, kept),
    slots: kept,
  };
}

/** A leaf at the top that a file does not have, with the same value in every row. */
export function constantSlots(leaf: Leaf, type: string, value: PhysicalValue, rows: number): LeafSlots {
  return {
    column: columnOfPages(leaf, type, [[value]]),
    rows: new Uint32Array(rows),
    definitions: leaf.definitionMax === 0 ? null : new Uint8Array(rows).fill(leaf.definitionMax),
    repetitions: null,
    slots: rows,
  };
}

/** A leaf that a file does not have, absent in as many slots as `like` has (a leaf of the same parent), cut at the parent's levels. */
export function absentSlots(
  leaf: Leaf,
  type: string,
  like: Pick<LeafSlots, "slots" | "definitions" | "repetitions">,
  parent: { readonly definition: number; readonly repetition: number },
): LeafSlots {
  const definitions = new Uint8Array(like.slots);
  const repetitions = parent.repetition === 0 ? null : new Uint8Array(like.slots);
  let slots = 0;
  for (let slot = 0; slot < like.slots; slot++) {
    const repetition = like.repetitions === null ? 0 : (like.repetitions[slot] as number);
    if (repetition > parent.repetition) continue;
    const definition = like.definitions === null ? parent.definition : (like.definitions[slot] as number);
    definitions[slots] = Math.min(definition, parent.definition);
    if (repetitions !== null) repetitions[slots] = repetition;
    slots++;
  }
  return {
    column: columnOfPages(leaf, type, []),
    rows: new Uint32Array(0),
    definitions: definitions.subarray(0, slots),
    repetitions: repetitions === null ? null : repetitions.subarray(0, slots),
    slots,
  };
}

/** Whole numbers of a flat, optional leaf, one a row; null: none. */
export function longSlots(leaf: Leaf, values: readonly (bigint | null)[]): LeafSlots {
  const there = values.filter((value) => value !== null);
  return {
    column: columnOfPages(leaf, "long", [there]),
    rows: Uint32Array.from({ length: there.length }, (_, i) => i),
    definitions: Uint8Array.from(values, (value) => (value === null ? 0 : leaf.definitionMax)),
    repetitions: null,
    slots: values.length,
  };
}
