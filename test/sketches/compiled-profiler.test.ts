import { describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import type { Profile } from "../../src/core/profile.ts";
import type { Field, FieldType } from "../../src/core/schema.ts";
import { compileProfiler } from "../../src/sketches/compile-profiler.ts";
import { encodeProfile, referenceProfiler } from "../../src/sketches/index.ts";
import type { WindowProfiler } from "../../src/sketches/index.ts";
import { Arena } from "../../src/wasm/arena.ts";
import { layoutBatch } from "../../src/wasm/layout.ts";
import { makeResident } from "../../src/wasm/resident-batch.ts";
import type { TestValue } from "./columns.ts";
import { batchOf, columnOf, contractOf, fieldOf, seededRandom } from "./columns.ts";

interface Pair {
  readonly reference: WindowProfiler;
  readonly compiled: WindowProfiler;
  /** Adds the same rows of a batch to both. */
  add(batch: Batch, rows: Uint32Array): void;
}

function pairOf(fields: readonly Field[]): Pair {
  const contract = contractOf(fields);
  const arena = new Arena();
  const layout = layoutBatch(fields, arena);
  const reference = referenceProfiler(contract);
  const compiled = compileProfiler(contract, layout, arena);
  return {
    reference,
    compiled,
    add: (batch, rows) => {
      reference.add(batch, rows);
      compiled.add(makeResident(batch, layout, arena), rows);
    },
  };
}

const types: readonly FieldType[] = [
  { kind: "boolean" },
  { kind: "int" },
  { kind: "long" },
  { kind: "float" },
  { kind: "double" },
  { kind: "decimal", precision: 18, scale: 3 },
  { kind: "decimal", precision: 38, scale: 10 },
  { kind: "date" },
  { kind: "time" },
  { kind: "timestamp", zoned: true },
  { kind: "string" },
  { kind: "binary" },
  { kind: "json" },
];

/** Texts of every length up to a few hundred bytes, in ASCII and beyond it. */
function textOf(at: number): string {
  const unit = ["a", "xyz", "é", "日本", "😀", "-"][at % 6]!;
  return `${at}${unit.repeat(at % 7 === 0 ? at % 130 : at % 9)}`;
}

/** The `at`th of a type's values; the same number gives the same value. */
function valueOf(type: FieldType, at: number): TestValue {
  const signed = at % 3 === 0 ? -at : at;
  switch (type.kind) {
    case "boolean":
      return at % 2 === 0;
    case "int":
      return signed;
    case "long":
      return at % 5 === 0 ? BigInt(signed) * 2n ** 40n + 1n : BigInt(signed);
    case "float":
      return [NaN, Infinity, -0, -Infinity, 0][at] ?? Math.fround(signed / 7);
    case "double":
      return [NaN, Infinity, -0, -Infinity, 0, 1e308, 1.5e308][at] ?? signed / 7;
    case "decimal":
      return type.precision > 18 ? BigInt(signed) * 10n ** BigInt(at % 30) : BigInt(signed) * 10n ** BigInt(at % 12);
    case "date":
      return signed;
    case "time":
      return at * 1_000_003;
    case "timestamp":
      return BigInt(signed) * 86_400_000_123n;
    case "binary":
      return new Uint8Array(Buffer.from(textOf(at)).map((byte, i) => (byte * 31 + i) & 255));
    case "json":
      return JSON.stringify({ at, text: textOf(at) });
    default:
      return textOf(at);
  }
}

type Draw = (i: number, random: () => number) => number;

const draws: Readonly<Record<string, Draw>> = {
  few: (_, random) => Math.floor(40 * random()),
  zipf: (_, random) => Math.floor(30_000 ** random()),
  distinct: (i) => i,
  reversed: (i) => 100_000 - i,
  "few, then many": (i, random) => (i < 5000 ? Math.floor(1400 * random()) : i),
};

const allRows = (batch: Batch): Uint32Array => Uint32Array.from({ length: batch.rows }, (_, row) => row);

/** One batch of all types, cell (i, column) drawn by `draw`; some are null or missing. */
function batchFrom(fields: readonly Field[], from: number, rows: number, draw: Draw, random: () => number): Batch {
  return batchOf(
    fields.map((field) =>
      columnOf(
        field,
        Array.from({ length: rows }, (_, row) => {
          const odd = random();
          if (odd < 0.02) return odd < 0.01 ? null : undefined;
          return valueOf(field.type, draw(from + row, random));
        }),
      ),
    ),
  );
}

function expectSame(a: Profile, b: Profile): void {
  for (const [path, column] of a.columns) expect(b.columns.get(path)).toEqual(column);
  expect(Buffer.compare(encodeProfile(a), encodeProfile(b))).toBe(0);
}

describe("the compiled profile is the reference's, to the last bit", () => {
  const fields = types.map((type, i) => fieldOf(`${type.kind}${i}`, type));

  for (const [name, draw] of Object.entries(draws)) {
    test(`columns of every type, over many chunks: ${name}`, () => {
      const random = seededRandom(name.length);
      const pair = pairOf(fields);
      for (let chunk = 0; chunk < 14; chunk++) {
        const rows = chunk % 4 === 3 ? 77 : 2048;
        const batch = batchFrom(fields, chunk * 2048, rows, draw, random);
        pair.add(batch, chunk % 3 === 0 ? allRows(batch) : allRows(batch).filter(() => random() < 0.9));
      }
      expectSame(pair.compiled.finish(), pair.reference.finish());
    });
  }
});
