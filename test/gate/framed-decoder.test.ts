import avro from "avsc";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compileRecords } from "../../src/codecs/compile-records.ts";
import type { DecoderTools } from "../../src/codecs/decoder.ts";
import { jsonCodec } from "../../src/codecs/json.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { RegisteredSchema, ResolvedSchemas } from "../../src/core/registered-schema.ts";
import { compileFramedDecoder, isOnlyFramed } from "../../src/gate/framed-decoder.ts";
import { Arena } from "../../src/wasm/arena.ts";
import { layoutBatch } from "../../src/wasm/layout.ts";
import { framed, invalidTexts, makeRun, type RecordSketch } from "../codecs/records/record-fixture.ts";
import { rowsOf } from "../codecs/formats/decode-values.ts";
import { makeContract, type FieldSketch } from "../fixtures/contract.ts";

const tools: DecoderTools = { json: (contract) => jsonCodec.compile(contract), jsonSchema: () => () => null };
const fields: Readonly<Record<string, FieldSketch>> = {
  id: { type: "int" },
  note: { type: "string" },
  rate: { type: "double" },
  k: { type: "string" },
};
const v1 = {
  type: "record",
  name: "O",
  fields: [
    { name: "id", type: "long" },
    { name: "note", type: "string" },
  ],
};
const v2 = {
  type: "record",
  name: "O",
  fields: [
    { name: "rate", type: "double" },
    { name: "note", type: ["null", "string"] },
    { name: "extra", type: "int" },
    { name: "id", type: "int" },
  ],
};
const first = avro.Type.forSchema(v1 as never);
const second = avro.Type.forSchema(v2 as never);
const text = (type: RegisteredSchema["type"], schema: unknown): RegisteredSchema => ({
  type,
  text: typeof schema === "string" ? schema : JSON.stringify(schema),
  references: [],
});
const schemas: Readonly<Record<RegisteredSchema["type"], readonly [RegisteredSchema, RegisteredSchema]>> = {
  avro: [text("avro", v1), text("avro", v2)],
  protobuf: [
    text("protobuf", 'syntax = "proto3"; message O { int64 id = 1; string note = 2; }'),
    text("protobuf", 'syntax = "proto3"; message O { string note = 2; double rate = 3; int32 id = 1; }'),
  ],
  json: [text("json", {}), text("json", {})],
};

interface Order {
  readonly version: 0 | 1 | 2 | 3;
  readonly id: number;
  readonly note: string;
  readonly key: string | null;
}

function valueOf(type: RegisteredSchema["type"], { version, id, note }: Order): RecordSketch["value"] {
  if (version === 3) return version.toString();
  if (version === 2) return null;
  if (type === "json") return framed(version + 1, JSON.stringify({ id, note, rate: id / 2 }));
  if (type === "avro")
    return framed(version + 1, version === 0 ? first.toBuffer({ id, note }) : second.toBuffer({ id, note, rate: id / 2, extra: 1 }));
  const bytes = Buffer.from(note);
  const small = Math.abs(id) % 100;
  return framed(version + 1, Buffer.concat([Buffer.of(8, small, 0x12, bytes.length), bytes]), [0]);
}

const orders = fc.array(
  fc.record({
    version: fc.constantFrom<Order["version"]>(0, 0, 0, 1, 2, 3),
    id: fc.oneof(fc.integer(), fc.constant(2 ** 30)),
    note: fc.string({ maxLength: 20 }),
    key: fc.option(fc.string({ maxLength: 5 })),
  }),
  { minLength: 1, maxLength: 30 },
);

it.each(["avro", "protobuf", "json"] as const)(
  "framed %s: compiled and interpreted give the same rows, of one schema and of several",
  (type) => {
    const record: Contract["record"] = { value: { format: "registered", type, validate: false }, envelope: null, key: null };
    const contract: Contract = { ...makeContract(fields, { policies: { key: { action: "column", name: "k" } } }), record };
    expect(isOnlyFramed(contract)).toBe(true);
    const arena = new Arena();
    const compiled = compileFramedDecoder(contract, { layout: layoutBatch(contract.fields, arena, 0), arena, tools });
    const reference = compileRecords(contract, tools);
    const answers: ResolvedSchemas = new Map(schemas[type].map((schema, i) => [String(i + 1), { found: true, schema }]));
    fc.assert(
      fc.property(orders, (sketches) => {
        const run = makeRun(sketches.map((order) => ({ key: order.key, value: valueOf(type, order) ?? null })));
        const expected = reference(run, answers);
        const rows = rowsOf(expected);
        const texts = invalidTexts(expected);
        const found = compiled(run, answers);
        expect(rowsOf(found)).toEqual(rows);
        expect(invalidTexts(found)).toEqual(texts);
        expect([...found.undecoded]).toEqual([...expected.undecoded]);
        expect(found.faults).toEqual(expected.faults);
        expect(found.records).toBe(run);
      }),
      { numRuns: 150 },
    );
  },
);
