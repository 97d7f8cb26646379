import avro from "avsc";
import { describe, expect, it } from "vitest";
import { parseAvroSchema } from "../../../src/core/avro/parse-avro-schema.ts";
import type { KeyPlan } from "../../../src/core/record-plan.ts";
import { invalid } from "../../fixtures/column-value.ts";
import type { FieldSketch } from "../../fixtures/contract.ts";
import { rowsOf } from "../formats/decode-values.ts";
import { decodeRun, framed, invalidTexts, type RecordSketch } from "./record-fixture.ts";

const big = (value: bigint): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};

function keys(type: FieldSketch, value: KeyPlan["value"], of: readonly RecordSketch["key"][], schemas = {}): ReturnType<typeof decodeRun> {
  const sketches = of.map((key) => ({ value: '{"v":1}', key: key ?? null }));
  return decodeRun({ k: type, v: { type: "int" } }, { key: { value, columns: [{ column: "k", path: [] }] } }, sketches, { schemas });
}

describe("a key as one column", () => {
  it("is text, as its column takes it", () => {
    expect(rowsOf(keys({ type: "string" }, { format: "text" }, ["a", "", null, Buffer.of(0xff)]))).toEqual([
      { k: "a", v: 1n },
      { k: "", v: 1n },
      { k: null, v: 1n },
      { fault: "key.undecodable" },
    ]);
    const id = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
    expect(rowsOf(keys({ type: "uuid" }, { format: "text" }, [id.toUpperCase(), "f8"]))).toMatchObject([{ k: id }, { k: invalid }]);
    const batch = keys({ type: "long" }, { format: "text" }, ["9007199254740993", "x"]);
    expect(rowsOf(batch)).toMatchObject([{ k: 9007199254740993n }, { k: invalid }]);
    expect(invalidTexts(batch)).toEqual({ k: ['"x"'] });
  });

  it("is a big-endian number as Kafka's serializers write it", () => {
    const batch = keys({ type: "long" }, { format: "long" }, [big(-2n), big(2n ** 62n), Buffer.of(1)]);
    expect(rowsOf(batch)).toMatchObject([{ k: -2n }, { k: 2n ** 62n }, { fault: "key.undecodable" }]);
    expect(batch.faults[0]?.message).toBe(
      "the record's key can't be read: the key is of another size than its format: 1 bytes, 8 expected [key.size]",
    );
    expect(rowsOf(keys({ type: "int" }, { format: "int" }, [Buffer.of(255, 255, 255, 254)]))).toMatchObject([{ k: -2n }]);
  });

  it("is a JSON value of any kind, and nothing that breaks out of it", () => {
    const texts = ["12", '"12"', '{"a":1}', '1,"v":2', "", " 7 "];
    expect(rowsOf(keys({ type: "int" }, { format: "json" }, texts))).toMatchObject([
      { k: 12n },
      { k: invalid },
      { k: invalid },
      { fault: "key.undecodable" },
      { fault: "key.undecodable" },
      { k: 7n },
    ]);
    expect(rowsOf(keys({ type: "json" }, { format: "json" }, ['{"a": 1}']))).toMatchObject([{ k: '{"a": 1}' }]);
  });

  it("is an Avro value that need not be a record, framed or not", () => {
    const type = avro.Type.forSchema(["null", "string"]);
    const parsed = parseAvroSchema('["null","string"]');
    if ("problem" in parsed) throw new Error(parsed.problem);
    const raw = keys({ type: "string" }, { format: "avro", schema: parsed.schema, text: "" }, [
      type.toBuffer("a"),
      type.toBuffer(null),
      Buffer.of(9),
    ]);
    expect(rowsOf(raw)).toMatchObject([{ k: "a" }, { k: null }, { fault: "key.undecodable" }]);
    const schemas = { "3": { type: "avro", text: '"long"', references: [] } };
    const byId = keys(
      { type: "long" },
      { format: "registered", type: "avro", validate: false },
      [framed(3, Buffer.of(84)), framed(4, ""), "x"],
      schemas,
    );
    expect(rowsOf(byId)).toMatchObject([{ k: 42n }, { fault: "key.undecodable" }, { fault: "key.undecodable" }]);
    expect(byId.faults[0]?.message).toContain("there is no schema 4 [registry.unknown-id]");
  });
});

describe("a key as several columns", () => {
  const fields: Readonly<Record<string, FieldSketch>> = {
    id: { type: "long", required: true },
    city: { type: "string" },
    v: { type: "int" },
  };
  const columns = [
    { column: "id", path: ["id"] },
    { column: "city", path: ["geo", "city"] },
  ];

  it("takes paths of JSON objects, and leaves the value's fields of the same names alone", () => {
    const plan = { key: { value: { format: "json" as const }, columns } };
    const batch = decodeRun(
      fields,
      plan,
      [
        { key: '{"id":7,"geo":{"city":"Bern","zip":1}}', value: '{"id":8,"v":1}' },
        { key: '{"geo":null}', value: '{"v":2}' },
        { key: "7", value: '{"v":3}' },
        { key: null, value: '{"v":4}' },
        { key: "{", value: null },
      ],
      { policies: { unknownFields: "keep" } },
    );
    expect(rowsOf(batch)).toEqual([
      { id: 7n, city: "Bern", v: 1n },
      { id: undefined, city: undefined, v: 2n },
      { fault: "key.undecodable" },
      { id: null, city: null, v: 4n },
      { fault: "record.tombstone" },
    ]);
    expect(rowsOf({ ...batch, columns: [batch.unknown!], faults: [] })[0]).toEqual({ _sluice_unknown: '{"id":8}' });
  });

  it("takes fields of registered Avro records", () => {
    const schema = {
      type: "record",
      name: "K",
      fields: [
        { name: "geo", type: { type: "record", name: "G", fields: [{ name: "city", type: "string" }] } },
        { name: "id", type: "int" },
      ],
    };
    const key = framed(1, avro.Type.forSchema(schema as never).toBuffer({ geo: { city: "Bern" }, id: 5 }));
    const plan = { key: { value: { format: "registered" as const, type: "avro" as const, validate: false }, columns } };
    const schemas = { "1": { type: "avro" as const, text: JSON.stringify(schema), references: [] } };
    expect(rowsOf(decodeRun(fields, plan, [{ key, value: '{"v":1}' }], { schemas }))).toEqual([{ id: 5n, city: "Bern", v: 1n }]);
  });
});
