import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FieldCensus } from "../../src/codecs/field-census.ts";
import { jsonCodec } from "../../src/codecs/json.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { FieldCounts } from "../../src/core/profile.ts";
import { jsonTypes } from "../../src/core/profile.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";

const contract = makeContract({
  id: { type: "long" },
  city: { type: "string", sourceName: "town" },
  order: { type: "struct", of: { price: { type: "double" }, note: { type: "string" } } },
  items: { type: "list", of: { type: "struct", of: { sku: { type: "string" } } } },
  tags: { type: "map" },
});

function countTexts(texts: readonly string[], by: Contract = contract): FieldCounts {
  const census = new FieldCensus(by);
  census.add(jsonCodec.compile(by)(makeRecords(texts)));
  return census.finish();
}

const typeNames = ({ fields }: FieldCounts): Record<string, Record<string, number>> =>
  Object.fromEntries(
    fields.map(({ path, types }) => [
      path,
      Object.fromEntries(jsonTypes.map((type, i) => [type, types[i]!]).filter(([, count]) => count !== 0)),
    ]),
  );

describe("fields of records", () => {
  it("are counted by type, by the names that producers write, below what the contract describes and not below what it does not", () => {
    const counts = countTexts([
      '{"id":1,"town":"x","order":{"price":2,"extra":{"a":1}},"items":[{"sku":"a"},{"sku":1,"new":null}],"tags":{"k":"v"}}',
      '{"id":"1","other":[{"deep":1}],"order":null,"items":[],"a.b":true}',
      '{ "town" : "y" , "id" : 3.5, "t\\u006fwn": 1, "order": {"price": true}, "items": null }',
      "no json",
      "[1]",
      "",
    ]);
    expect(counts).toMatchObject({ records: 3, squares: 3 });
    expect(typeNames(counts)).toEqual({
      id: { number: 2, string: 1 },
      town: { string: 2 },
      order: { object: 2, null: 1 },
      "order.price": { number: 1, boolean: 1 },
      "order.extra": { object: 1 },
      items: { array: 2, null: 1 },
      "items[].sku": { string: 1 },
      "items[].new": { null: 1 },
      tags: { object: 1 },
      other: { array: 1 },
      '"a.b"': { boolean: 1 },
    });
  });

  it("are counted of records that the contract rejects too", () => {
    const strict: Contract = { ...contract, policies: { ...contract.policies, unknownFields: "reject" } };
    expect(typeNames(countTexts(['{"id":1,"more":2}', '{"id":"x"}', '{"id":'], strict))).toEqual({
      id: { number: 1, string: 1 },
      more: { number: 1 },
    });
  });

  it("of a few whole records and a sample of the rest estimate the shares of all, whatever the batches", () => {
    const texts = Array.from({ length: 9000 }, (_, i) => (i % 8 === 0 ? '{"id":1,"new":1}' : '{"id":1}'));
    const whole = countTexts(texts);
    const census = new FieldCensus(contract);
    const decode = jsonCodec.compile(contract);
    for (let from = 0; from < texts.length; from += 700) {
      census.add(decode(makeRecords(texts.slice(from, from + 700))));
    }
    expect(census.finish()).toEqual(whole);
    expect(Math.abs(whole.records - 9000)).toBeLessThan(30);
    expect(whole.squares).toBe(1024 + 8 * (whole.records - 1024));
    const fresh = whole.fields.find(({ path }) => path === "new")!;
    expect(Math.abs(fresh.types[2]! / whole.records - 1 / 8)).toBeLessThan(0.01);
    census.reset();
    expect(census.finish()).toEqual({ records: 0, squares: 0, fields: [] });
  });

  it("that are more than can be told apart count as one, and names are cut", () => {
    const texts = Array.from({ length: 900 }, (_, i) => `{"id":1,"k${i}":1}`);
    const counts = countTexts([...texts, `{"${"é".repeat(500)}":1}`]);
    expect(counts.fields).toHaveLength(1 + 512 + 1);
    expect(counts.fields.find(({ path }) => path === "…")?.types[2]).toBe(901 - 512);
    expect(countTexts([`{"${"é".repeat(500)}":1}`]).fields.map(({ path }) => path)).toEqual(["é".repeat(128)]);
  });

  it("are not counted of records nested deeper than decoders read, however deep", () => {
    const nested = (levels: number): string => `{"id":1,"items":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    expect(typeNames(countTexts([nested(99)]))).toEqual({ id: { number: 1 }, items: { array: 1 } });
    expect(countTexts([nested(100), nested(300_000), '{"id":1}'])).toMatchObject({ records: 1 });
  });

  it("are what JSON.parse finds, whatever the record", () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      fc.jsonValue(),
    );
    const record = fc.dictionary(
      fc.oneof(fc.constantFrom("id", "town", "extra", "x"), fc.string({ unit: "grapheme", maxLength: 8 })),
      value,
    );
    const nameOf = (one: unknown): string =>
      one === null ? "null" : Array.isArray(one) ? "array" : typeof one === "object" ? "object" : typeof one;
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        // Below described fields is another test's matter.
        const flat = makeContract({ id: { type: "json" }, city: { type: "json", sourceName: "town" } });
        const told = typeNames(
          countTexts(
            records.map((each) => JSON.stringify(each)),
            flat,
          ),
        );
        const expected: Record<string, Record<string, number>> = {};
        for (const each of records) {
          for (const [key, held] of Object.entries(JSON.parse(JSON.stringify(each)) as object)) {
            const path = key !== "" && !/[.[\]"…]/.test(key) ? key : JSON.stringify(key);
            const types = (expected[path] ??= {});
            types[nameOf(held)] = (types[nameOf(held)] ?? 0) + 1;
          }
        }
        expect(told).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});
