import { expect, test } from "vitest";
import type { Batch } from "../../../src/core/batch.ts";
import type { Comparison, RuleCheck, RulePlan, Scalar } from "../../../src/core/rule.ts";
import { compileKernels } from "../../../src/rules/kernels/rule-kernels.ts";
import { writeKernels } from "../../../src/rules/kernels/write-kernels.ts";
import { Arena } from "../../../src/wasm/arena.ts";
import { defaultLimits, layoutBatch } from "../../../src/wasm/layout.ts";
import { makeResident } from "../../../src/wasm/resident-batch.ts";
import { makeContract, type FieldSketch, type RuleSketch } from "../../fixtures/contract.ts";
import { allValues, Draw, drawBatch } from "./random-batch.ts";
import { vectorInstructions } from "./vector-instructions.ts";

const decimal = { type: { kind: "decimal", precision: 32, scale: 2 } } as const;
const sketches: Readonly<Record<string, FieldSketch>> = {
  flag: { type: "boolean" },
  flag2: { type: "boolean" },
  count: { type: "long" },
  count2: { type: "long" },
  ratio: { type: "double" },
  ratio2: { type: "double" },
  price: decimal,
  price2: decimal,
  name: { type: "string" },
  name2: { type: "string" },
  place: { type: "struct", of: { zip: { type: "int" } } },
  tags: { type: "list", of: { type: "string" } },
};

const number = (text: string): Scalar => ({ type: "number", text, value: Number(text) });
const numbers = (...texts: string[]): Scalar[] => texts.map(number);
const words = (...texts: string[]): Scalar[] => texts.map((value) => ({ type: "string", value }));
const range = (min: string | null, max: string | null, open = false): RuleCheck => ({
  family: "range",
  min,
  max,
  exclusiveMin: open,
  exclusiveMax: open,
  minText: null,
  maxText: null,
});
const comparisons: readonly Comparison[] = ["eq", "ne", "lt", "le", "gt", "ge"];

const limits = { ...defaultLimits, slabBytesMax: 1 << 19, areaBytesMax: 1 << 16 };

/** Chunks that get shorter: what an earlier one left behind the last row must not count. */
function chunks(fields: ReturnType<typeof makeContract>["fields"]): Batch[] {
  const full = drawBatch(fields, 1900, new Draw(20), [allValues]);
  const mixed = [330, 300, 250, 200, 150, 100, 7].map((rows, seed) => drawBatch(fields, rows, new Draw(seed)));
  return [full, twins(mixed[0]!), ...mixed];
}

/** The same batch with columns such as `name2` equal to their likes. */
function twins(batch: Batch): Batch {
  const columns = batch.columns.map((column) => {
    const like = batch.columns.find(({ field }) => `${field.name}2` === column.field.name);
    return like === undefined ? column : { ...like, field: column.field };
  });
  return { ...batch, columns };
}

test("every vector instruction matters: each mutant finds something else", () => {
  const rules: RuleSketch[] = [
    { check: range("1", "100"), path: "count" },
    { check: range("0.1", "3"), path: "ratio" },
    { check: range("0.1", "3", true), path: "ratio" },
    { check: { family: "set", values: numbers("1", "5", "100"), negated: false }, path: "count" },
    { check: { family: "set", values: numbers("1", "0.1"), negated: true }, path: "ratio" },
    { check: { family: "set", values: [{ type: "boolean", value: true }], negated: false }, path: "flag" },
    { check: { family: "required" }, path: "place.zip" },
    { check: { family: "missing", tokens: words("N/A") }, path: "name" },
    { check: { family: "pattern", pattern: "^N[0-9][0-9A-Z]{3,4}$" }, path: "name" },
    { check: { family: "pattern", pattern: "^[0-9a-z*]{36}$" }, path: "name2" },
    { check: { family: "length", min: 9, max: 9 }, path: "tags[]" },
    ...comparisons.flatMap((op): RuleSketch[] => [
      { check: { family: "compare", left: "count", op, right: "count2" } },
      { check: { family: "compare", left: "ratio", op, right: "ratio2" } },
      { check: { family: "condition", condition: { op, path: "count", value: number("5") } } },
      { check: { family: "condition", condition: { op, path: "ratio", value: number("0.3") } } },
    ]),
    ...(["all", "any", "exactlyOne", "allOrNone"] as const).map((quantity): RuleSketch => ({
      check: { family: "complete", columns: ["flag", "count", "name"], quantity },
    })),
    {
      check: { family: "null" },
      path: "count",
      where: {
        op: "and",
        of: [
          { op: "notNull", path: "name" },
          {
            op: "or",
            of: [
              { op: "null", path: "flag" },
              { op: "not", of: { op: "eq", path: "count", value: number("1") } },
            ],
          },
        ],
      },
    },
    {
      check: {
        family: "anyOf",
        parts: [
          { check: range("2", null), path: "count" },
          { check: { family: "not", part: { check: range(null, "0"), path: "ratio" } }, path: null },
        ],
      },
    },
  ].map((rule, i) => ({ ...rule, id: `rule ${i}` }) as RuleSketch);
  const contract = makeContract(sketches, { rules });
  const arena = new Arena();
  const layout = layoutBatch(contract.fields, arena, contract.rules.length, limits);
  const { bytes, places } = writeKernels(contract, layout, arena);
  const batches = chunks(contract.fields);
  const rowRules = contract.rules.length;
  const judge = (module: Uint8Array<ArrayBuffer>): string => {
    const run = arena.instantiate(module)["run"] as (rows: number) => number;
    return batches
      .map((batch) => {
        makeResident(batch, layout, arena);
        arena.u8.set(batch.undecoded, places.rejected);
        arena.u8.fill(0, places.rejected + batch.rows, places.rejected + layout.rowsMax);
        run(batch.rows);
        const failed = arena.u32(places.failed, rowRules);
        const offenders = failed.reduce((sum, count) => sum + count, 0);
        const parts = [
          arena.bytes(places.rejected, batch.rows),
          failed,
          arena.u32(places.checked, rowRules),
          arena.u32(places.offenders, offenders),
        ];
        return parts.map((part) => Buffer.from(part.slice().buffer).toString("base64")).join();
      })
      .join();
  };
  const expected = judge(bytes);
  // Numbers of instructions that take and give the same: comparisons one off, "and" as "or", additions as subtractions.
  const mutations = new Map([
    [0x23, 0x24],
    [0x26, 0x2a],
    [0x2a, 0x26],
    [0x2c, 0x28],
    [0x47, 0x48],
    [0x48, 0x47],
    [0x49, 0x4b],
    [0x4a, 0x4c],
    [0x4b, 0x49],
    [0x4c, 0x4a],
    [0x4e, 0x50],
    [0x50, 0x4e],
    [0x6e, 0x71],
    [0x71, 0x6e],
    [0xd6, 0xd7],
    [0xd7, 0xd6],
    [0xd8, 0xda],
    [0xd9, 0xdb],
    [0xda, 0xd8],
    [0xdb, 0xd9],
  ]);
  const counts = { mutants: 0, survivors: [] as string[] };
  for (const { at, opcode } of vectorInstructions(bytes)) {
    const other = mutations.get(opcode);
    if (other === undefined) continue;
    const mutant = bytes.slice();
    mutant[at] = (other & 127) | (other > 127 ? 128 : 0);
    counts.mutants++;
    if (judge(mutant) === expected) counts.survivors.push(`0x${opcode.toString(16)} at ${at}`);
  }
  expect(counts.mutants).toBeGreaterThan(300);
  expect(counts.survivors).toEqual([]);
});

/** A check, and one that is off by one. */
const offByOne: readonly (readonly [string, RuleCheck, RuleCheck])[] = [
  ["name", { family: "length", min: 2, max: 16 }, { family: "length", min: 3, max: 16 }],
  ["name", { family: "length", min: 2, max: 16 }, { family: "length", min: 2, max: 17 }],
  ["tags", { family: "items", min: 1, max: 2, unique: false }, { family: "items", min: 1, max: 3, unique: false }],
  ["tags[]", { family: "length", min: null, max: 8 }, { family: "length", min: null, max: 9 }],
  ["price", range("0.99", "1"), range("1", "1")],
  ["price", range("0", "184467440737095516.15"), range("0", "184467440737095516.16")],
  ["price", range("-184467440737095516.16", null), range("-184467440737095516.17", null)],
  ["count", range(null, "9007199254740992"), range(null, "9007199254740993")],
  ["count", range("-9223372036854775807", null), range("-9223372036854775808", null)],
  ["count", { family: "multipleOf", of: "3" }, { family: "multipleOf", of: "6" }],
  [
    "name",
    { family: "set", values: words("a", "abcdefgh", "abcdefghi"), negated: false },
    { family: "set", values: words("a", "abcdefgh", "abcdefghj"), negated: false },
  ],
  [
    "name",
    { family: "set", values: words("a\u0000", "abcdefghijklmnopqrstuvwxyz0123456789"), negated: false },
    { family: "set", values: words("a", "abcdefghijklmnopqrstuvwxyz0123456780"), negated: false },
  ],
  [
    "count",
    { family: "set", values: numbers(..."0 1 2 3 5 10 100 65535 70000".split(" ")), negated: true },
    { family: "set", values: numbers(..."0 1 2 3 5 10 100 65535 70001".split(" ")), negated: true },
  ],
  [
    "ratio",
    { family: "set", values: numbers(..."0 1 2 3 5 7 100 0.1 0.3".split(" ")), negated: true },
    { family: "set", values: numbers(..."0 1 2 3 5 7 100 0.1 0.30000000000000004".split(" ")), negated: true },
  ],
  [
    "price",
    { family: "set", values: numbers("1", "184467440737095516.16"), negated: false },
    { family: "set", values: numbers("1", "184467440737095516.15"), negated: false },
  ],
  ["name", { family: "pattern", pattern: "^.{2,9}$" }, { family: "pattern", pattern: "^.{2,8}$" }],
  ["name", { family: "pattern", pattern: "^[A-N][0-9A-Z]*$" }, { family: "pattern", pattern: "^[A-M][0-9A-Z]*$" }],
  [
    "price",
    { family: "compare", left: "price", op: "lt", right: "price2" },
    { family: "compare", left: "price", op: "le", right: "price2" },
  ],
  ["name", { family: "compare", left: "name", op: "gt", right: "name2" }, { family: "compare", left: "name", op: "ge", right: "name2" }],
  ["flag", { family: "compare", left: "flag", op: "le", right: "flag2" }, { family: "compare", left: "flag", op: "lt", right: "flag2" }],
  [
    "name",
    { family: "condition", condition: { op: "lt", path: "name", value: words("abcdefghi")[0]! } },
    { family: "condition", condition: { op: "lt", path: "name", value: words("abcdefghj")[0]! } },
  ],
];

test.for(offByOne)("the batches tell %s apart: %j", ([path, check, other]) => {
  const found = (given: RuleCheck): unknown => {
    const contract = makeContract(sketches, { rules: [{ check: given, path, id: "x" }] });
    const arena = new Arena();
    const layout = layoutBatch(contract.fields, arena, contract.rules.length, limits);
    const kernels = compileKernels(contract, layout, arena);
    const { index }: RulePlan = contract.rules.at(-1)!;
    expect(kernels.covered.has(index)).toBe(true);
    return chunks(contract.fields).map((batch) => kernels.run(makeResident(batch, layout, arena)).failed[index]);
  };
  expect(found(other)).not.toEqual(found(check));
});
