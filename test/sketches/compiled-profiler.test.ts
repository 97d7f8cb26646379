import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import type { BytesColumn, Column } from "../../src/core/column.ts";
import { Cell } from "../../src/core/column.ts";
import type { ColumnProfile, Profile } from "../../src/core/profile.ts";
import type { Field, FieldType } from "../../src/core/schema.ts";
import { floatShape, textShape, wholeShape } from "../../src/sketches/column-state.ts";
import { compileProfiler } from "../../src/sketches/compile-profiler.ts";
import { probesMax } from "../../src/sketches/count-table.ts";
import { encodeProfile, referenceProfiler } from "../../src/sketches/index.ts";
import type { WindowProfiler } from "../../src/sketches/index.ts";
import { Arena } from "../../src/wasm/arena.ts";
import { layoutBatch, mapKeyField } from "../../src/wasm/layout.ts";
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
  { kind: "timestamp", zoned: true, unit: "micros" },
  { kind: "timestamp", zoned: false, unit: "nanos" },
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

  test("windows one after the other, some empty, some of nulls only, some of few rows", () => {
    const random = seededRandom(5);
    const pair = pairOf(fields);
    for (const [rows, draw] of [
      [2000, draws.distinct],
      [0, draws.few],
      [30, () => 0],
      [1, draws.few],
      [2000, draws.zipf],
    ] as const) {
      pair.reference.reset();
      pair.compiled.reset();
      const batch = batchFrom(fields, 7, rows, draw!, random);
      pair.add(batch, allRows(batch));
      const nulls = batchOf(fields.map((field) => columnOf(field, [null, undefined, null])));
      pair.add(nulls, allRows(nulls));
      expectSame(pair.compiled.finish(), pair.reference.finish());
    }
  });

  test("batches from outside the arena, and row lists inside it, go into the same window", () => {
    const random = seededRandom(6);
    const contract = contractOf(fields);
    const arena = new Arena();
    const layout = layoutBatch(fields, arena);
    const reference = referenceProfiler(contract);
    const compiled = compileProfiler(contract, layout, arena);
    for (let chunk = 0; chunk < 9; chunk++) {
      const batch = batchFrom(fields, chunk * 1500, 1500, draws.zipf!, random);
      const rows = allRows(batch).filter((row) => row % 7 !== 2);
      reference.add(batch, rows);
      // The memory grows, and views of it are lost.
      if (chunk === 4) arena.allocate(1 << 20);
      if (chunk % 3 === 1) compiled.add(batch, rows);
      else {
        const resident = makeResident(batch, layout, arena);
        const own = arena.u32(layout.selection, rows.length);
        own.set(rows);
        compiled.add(resident, own);
      }
    }
    expectSame(compiled.finish(), reference.finish());
  });

  test("lists of structs, lists of lists and maps", () => {
    const random = seededRandom(7);
    const price = fieldOf("items[].price", { kind: "double" });
    const tags = fieldOf("items[].tags", { kind: "list", element: fieldOf("items[].tags[]", { kind: "string" }) });
    const item = fieldOf("items[]", { kind: "struct", fields: [price, tags] });
    const items = fieldOf("items", { kind: "list", element: item });
    const scores = fieldOf("scores", { kind: "map", value: fieldOf("scores.value", { kind: "decimal", precision: 9, scale: 2 }) });
    const pair = pairOf([items, scores]);
    for (let chunk = 0; chunk < 6; chunk++) {
      const rows = 900;
      const outer = listColumn(items, rows, 4, random, (length) => {
        const inner = listColumn(tags, length, 3, random, (count) =>
          columnOf(
            fieldOf("items[].tags[]", { kind: "string" }),
            Array.from({ length: count }, () => textOf(Math.floor(3000 ** random()))),
          ),
        );
        const prices = columnOf(
          price,
          Array.from({ length }, () => (random() < 0.1 ? null : Math.floor(1e4 * random()) / 8)),
        );
        return { kind: "struct", field: item, length, state: new Uint8Array(length), children: [prices, inner] };
      });
      const values = listColumn(scores, rows, 3, random, (length) =>
        columnOf(
          fieldOf("scores.value", { kind: "decimal", precision: 9, scale: 2 }),
          Array.from({ length }, () => BigInt(Math.floor(2e6 * random()) - 1000)),
        ),
      );
      const batch = batchOf([outer, values]);
      pair.add(batch, chunk % 2 === 0 ? allRows(batch) : allRows(batch).filter((row) => row % 5 !== 0));
    }
    const profile = pair.compiled.finish();
    expectSame(profile, pair.reference.finish());
    expect([...profile.columns].map(([path, { count }]) => [path, count > 1000])).toEqual([
      ["items[].price", true],
      ["items[].tags[]", true],
      ["scores.value", true],
    ]);
  });

  /** Both profiles of one column of values, which must be the same. */
  function bothOf(type: FieldType, chunks: readonly (readonly TestValue[])[]): ColumnProfile {
    const field = fieldOf("c", type);
    const pair = pairOf([field]);
    for (const values of chunks) {
      const batch = batchOf([columnOf(field, values)]);
      pair.add(batch, allRows(batch));
    }
    const profile = pair.compiled.finish();
    expectSame(profile, pair.reference.finish());
    return profile.columns.get("c")!;
  }

  test("a table overflows, and is purged, at exactly its limits", () => {
    const far = 1e6;
    for (const [type, shape, valueAt] of [
      [{ kind: "double" }, floatShape, (i: number) => i / 2],
      [{ kind: "long" }, wholeShape, (i: number) => BigInt(far * (i + 1))],
      [{ kind: "string" }, textShape, (i: number) => `v${i}`],
    ] as const) {
      const distinct = Array.from({ length: shape.entriesMax }, (_, i) => valueAt(i));
      // As many values come twice as a purge keeps, at most.
      // The first number places the dense ones.
      const full = [...(type.kind === "long" ? [0n] : []), ...distinct, ...distinct.slice(0, shape.entriesKept)];
      const last = valueAt(shape.entriesMax);
      expect(bothOf(type, [full]).top!.error).toBeLessThan(8);
      expect(bothOf(type, [full, [last]]).top!.error).toBeGreaterThan(8 * 9);
      expect(bothOf(type, [full, [distinct[shape.entriesKept]!, last]]).top!.error).toBeGreaterThan(8 * 9);
    }
    const long = Array.from({ length: 193 }, (_, i) => String(i).padEnd(64, "x"));
    expect(bothOf({ kind: "string" }, [long.slice(0, 192)]).top!.error).toBe(0);
    expect(bothOf({ kind: "string" }, [long]).top!.error).toBeGreaterThan(8 * 9);
    const oneSlot = Array.from({ length: probesMax + 1 }, (_, i) => (BigInt(i + 1) << 32n) | BigInt(i + 1));
    expect(bothOf({ kind: "long" }, [[0n, ...oneSlot.slice(0, -1)]]).top!.error).toBe(0);
    expect(bothOf({ kind: "long" }, [[0n, ...oneSlot]]).top!.error).toBeGreaterThan(8 * 9);
  });

  test("a full table that streams is purged at exactly what it keeps", () => {
    const { entriesMax, entriesKept } = wholeShape;
    const value = (i: number): bigint => BigInt(1e6 * (i + 1));
    const chunks = [[0n, ...Array.from({ length: entriesMax + 1 }, (_, i) => value(i))]];
    // What begins the streaming leaves nothing of single values, but for the last; then as many values come often as a purge keeps, the others seldom.
    for (let i = 0; i < entriesMax; i++) {
      chunks.push(Array.from({ length: i < entriesKept ? 160 : 60 }, () => value(10_000 + i)));
    }
    bothOf({ kind: "long" }, chunks);
    chunks.push(Array.from({ length: 300 }, () => value(50_000)));
    bothOf({ kind: "long" }, chunks);
  });

  test("a hash of many leading zeros", () => {
    expect(Math.max(...bothOf({ kind: "long" }, [[0n, 2_144_141n]]).distinct.registers)).toBe(26);
  });

  test("texts that begin alike, in every order", () => {
    const texts = [
      "",
      "abcdefgh",
      "abcdefghi",
      "abcdefg",
      "abcdefghi\0",
      "abcdefg\0",
      "b",
      "abcdefghh",
      "a".repeat(70),
      "a".repeat(64),
      "日本".repeat(40),
    ];
    for (let turn = 0; turn < texts.length; turn++) {
      const order = [...texts.slice(turn), ...texts.slice(0, turn)];
      for (const some of [order, order.slice(0, 5), order.slice(0, 2)]) bothOf({ kind: "string" }, [some]);
    }
  });

  test("a window may end anywhere in a block of which one number is sampled", () => {
    const chunks = Array.from({ length: 8 }, (_, chunk) => Array.from({ length: 2048 }, (__, i) => (chunk * 2048 + i) / 3));
    for (let extra = 1; extra <= 9; extra++) {
      bothOf({ kind: "double" }, [...chunks, ...Array.from({ length: extra }, (_, i) => [-i / 7])]);
    }
  });

  test("random batches of random types", () => {
    const cells = fc.array(fc.nat({ max: 3000 }), { maxLength: 120 });
    fc.assert(
      fc.property(fc.array(cells, { minLength: 1, maxLength: 4 }), (chunks) => {
        const pair = shared;
        pair.reference.reset();
        pair.compiled.reset();
        for (const chunk of chunks) {
          const batch = batchOf(
            fields.map((field) =>
              columnOf(
                field,
                chunk.map((at) => (at % 50 === 49 ? null : valueOf(field.type, at))),
              ),
            ),
          );
          pair.add(batch, allRows(batch));
        }
        expectSame(pair.compiled.finish(), pair.reference.finish());
      }),
      { numRuns: 40, seed: 17 },
    );
  });
  const shared = pairOf(fields);
});

/** A list or map column of up to `most` elements a row; some rows have none. */
function listColumn(field: Field, rows: number, most: number, random: () => number, element: (length: number) => Column): Column {
  const state = Uint8Array.from({ length: rows }, () => (random() < 0.1 ? Cell.null : Cell.value));
  const offsets = new Int32Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    // A null list may have elements, which do not count.
    offsets[row + 1] = offsets[row]! + Math.floor((most + 1) * random());
  }
  const elements = element(offsets[rows]!);
  const keys =
    field.type.kind === "map"
      ? (columnOf(
          mapKeyField(field),
          Array.from({ length: elements.length }, (_, i) => `k${i}`),
        ) as BytesColumn)
      : null;
  return { kind: "list", field, length: rows, state, offsets, keys, element: elements };
}
