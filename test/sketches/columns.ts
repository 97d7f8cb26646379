import type { Batch } from "../../src/core/batch.ts";
import type { Column } from "../../src/core/column.ts";
import { Cell } from "../../src/core/column.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Field, FieldType } from "../../src/core/schema.ts";

/** A value of a test column; `undefined` is a missing cell. */
export type TestValue = number | bigint | boolean | string | Uint8Array | null | undefined;

export function fieldOf(path: string, type: FieldType, classification: string | null = null): Field {
  return { name: path, sourceName: path, path, type, required: false, doc: null, classification, format: null };
}

export function columnOf(field: Field, values: readonly TestValue[]): Column {
  const state = Uint8Array.from(values, (value) => (value === undefined ? Cell.missing : value === null ? Cell.null : Cell.value));
  const base = { field, length: values.length, state };
  const numbers = Float64Array.from(values, (value) => Number(value ?? 0));
  switch (field.type.kind) {
    case "boolean":
      return { ...base, kind: "boolean", values: Uint8Array.from(values, (value) => (value === true ? 1 : 0)) };
    case "float":
    case "double":
      return { ...base, kind: "float", values: Float64Array.from(values, (value) => Number(value ?? 0)) };
    case "decimal": {
      // Test decimals are given unscaled.
      const unscaled = new Uint32Array(4 * values.length);
      values.forEach((value, row) => {
        let rest = BigInt.asUintN(128, BigInt((value ?? 0) as number | bigint));
        for (let word = 0; word < 4; word++, rest >>= 32n) unscaled[4 * row + word] = Number(rest & 0xffffffffn);
      });
      const { scale } = field.type;
      return { ...base, kind: "decimal", unscaled, values: numbers.map((value) => value / 10 ** scale) };
    }
    case "string":
    case "json":
    case "binary":
    case "uuid": {
      const parts = values.map((value) => (value instanceof Uint8Array ? value : Buffer.from(typeof value === "string" ? value : "")));
      const bytes = Buffer.concat(parts);
      const lengths = Uint32Array.from(parts, (part) => part.length);
      const starts = new Uint32Array(parts.length);
      for (let row = 1; row < parts.length; row++) starts[row] = starts[row - 1]! + lengths[row - 1]!;
      return { ...base, kind: "bytes", bytes, starts, lengths };
    }
    default:
      return {
        ...base,
        kind: "integer",
        exact: BigInt64Array.from(values, (value) => BigInt((value ?? 0) as number | bigint)),
        values: numbers,
      };
  }
}

export function batchOf(columns: readonly Column[]): Batch {
  const rows = columns[0]?.length ?? 0;
  return { records: null as never, rows, columns, faults: [], undecoded: new Uint8Array(rows), skipped: [], unknown: null };
}

/** As much of a contract as profiles and drift read. */
export function contractOf(fields: readonly Field[], drift: Contract["drift"] = null): Contract {
  return { fields, drift } as Contract;
}

/** Seeded uniform numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal variable by Box and Muller. */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
