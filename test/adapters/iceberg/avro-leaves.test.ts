import { expect, it } from "vitest";
import { decodeAvroFile, encodeAvroFile } from "../../../src/adapters/iceberg/avro-file.ts";
import { visitAvroLeaves } from "../../../src/adapters/iceberg/avro-leaves.ts";
import type { AvroRecord, AvroRow } from "../../../src/adapters/iceberg/avro-schema.ts";

const entry: AvroRecord = {
  type: "record",
  name: "k7_v8",
  fields: [
    { name: "key", type: "int", "field-id": 7 },
    { name: "value", type: "string", "field-id": 8 },
  ],
};
const schema: AvroRecord = {
  type: "record",
  name: "row",
  fields: [
    { name: "id", type: "long", "field-id": 1 },
    { name: "name", type: ["null", "string"], default: null, "field-id": 2 },
    {
      name: "place",
      type: ["null", { type: "record", name: "r3", fields: [{ name: "city", type: ["null", "string"], default: null, "field-id": 4 }] }],
      default: null,
      "field-id": 3,
    },
    { name: "tags", type: { type: "array", items: "string", "element-id": 6 }, "field-id": 5 },
    { name: "counts", type: { type: "array", logicalType: "map", items: entry }, "field-id": 9 },
  ],
};

function leaves(row: AvroRow): unknown[] {
  const [read] = decodeAvroFile(encodeAvroFile({ schema, metadata: {}, rows: [row] }, new Uint8Array(16))).rows;
  const found: unknown[] = [];
  visitAvroLeaves(schema, read as AvroRow, (id, value, isRepeated) =>
    found.push([id, value instanceof Uint8Array ? Buffer.from(value).toString() : value, isRepeated]),
  );
  return found;
}

it("visits values by the ids of their fields, in structs, lists and maps, and absent ones too", () => {
  expect(leaves({ id: 5n, name: "Ünal", place: { city: "Ulm" }, tags: ["a", "b"], counts: new Map([[1, "one"]]) })).toEqual([
    [1, 5n, false],
    [2, "Ünal", false],
    [4, "Ulm", false],
    [6, "a", true],
    [6, "b", true],
    [7, 1, true],
    [8, "one", true],
  ]);
  expect(leaves({ id: 6n, name: null, place: null, tags: [], counts: new Map() })).toEqual([
    [1, 6n, false],
    [2, null, false],
    [4, null, false],
  ]);
});
