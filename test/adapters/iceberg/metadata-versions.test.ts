import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLosslessJson, writeLosslessJson } from "../../../src/adapters/iceberg/lossless-json.ts";
import { applyUpdates } from "../../../src/adapters/iceberg/metadata-update.ts";
import { parseTableMetadata, serializeTableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";

// The shapes are those of the Iceberg specification's appendix on JSON, as old and new writers leave them.
const v1 = {
  "format-version": 1,
  "table-uuid": "d20125c8-7284-442c-9aea-15fee620737c",
  location: "file:///t",
  "last-updated-ms": 1602638573874,
  "last-column-id": 3,
  schema: { type: "struct", fields: [{ id: 1, name: "x", required: true, type: "long" }] },
  "partition-spec": [{ name: "x", transform: "identity", "source-id": 1 }],
  properties: { owner: "ann" },
  "current-snapshot-id": 5,
  snapshots: [{ "snapshot-id": 5, "timestamp-ms": 1602638573590, manifests: ["file:///t/m.avro"], summary: { operation: "append" } }],
};

const v3Text = `{"format-version":3,"table-uuid":"d2","location":"s3://b/t","last-sequence-number":9007199254740993,"last-updated-ms":1000,
"last-column-id":2,"current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,"fields":[
{"id":1,"name":"x","required":false,"type":"decimal(9, 2)","initial-default":"1.10","write-default":"2"},
{"id":2,"name":"y","required":false,"type":"double","initial-default":1.0,"write-default":1.5e300}]}],
"default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[{"source-id":1,"field-id":1000,"name":"x_bucket","transform":"bucket[16]"}]}],
"last-partition-id":1000,"default-sort-order-id":1,"sort-orders":[{"order-id":1,"fields":[
{"transform":"identity","source-id":1,"direction":"asc","null-order":"nulls-first"}]}],"properties":{},
"current-snapshot-id":9223372036854775807,"refs":{"main":{"snapshot-id":9223372036854775807,"type":"branch"}},
"snapshots":[{"snapshot-id":9223372036854775807,"sequence-number":9007199254740993,"timestamp-ms":1000,"manifest-list":"s3://b/l","summary":
{"operation":"append"},"schema-id":0,"first-row-id":0,"added-rows":9007199254740993,"key-id":"k1"}],
"snapshot-log":[],"metadata-log":[],"next-row-id":9007199254740994,"encryption-keys":[{"key-id":"k1","encrypted-key-metadata":"AAA="}],
"statistics":[{"snapshot-id":9223372036854775807,"statistics-path":"s3://b/s.puffin","file-size-in-bytes":413,"file-footer-size-in-bytes":42,
"blob-metadata":[{"type":"apache-datasketches-theta-v1","snapshot-id":9223372036854775807,"sequence-number":1,"fields":[1]}]}],
"partition-statistics":[{"snapshot-id":9223372036854775807,"statistics-path":"s3://b/p","file-size-in-bytes":1}],"later":{"a":[1.250,-0.0]}}`.replaceAll(
  "\n",
  "",
);

describe("format versions", () => {
  it("keeps every byte of meaning of a v3 table: ids, row lineage, keys, statistics, defaults, what is unknown", () => {
    expect(serializeTableMetadata(parseTableMetadata(v3Text))).toBe(v3Text);
  });

  it("reads version 1 as it reads version 2, and writes what version 1 readers need", () => {
    const table = parseTableMetadata(JSON.stringify(v1));
    expect(table).toMatchObject({
      "current-schema-id": 0,
      schemas: [{ "schema-id": 0, fields: v1.schema.fields }],
      "default-spec-id": 0,
      "partition-specs": [{ "spec-id": 0, fields: [{ "field-id": 1000, name: "x" }] }],
      "last-partition-id": 1000,
      "sort-orders": [{ "order-id": 0, fields: [] }],
      "last-sequence-number": 0n,
      refs: { main: { "snapshot-id": 5n, type: "branch" } },
    });
    expect(table.snapshots[0]?.["sequence-number"]).toBe(0n);
    const text = serializeTableMetadata(table);
    expect(JSON.parse(text)).toMatchObject(v1);
    expect(text).not.toContain('"sequence-number"');
    expect(parseTableMetadata(text)).toEqual(table);
  });

  it("keeps version 1's singular schema and spec in step, and drops them on the way to version 2", () => {
    const schema = {
      type: "struct",
      "schema-id": 7,
      fields: [...v1.schema.fields, { id: 4, name: "y", required: false, type: "int" }],
    } as const;
    const next = applyUpdates(parseTableMetadata(JSON.stringify(v1)), [
      { action: "add-schema", schema, "last-column-id": 4 },
      { action: "set-current-schema", "schema-id": -1 },
    ]);
    expect(next).toMatchObject({
      schema: { "schema-id": 1, fields: schema.fields },
      "partition-spec": [{ "source-id": 1 }],
      "last-column-id": 4,
    });
    const upgraded = applyUpdates(next, [{ action: "upgrade-format-version", "format-version": 2 }]);
    expect(Object.keys(upgraded)).not.toContain("schema");
    expect(Object.keys(upgraded)).not.toContain("partition-spec");
    expect(parseTableMetadata(serializeTableMetadata(upgraded))).toEqual(upgraded);
    const v3 = applyUpdates(upgraded, [{ action: "upgrade-format-version", "format-version": 3 }]);
    expect(v3["next-row-id"]).toBe(0n);
    expect(() => applyUpdates(v3, [{ action: "upgrade-format-version", "format-version": 2 }])).toThrow(/downgrade/);
  });

  it("refuses what is no table, in words", () => {
    for (const text of ["null", "[]", '{"format-version":"2"}', '{"format-version":4}']) {
      expect(() => parseTableMetadata(text)).toThrow(expect.objectContaining({ code: "TABLE_UNSUPPORTED" }));
    }
    expect(() => parseTableMetadata('{"format-version":2}')).toThrow(/no table-uuid/);
    expect(() => parseTableMetadata('{"format-version":1}')).toThrow(/no schema/);
    expect(() => parseTableMetadata("{")).toThrow(SyntaxError);
  });
});

describe("JSON of other writers", () => {
  it("comes back as it stood, whatever its numbers", () => {
    const number = fc.oneof(
      fc.bigInt().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => JSON.stringify(each)),
      fc.tuple(fc.bigInt({ min: 0n, max: 99n }), fc.stringMatching(/^[0-9]{1,25}$/)).map(([whole, rest]) => `${whole}.${rest}`),
      fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: -300, max: 300 })).map(([digit, power]) => `${digit}e${power}`),
    );
    const key = fc.constantFrom("snapshot-id", "next-row-id", "x", "timestamp-ms", "__proto__");
    fc.assert(
      fc.property(key, fc.array(number), (name, numbers) => {
        const text = `{"${name}":[${numbers.join(",")}],"n":${numbers[0] ?? "null"}}`;
        expect(writeLosslessJson(parseLosslessJson(text))).toBe(text);
      }),
    );
  });
});
