import avsc from "avsc";
import { expect, test } from "vitest";
import { openCompiledEngine, openReferenceEngine, type ChunkEngine } from "../../src/gate/chunk-engine.ts";
import type { Contract } from "../../src/core/contract.ts";
import { parseProto } from "../../src/core/protobuf/parse-proto.ts";
import { passingRows } from "../../src/gate/settle-chunk.ts";
import { makeContract, makeRecords, type RuleSketch } from "../fixtures/contract.ts";
import { schemaOf } from "../codecs/avro/avro-decode.ts";

const fields = {
  id: { type: "long", required: true },
  carrier: { type: "string" },
  delay: { type: "int" },
  tags: { type: "list", of: { type: "string" } },
} as const;
const rules: readonly RuleSketch[] = [
  {
    check: { family: "range", min: "-60", max: "300", exclusiveMin: false, exclusiveMax: false, minText: null, maxText: null },
    path: "delay",
  },
  {
    check: { family: "set", values: ["AA", "DL", "UA"].map((value) => ({ type: "string" as const, value })), negated: false },
    path: "carrier",
  },
  { check: { family: "duplicate", columns: ["id"], keep: "first" }, path: "id" },
];
const rows = 5000;
const carriers = ["AA", "DL", "UA", "zz"];
const flight = (i: number): { id: number; carrier: string; delay: number | null; tags: string[] } => ({
  id: i % 997 === 0 ? 1 : i,
  carrier: carriers[i % 41 === 0 ? 3 : i % 3] as string,
  delay: i % 7 === 0 ? null : ((i * 37) % 400) - 50,
  tags: Array.from({ length: i % 3 }, (_, k) => `t${k}`),
});

/** What an engine says of a run: outcomes, every reason of rejected rows, and the profile. */
function judge(engine: ChunkEngine, contract: Contract, values: readonly (Uint8Array | null)[]): unknown {
  expect(engine.fallback?.includes("decoder") ?? false).toBe(false);
  const records = makeRecords(values);
  const window = engine.validator.open();
  const reasons: unknown[] = [];
  for (let from = 0; from < records.count;) {
    const batch = engine.decode(records, from, new Map());
    const { rejected, violations } = window.add(batch);
    const violated = new Map<number, number[]>();
    for (const { rule, rows: offenders } of violations)
      for (const row of offenders) violated.set(row, [...(violated.get(row) ?? []), rule]);
    for (let row = 0; row < batch.rows; row++)
      if (rejected[row] === 1) reasons.push([from + row, engine.validator.reasons(batch, row, violated.get(row) ?? [])]);
    engine.profiler.add(batch, passingRows(batch, rejected));
    from += batch.rows;
  }
  return { reasons, outcomes: window.close().outcomes, profile: engine.profiler.finish(), dataset: contract.dataset };
}

function compare(contract: Contract, values: readonly (Uint8Array | null)[]): void {
  const compiled = judge(openCompiledEngine(contract), contract, values);
  expect(compiled).toEqual(judge(openReferenceEngine(contract), contract, values));
  expect((compiled as { reasons: unknown[] }).reasons.length).toBeGreaterThan(300);
}

test("raw Avro: the compiled engine judges as the reference does", () => {
  const schema = {
    type: "record",
    name: "Flight",
    fields: [
      { name: "id", type: "long" },
      { name: "carrier", type: "string" },
      { name: "delay", type: ["null", "int"] },
      { name: "tags", type: { type: "array", items: "string" } },
    ],
  };
  const type = avsc.Type.forSchema(schema as never);
  const values: (Uint8Array | null)[] = Array.from({ length: rows }, (_, i) => type.toBuffer(flight(i)));
  values[10] = null;
  values[11] = Uint8Array.of(1, 2, 3);
  compare({ ...makeContract(fields, { rules }), format: { format: "avro", schema: schemaOf(schema), text: "" } }, values);
});

test("raw Protobuf: the compiled engine judges as the reference does", () => {
  const file = parseProto(
    `syntax = "proto3"; message Flight { int64 id = 1; string carrier = 2; optional sint32 delay = 3; repeated string tags = 4; }`,
  );
  if ("problem" in file) throw new Error(file.problem);
  const varint = (value: number): number[] => (value > 127 ? [(value & 127) | 128, ...varint(value >>> 7)] : [value]);
  const text = (number: number, value: string): number[] => [number * 8 + 2, value.length, ...Buffer.from(value)];
  const values: (Uint8Array | null)[] = Array.from({ length: rows }, (_, i) => {
    const { id, carrier, delay, tags } = flight(i);
    const signed = delay === null ? [] : [0x18, ...varint(delay < 0 ? -2 * delay - 1 : 2 * delay)];
    return Uint8Array.from([0x08, ...varint(id), ...text(2, carrier), ...signed, ...tags.flatMap((tag) => text(4, tag))]);
  });
  values[10] = null;
  values[11] = Uint8Array.of(0x0a, 9);
  compare({ ...makeContract(fields, { rules }), format: { format: "protobuf", message: file.messages[0]!.message } }, values);
});
