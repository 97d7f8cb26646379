import { expect, it } from "vitest";
import { misfits } from "../../../src/adapters/iceberg/stored-types.ts";
import { schemaOfContract } from "../../../src/adapters/iceberg/table-schema.ts";
import { makeContract, type FieldSketch } from "../../fixtures/contract.ts";

type Sketch = Readonly<Record<string, FieldSketch>>;

const fieldsOf = (sketch: Sketch) => makeContract(sketch).fields;
const storedOf = (sketch: Sketch) => schemaOfContract(makeContract(sketch), null).schema.fields;

const nano = { kind: "timestamp", zoned: true, unit: "nanos" } as const;
const all: Sketch = {
  id: { type: "long", required: true },
  at: { type: nano },
  price: { type: { kind: "decimal", precision: 9, scale: 2 } },
  day: { type: "date" },
  any: { type: "json" },
  seen: { type: "list", of: { type: nano } },
  by: { type: "map", of: { type: nano } },
  order: { type: "struct", of: { at: { type: nano }, note: { type: "string" } } },
};

it("a table fits the contract that made it, wider types and columns that it lacks", () => {
  expect(misfits(fieldsOf(all), storedOf(all))).toEqual([]);
  const wider: Sketch = { ...all, price: { type: { kind: "decimal", precision: 12, scale: 2 } } };
  expect(misfits(fieldsOf(all), storedOf(wider))).toEqual([]);
  expect(misfits(fieldsOf({ id: { type: "int" }, other: { type: nano } }), storedOf(all))).toEqual([]);
});

it("columns of other types are told by their paths, inside of others too", () => {
  const stored = storedOf({
    ...all,
    at: { type: "timestamp" },
    day: { type: "struct", of: { text: { type: "string" } } },
    any: { type: "list", of: { type: "string" } },
    seen: { type: "list", of: { type: "timestamp" } },
    by: { type: "map", of: { type: "timestamp" } },
    order: { type: "struct", of: { at: { type: "timestamp" }, note: { type: "string" } } },
    price: { type: { kind: "decimal", precision: 5, scale: 2 } },
  });
  expect(misfits(fieldsOf(all), stored)).toEqual([
    { path: "at", stored: "timestamptz", wanted: "timestamptz_ns" },
    { path: "price", stored: "decimal(5, 2)", wanted: "decimal(9, 2)" },
    { path: "day", stored: "struct", wanted: "date" },
    { path: "any", stored: "list", wanted: "string" },
    { path: "seen[]", stored: "timestamptz", wanted: "timestamptz_ns" },
    { path: "by[]", stored: "timestamptz", wanted: "timestamptz_ns" },
    { path: "order.at", stored: "timestamptz", wanted: "timestamptz_ns" },
  ]);
});
