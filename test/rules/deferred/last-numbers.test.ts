import * as fc from "fast-check";
import { expect, it } from "vitest";
import { LastNumbers } from "../../../src/rules/deferred/last-numbers.ts";

const key = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 90 }), fc.constant(7), fc.integer({ min: -2, max: 2 }));
const entries = fc.array(fc.tuple(key, fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })), { maxLength: 400 });

/** A table of the entries, and the same as a map. */
function fill(all: readonly (readonly [readonly number[], bigint])[]): { table: LastNumbers; map: Map<string, bigint> } {
  const table = new LastNumbers();
  const map = new Map<string, bigint>();
  for (const [words, number] of all) {
    table.raise(Uint32Array.from(words), 0, number);
    const name = Uint32Array.from(words).join();
    const before = map.get(name);
    map.set(name, before === undefined || number > before ? number : before);
  }
  return { table, map };
}

function contents(table: LastNumbers): Map<string, bigint> {
  const found = new Map<string, bigint>();
  table.forEach((keys, at, number) => found.set(keys.subarray(at, at + 4).join(), number));
  return found;
}

it("holds the largest number of each key, in whatever order they come", () => {
  fc.assert(
    fc.property(entries, (all) => {
      const { table, map } = fill(all);
      expect(contents(table)).toEqual(map);
      expect(table.count).toBe(map.size);
      for (const [words] of all) expect(table.get(Uint32Array.from(words), 0)).toBe(map.get(Uint32Array.from(words).join()));
      expect(contents(fill(all.toReversed()).table)).toEqual(map);
    }),
  );
});

it("is the same after it was written and read", () => {
  fc.assert(
    fc.property(entries, (all) => {
      const { table, map } = fill(all);
      const read = new LastNumbers();
      read.raiseBytes(Buffer.concat([Buffer.of(1), table.toBytes()]).subarray(1));
      expect(contents(read)).toEqual(map);
    }),
  );
});

it("merges as if all had come to one table", () => {
  fc.assert(
    fc.property(entries, entries, (a, b) => {
      const { table } = fill(a);
      table.merge(fill(b).table);
      expect(contents(table)).toEqual(fill([...a, ...b]).map);
    }),
  );
});

it("takes as many keys as it is told, and goes on raising those", () => {
  const table = new LastNumbers(3);
  for (let i = 0; i < 10; i++) table.raise(Uint32Array.of(i, 0, 0, 0), 0, 1n);
  table.raise(Uint32Array.of(2, 0, 0, 0), 0, 9n);
  table.raise(Uint32Array.of(3, 0, 0, 0), 0, 9n);
  expect(table.full).toBe(true);
  expect(contents(table)).toEqual(
    new Map([
      ["0,0,0,0", 1n],
      ["1,0,0,0", 1n],
      ["2,0,0,0", 9n],
    ]),
  );
});
