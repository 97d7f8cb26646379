import avro from "avsc";
import { expect, it } from "vitest";
import { openInlineEngine } from "../../src/cli/engine.ts";
import type { Contract, DriftPlan } from "../../src/core/contract.ts";
import type { DriftOutcome } from "../../src/core/drift.ts";
import type { FieldCounts, Profile } from "../../src/core/profile.ts";
import { jsonTypes } from "../../src/core/profile.ts";
import { parseProto } from "../../src/core/protobuf/parse-proto.ts";
import type { RegisteredSchema, ResolvedSchemas, SchemaAnswer } from "../../src/core/registered-schema.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../src/drift/index.ts";
import type { EngineKind } from "../../src/gate/compiled.ts";
import { decodeProfile } from "../../src/sketches/index.ts";
import { presenceOf } from "../../src/sketches/watched/field-counts.ts";
import type { RecordSketch } from "../codecs/records/record-fixture.ts";
import { framed, makeRun } from "../codecs/records/record-fixture.ts";
import { planOf } from "../drift/windows.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";
import { seededRandom } from "../sketches/columns.ts";

const schemaTests = ["new-fields", "missing-fields", "retyped-fields"];
const watching = (change: Partial<DriftPlan> = {}): Contract => ({
  ...makeContract({ id: { type: "long" }, carrier: { type: "string" }, order: { type: "struct", of: { price: { type: "double" } } } }),
  drift: planOf([{ column: "*", called: "fields of records", tests: schemaTests, policy: "warn", limit: null }], change),
});

type Flight = Record<string, unknown>;

function flightsOf(seed: number, change: (flight: Flight, random: () => number) => Flight, count = 400): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, id) => {
    const flight: Flight = { id, carrier: "WN", order: { price: random() } };
    if (random() < 0.3) flight["note"] = "seldom";
    return JSON.stringify(change(flight, random));
  });
}

async function profileOf(contract: Contract, texts: readonly string[], kind: EngineKind = "compiled"): Promise<Profile> {
  const window = openInlineEngine().open({ contract, schema: null, kind });
  await window.add([makeRecords(texts)]);
  return decodeProfile((await window.settle(1_800_000_000_000)).profile.bytes);
}

/** What drift says of a window with a change, after ten like each other. */
async function outcomeOf(contract: Contract, change: (flight: Flight, random: () => number) => Flight): Promise<DriftOutcome> {
  let state = emptyDriftState;
  for (let n = 0; n < 10; n++) {
    const input = {
      windowId: `w${n}`,
      closedAtMs: n * 60_000,
      profile: await profileOf(
        contract,
        flightsOf(n, (flight) => flight),
      ),
    };
    const drift = judgeDrift(contract, state, input);
    expect(["learning", "pass"]).toContain(drift.status);
    state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift });
  }
  return judgeDrift(contract, state, { windowId: "next", closedAtMs: 600_000, profile: await profileOf(contract, flightsOf(99, change)) });
}

const told = ({ results }: DriftOutcome): (string | null)[] =>
  results.filter(({ status }) => status === "drift").map(({ explanation }) => explanation);

it("a window with the usual fields passes, and every test is measured", async () => {
  const outcome = await outcomeOf(watching(), (flight) => flight);
  expect(outcome.status).toBe("pass");
  expect(outcome.results.map(({ column, test, status }) => [column, test, status])).toEqual(schemaTests.map((test) => ["*", test, "pass"]));
});

it("a contract of more fields than profiles hold is watched by its most frequent ones", async () => {
  const names = Array.from({ length: 1100 }, (_, i) => `f${i}`);
  const contract = { ...makeContract(Object.fromEntries(names.map((name) => [name, { type: "long" }]))), drift: watching().drift };
  const seldom = (n: number): boolean => n % 10 === 0;
  const texts = Array.from({ length: 60 }, (_, row) =>
    JSON.stringify(Object.fromEntries(names.flatMap((name, i) => (seldom(i) && row > 0 ? [] : [[name, row]])))),
  );
  const fields = (await profileOf(contract, texts)).columns.get("*")?.watched?.fields?.fields ?? [];
  expect(fields).toHaveLength(1024);
  expect(fields.filter((field) => presenceOf(field) === 60)).toHaveLength(990);
});

it("fields that come, go and change their type are found, in records that the gate rejects too", async () => {
  const contract = watching();
  expect(told(await outcomeOf(contract, (flight, random) => (random() < 0.31 ? { ...flight, gate: "B7" } : flight)))).toEqual([
    expect.stringMatching(/^fields of records: new field gate \(a string\) in (2[5-9]|3[0-6])\.\d% of records$/),
  ]);
  expect(told(await outcomeOf(contract, (flight) => ({ ...flight, carrier: undefined })))).toEqual([
    "fields of records: field carrier is in no record any more (was in 100.0%)",
  ]);
  expect(told(await outcomeOf(contract, (flight, random) => (random() < 0.2 ? { ...flight, order: { price: "12.50" } } : flight)))).toEqual(
    [
      expect.stringMatching(
        /^fields of records: field order\.price is a string in (1[5-9]|2[0-5])\.\d% of the records that have it \(was in 0\.0%, mostly a number\)$/,
      ),
    ],
  );
});

it("a rejected new field is seen, evidence over time counts the streams, and hold names what changed", async () => {
  const base = watching({ detection: { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: 100 } } });
  const [check] = base.drift!.checks;
  const contract: Contract = {
    ...base,
    policies: { ...base.policies, unknownFields: "reject" },
    drift: { ...base.drift!, checks: [{ ...check!, policy: "hold" }] },
  };
  // What is always there, and the contract does not name, would reject every record.
  const plain = (flight: Flight): Flight => ({ ...flight, note: undefined });
  let state = emptyDriftState;
  for (let n = 0; n < 10; n++) {
    const input = { windowId: `w${n}`, closedAtMs: n * 60_000, profile: await profileOf(contract, flightsOf(n, plain)) };
    state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift: judgeDrift(contract, state, input) });
  }
  expect([...state.sequence.streams.keys()]).toEqual(schemaTests.map((test) => `${test} *`));
  const profile = await profileOf(
    contract,
    flightsOf(99, (flight, random) => (random() < 0.5 ? { ...plain(flight), gate: "B7" } : plain(flight))),
  );
  expect(profile.rows).toBeLessThan(260);
  const outcome = judgeDrift(contract, state, { windowId: "next", closedAtMs: 600_000, profile });
  expect(outcome.status).toBe("hold");
  expect(told(outcome)).toEqual([expect.stringMatching(/^fields of records: new field gate \(a string\) in (4|5)\d\.\d% of records$/)]);
});

/** Fields and how many records have them, as a window of these records has them. */
async function fieldsIn(
  record: Contract["record"],
  sketches: readonly RecordSketch[],
  schemas: ResolvedSchemas = new Map(),
): Promise<Record<string, number>> {
  return Object.fromEntries((await countsIn(record, sketches, schemas)).fields.map((field) => [field.path, presenceOf(field)]));
}

async function countsIn(
  record: Contract["record"],
  sketches: readonly RecordSketch[],
  schemas: ResolvedSchemas = new Map(),
  change: Partial<Contract> = {},
): Promise<FieldCounts> {
  const contract: Contract = { ...watching(), ...(record !== undefined && { record }), ...change };
  const [compiled, reference] = await Promise.all(
    (["compiled", "reference"] as const).map(async (kind) => {
      const window = openInlineEngine().open({ contract, schema: null, kind });
      await window.add([makeRun(sketches)], schemas);
      return decodeProfile((await window.settle(1_800_000_000_000)).profile.bytes).columns.get("*")?.watched?.fields;
    }),
  );
  expect(reference).toEqual(compiled);
  return compiled!;
}

it("fields are seen in envelopes, behind registry frames and in binary formats, and not in tombstones", async () => {
  const json = '{"id":1,"carrier":"WN","order":{"price":1,"vat":2}}';
  const expected = { id: 2, carrier: 2, order: 2, "order.price": 2, "order.vat": 2 };
  const plan = { envelope: null, key: null };
  const schemas: ResolvedSchemas = new Map(
    ["1", "2"].map((id) => [id, { found: true, schema: { type: "json", text: "{}", references: [] } }] as const),
  );
  const registered = { format: "registered", type: "json", validate: false } as const;
  expect(await fieldsIn(undefined, [{ value: json }, { value: null }, { value: json }])).toEqual(expected);
  const frames = [1, 2].map((id) => ({ value: framed(id, json) }));
  expect(await fieldsIn({ value: registered, ...plan }, [...frames, { value: "no frame" }], schemas)).toEqual(expected);
  // {"id":1,"carrier":"WN","order":{"price":1,"vat":2}}
  const text = (word: string, head: number): Buffer => Buffer.concat([Buffer.of(head + word.length), Buffer.from(word)]);
  const words = (head: number): Buffer[] => ["id", "carrier", "WN", "order", "price", "vat"].map((word) => text(word, head));
  const encoded = (map: number, head: number): Buffer => {
    const [id, carrier, wn, order, price, vat] = words(head) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
    const inner = [Buffer.of(map + 2), price, Buffer.of(1), vat, Buffer.of(2)];
    return Buffer.concat([Buffer.of(map + 3), id, Buffer.of(1), carrier, wn, order].concat(inner));
  };
  const [messagepack, cbor] = [encoded(0x80, 0xa0), encoded(0xa0, 0x60)];
  for (const [format, value] of [
    ["messagepack", messagepack],
    ["cbor", cbor],
  ] as const) {
    expect(await fieldsIn({ value: { format }, ...plan }, [{ value }, { value }])).toEqual(expected);
  }
  const event = `{"specversion":"1.0","id":"1","source":"s","type":"t","data":${json}}`;
  const envelope = { kind: "cloudevents", mode: "structured", columns: [], dataSchemas: null } as const;
  expect(await fieldsIn({ value: { format: "json" }, envelope, key: null }, [{ value: event }, { value: event }])).toEqual(expected);
  const change = `{"op":"c","before":null,"after":${json},"source":{"lsn":1}}`;
  const changes = { kind: "debezium", columns: [], deletes: "tombstone" } as const;
  expect(await fieldsIn({ value: { format: "json" }, envelope: changes, key: null }, [{ value: change }, { value: change }])).toEqual(
    expected,
  );
});

const registeredSchema = (type: RegisteredSchema["type"], schema: object | string): SchemaAnswer => ({
  found: true,
  schema: { type, text: typeof schema === "string" ? schema : JSON.stringify(schema), references: [] },
});

const avroOrder = (price: unknown, ...more: object[]): object => ({
  type: "record",
  name: "Order",
  fields: [{ name: "price", type: price }, ...more],
});
const avroFlight = (order: object, ...more: object[]): object => ({
  type: "record",
  name: "Flight",
  fields: [{ name: "id", type: "long" }, { name: "order", type: ["null", order] }, ...more],
});

it("fields of Avro records are those of their writers' schemas, whether the contract can take them or not", async () => {
  const plan = { value: { format: "registered", type: "avro", validate: false }, envelope: null, key: null } as const;
  const first = avroFlight(avroOrder("double"), { name: "carrier", type: "string" });
  const second = avroFlight(avroOrder(["null", "double", "string"], { name: "vat", type: { type: "map", values: "int" } }), {
    name: "carrier",
    type: "boolean",
  });
  const schemas: ResolvedSchemas = new Map([
    ["1", registeredSchema("avro", first)],
    ["2", registeredSchema("avro", second)],
    ["3", registeredSchema("avro", "{ no schema")],
    ["4", { found: false, fault: "unknown", message: "there is none" }],
  ]);
  const one = avro.Type.forSchema(first as never).toBuffer({ id: 1, order: null, carrier: "WN" });
  const two = avro.Type.forSchema(second as never).toBuffer({ id: 1, order: null, carrier: true });
  const sketches = [one, one, two].map((value, i) => ({ value: framed(i < 2 ? 1 : 2, value) }));
  const odd = [{ value: framed(3, "x") }, { value: framed(4, "x") }, { value: null }, { value: "no frame" }, { value: framed(1, "") }];
  // The last one is a record of the first schema, which it does not hold.
  const expected = { id: 4, carrier: 4, order: 4, "order.price": 4, "order.vat": 1 };
  expect(await fieldsIn(plan, [...sketches, ...odd], schemas)).toEqual(expected);
  const types = (await countsIn(plan, sketches, schemas)).fields.map(({ path, types: counts }) => [
    path,
    counts.indexOf(Math.max(...counts)),
  ]);
  expect(types).toEqual([
    ["carrier", jsonTypes.indexOf("string")],
    ["id", jsonTypes.indexOf("number")],
    ["order", jsonTypes.indexOf("object")],
    ["order.price", jsonTypes.indexOf("number")],
    ["order.vat", jsonTypes.indexOf("object")],
  ]);
});

it("a writer's new schema is drift: its fields by name, retyped ones though their records are rejected", async () => {
  const base = watching();
  const contract: Contract = {
    ...base,
    record: { value: { format: "registered", type: "avro", validate: false }, envelope: null, key: null },
  };
  const before = avroFlight(avroOrder("double"), { name: "carrier", type: "string" });
  const after = avroFlight(avroOrder("string"), { name: "gate", type: ["null", "string"] });
  const schemas: ResolvedSchemas = new Map([
    ["1", registeredSchema("avro", before)],
    ["2", registeredSchema("avro", after)],
  ]);
  const [old, fresh] = [avro.Type.forSchema(before as never), avro.Type.forSchema(after as never)];
  const profileOfRun = async (changed: number): Promise<Profile> => {
    const sketches = Array.from({ length: 400 }, (_, i) => ({
      value:
        i < changed
          ? framed(2, fresh.toBuffer({ id: i, order: { price: "1" }, gate: "B7" }))
          : framed(1, old.toBuffer({ id: i, order: { price: 1 }, carrier: "WN" })),
    }));
    const window = openInlineEngine().open({ contract, schema: null, kind: "compiled" });
    await window.add([makeRun(sketches)], schemas);
    return decodeProfile((await window.settle(1_800_000_000_000)).profile.bytes);
  };
  let state = emptyDriftState;
  for (let n = 0; n < 10; n++) {
    const input = { windowId: `w${n}`, closedAtMs: n * 60_000, profile: await profileOfRun(0) };
    state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift: judgeDrift(contract, state, input) });
  }
  const judged = async (changed: number): Promise<DriftOutcome> =>
    judgeDrift(contract, state, { windowId: "next", closedAtMs: 600_000, profile: await profileOfRun(changed) });
  expect((await judged(0)).status).toBe("pass");
  expect(told(await judged(100))).toEqual([
    "fields of records: new field gate (a string) in 25.0% of records",
    "fields of records: field order.price is a string in 25.0% of the records that have it (was in 0.0%, mostly a number)",
  ]);
  expect(told(await judged(400))).toContain(
    "fields of records: field carrier is in no record any more (was in 100.0%), in this window alone",
  );
});

const proto = (fields: string): string => `syntax = "proto3"; message Flight { message Order { double price = 1; } ${fields} }`;
/** id = 1, carrier = "WN", and an order with nothing but the unknown number 9 as a varint. */
const protoFlight = Buffer.from([0x08, 1, 0x12, 2, 0x57, 0x4e, 0x1a, 2, 0x48, 5]);

it("fields of Protobuf records are those of the writer's message, and numbers that it does not know", async () => {
  const plan = { value: { format: "registered", type: "protobuf", validate: false }, envelope: null, key: null } as const;
  const schemas: ResolvedSchemas = new Map([
    ["1", registeredSchema("protobuf", proto("int64 id = 1; string carrier = 2; Order order = 3;"))],
    ["2", registeredSchema("protobuf", proto("int64 id = 1; repeated string carrier = 2; Order order = 3; bool late = 4;"))],
  ]);
  const sketches = [1, 2].map((id) => ({ value: framed(id, Buffer.concat([protoFlight, Buffer.from([0x3a, 0])]), [0]) }));
  const counts = await countsIn(plan, [...sketches, { value: framed(1, Buffer.from([0x08]), [0]) }], schemas);
  expect(counts.records).toBe(2);
  expect(Object.fromEntries(counts.fields.map(({ path, types }) => [path, types]))).toEqual({
    "#7": [0, 0, 0, 2, 0, 0],
    carrier: [0, 0, 0, 1, 0, 1],
    id: [0, 0, 2, 0, 0, 0],
    late: [0, 1, 0, 0, 0, 0],
    order: [0, 0, 0, 0, 2, 0],
    "order.#9": [0, 0, 2, 0, 0, 0],
    "order.price": [0, 0, 2, 0, 0, 0],
  });
});

it("fields of Protobuf records without a writer's schema are what stands in their bytes", async () => {
  const file = parseProto(proto("int64 id = 1; string carrier = 2; Order order = 3;"), []);
  if ("problem" in file) throw new Error(file.problem);
  const format = { format: "protobuf", message: file.messages[0]!.message } as const;
  const odd = Buffer.from([0x0a, 1, 0x41, 0x50, 1]);
  const sketches = [{ value: protoFlight }, { value: odd }, { value: "" }, { value: null }, { value: Buffer.from([0xff]) }];
  const expected = { id: [0, 0, 1, 1, 0, 0], carrier: [0, 0, 0, 1, 0, 0], order: [0, 0, 0, 0, 1, 0], "order.#9": [0, 0, 1, 0, 0, 0] };
  const all = { ...expected, "#10": [0, 0, 1, 0, 0, 0] };
  const typesOf = ({ fields }: FieldCounts): object => Object.fromEntries(fields.map(({ path, types }) => [path, types]));
  const plain = await countsIn(undefined, sketches, new Map(), { format });
  expect(plain.records).toBe(3);
  expect(typesOf(plain)).toEqual(all);
  const headers = { ce_specversion: "1.0", ce_id: "1", ce_source: "s", ce_type: "t" };
  const envelope = { kind: "cloudevents", mode: "binary", columns: [], dataSchemas: null } as const;
  const events = sketches.slice(0, 2).map((sketch) => ({ ...sketch, headers }));
  expect(typesOf(await countsIn({ value: format, envelope, key: null }, events))).toEqual(all);
});

it("fields of thousands of records are estimated from the same sample in every format, over chunks and schemas", async () => {
  const avroSchema = (name: string): object => ({
    type: "record",
    name: "R",
    fields: [
      { name: "id", type: "long" },
      { name, type: "int" },
    ],
  });
  const value = { format: "registered", type: "avro", validate: false } as const;
  const schemas: ResolvedSchemas = new Map([1, 2].map((id) => [String(id), registeredSchema("avro", avroSchema(`f${id}`))]));
  const numbers = Array.from({ length: 5000 }, (_, i) => (i % 5 === 0 ? 2 : 1));
  const json = await countsIn(
    undefined,
    numbers.map((id) => ({ value: `{"id":1,"f${id}":1}` })),
  );
  const avroCounts = await countsIn(
    { value, envelope: null, key: null },
    numbers.map((id) => ({ value: framed(id, Buffer.from([2, 2])) })),
    schemas,
  );
  expect(avroCounts).toEqual(json);
  const file = parseProto('syntax = "proto3"; message R { int64 id = 1; int32 f1 = 2; int32 f2 = 3; }', []);
  if ("problem" in file) throw new Error(file.problem);
  const format = { format: "protobuf", message: file.messages[0]!.message } as const;
  const bytes = numbers.map((id) => ({ value: Buffer.from([0x08, 1, (id + 1) << 3, 1]) }));
  expect(await countsIn(undefined, bytes, new Map(), { format })).toEqual(json);
});

it("of many schemas no more fields are told apart than of texts, and all records count", async () => {
  const value = { format: "registered", type: "avro", validate: false } as const;
  const schemaOf = (id: number): object => ({
    type: "record",
    name: "R",
    fields: [
      { name: "id", type: "long" },
      { name: `f${id}`, type: "int" },
    ],
  });
  const ids = Array.from({ length: 700 }, (_, i) => i + 1);
  const schemas: ResolvedSchemas = new Map(ids.map((id) => [String(id), registeredSchema("avro", schemaOf(id))]));
  const sketches = ids.map((id) => ({ value: framed(id, Buffer.from([2, 2])) }));
  const counts = await countsIn({ value, envelope: null, key: null }, sketches, schemas);
  expect(counts.records).toBe(700);
  expect(counts.fields).toHaveLength(1 + 512 + 1);
  const of = (path: string): number => presenceOf(counts.fields.find((field) => field.path === path)!);
  expect([of("id"), of("…")]).toEqual([700, 700 - 512]);
});

it("of Debezium's events in Avro the image's fields count, and of deletes none", async () => {
  const row = { type: "record", name: "Row", fields: ["id", "extra"].map((name) => ({ name, type: "long" })) };
  const schema = {
    type: "record",
    name: "Envelope",
    fields: [
      { name: "before", type: ["null", row] },
      { name: "after", type: ["null", "Row"] },
      { name: "op", type: "string" },
    ],
  };
  const type = avro.Type.forSchema(schema as never);
  const image = { id: 1, extra: 2 };
  const sketches = [
    { value: framed(1, type.toBuffer({ before: null, after: image, op: "c" })) },
    { value: framed(1, type.toBuffer({ before: image, after: null, op: "d" })) },
  ];
  const value = { format: "registered", type: "avro", validate: false } as const;
  const schemas: ResolvedSchemas = new Map([["1", registeredSchema("avro", schema)]]);
  for (const [deletes, count] of [
    ["tombstone", 1],
    ["before", 2],
  ] as const)
    expect(await fieldsIn({ value, envelope: { kind: "debezium", columns: [], deletes }, key: null }, sketches, schemas)).toEqual({
      id: count,
      extra: count,
    });
});

it("columns of CSV count by the type that their cells turn out to have", async () => {
  const csv = { format: "csv", columns: ["id", "carrier", "fresh"], delimiter: ",", quote: '"', nullToken: "" } as const;
  const counts = await countsIn({ value: csv, envelope: null, key: null }, [{ value: "1,WN,x" }, { value: "no,,1" }, { value: "1,2" }]);
  expect(counts.records).toBe(2);
  expect(Object.fromEntries(counts.fields.map(({ path, types }) => [path, types]))).toEqual({
    id: [0, 0, 1, 1, 0, 0],
    carrier: [1, 0, 0, 1, 0, 0],
    fresh: [0, 0, 0, 2, 0, 0],
  });
});

it("both engines see the same fields, and without the check nothing is counted", async () => {
  const contract = watching();
  const texts = flightsOf(3, (flight, random) => (random() < 0.1 ? { ...flight, more: { a: 1 } } : flight), 3000);
  expect(await profileOf(contract, texts, "reference")).toEqual(await profileOf(contract, texts));
  const plain: Contract = { ...contract, drift: planOf([{ column: "id", tests: ["psi"], policy: "warn", limit: null }]) };
  expect((await profileOf(plain, texts)).columns.has("*")).toBe(false);
});
