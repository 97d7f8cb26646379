import avro from "avsc";
import { describe, expect, it } from "vitest";
import type { EnvelopePlan, RecordPlan } from "../../../src/core/record-plan.ts";
import { invalid } from "../../fixtures/column-value.ts";
import type { FieldSketch } from "../../fixtures/contract.ts";
import { rowsOf } from "../formats/decode-values.ts";
import { decodeRun, framed, invalidTexts, type RecordSketch } from "./record-fixture.ts";

const fields: Readonly<Record<string, FieldSketch>> = {
  id: { type: "long" },
  email: { type: "string" },
  op: { type: "string" },
  ts_ms: { type: "long" },
  lsn: { type: "long" },
};
const columns = [
  { column: "op", path: ["op"] },
  { column: "ts_ms", path: ["ts_ms"] },
  { column: "lsn", path: ["source", "lsn"] },
];

type Deletes = Extract<EnvelopePlan, { readonly kind: "debezium" }>["deletes"];
const plan = (deletes: Deletes, value: RecordPlan["value"] = { format: "json" }): Partial<RecordPlan> => ({
  value,
  envelope: { kind: "debezium", deletes, columns },
});

const event = (op: string, before: object | null, after: object | null, more: object = {}): object => ({
  before,
  after,
  source: { version: "2.7", connector: "postgresql", lsn: 24023128, table: "customers" },
  op,
  ts_ms: 1_700_000_000_000,
  transaction: null,
  ...more,
});
const plain = (...parts: Parameters<typeof event>): RecordSketch => ({ value: JSON.stringify(event(...parts)) });
const wrapped = (...parts: Parameters<typeof event>): RecordSketch => ({
  value: JSON.stringify({ schema: { type: "struct", op: "x" }, payload: event(...parts) }),
});
const a = { id: 1, email: "a@example.org" };
const b = { id: 1, email: "b@example.org" };
const common = { ts_ms: 1_700_000_000_000n, lsn: 24023128n };

describe("Debezium as JSON", () => {
  it("gives the image after create, read and update, with the schema beside the payload or without", () => {
    const batch = decodeRun(fields, plan("tombstone"), [
      plain("c", null, a),
      wrapped("r", null, a),
      plain("u", a, b),
      wrapped("u", null, b),
    ]);
    expect(rowsOf(batch)).toEqual([
      { id: 1n, email: "a@example.org", op: "c", ...common },
      { id: 1n, email: "a@example.org", op: "r", ...common },
      { id: 1n, email: "b@example.org", op: "u", ...common },
      { id: 1n, email: "b@example.org", op: "u", ...common },
    ]);
  });

  it("takes deletes and the tombstones behind them by the contract's policies", () => {
    const sketches = [plain("d", b, null), { value: null }, { value: '{"schema":null,"payload":null}' }];
    const skipped = decodeRun(fields, plan("tombstone"), sketches, { policies: { tombstone: "skip" } });
    expect(skipped.skipped.map(({ row }) => row)).toEqual([0, 1, 2]);
    expect(skipped.faults).toEqual([]);
    expect(rowsOf(decodeRun(fields, plan("tombstone"), sketches))).toEqual([
      { fault: "record.tombstone" },
      { fault: "record.tombstone" },
      { fault: "record.tombstone" },
    ]);
    const rows = decodeRun(fields, plan("before"), sketches, { policies: { tombstone: "skip" } });
    expect(rowsOf(rows)[0]).toEqual({ id: 1n, email: "b@example.org", op: "d", ...common });
    expect(rows.skipped.map(({ row }) => row)).toEqual([1, 2]);
  });

  it("faults what is no change, or lacks its image", () => {
    const cases: readonly (readonly [string, RecordSketch])[] = [
      ["debezium.not-change", { value: '{"id":1}' }],
      ["debezium.not-change", plain("x", a, b)],
      ["debezium.not-change", { value: '{"op":5,"after":{}}' }],
      ["debezium.no-image", plain("c", a, null)],
      ["debezium.truncate", plain("t", null, null)],
      ["json.not-object", { value: '{"op":"c","after":5}' }],
      ["json.truncated", { value: '{"op":"c"' }],
      ["json.duplicate-key", { value: '{"op":"c","op":"d","after":{}}' }],
    ];
    const batch = decodeRun(
      fields,
      plan("before"),
      cases.map(([, sketch]) => sketch),
    );
    expect(batch.faults.map(({ code }) => code)).toEqual(cases.map(([code]) => code));
    expect(decodeRun(fields, plan("before"), [plain("d", null, null)]).faults[0]).toMatchObject({
      code: "debezium.no-image",
      message: expect.stringMatching(/before of op "d"$/) as string,
    });
  });

  it("judges unknown fields by the image alone", () => {
    const one = plain("c", null, { ...a, extra: true });
    const batch = decodeRun(fields, plan("tombstone"), [plain("c", null, a), one], { policies: { unknownFields: "reject" } });
    expect(rowsOf(batch)).toMatchObject([{ id: 1n }, { fault: "json.unknown-field" }]);
  });

  it("has the source text of invalid cells of the image and of the attributes", () => {
    const batch = decodeRun(fields, plan("tombstone"), [plain("c", null, { id: "one" }, { ts_ms: "now" })]);
    expect(rowsOf(batch)).toMatchObject([{ id: invalid, ts_ms: invalid, lsn: 24023128n }]);
    expect(invalidTexts(batch)).toEqual({ id: ['"one"'], ts_ms: ['"now"'] });
  });
});

describe("Debezium as registered Avro", () => {
  const image = {
    type: "record",
    name: "Value",
    fields: [
      { name: "id", type: "long" },
      { name: "email", type: ["null", "string"] },
    ],
  };
  const schema = {
    type: "record",
    name: "Envelope",
    fields: [
      { name: "before", type: ["null", image], default: null },
      { name: "after", type: ["null", "Value"], default: null },
      {
        name: "source",
        type: {
          type: "record",
          name: "Source",
          fields: [
            { name: "version", type: "string" },
            { name: "lsn", type: ["null", "long"] },
          ],
        },
      },
      { name: "op", type: "string" },
      { name: "ts_ms", type: ["null", "long"] },
    ],
  };
  const type = avro.Type.forSchema(schema as never);
  const schemas = { "1": { type: "avro" as const, text: JSON.stringify(schema), references: [] } };
  const value = (op: string, before: object | null, after: object | null): RecordSketch => {
    return { value: framed(1, type.toBuffer({ before, after, source: { version: "2", lsn: 5 }, op, ts_ms: 7 })) };
  };
  const registered = { format: "registered", type: "avro", validate: false } as const;
  const sketches = [
    value("c", null, a),
    value("d", b, null),
    value("u", a, b),
    value("x", a, b),
    value("c", null, null),
    value("t", null, null),
    { value: null },
    { value: "x" },
  ];

  it("gives the image that the operation left", () => {
    const batch = decodeRun(fields, plan("before", registered), sketches, { schemas });
    const rest = { ts_ms: 7n, lsn: 5n };
    expect(rowsOf(batch)).toEqual([
      { id: 1n, email: "a@example.org", op: "c", ...rest },
      { id: 1n, email: "b@example.org", op: "d", ...rest },
      { id: 1n, email: "b@example.org", op: "u", ...rest },
      { fault: "debezium.not-change" },
      { fault: "debezium.no-image" },
      { fault: "debezium.truncate" },
      { fault: "record.tombstone" },
      { fault: "registry.framing" },
    ]);
  });

  it("takes deletes for tombstones where the contract says so", () => {
    const skipped = decodeRun(fields, plan("tombstone", registered), sketches, { schemas, policies: { tombstone: "skip" } });
    expect(skipped.skipped).toEqual([
      { row: 1, policy: "tombstone" },
      { row: 6, policy: "tombstone" },
    ]);
    expect([...skipped.undecoded]).toEqual([0, 1, 0, 1, 1, 1, 1, 1]);
    const kept = decodeRun(fields, plan("tombstone", registered), sketches, { schemas });
    expect(rowsOf(kept)[1]).toEqual({ fault: "record.tombstone" });
  });
});
