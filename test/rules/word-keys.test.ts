import fc from "fast-check";
import { expect, test } from "vitest";
import { Cell } from "../../src/core/column.ts";
import { CellKeys } from "../../src/rules/cell-key.ts";
import { WordKeyTable } from "../../src/rules/word-key-table.ts";
import { hashWords, WordKeys } from "../../src/rules/word-keys.ts";
import { makeContract } from "../fixtures/contract.ts";
import { Draw, drawColumn } from "./kernels/random-batch.ts";

const { fields } = makeContract({
  flag: { type: "boolean" },
  count: { type: "long" },
  ratio: { type: "double" },
  price: { type: { kind: "decimal", precision: 32, scale: 2 } },
  name: { type: "string" },
  blob: { type: "binary" },
  place: { type: "struct", of: { city: { type: "string" }, zip: { type: "int" } } },
  tags: { type: "list", of: { type: "string" } },
});

test.for(fields.map((field) => [field.name, field] as const))("keys of %s are equal where the cells are", ([, field]) => {
  const column = drawColumn(field, 400, new Draw(7), [[Cell.value]]);
  const keys = Array.from({ length: column.length }, (_, cell) => {
    const [words, bytes] = [new WordKeys(), new CellKeys()];
    words.append(column, cell);
    bytes.append(column, cell);
    return { words: words.words.slice(0, words.length).join(), bytes: bytes.bytes.slice(0, bytes.length).join() };
  });
  expect(new Set(keys.map(({ words }) => words)).size).toBe(new Set(keys.map(({ bytes }) => bytes)).size);
  expect(new Set(keys.map(({ words, bytes }) => `${words}/${bytes}`)).size).toBe(new Set(keys.map(({ bytes }) => bytes)).size);
});

test("a table tells keys apart that share a hash, a length, or a beginning, however many there are", () => {
  const table = new WordKeyTable();
  const draw = new Draw(1);
  const keys = Array.from({ length: 20_000 }, (_, i) => Uint32Array.from({ length: i % 5 }, () => draw.nat(i < 10_000 ? 3 : 2 ** 31)));
  const known = new Map<string, number>();
  for (const key of keys) {
    const text = `${key.length}:${key.join()}`;
    const expected = known.get(text) ?? known.size;
    known.set(text, expected);
    expect(table.add(key, 0, key.length)).toBe(expected);
  }
  expect(table.count).toBe(known.size);
  const same = new WordKeyTable();
  const [a, b] = [Uint32Array.of(1, 2), Uint32Array.of(3, 4)];
  expect([
    same.addHashed(a, 0, 2, 5),
    same.addHashed(b, 0, 2, 5),
    same.addHashed(a, 0, 1, 5),
    same.addHashed(a, 0, 2, 5),
    same.addHashed(b, 0, 2, 5),
  ]).toEqual([0, 1, 2, 0, 1]);
});

test("keys that rise keep their places when others come between them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 40 }),
      fc.integer({ min: 0, max: 3000 }),
      fc.array(fc.tuple(fc.nat(4000), fc.bigInt({ min: -50n, max: 50n })), { maxLength: 60 }),
      (edges, steps, others) => {
        const start = edges[0] ?? 0n;
        const rising = [...edges.toSorted((a, b) => (a < b ? -1 : 1)), ...Array.from({ length: steps }, (_, i) => start + BigInt(i * 7))];
        const keys = [...rising, ...others.map(([at, by]) => (rising[at % (rising.length || 1)] ?? 0n) + by), ...rising];
        const table = new WordKeyTable();
        const known = new Map<bigint, number>();
        for (const value of keys) {
          const key = BigInt.asIntN(64, value);
          const words = Uint32Array.of(Number(key & 0xffffffffn), Number((key >> 32n) & 0xffffffffn));
          const expected = known.get(key) ?? known.size;
          known.set(key, expected);
          table.touch(Int32Array.of(hashWords(words, 0, 2)));
          if (table.add(words, 0, 2) !== expected) return false;
        }
        // A key of another length is another key, whatever came before.
        return table.count === known.size && table.add(Uint32Array.of(1), 0, 1) === known.size;
      },
    ),
    { numRuns: 200 },
  );
});

test("hashes of neighbouring numbers spread", () => {
  const slots = new Set(Array.from({ length: 4096 }, (_, i) => hashWords(Uint32Array.of(i, 0), 0, 2) & 8191));
  expect(slots.size).toBeGreaterThan(2800);
});
