import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { FieldType } from "../../src/core/schema.ts";
import { field, type Value } from "../adapters/iceberg/parquet-fixture.ts";
import { actual, expected, readBack } from "../adapters/iceberg/parquet-reading.ts";
import { indexesOf, pageEncodings, type Row, sequence, writeRows } from "./written.ts";

const small = { rowsMax: 200, bytesMax: 4096, dictionaryBytesMax: 8192 };

/** Writes one column, reads it back by hyparquet, and answers how its pages were encoded. */
async function roundTrip(type: FieldType, values: readonly Value[], options: Parameters<typeof writeRows>[2] = {}) {
  const of = field("c", type);
  const { bytes, file } = writeRows(
    [of],
    values.map((c) => ({ c })),
    options,
  );
  const { metadata, rows } = await readBack(bytes);
  expect(rows.map((row) => actual(of, row["c"]))).toEqual(values.map((value) => expected(type, value)));
  return { bytes, file, metadata, encodings: pageEncodings(metadata, "c") };
}

const long: FieldType = { kind: "long" };
const string: FieldType = { kind: "string" };

test("few integers that come again and again are numbers of a dictionary, near one another or not", async () => {
  const random = sequence(1);
  const near = Array.from({ length: 5000 }, () => BigInt(random() % 300) - 150n);
  expect((await roundTrip(long, near)).encodings).toEqual({ RLE_DICTIONARY: 1 });
  const far = near.map((value) => value * 1_000_000_007n);
  expect((await roundTrip(long, far)).encodings).toEqual({ RLE_DICTIONARY: 1 });
  // Near ones first, then others: the table of distances gives way to one of hashes.
  const both = [...near.slice(0, 3000), ...far.slice(3000)];
  expect((await roundTrip(long, both)).encodings).toEqual({ RLE_DICTIONARY: 1 });
  const ends = [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n];
  await roundTrip(
    long,
    near.map((_, i) => ends[i % 4] as bigint),
  );
});

test("a dictionary grows past its first room, and keeps every value's number", async () => {
  const random = sequence(2);
  const distinct = Array.from({ length: 6000 }, () => (BigInt(random()) << 20n) | BigInt(random() & 0xfffff));
  const values = Array.from({ length: 30_000 }, (_, i) => distinct[(random() + i) % distinct.length] as bigint);
  const { encodings, metadata } = await roundTrip(long, values);
  expect(encodings).toEqual({ RLE_DICTIONARY: 1 });
  expect(Number(metadata.row_groups[0]?.columns[0]?.meta_data?.statistics?.distinct_count)).toBe(new Set(values).size);
  const texts = values.map((value) => `flight ${value}${"x".repeat(Number(value & 31n))}`);
  expect((await roundTrip(string, texts)).encodings).toEqual({ RLE_DICTIONARY: 1 });
});

test("a dictionary that fills up mid-way is kept for the pages that used it; later pages go without", async () => {
  const random = sequence(3);
  const few = Array.from({ length: 2000 }, () => BigInt(random() % 50) * 10_000_019n);
  const many = Array.from({ length: 4000 }, () => (BigInt(random()) << 31n) | BigInt(random()));
  const { encodings, metadata } = await roundTrip(long, [...few, ...many, ...few], { pageLimits: small });
  expect(encodings["RLE_DICTIONARY"]).toBeGreaterThan(5);
  expect(encodings["PLAIN"]).toBeGreaterThan(5);
  expect(metadata.row_groups[0]?.columns[0]?.meta_data?.statistics?.distinct_count).toBeUndefined();
  const texts = await roundTrip(
    string,
    [...few, ...many].map((value) => `${value}`.repeat(3)),
    { pageLimits: small },
  );
  expect(texts.encodings["RLE_DICTIONARY"]).toBeGreaterThan(0);
  expect(texts.encodings["PLAIN"]).toBeGreaterThan(0);
  // A value that is larger than the dictionary may be.
  const large = ["a", "b", "a", "x".repeat(10_000), "b"];
  await roundTrip(string, [...large, ...large, ...large], { pageLimits: small });
});

test("values that are nearly all new have no dictionary", async () => {
  const random = sequence(4);
  const texts = Array.from({ length: 3000 }, () => Array.from({ length: 4 }, () => random().toString(36)).join("-"));
  const { encodings, metadata } = await roundTrip(string, texts);
  expect(encodings).toEqual({ PLAIN: 1 });
  expect(metadata.row_groups[0]?.columns[0]?.meta_data?.dictionary_page_offset).toBeUndefined();
});

test("integers in order are differences, where that is smaller", async () => {
  const random = sequence(5);
  let time = 1_700_000_000_000_000n;
  const times = Array.from({ length: 3001 }, () => (time += BigInt(random() % 5_000_000)));
  expect((await roundTrip({ kind: "timestamp", zoned: true, unit: "micros" }, times)).encodings).toEqual({ DELTA_BINARY_PACKED: 1 });
  const noise = times.map(() => BigInt.asIntN(64, (BigInt(random()) << 32n) | BigInt(random())));
  expect((await roundTrip(long, noise)).encodings).toEqual({ PLAIN: 1 });
  const days = Array.from({ length: 2000 }, (_, i) => BigInt(i * 700 - 700_000));
  expect((await roundTrip({ kind: "date" }, days)).encodings).toEqual({ DELTA_BINARY_PACKED: 1 });
});

test("differences of any size and number come back, wrapping where they overflow", async () => {
  const step = fc.oneof(
    fc.bigInt({ min: -3n, max: 3n }),
    fc.bigInt({ min: -(1n << 31n), max: 1n << 31n }),
    fc.constantFrom(0n, 1n << 62n, -(1n << 62n), (1n << 63n) - 1n, -(1n << 63n)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), fc.integer({ min: 513, max: 1100 }), async (steps, count) => {
      let [at, narrow] = [0n, 0n];
      const values = Array.from({ length: count }, (_, i) => {
        // Mostly in order, so that differences are chosen; the odd ones in between.
        at = BigInt.asIntN(64, at + 1000n + (i % 97 === 0 ? (steps[i % steps.length] as bigint) : 0n));
        return at;
      });
      const singles = values.map((_, i) => {
        narrow = BigInt.asIntN(32, narrow + 1000n + (i % 97 === 0 ? (steps[i % steps.length] as bigint) : 0n));
        return narrow;
      });
      await roundTrip(long, values);
      await roundTrip({ kind: "int" }, singles);
    }),
    { numRuns: 60 },
  );
});

test("runs, bits of every width, nulls and missing cells come back through pages of every size", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 0, max: 2 ** 20 })), { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 0, max: 2 }),
      async (rowsMax, runs, nulls) => {
        const values = runs.flatMap(([count, value], r) =>
          Array.from({ length: count }, (_, i): Value => {
            if (nulls > 0 && (r + i) % (nulls === 1 ? 7 : 2) === 0) return i % 2 === 0 ? null : undefined;
            return BigInt(r % 3 === 0 ? value : value + i);
          }),
        );
        const pageLimits = { ...small, rowsMax, dictionaryBytesMax: 1 << 20 };
        await roundTrip({ kind: "int" }, values, { pageLimits });
        await roundTrip(
          { kind: "boolean" },
          values.map((value) => (typeof value === "bigint" ? value % 3n === 0n : value)),
          { pageLimits },
        );
      },
    ),
    { numRuns: 80 },
  );
});

test("texts of every length and script come back, in a dictionary or not", async () => {
  const texts = Array.from(
    { length: 600 },
    (_, i) =>
      Array.from("aßŁ飛🛫".repeat(30))
        .slice(0, i % 150)
        .join("") + String.fromCodePoint(33 + (i % 90)),
  );
  const plain = texts.map((text, i) => `${text}${i}`);
  for (const values of [texts, [...texts, ...texts, ...texts], plain, plain.map((text) => text.normalize("NFD"))]) {
    await roundTrip(string, values, { pageLimits: small });
    await roundTrip(
      { kind: "binary" },
      values.map((text) => Buffer.from(text, "utf16le")),
      { pageLimits: small },
    );
  }
});

test("NaN, infinities and both zeros stay what they are", async () => {
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 5e-324, Number.MAX_VALUE, 1 / 3];
  for (const kind of ["double", "float"] as const) {
    await roundTrip({ kind }, odd);
    const many = Array.from({ length: 2000 }, (_, i) => (i % 3 === 0 ? (odd[i % odd.length] as number) : Math.fround(Math.sin(i))));
    await roundTrip({ kind }, many, { pageLimits: small });
  }
});

test("page indexes tell each page's rows, nulls and bounds", async () => {
  const random = sequence(6);
  const fields = [field("n", long), field("s", string), field("d", { kind: "double" }), field("none", long)];
  const rows: Row[] = Array.from({ length: 2000 }, (_, i) => ({
    n: i % 13 === 0 ? null : BigInt(i),
    s: `${"k".repeat(random() % 90)}${random()}`,
    d: (random() % 1000) / 7 - 50,
    none: null,
  }));
  const { bytes } = writeRows(fields, rows, { pageLimits: small, limits: { rowsMax: 1000, bytesMax: 1 << 20 } });
  const { metadata } = await readBack(bytes);
  for (const group of [0, 1]) {
    for (const of of fields) {
      const { chunk, columnIndex, offsetIndex } = indexesOf(bytes, metadata, group, of.name);
      if (columnIndex === null || offsetIndex === null) throw new Error(`${of.name} has no page index`);
      const starts = offsetIndex.page_locations.map((page) => Number(page.first_row_index));
      expect(starts[0]).toBe(0);
      expect(starts.length).toBeGreaterThanOrEqual(5);
      expect(Number(offsetIndex.page_locations[0]?.offset)).toBe(Number(chunk.meta_data?.data_page_offset));
      for (const [p, start] of starts.entries()) {
        const page = rows.slice(group * 1000 + start, group * 1000 + (starts[p + 1] ?? 1000)).map((row) => row[of.name]);
        const values = page.filter((value) => value !== null) as (bigint | number | string)[];
        expect(Number(columnIndex.null_counts?.[p])).toBe(page.length - values.length);
        expect(columnIndex.null_pages[p]).toBe(values.length === 0);
        if (values.length === 0) continue;
        const [low, high] = [columnIndex.min_values[p], columnIndex.max_values[p]] as unknown as [string, string];
        const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        if (of.name !== "s") expect([low, high]).toEqual([sorted[0], sorted.at(-1)]);
        else {
          expect(low <= (sorted[0] as string) && (sorted[0] as string).startsWith(low)).toBe(true);
          expect(high >= (sorted.at(-1) as string)).toBe(true);
          expect(high.length).toBeLessThanOrEqual(64);
        }
      }
      expect(columnIndex.boundary_order).toBe(of.name === "n" || of.name === "none" ? "ASCENDING" : "UNORDERED");
    }
  }
});

test("beside a NaN no bounds are written, as readers differ in where it stands", async () => {
  const values = [1, Number.NaN, 3];
  const { bytes, metadata, file } = await roundTrip({ kind: "double" }, values);
  const { chunk, columnIndex, offsetIndex } = indexesOf(bytes, metadata, 0, "c");
  expect(columnIndex).toBeNull();
  expect(offsetIndex?.page_locations).toHaveLength(1);
  expect(chunk.meta_data?.statistics?.max_value).toBeUndefined();
  expect(chunk.meta_data?.statistics?.min_value).toBeUndefined();
  expect([file.lowerBounds.has(1), file.upperBounds.has(1), file.nanValueCounts.get(1)]).toEqual([true, false, 1]);
});

test("UUIDs are 16 bytes without a length: numbers of a dictionary, plain, and both in one chunk", async () => {
  const random = sequence(9);
  const uuid: FieldType = { kind: "uuid" };
  const any = (): Uint8Array => Uint8Array.from({ length: 16 }, () => random() & 255);
  const few = Array.from({ length: 30 }, any);
  const again = Array.from({ length: 4000 }, () => few[random() % few.length] as Uint8Array);
  const coded = await roundTrip(uuid, again);
  expect(coded.encodings).toEqual({ RLE_DICTIONARY: 1 });
  const many = Array.from({ length: 6000 }, any);
  const plain = await roundTrip(uuid, [...many, null, ...many.slice(0, 5)]);
  expect(plain.encodings).toEqual({ PLAIN: 1 });
  const both = await roundTrip(uuid, [...again, ...many, ...again], { pageLimits: small });
  expect(both.encodings["RLE_DICTIONARY"]).toBeGreaterThan(1);
  expect(both.encodings["PLAIN"]).toBeGreaterThan(1);
  const element = plain.metadata.schema.find(({ name }) => name === "c");
  expect(element).toMatchObject({ type: "FIXED_LEN_BYTE_ARRAY", type_length: 16, logical_type: { type: "UUID" } });
  expect(element?.converted_type).toBeUndefined();
  // Readers differ in how they order them.
  const { statistics } = plain.metadata.row_groups[0]?.columns[0]?.meta_data ?? {};
  expect([statistics?.min_value, statistics?.max_value, statistics?.null_count]).toEqual([undefined, undefined, 1n]);
  expect([plain.file.lowerBounds.get(1), plain.file.upperBounds.get(1), plain.file.nullValueCounts.get(1)]).toEqual([
    undefined,
    undefined,
    1,
  ]);
  expect(plain.metadata.row_groups[0]?.columns[0]?.column_index_length).toBeUndefined();
});
