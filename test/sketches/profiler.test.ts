import { describe, expect, test } from "vitest";
import type { Column } from "../../src/core/column.ts";
import type { Field } from "../../src/core/schema.ts";
import { compareValueTexts } from "../../src/sketches/compare-text.ts";
import { emptyProfile, mergeProfiles, profileBatch, summarizeProfile } from "../../src/sketches/index.ts";
import { batchOf, columnOf, contractOf, fieldOf, seededRandom } from "./columns.ts";

const carrier = fieldOf("carrier", { kind: "string" });
const delay = fieldOf("delay", { kind: "int" });

describe("profiles of a batch", () => {
  test("known answers of a small batch", () => {
    const contract = contractOf([carrier, delay]);
    const batch = batchOf([columnOf(carrier, ["UA", "AA", "UA", null, undefined, "Ü", ""]), columnOf(delay, [2, 4, 4, 4, 5, 5, null])]);
    const [text, number] = summarizeProfile(profileBatch(contract, batch, null), contract);
    expect(text).toMatchObject({ count: 7, nulls: 1, missing: 1, distinct: 4, min: "", max: "Ü", lengths: { min: 0, mean: 1.4, max: 2 } });
    expect(text?.top).toEqual([
      { value: "UA", count: 2 },
      { value: "", count: 1 },
      { value: "AA", count: 1 },
      { value: "Ü", count: 1 },
    ]);
    expect(number).toMatchObject({ count: 7, nulls: 1, distinct: 3, min: "2", max: "5", mean: 4, quantiles: { p25: 4, p50: 4, p95: 5 } });
    expect(number?.stdev).toBeCloseTo(Math.sqrt(6 / 5), 12);
  });

  test("only the rows asked for count, and undecoded rows never", () => {
    const contract = contractOf([delay]);
    const batch = batchOf([columnOf(delay, [1, 2, 3, 4])]);
    batch.undecoded[3] = 1;
    expect(profileBatch(contract, batch, null).rows).toBe(3);
    const some = profileBatch(contract, batch, Uint32Array.of(1, 2));
    expect(some.columns.get("delay")).toMatchObject({ count: 2, min: "2", max: "3" });
  });

  test("whole numbers and decimals beyond doubles keep every digit of their extremes", () => {
    const long = fieldOf("n", { kind: "long" });
    const near = [9_007_199_254_740_993n, 9_007_199_254_740_992n, 9_223_372_036_854_775_806n, 9_223_372_036_854_775_807n];
    const a = profileBatch(contractOf([long]), batchOf([columnOf(long, near)]), null);
    expect(a.columns.get("n")).toMatchObject({ min: "9007199254740992", max: "9223372036854775807" });
    const decimal = fieldOf("d", { kind: "decimal", precision: 38, scale: 2 });
    const b = profileBatch(contractOf([decimal]), batchOf([columnOf(decimal, [10n ** 30n + 1n, 10n ** 30n, -5n])]), null);
    expect(b.columns.get("d")).toMatchObject({ min: "-0.05", max: "10000000000000000000000000000.01" });
  });

  test("infinities are values but no part of moments; NaN is counted apart", () => {
    const double = fieldOf("x", { kind: "double" });
    const profile = profileBatch(contractOf([double]), batchOf([columnOf(double, [1, NaN, Infinity, -Infinity, 3])]), null);
    const column = profile.columns.get("x")!;
    expect(column).toMatchObject({ count: 5, nan: 1, min: "-Infinity", max: "Infinity", moments: { count: 2, mean: 2 } });
    expect(column.quantiles?.count).toBe(2);
  });

  test("times are profiled in seconds and shown as ISO 8601", () => {
    const at = fieldOf("at", { kind: "timestamp", zoned: true, unit: "micros" });
    const contract = contractOf([at]);
    const micros = [Date.UTC(2013, 0, 1), Date.UTC(2013, 0, 3)].map((ms) => BigInt(ms) * 1000n + 250_000n);
    const [summary] = summarizeProfile(profileBatch(contract, batchOf([columnOf(at, micros)]), null), contract);
    expect(summary).toMatchObject({
      min: "2013-01-01T00:00:00.250000Z",
      max: "2013-01-03T00:00:00.250000Z",
      mean: Date.UTC(2013, 0, 2) / 1000 + 0.25,
    });
  });

  test("fields of structs and elements of lists are columns of their own", () => {
    const price = fieldOf("items[].price", { kind: "double" });
    const item: Field = { ...fieldOf("items[]", { kind: "struct", fields: [price] }) };
    const items: Field = { ...fieldOf("items", { kind: "list", element: item }) };
    const prices = columnOf(price, [1, 2, null, 4]);
    const element: Column = { kind: "struct", field: item, length: 4, state: new Uint8Array(4), children: [prices] };
    const list: Column = {
      kind: "list",
      field: items,
      length: 3,
      state: Uint8Array.of(0, 1, 0),
      offsets: Int32Array.of(0, 2, 2, 4),
      keys: null,
      element,
    };
    const contract = contractOf([items]);
    expect([...emptyProfile(contract).columns.keys()]).toEqual(["items[].price"]);
    expect(profileBatch(contract, batchOf([list]), null).columns.get("items[].price")).toMatchObject({
      count: 4,
      nulls: 1,
      min: "1",
      max: "4",
    });
    expect(profileBatch(contract, batchOf([list]), Uint32Array.of(2)).columns.get("items[].price")).toMatchObject({ count: 2, max: "4" });
  });

  test("classified columns show counts and nothing else", () => {
    const secret = fieldOf("ssn", { kind: "string" }, "restricted");
    const age = fieldOf("age", { kind: "int" }, "confidential");
    const contract = contractOf([secret, age]);
    const batch = batchOf([columnOf(secret, ["123-45", "999-99"]), columnOf(age, [77, 88])]);
    const text = JSON.stringify(summarizeProfile(profileBatch(contract, batch, null), contract));
    expect(text).not.toMatch(/123|999|77|88|82/);
    expect(JSON.parse(text)[0]).toMatchObject({ count: 2, distinct: 2, top: null, min: null, lengths: null });
  });

  test("long text is cut at 64 code points, and a cut maximum merges like the whole", () => {
    const contract = contractOf([carrier]);
    const one = (value: string) => profileBatch(contract, batchOf([columnOf(carrier, [value])]), null);
    const merged = mergeProfiles(one("😀".repeat(70)), one("😀".repeat(64) + "z")).columns.get("carrier")!;
    expect(merged.max).toBe("😀".repeat(64));
    expect(merged.top?.entries.length).toBe(2);
  });

  test("while a table holds every value, the order of rows changes nothing but the last digits of moments", () => {
    const random = seededRandom(3);
    const fields = [delay, carrier, fieldOf("x", { kind: "double" })];
    const rows = Array.from({ length: 5000 }, () => Math.floor(300 * random()));
    const profileIn = (order: readonly number[]) =>
      profileBatch(
        contractOf(fields),
        batchOf([
          columnOf(
            delay,
            order.map((n) => 40 * n),
          ),
          columnOf(
            carrier,
            order.map((n) => `c${n}`),
          ),
          columnOf(
            fields[2]!,
            order.map((n) => n / 8),
          ),
        ]),
        null,
      );
    const plain = (profile: ReturnType<typeof profileIn>) =>
      [...profile.columns.values()].map(({ moments, lengths, ...rest }) => ({ ...rest, counts: [moments?.count, lengths?.count] }));
    const shuffled = rows.toSorted((a, b) => ((a * 7919) % 1009) - ((b * 7919) % 1009));
    expect(plain(profileIn(shuffled))).toEqual(plain(profileIn(rows)));
    expect(plain(profileIn(rows.toSorted((a, b) => b - a)))).toEqual(plain(profileIn(rows)));
    for (const column of profileIn(rows).columns.values()) expect(column.quantiles?.compactions ?? 0).toBe(0);
  });

  test("a column whose kind changed between contract versions is taken from the newer", () => {
    const asText = fieldOf("delay", { kind: "string" });
    const before = profileBatch(contractOf([asText]), batchOf([columnOf(asText, ["a", "b"])]), null);
    const after = profileBatch(contractOf([delay]), batchOf([columnOf(delay, [1])]), null);
    expect(mergeProfiles(before, after).columns.get("delay")).toMatchObject({ kind: "number", count: 1 });
  });
});

test("texts of values order as the values do", () => {
  const ascending = {
    number: ["-Infinity", "-1e+30", "-10.50", "-10.49", "0.00", "9007199254740992", "9007199254740993", "1e+21", "Infinity"],
    time: ["-000001-12-31", "0000-01-01", "2013-01-01T05:00:00Z", "2013-01-01T05:00:00.500000Z", "2013-01-01T05:00:01Z", "+010000-01-01"],
    text: ["", "a", "ab", "b", "\ue000", "\uffff", "😀"],
  };
  for (const kind of ["number", "time", "text"] as const) {
    const texts = ascending[kind];
    for (let i = 0; i < texts.length; i++) {
      for (let j = 0; j < texts.length; j++) {
        expect([kind, i, j, Math.sign(compareValueTexts(kind, texts[i]!, texts[j]!))]).toEqual([kind, i, j, Math.sign(i - j)]);
      }
    }
  }
});
