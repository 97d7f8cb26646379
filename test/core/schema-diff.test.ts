import { expect, it } from "vitest";
import { diffSchemas } from "../../src/core/schema-diff.ts";
import type { IcebergField, IcebergSchema } from "../../src/core/table-schema.ts";

function schema(...fields: readonly IcebergField[]): IcebergSchema {
  return { type: "struct", "schema-id": 0, fields };
}
const field = (id: number, name: string, type: IcebergField["type"] = "int", required = false): IcebergField => ({
  id,
  name,
  type,
  required,
});

it("follows fields by their ids: renamed, widened, loosened, added, dropped and moved", () => {
  const before = schema(
    field(1, "a"),
    field(2, "b", "int", true),
    field(3, "c"),
    field(4, "s", { type: "struct", fields: [field(5, "x"), field(6, "y")] }),
    field(7, "l", { type: "list", "element-id": 8, element: "int", "element-required": true }),
  );
  const after = schema(
    field(2, "b2", "long"),
    field(1, "a"),
    field(4, "s", { type: "struct", fields: [field(6, "y"), field(9, "z", "string")] }),
    field(7, "l", { type: "list", "element-id": 8, element: "long", "element-required": false }),
    field(10, "a2"),
  );
  expect(diffSchemas(before, before)).toEqual([]);
  expect(diffSchemas(before, after).map(({ fieldId, path, change, from, to }) => [fieldId, path, change, from, to])).toEqual([
    [3, "c", "dropped", "int", null],
    [5, "s.x", "dropped", "int", null],
    [2, "b2", "renamed", "b", "b2"],
    [2, "b2", "retyped", "int", "long"],
    [2, "b2", "optional", null, null],
    [2, "b2", "moved", "a", null],
    [1, "a", "moved", null, "b2"],
    [4, "s", "moved", "b", "a"],
    [9, "s.z", "added", null, "string"],
    [8, "l[]", "retyped", "int", "long"],
    [8, "l[]", "optional", null, null],
    [10, "a2", "added", null, "int"],
  ]);
});
