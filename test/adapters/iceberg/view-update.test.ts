import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ViewMetadata, ViewVersion } from "../../../src/adapters/iceberg/view-metadata.ts";
import { parseViewMetadata, serializeViewMetadata } from "../../../src/adapters/iceberg/view-metadata.ts";
import { applyViewUpdates, newViewMetadata } from "../../../src/adapters/iceberg/view-update.ts";
import type { IcebergSchema } from "../../../src/core/table-schema.ts";

const uuid = "11111111-2222-3333-4444-555555555555";
const schema: IcebergSchema = { type: "struct", "schema-id": 5, fields: [{ id: 3, name: "id", type: "int", required: true }] };
const other: IcebergSchema = { type: "struct", "schema-id": 7, fields: [{ id: 1, name: "some_id", type: "int", required: true }] };

function version(sql: string, changes: Partial<ViewVersion> = {}): ViewVersion {
  return {
    "version-id": 1,
    "schema-id": -1,
    "timestamp-ms": 100,
    summary: { "engine-name": "test" },
    representations: [{ type: "sql", sql, dialect: "spark" }],
    "default-namespace": ["ns"],
    ...changes,
  };
}

function made(properties: Record<string, string> = {}): ViewMetadata {
  return newViewMetadata({ uuid, location: "file:///w/views/1", schema, version: version("select 1"), properties }, 50);
}

function replacing(sql: string, changes: Partial<ViewVersion> = {}): Parameters<typeof applyViewUpdates>[1] {
  return [
    { action: "add-view-version", "view-version": version(sql, { "schema-id": 0, ...changes }) },
    { action: "set-current-view-version", "view-version-id": -1 },
  ];
}

describe("a view's metadata", () => {
  it("begins with one version and ids of its own", () => {
    expect(made({ comment: "c" })).toEqual({
      "view-uuid": uuid,
      "format-version": 1,
      location: "file:///w/views/1",
      schemas: [{ ...schema, "schema-id": 0 }],
      "current-version-id": 1,
      versions: [{ ...version("select 1"), "schema-id": 0 }],
      "version-log": [{ "timestamp-ms": 100, "version-id": 1 }],
      properties: { comment: "c" },
    });
  });

  it("takes another version with the next id, and tells when it came into use", () => {
    const added = { action: "add-schema", schema: other } as const;
    const next = applyViewUpdates(made(), [added, ...replacing("select 2", { "schema-id": -1, "timestamp-ms": 200 })], 999);
    expect(next["current-version-id"]).toBe(2);
    expect(next.schemas.map((each) => each["schema-id"])).toEqual([0, 1]);
    expect(next.versions.map((each) => [each["version-id"], each["schema-id"]])).toEqual([
      [1, 0],
      [2, 1],
    ]);
    const back = applyViewUpdates(next, [{ action: "set-current-view-version", "view-version-id": 1 }], 999);
    expect(back["version-log"]).toEqual([
      { "timestamp-ms": 100, "version-id": 1 },
      { "timestamp-ms": 200, "version-id": 2 },
      { "timestamp-ms": 999, "version-id": 1 },
    ]);
    expect(back.versions).toEqual(next.versions);
  });

  it("knows a version and a schema that it has", () => {
    const again = applyViewUpdates(made(), [{ action: "add-schema", schema }, ...replacing("select 1", { "timestamp-ms": 300 })], 999);
    expect(again).toEqual(made());
  });

  it("keeps as many versions as its property says, and no log of those that are gone", () => {
    let view = made({ "version.history.num-entries": "2" });
    for (const n of [2, 3, 4]) view = applyViewUpdates(view, replacing(`select ${n}`, { "timestamp-ms": n * 100 }), 0);
    expect(view.versions.map((each) => each["version-id"])).toEqual([3, 4]);
    expect(view["version-log"].map((each) => each["version-id"])).toEqual([3, 4]);
    const back = applyViewUpdates(view, [{ action: "set-current-view-version", "view-version-id": 3 }], 0);
    const next = applyViewUpdates(back, replacing("select 5"), 0);
    expect(next.versions.map((each) => each["version-id"])).toEqual([4, 5]);
    expect(next["version-log"].map((each) => each["version-id"])).toEqual([5]);
  });

  it("sets and removes properties, and keeps its version when it does", () => {
    const changed = applyViewUpdates(
      made({ a: "1", b: "2" }),
      [
        { action: "set-properties", updates: { a: "3", c: "4" } },
        { action: "remove-properties", removals: ["b", "none"] },
      ],
      0,
    );
    expect(changed).toEqual({ ...made(), properties: { a: "3", c: "4" } });
  });

  const trino = { representations: [{ type: "sql", sql: "select 1", dialect: "trino" }] } as const;
  const twice = ["spark", "SPARK"].map((dialect) => ({ type: "sql", sql: "select 1", dialect }));
  it.each([
    ["a dialect twice", replacing("", { representations: twice }), /multiple queries for dialect spark/],
    ["the loss of a dialect", replacing("", trino), /loss of view dialects .*: spark/],
    ["an unknown schema", replacing("select 2", { "schema-id": 9 }), /unknown schema: 9/],
    ["a schema that was not added", replacing("select 2", { "schema-id": -1 }), /no schema has been added/],
    ["a version that was not added", [{ action: "set-current-view-version", "view-version-id": -1 }], /no current version id/],
    ["an unknown version", [{ action: "set-current-view-version", "view-version-id": 9 }], /unknown version: 9/],
    ["another uuid", [{ action: "assign-uuid", uuid: uuid.replace("1", "2") }], /Cannot reassign uuid/],
    ["format version 2", [{ action: "upgrade-format-version", "format-version": 2 }], /unsupported format version: v2/],
    ["no history", [{ action: "set-properties", updates: { "version.history.num-entries": "0" } }], /from 1/],
  ] as const)("refuses %s", (_what, updates, message) => {
    const few = _what === "no history" ? [...updates, ...replacing("select 2")] : updates;
    expect(() => applyViewUpdates(made(), few, 0)).toThrow(message);
  });

  it("may lose a dialect where its property says so", () => {
    const view = applyViewUpdates(made({ "replace.drop-dialect.allowed": "true" }), replacing("", trino), 0);
    expect(view.versions.at(-1)?.representations).toEqual(trino.representations);
  });

  it("always has its current version, ids each once, and a log of versions that are there", () => {
    const step = fc.oneof(
      fc.record({ sql: fc.constantFrom("a", "b", "c", "d", "e", "f") }),
      fc.record({ back: fc.nat(5) }),
      fc.record({ keep: fc.integer({ min: 1, max: 4 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let view = made();
        for (const [at, each] of steps.entries()) {
          const ids = view.versions.map((one) => one["version-id"]);
          if ("sql" in each) view = applyViewUpdates(view, replacing(each.sql), at);
          else if ("keep" in each) {
            view = applyViewUpdates(view, [{ action: "set-properties", updates: { "version.history.num-entries": `${each.keep}` } }], at);
          } else {
            const id = ids[each.back % ids.length] as number;
            view = applyViewUpdates(view, [{ action: "set-current-view-version", "view-version-id": id }], at);
          }
          const now = view.versions.map((one) => one["version-id"]);
          expect(now).toEqual([...new Set(now)].toSorted((a, b) => a - b));
          expect(now).toContain(view["current-version-id"]);
          expect(view["version-log"].at(-1)?.["version-id"]).toBe(view["current-version-id"]);
          for (const entry of view["version-log"]) expect(now).toContain(entry["version-id"]);
          expect(parseViewMetadata(serializeViewMetadata(view))).toEqual(view);
        }
      }),
    );
  });

  it.each([
    ["[1]", "TABLE_UNSUPPORTED"],
    ["null", "TABLE_UNSUPPORTED"],
    ['{"format-version": 2}', "TABLE_UNSUPPORTED"],
    ['{"format-version": 1}', "TABLE_CORRUPT"],
    [serializeViewMetadata({ ...made(), "view-uuid": "../../tables" }), "TABLE_CORRUPT"],
  ])("is not read from %s", (text, code) => {
    expect(() => parseViewMetadata(text)).toThrow(expect.objectContaining({ code }));
  });
});
