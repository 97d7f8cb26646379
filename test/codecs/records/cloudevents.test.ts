import { describe, expect, it } from "vitest";
import { encode as encodePack } from "@msgpack/msgpack";
import type { EnvelopePlan, RecordPlan } from "../../../src/core/record-plan.ts";
import { invalid } from "../../fixtures/column-value.ts";
import type { FieldSketch } from "../../fixtures/contract.ts";
import { rowsOf } from "../formats/decode-values.ts";
import { decodeRun, invalidTexts, type RecordSketch } from "./record-fixture.ts";

const fields: Readonly<Record<string, FieldSketch>> = {
  event: { type: "string" },
  at: { type: "timestamp" },
  part: { type: "int" },
  id: { type: "long" },
  name: { type: "string" },
};
type Mode = Extract<EnvelopePlan, { readonly kind: "cloudevents" }>["mode"];

function decode(
  sketches: readonly RecordSketch[],
  mode: Mode = "either",
  more: Partial<RecordPlan> = {},
  dataSchemas: readonly string[] | null = null,
) {
  const columns = [
    { column: "event", path: ["id"] },
    { column: "at", path: ["time"] },
    { column: "part", path: ["partno"] },
  ];
  return decodeRun(fields, { envelope: { kind: "cloudevents", mode, dataSchemas, columns }, ...more }, sketches);
}

const structured = (event: object): RecordSketch => ({
  headers: { "content-type": "application/cloudevents+json; charset=UTF-8" },
  value: JSON.stringify({ specversion: "1.0", id: "e1", source: "/s", type: "t", ...event }),
});
const binary = (headers: Readonly<Record<string, string>>, value: RecordSketch["value"]): RecordSketch => ({
  headers: { ce_specversion: "1.0", ce_id: "e2", ce_source: "/s", ce_type: "t", ...headers },
  value: value ?? null,
});

describe("CloudEvents", () => {
  it("structured and binary give the same row", () => {
    const batch = decode([
      structured({ time: "2018-04-05T17:31:00Z", partno: 7, data: { id: 1, name: "é\n" } }),
      binary({ ce_time: "2018-04-05T17:31:00Z", ce_partno: "7", "content-type": "application/json" }, '{"id":1,"name":"é\\n"}'),
      structured({ id: 'q"\u0000', data: { id: 2 } }),
    ]);
    const row = { at: 1522949460_000000n, part: 7n, id: 1n, name: "é\n" };
    expect(rowsOf(batch)).toEqual([
      { event: "e1", ...row },
      { event: "e2", ...row },
      { event: 'q"\u0000', at: undefined, part: undefined, id: 2n, name: undefined },
    ]);
  });

  it("keeps the attributes' and the data's fields of the same name apart, and judges unknown fields by the data alone", () => {
    const one = structured({ data: { id: 5, extra: 1 }, another: "x" });
    const policies = { unknownFields: "keep" as const };
    const plan = {
      envelope: { kind: "cloudevents", mode: "either", dataSchemas: null, columns: [{ column: "event", path: ["id"] }] },
    } as const;
    const batch = decodeRun(fields, plan, [one], { policies });
    expect(rowsOf(batch)).toMatchObject([{ event: "e1", id: 5n }]);
    expect(rowsOf({ ...batch, columns: [batch.unknown!] })).toEqual([{ _sluice_unknown: '{"extra":1}' }]);
  });

  it("has invalid cells in attributes and in data, each with its source text", () => {
    const batch = decode([structured({ time: "yesterday", data: { id: "x" } }), binary({ ce_partno: "seven" }, '{"id":1.5}')]);
    expect(rowsOf(batch)).toMatchObject([
      { at: invalid, id: invalid },
      { part: invalid, id: invalid },
    ]);
    expect(invalidTexts(batch)).toEqual({ at: ["yesterday"], part: ['"seven"'], id: ['"x"', "1.5"] });
  });

  it("takes data_base64 and text for formats that are no JSON", () => {
    const payload = encodePack({ id: 3, name: "m" });
    const packed = decode(
      [
        structured({ datacontenttype: "application/msgpack", data_base64: Buffer.from(payload).toString("base64") }),
        binary({ "content-type": "application/msgpack" }, payload),
        structured({ data_base64: "no base64" }),
        structured({ data_base64: Buffer.from(payload).toString("base64"), data: {} }),
        structured({ data: { id: 1 } }),
      ],
      "either",
      { value: { format: "messagepack" } },
    );
    expect(rowsOf(packed)).toMatchObject([
      { id: 3n, name: "m" },
      { id: 3n, name: "m" },
      { fault: "cloudevents.data" },
      { fault: "cloudevents.data" },
      { fault: "cloudevents.content-type" },
    ]);
    const csv = { value: { format: "csv", columns: ["id", "name"], delimiter: ",", quote: '"', nullToken: "" } } as const;
    expect(rowsOf(decode([structured({ datacontenttype: "text/csv", data: '4,"a\nb"' })], "either", csv))).toMatchObject([
      { id: 4n, name: "a\nb" },
    ]);
  });

  it("faults what is no event, each way by its code", () => {
    const cases: readonly (readonly [string, RecordSketch])[] = [
      ["cloudevents.not-event", { value: '{"id":1}' }],
      ["cloudevents.not-event", { value: "[]", headers: { "content-type": "application/cloudevents-batch+json" } }],
      ["cloudevents.version", structured({ specversion: "0.3", data: {} })],
      ["cloudevents.version", binary({ ce_specversion: "2.0" }, "{}")],
      ["cloudevents.attribute", structured({ type: "", data: {} })],
      ["cloudevents.attribute", structured({ id: 5, data: {} })],
      ["cloudevents.attribute", binary({ ce_source: "" }, "{}")],
      ["cloudevents.no-data", structured({})],
      ["cloudevents.no-data", structured({ data: null })],
      ["cloudevents.no-data", binary({}, null)],
      ["cloudevents.content-type", structured({ datacontenttype: "text/xml", data: "<x/>" })],
      ["cloudevents.content-type", binary({ "content-type": "application/avro" }, "x")],
      ["json.truncated", { ...structured({}), value: '{"specversion":"1.0"' }],
      ["json.duplicate-key", { ...structured({}), value: '{"specversion":"1.0","specversion":"1.0"}' }],
      ["json.not-object", structured({ data: 5 })],
      ["record.tombstone", { value: null }],
    ];
    const batch = decode(cases.map(([, sketch]) => sketch));
    expect(batch.faults.map(({ code }) => code)).toEqual(cases.map(([code]) => code));
    expect(batch.faults.find(({ code }) => code === "cloudevents.attribute")?.message).toMatch(/: type$/);
  });

  it("is of the mode and of the data schema that the contract names", () => {
    const event = structured({ data: { id: 1 }, dataschema: "urn:a" });
    expect(rowsOf(decode([event], "binary"))).toMatchObject([{ fault: "cloudevents.mode" }]);
    expect(rowsOf(decode([binary({}, "{}")], "structured"))).toMatchObject([{ fault: "cloudevents.mode" }]);
    expect(rowsOf(decode([{ value: event.value ?? null }], "structured"))).toMatchObject([{ id: 1n }]);
    expect(rowsOf(decode([event, structured({ data: {} })], "either", {}, ["urn:b", "urn:a"]))).toMatchObject([
      { id: 1n },
      { fault: "cloudevents.data-schema" },
    ]);
  });
});
