import { expect, it } from "vitest";
import { openInlineEngine } from "../../src/cli/engine.ts";
import type { Contract, DriftPlan } from "../../src/core/contract.ts";
import type { DriftOutcome } from "../../src/core/drift.ts";
import type { Profile } from "../../src/core/profile.ts";
import type { ResolvedSchemas } from "../../src/core/registered-schema.ts";
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
  const contract: Contract = { ...watching(), ...(record !== undefined && { record }) };
  const [compiled, reference] = await Promise.all(
    (["compiled", "reference"] as const).map(async (kind) => {
      const window = openInlineEngine().open({ contract, schema: null, kind });
      await window.add([makeRun(sketches)], schemas);
      return decodeProfile((await window.settle(1_800_000_000_000)).profile.bytes).columns.get("*")?.watched?.fields;
    }),
  );
  expect(reference).toEqual(compiled);
  return Object.fromEntries(compiled!.fields.map((field) => [field.path, presenceOf(field)]));
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

it("both engines see the same fields, and without the check nothing is counted", async () => {
  const contract = watching();
  const texts = flightsOf(3, (flight, random) => (random() < 0.1 ? { ...flight, more: { a: 1 } } : flight), 3000);
  expect(await profileOf(contract, texts, "reference")).toEqual(await profileOf(contract, texts));
  const plain: Contract = { ...contract, drift: planOf([{ column: "id", tests: ["psi"], policy: "warn", limit: null }]) };
  expect((await profileOf(plain, texts)).columns.has("*")).toBe(false);
});
