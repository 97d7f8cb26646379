import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IcebergField, IcebergType } from "../../../src/core/table-schema.ts";
import { schemaOfContract, unknownColumn } from "../../../src/adapters/iceberg/table-schema.ts";
import type { Field } from "../../../src/core/schema.ts";
import type { FieldSketch } from "../../fixtures/contract.ts";
import { makeContract } from "../../fixtures/contract.ts";
import { tables } from "./parquet-fixture.ts";

const sketch = (fields: Readonly<Record<string, FieldSketch>>): ReturnType<typeof makeContract> => makeContract(fields);

function idsOf(fields: readonly IcebergField[], under = ""): [string, number][] {
  const ofType = (type: IcebergType, path: string): [string, number][] => {
    if (typeof type === "string") return [];
    if (type.type === "struct") return idsOf(type.fields, `${path}.`);
    if (type.type === "list") return [[`${path}[]`, type["element-id"]], ...ofType(type.element, `${path}[]`)];
    return [[`${path}{key}`, type["key-id"]], [`${path}{}`, type["value-id"]], ...ofType(type.value, `${path}{}`)];
  };
  return fields.flatMap((field) => [
    [`${under}${field.name}`, field.id] as [string, number],
    ...ofType(field.type, `${under}${field.name}`),
  ]);
}

describe("a contract as a table schema", () => {
  it("maps every type, ends in the source columns, and numbers all of it", () => {
    const contract = sketch({
      b: { type: "boolean", required: true },
      i: { type: "int" },
      d: { type: "decimal" },
      time: { type: "time" },
      local: { type: { kind: "timestamp", zoned: false, unit: "micros" } },
      j: { type: "json" },
      s: { type: "struct", of: { x: { type: "date" } } },
      l: { type: "list", of: { type: "double" } },
      m: { type: "map", of: { type: "binary" } },
    });
    const { schema, lastColumnId } = schemaOfContract({ ...contract, policies: { ...contract.policies, unknownFields: "keep" } }, null);
    expect(schema.fields.map((field) => [field.id, field.name, field.required, field.type])).toEqual([
      [1, "b", true, "boolean"],
      [2, "i", false, "int"],
      [3, "d", false, "decimal(10, 2)"],
      [4, "time", false, "string"],
      [5, "local", false, "timestamp"],
      [6, "j", false, "string"],
      [7, "s", false, { type: "struct", fields: [{ id: 8, name: "x", required: false, type: "date" }] }],
      [9, "l", false, { type: "list", "element-id": 10, element: "double", "element-required": false }],
      [11, "m", false, { type: "map", "key-id": 12, key: "string", "value-id": 13, value: "binary", "value-required": false }],
      [14, unknownColumn, false, "string"],
      [15, "_sluice_source", true, "string"],
      [16, "_sluice_partition", true, "int"],
      [17, "_sluice_offset", true, "long"],
      [18, "_sluice_timestamp", false, "timestamptz"],
    ]);
    expect(lastColumnId).toBe(18);
  });

  it("keeps ids by name when columns come, move and go; what came or went is optional", () => {
    const first = schemaOfContract(sketch({ a: { type: "int", required: true }, b: { type: "string", required: true } }), null);
    const next = schemaOfContract(
      sketch({
        c: { type: "string", required: true },
        s: { type: "struct", of: { x: { type: "int" } } },
        b: { type: "string", required: true },
      }),
      first,
    );
    expect(next.schema.fields.slice(0, 3).map((field) => [field.id, field.name, field.required])).toEqual([
      [7, "c", false],
      [8, "s", false],
      [2, "b", true],
    ]);
    expect(next.schema.fields.at(-1)).toMatchObject({ id: 1, name: "a", required: false });
    expect(next.lastColumnId).toBe(9);
  });

  it.each([
    ["int", "long"],
    ["float", "double"],
    [
      { kind: "decimal", precision: 10, scale: 2 },
      { kind: "decimal", precision: 12, scale: 2 },
    ],
    ["string", "json"],
  ] as const)("lets %j become %j", (from, to) => {
    const first = schemaOfContract(sketch({ a: { type: "list", of: { type: from as "int" } } }), null);
    const next = schemaOfContract(sketch({ a: { type: "list", of: { type: to as "int" } } }), first);
    expect(idsOf(next.schema.fields)).toEqual(idsOf(first.schema.fields));
  });

  it.each([
    ["long", "int"],
    ["string", "int"],
    ["date", "timestamp"],
    [
      { kind: "decimal", precision: 10, scale: 2 },
      { kind: "decimal", precision: 12, scale: 3 },
    ],
    ["struct", "string"],
    ["string", "struct"],
    ["list", "map"],
  ] as const)("refuses that %j becomes %j, naming the column", (from, to) => {
    const first = schemaOfContract(sketch({ o: { type: "struct", of: { a: { type: from } } } }), null);
    const change = (): unknown => schemaOfContract(sketch({ o: { type: "struct", of: { a: { type: to } } } }), first);
    expect(change).toThrow(expect.objectContaining({ code: "CONTRACT_INVALID", message: expect.stringContaining("column o.a is") }));
  });

  it("refuses a name twice, such as one of its own columns", () => {
    expect(() => schemaOfContract(sketch({ _sluice_offset: { type: "int" } }), null)).toThrow(/_sluice_offset is named twice/);
  });

  it("gives every id once, and the same contract no change", () => {
    fc.assert(
      fc.property(tables(2), tables(2), (one, two) => {
        const contract = (fields: readonly Field[]): ReturnType<typeof makeContract> => ({ ...makeContract({}), fields });
        const first = schemaOfContract(contract(one.fields), null);
        const same = schemaOfContract(contract(one.fields), first);
        expect(same).toMatchObject({ schema: first.schema, lastColumnId: first.lastColumnId, changes: [] });
        const ids = idsOf(first.schema.fields).map(([, id]) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(Math.max(...ids)).toBe(first.lastColumnId);
        const renamed = two.fields.map((field) => ({ ...field, name: `other_${field.name}` }));
        const next = schemaOfContract(contract(renamed), first);
        const before = new Map(idsOf(first.schema.fields));
        const after = new Map(idsOf(next.schema.fields));
        for (const [path, id] of before) expect(after.get(path)).toBe(id);
        expect(new Set(after.values()).size).toBe(after.size);
      }),
      { numRuns: 100 },
    );
  });
});
