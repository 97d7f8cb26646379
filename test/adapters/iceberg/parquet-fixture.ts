import * as fc from "fast-check";
import type { DataFile } from "../../../src/adapters/iceberg/data-file.ts";
import { writeEncodedFile } from "../../../src/adapters/iceberg/parquet-data-file.ts";
import { openParquetFile } from "../../../src/parquet/parquet-file.ts";
import type { Batch, BatchSlice } from "../../../src/core/batch.ts";
import type { BytesColumn, Column } from "../../../src/core/column.ts";
import { Cell } from "../../../src/core/column.ts";
import { allocateRecords } from "../../../src/core/records.ts";
import type { Field, FieldType } from "../../../src/core/schema.ts";
import type { Storage } from "../../../src/core/storage.ts";
import type { IcebergField, IcebergSchema, IcebergType } from "../../../src/core/table-schema.ts";
import { sourceColumns } from "../../../src/core/table-schema.ts";
import type { RowGroupLimits } from "../../../src/parquet/written-file.ts";

/** A cell: undefined is missing, null is null; bigint for whole numbers, dates, times and unscaled decimals; text or bytes; maps as pairs. */
export type Value =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | readonly (readonly [string, Value])[]
  | { readonly [name: string]: Value };

export function field(name: string, type: FieldType, required = false): Field {
  return { name, sourceName: name, path: name, type, required, doc: null, classification: null, format: null };
}

/** A column as a codec would make it. */
function columnOf(of: Field, values: readonly Value[]): Column {
  const { type } = of;
  const state = Uint8Array.from(values, (value) => (value === undefined ? Cell.missing : value === null ? Cell.null : Cell.value));
  const base = { field: of, length: values.length, state };
  switch (type.kind) {
    case "boolean":
      return { ...base, kind: "boolean", values: Uint8Array.from(values, (value) => (value === true ? 1 : 0)) };
    case "float":
    case "double":
      return { ...base, kind: "float", values: Float64Array.from(values, (value) => (value as number | null) ?? 0) };
    case "decimal":
      return decimalColumn(of, type.scale, values, state);
    case "string":
    case "json":
    case "binary":
    case "uuid":
      return { ...bytesColumn(of, values), state };
    case "struct":
      return {
        ...base,
        kind: "struct",
        children: type.fields.map((child) =>
          columnOf(
            child,
            values.map((value) => (value as Record<string, Value> | null | undefined)?.[child.name]),
          ),
        ),
      };
    case "list":
    case "map": {
      const lists = values.map((value) => (value as readonly Value[] | null | undefined) ?? []);
      const offsets = new Int32Array(values.length + 1);
      for (const [i, list] of lists.entries()) offsets[i + 1] = (offsets[i] as number) + list.length;
      if (type.kind === "list")
        return {
          ...base,
          kind: "list",
          offsets,
          keys: null,
          element: columnOf(
            type.element,
            lists.flatMap((list) => [...list]),
          ),
        };
      const pairs = lists.flatMap((list) => [...list]) as unknown as readonly (readonly [string, Value])[];
      const keys = bytesColumn(
        field("key", { kind: "string" }, true),
        pairs.map(([key]) => key),
      );
      return {
        ...base,
        kind: "list",
        offsets,
        keys,
        element: columnOf(
          type.value,
          pairs.map(([, value]) => value),
        ),
      };
    }
    default: {
      const exact = BigInt64Array.from(values, (value) => (value as bigint | null | undefined) ?? 0n);
      return { ...base, kind: "integer", exact, values: Float64Array.from(exact, Number) };
    }
  }
}

function bytesColumn(of: Field, values: readonly Value[]): BytesColumn {
  const starts = new Uint32Array(values.length);
  const lengths = new Uint32Array(values.length);
  // Values stand apart in the slab, as JSON's do.
  const pieces: Buffer[] = [];
  let at = 0;
  for (const [row, value] of values.entries()) {
    const bytes = Buffer.from((value ?? "") as string);
    pieces.push(Buffer.from('"'), bytes);
    starts[row] = at + 1;
    lengths[row] = bytes.length;
    at += 1 + bytes.length;
  }
  return {
    kind: "bytes",
    field: of,
    length: values.length,
    state: new Uint8Array(values.length),
    bytes: Buffer.concat(pieces),
    starts,
    lengths,
  };
}

function decimalColumn(of: Field, scale: number, values: readonly Value[], state: Uint8Array): Column {
  const unscaled = new Uint32Array(values.length * 4);
  const doubles = new Float64Array(values.length);
  for (const [row, value] of values.entries()) {
    let rest = BigInt.asUintN(128, (value as bigint | null | undefined) ?? 0n);
    doubles[row] = Number((value as bigint | null | undefined) ?? 0n) / 10 ** scale;
    for (let word = 0; word < 4; word++) {
      unscaled[row * 4 + word] = Number(rest & 0xffffffffn);
      rest >>= 32n;
    }
  }
  return { kind: "decimal", field: of, length: values.length, state, unscaled, values: doubles };
}

/** A batch of one file's records, offsets `from`, `from + 1`, ...; every third record has no timestamp. */
export function batchOf(fields: readonly Field[], rows: readonly { readonly [name: string]: Value }[], from = 0): Batch {
  const partitions = [
    { topic: "flights", topicId: "topic-a", partition: 3 },
    { topic: "flights", topicId: "topic-b", partition: 0 },
  ];
  const records = allocateRecords(rows.length, new Uint8Array(0), partitions);
  for (let row = 0; row < rows.length; row++) {
    records.partition[row] = row % 2;
    records.offsets[row] = BigInt(from + row);
    records.timestamps[row] = row % 3 === 0 ? -1n : 1_700_000_000_000n + BigInt(row);
  }
  const columns = fields.map((of) =>
    columnOf(
      of,
      rows.map((row) => row[of.name]),
    ),
  );
  return { records, rows: rows.length, columns, faults: [], undecoded: new Uint8Array(rows.length), skipped: [], unknown: null };
}

/** The table schema of some fields and the source columns, with ids in depth-first order from 1. */
export function icebergSchema(fields: readonly Field[]): IcebergSchema {
  let last = 0;
  const typeOf = (type: FieldType): IcebergType => {
    switch (type.kind) {
      case "decimal":
        return `decimal(${type.precision}, ${type.scale})`;
      case "timestamp":
        return type.zoned ? "timestamptz" : "timestamp";
      case "time":
      case "json":
        return "string";
      case "struct":
        return { type: "struct", fields: type.fields.map(fieldOf) };
      case "list":
        return { type: "list", "element-id": ++last, element: typeOf(type.element.type), "element-required": type.element.required };
      case "map": {
        const ids = { "key-id": ++last, "value-id": ++last };
        return { type: "map", ...ids, key: "string", value: typeOf(type.value.type), "value-required": type.value.required };
      }
      default:
        return type.kind;
    }
  };
  const fieldOf = (of: Field): IcebergField => {
    const id = ++last;
    return { id, name: of.name, required: of.required, type: typeOf(of.type) };
  };
  const source = [
    field(sourceColumns.source, { kind: "string" }, true),
    field(sourceColumns.partition, { kind: "int" }, true),
    field(sourceColumns.offset, { kind: "long" }, true),
    field(sourceColumns.timestamp, { kind: "timestamp", zoned: true, unit: "micros" }),
  ];
  return { type: "struct", "schema-id": 0, fields: [...fields, ...source].map(fieldOf) };
}

const primitiveTypes: readonly FieldType[] = [
  { kind: "boolean" },
  { kind: "int" },
  { kind: "long" },
  { kind: "float" },
  { kind: "double" },
  { kind: "decimal", precision: 7, scale: 2 },
  { kind: "decimal", precision: 18, scale: 0 },
  { kind: "decimal", precision: 38, scale: 10 },
  { kind: "date" },
  { kind: "time" },
  { kind: "timestamp", zoned: true, unit: "micros" },
  { kind: "timestamp", zoned: false, unit: "micros" },
  { kind: "string" },
  { kind: "json" },
  { kind: "binary" },
  { kind: "uuid" },
];

const name = fc.constantFrom("a", "b", "c", "größe");

/** Any type, nested up to `depth` levels. */
function fieldTypes(depth: number): fc.Arbitrary<FieldType> {
  const primitive = fc.constantFrom(...primitiveTypes);
  if (depth === 0) return primitive;
  const child = fieldTypes(depth - 1);
  const fields = fc.uniqueArray(fc.tuple(name, child, fc.boolean()), { selector: ([of]) => of, minLength: 1, maxLength: 3 });
  return fc.oneof(
    { weight: 3, arbitrary: primitive },
    {
      weight: 1,
      arbitrary: fields.map((list): FieldType => ({
        kind: "struct",
        fields: list.map(([of, type, required]) => field(of, type, required)),
      })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(child, fc.boolean())
        .map(([type, required]): FieldType => ({ kind: "list", element: field("element", type, required) })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(child, fc.boolean())
        .map(([type, required]): FieldType => ({ kind: "map", value: field("value", type, required) })),
    },
  );
}

/** Values of a field; null and missing only where it allows them. */
function valuesOf(of: Field): fc.Arbitrary<Value> {
  const present = presentValues(of.type);
  return of.required
    ? present
    : fc.oneof({ weight: 5, arbitrary: present }, { weight: 1, arbitrary: fc.constantFrom<Value>(null, undefined) });
}

function presentValues(type: FieldType): fc.Arbitrary<Value> {
  const whole = (bits: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n });
  switch (type.kind) {
    case "boolean":
      return fc.boolean();
    case "int":
      return whole(32n);
    case "long":
    case "timestamp":
      return whole(64n);
    case "float":
      return fc.float({ noNaN: false });
    case "double":
      return fc.double({ noNaN: false });
    case "decimal": {
      const most = 10n ** BigInt(type.precision) - 1n;
      return fc.bigInt({ min: -most, max: most });
    }
    case "date":
      return fc.bigInt({ min: -2_000_000n, max: 2_000_000n });
    case "time":
      return fc.bigInt({ min: 0n, max: 86_399_999_999n });
    case "string":
      return fc.oneof(
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.string({ unit: fc.constantFrom("\u{10ffff}", "\ud7ff", "z"), maxLength: 24 }),
      );
    case "json":
      return fc.json({ maxDepth: 1 });
    case "binary":
      return fc.oneof(
        fc.uint8Array({ maxLength: 30 }),
        fc.array(fc.constantFrom(255, 254), { maxLength: 24 }).map((list) => Uint8Array.from(list)),
      );
    case "uuid":
      return fc.uint8Array({ minLength: 16, maxLength: 16 });
    case "struct":
      return fc.record(Object.fromEntries(type.fields.map((child) => [child.name, valuesOf(child)])));
    case "list":
      return fc.array(valuesOf(type.element), { maxLength: 4 });
    default:
      return fc.uniqueArray(fc.tuple(fc.string({ unit: fc.constantFrom("k", "ü", " ", "."), maxLength: 5 }), valuesOf(type.value)), {
        selector: ([key]) => key,
        maxLength: 4,
      });
  }
}

/** A table's fields with rows of theirs. */
export function tables(depth: number): fc.Arbitrary<{ fields: Field[]; rows: { [name: string]: Value }[] }> {
  const fieldList = fc.uniqueArray(fc.tuple(fc.constantFrom("c1", "c2", "c3", "c4", "c5"), fieldTypes(depth), fc.boolean()), {
    selector: ([of]) => of,
    minLength: 1,
    maxLength: 5,
  });
  return fieldList.chain((list) => {
    const fields = list.map(([of, type, required]) => field(of, type, required));
    const row = fc.record(Object.fromEntries(fields.map((of) => [of.name, valuesOf(of)])));
    return fc.array(row, { minLength: 1, maxLength: 30 }).map((rows) => ({ fields, rows }));
  });
}

/** Encodes slices as one file and writes it, as a commit does. */
export async function writeDataFile(input: {
  readonly storage: Storage;
  readonly path: string;
  readonly schema: IcebergSchema;
  readonly slices: readonly BatchSlice[];
  readonly limits?: RowGroupLimits;
}): Promise<DataFile> {
  const parquet = openParquetFile({ schema: input.schema, ...(input.limits === undefined ? {} : { limits: input.limits }) });
  const pieces = input.slices.flatMap(({ batch, rows }) => parquet.append(batch, rows));
  const last = parquet.finish();
  return await writeEncodedFile(input.storage, input.path, { ...last.file, pieces: [...pieces, ...last.pieces], schema: input.schema });
}
