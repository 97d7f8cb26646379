import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Batch } from "../../../src/core/batch.ts";
import type { Column } from "../../../src/core/column.ts";
import type { Contract } from "../../../src/core/contract.ts";
import type { RuleOutcome, Validation } from "../../../src/core/rule.ts";
import type { Field } from "../../../src/core/schema.ts";
import { compileValidator } from "../../../src/rules/compile-validator.ts";
import { KernelModule } from "../../../src/rules/kernels/kernel-module.ts";
import { compileKernels, type RuleKernels } from "../../../src/rules/kernels/rule-kernels.ts";
import { Arena } from "../../../src/wasm/arena.ts";
import { defaultLimits, layoutBatch, type BatchLayout } from "../../../src/wasm/layout.ts";
import { makeResident } from "../../../src/wasm/resident-batch.ts";
import { makeContract, type FieldSketch, type RuleSketch } from "../../fixtures/contract.ts";
import { Draw, drawBatch } from "./random-batch.ts";
import { drawCellCheck, drawCompare, drawComposed, drawCondition, drawSettings } from "./random-rules.ts";

const limits = { ...defaultLimits, slabBytesMax: 1 << 18, areaBytesMax: 1 << 16 };

interface Lane {
  readonly arena: Arena;
  readonly layout: BatchLayout;
  readonly kernels: RuleKernels;
}

function openLane(contract: Contract): Lane {
  const arena = new Arena();
  const layout = layoutBatch(contract.fields, arena, contract.rules.length, limits);
  return { arena, layout, kernels: compileKernels(contract, layout, arena) };
}

interface Found {
  readonly validations: readonly unknown[];
  readonly outcomes: readonly RuleOutcome[];
  readonly late: readonly unknown[];
}

const plain = ({ violations, checked, rejected }: Validation): unknown => ({
  violations: violations.map(({ rule, rows }) => ({ rule, rows: [...rows] })),
  checked: [...checked],
  rejected: [...rejected],
});

/** What a window of these batches finds; with a lane each batch is put there first. */
function validate(contract: Contract, batches: readonly Batch[], lane: Lane | null): Found {
  const window = compileValidator(contract, lane?.kernels ?? null).open();
  const validations = batches.map((batch) => plain(window.add(lane === null ? batch : makeResident(batch, lane.layout, lane.arena))));
  const { outcomes, late } = window.close();
  return { validations, outcomes, late: late.map(({ rule, batch, rows }) => ({ rule, batch, rows: [...rows] })) };
}

const sketches: Readonly<Record<string, FieldSketch>> = {
  flag: { type: "boolean" },
  flag2: { type: "boolean" },
  small: { type: "int" },
  count: { type: "long" },
  count2: { type: "long" },
  single: { type: "float" },
  ratio: { type: "double" },
  ratio2: { type: "double" },
  price: { type: { kind: "decimal", precision: 32, scale: 2 } },
  price2: { type: { kind: "decimal", precision: 32, scale: 2 } },
  fine: { type: { kind: "decimal", precision: 32, scale: 3 } },
  day: { type: "date" },
  day2: { type: "date" },
  hour: { type: "time" },
  at: { type: "timestamp" },
  name: { type: "string" },
  name2: { type: "string" },
  blob: { type: "binary" },
  doc: { type: "json" },
  place: {
    type: "struct",
    of: { city: { type: "string" }, zip: { type: "int" }, spot: { type: "struct", of: { x: { type: "double" } } } },
  },
  tags: { type: "list", of: { type: "string" } },
  prices: { type: "map", of: { type: { kind: "decimal", precision: 32, scale: 2 } } },
  lines: {
    type: "list",
    of: { type: "struct", of: { sku: { type: "string" }, amount: { type: "long" }, parts: { type: "list", of: { type: "double" } } } },
  },
};

function everyField(fields: readonly Field[]): Field[] {
  return fields.flatMap((field) => {
    const { type } = field;
    const inner = type.kind === "struct" ? type.fields : type.kind === "list" ? [type.element] : type.kind === "map" ? [type.value] : [];
    return [field, ...everyField(inner)];
  });
}

const { fields } = makeContract(sketches);
const allFields = everyField(fields);
const rowFields = allFields.filter(({ path }) => !path.includes("[]"));

function drawRules(draw: Draw, count: number): RuleSketch[] {
  return Array.from({ length: count }, (_, i): RuleSketch => {
    const rest = { ...drawSettings(rowFields, draw), id: `rule ${i}` };
    const compare = draw.nat(5) === 0 ? drawCompare(rowFields, draw) : null;
    if (compare !== null) return { check: compare, ...rest };
    if (draw.nat(7) === 0) return { check: { family: "condition", condition: drawCondition(rowFields, draw) }, ...rest };
    if (draw.nat(9) === 0) {
      const columns = Array.from({ length: 1 + draw.nat(2) }, () => draw.pick(rowFields).path);
      return { check: { family: "duplicate", columns, keep: draw.pick(["first", "none"]) }, ...rest };
    }
    if (draw.nat(4) === 0) return { check: drawComposed(allFields, rowFields, draw), ...rest };
    const field = draw.pick(allFields);
    return { check: drawCellCheck(field, draw), path: field.path, ...rest };
  });
}

describe("kernels find what the reference finds", () => {
  test("any rules over any columns", () => {
    const covered = new Map<string, number>();
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(1, 15, 16, 17, 40, 100), fc.constantFrom(1, 10, 40), (seed, rows, count) => {
        const draw = new Draw(seed);
        const contract = makeContract(sketches, { rules: drawRules(draw, count) });
        const lane = openLane(contract);
        const batches = [drawBatch(fields, rows, draw), drawBatch(fields, Math.max(0, rows - 3), draw)];
        for (const index of lane.kernels.covered) {
          const { family } = contract.rules[index]!.check;
          covered.set(family, (covered.get(family) ?? 0) + 1);
        }
        expect(validate(contract, batches, lane)).toEqual(validate(contract, batches, null));
      }),
      { numRuns: 100, endOnFailure: true },
    );
    // Each of the families is met by kernels, not by their absence.
    expect([...covered.keys()].sort()).toEqual(
      "allOf anyOf compare complete condition conditional empty format items length missing multipleOf not null pattern range required set type".split(
        " ",
      ),
    );
  });

  test("long chunks, with few offenders and with none", () => {
    const contract = makeContract(sketches, { rules: drawRules(new Draw(11), 60) });
    const lane = openLane(contract);
    for (const seed of [1, 2]) {
      const batch = drawBatch(fields, 2048, new Draw(seed));
      expect(validate(contract, [batch], lane)).toEqual(validate(contract, [batch], null));
    }
  });

  test("batches that stand elsewhere take the reference, and windows may mix both", () => {
    const contract = makeContract(sketches, { rules: drawRules(new Draw(5), 20) });
    const lane = openLane(contract);
    const batches = [1, 2, 3].map((seed) => drawBatch(fields, 50, new Draw(seed)));
    const window = compileValidator(contract, lane.kernels).open();
    for (const [i, batch] of batches.entries()) window.add(i === 1 ? batch : makeResident(batch, lane.layout, lane.arena));
    expect(window.close().outcomes).toEqual(validate(contract, batches, null).outcomes);
    expect(() => lane.kernels.run(batches[0]!)).toThrow(/not the kernels' chunk/);
  });

  test("keys that do not fit their room are the reference's to make, in the middle of a window too", () => {
    const contract = makeContract(
      { name: { type: "string" }, n: { type: "long" } },
      {
        rules: [{ check: { family: "duplicate", columns: ["n", "name"], keep: "none" }, path: null, id: "once" }],
      },
    );
    const lane = openLane(contract);
    const batch = (rows: number, length: number): Batch => {
      const drawn = drawBatch(contract.fields, rows, new Draw(rows));
      const base = { length: rows, state: new Uint8Array(rows), invalid: null };
      const text = new Uint8Array(length).fill(97);
      const name: Column = {
        ...base,
        field: contract.fields[0]!,
        kind: "bytes",
        bytes: text,
        starts: new Uint32Array(rows),
        lengths: Uint32Array.from({ length: rows }, (_, i) => length - (i % 7)),
      };
      const n: Column = {
        ...base,
        field: contract.fields[1]!,
        kind: "integer",
        exact: BigInt64Array.from({ length: rows }, (_, i) => BigInt(i % 50)),
        values: Float64Array.from({ length: rows }, (_, i) => i % 50),
      };
      return { ...drawn, columns: [name, n], undecoded: new Uint8Array(rows) };
    };
    const batches = [batch(60, 12), batch(300, 400), batch(2000, 100), batch(60, 12), batch(300, 400)];
    const fits = batches.map((each) => lane.kernels.run(makeResident(each, lane.layout, lane.arena)).keys.size);
    expect(fits).toEqual([1, 0, 0, 1, 0]);
    expect(validate(contract, batches, lane)).toEqual(validate(contract, batches, null));
  });

  test("an empty chunk", () => {
    const contract = makeContract(sketches, { rules: drawRules(new Draw(6), 30) });
    const empty = drawBatch(fields, 0, new Draw(1));
    expect(validate(contract, [empty], openLane(contract))).toEqual(validate(contract, [empty], null));
  });
});

describe("what is left in the arena", () => {
  test("violation bits of rules beyond the first word, of row rules only, anew for each chunk", () => {
    const rules = Array.from({ length: 70 }, (_, i): RuleSketch => ({
      check: { family: "range", min: null, max: String(i), exclusiveMin: false, exclusiveMax: false, minText: null, maxText: null },
      path: "n",
      id: `at most ${i}`,
      severity: i % 2 === 0 ? "error" : "warning",
      ...(i === 3 ? { scope: "window", threshold: { operator: "mustBe", values: [0], unit: "rows" } } : {}),
    }));
    const contract = makeContract({ n: { type: "long" } }, { rules });
    const lane = openLane(contract);
    expect(lane.layout.violationWords).toBe(4);
    expect(lane.kernels.covered.size).toBe(71);
    const batch = (numbers: readonly bigint[]): Batch => {
      const drawn = drawBatch(contract.fields, numbers.length, new Draw(1));
      const base = { field: contract.fields[0]!, length: numbers.length, state: new Uint8Array(numbers.length), invalid: null };
      const column: Column = { ...base, kind: "integer", exact: BigInt64Array.from(numbers), values: Float64Array.from(numbers, Number) };
      return makeResident({ ...drawn, columns: [column], undecoded: new Uint8Array(numbers.length) }, lane.layout, lane.arena);
    };
    const words = (row: number): number[] => [...lane.arena.u32(lane.layout.violations + row * 16, 4)];
    // The type rule is the first: bit i + 1 is that of "at most i"; bit 4 is of a window's rule.
    const found = lane.kernels.run(batch([0n, 2n, 69n, 70n]));
    expect([words(0), words(1), words(2), words(3)]).toEqual([
      [0, 0, 0, 0],
      [0b110, 0, 0, 0],
      [0xffffffee, 0xffffffff, 0b111111, 0],
      [0xffffffee, 0xffffffff, 0b1111111, 0],
    ]);
    expect([...found.rejected]).toEqual([0, 1, 1, 1]);
    expect([found.failed[1], found.failed[4], found.failed[70], found.checked[4]]).toEqual([3, 2, 1, 4]);
    expect(found.violations.find(({ rule }) => rule === 70)?.rows).toEqual(Uint32Array.of(3));
    expect(found.violations.some(({ rule }) => rule === 4)).toBe(false);
    lane.kernels.run(batch([0n, 0n, 0n, 0n]));
    expect(words(3)).toEqual([0, 0, 0, 0]);
  });

  test("findings are copies", () => {
    const contract = makeContract({ n: { type: "long", required: true } });
    const lane = openLane(contract);
    const [first, second] = [1, 2].map((seed) => drawBatch(contract.fields, 40, new Draw(seed)));
    const window = compileValidator(contract, lane.kernels).open();
    const validation = window.add(makeResident(first!, lane.layout, lane.arena));
    const before = plain(validation);
    window.add(makeResident(second!, lane.layout, lane.arena));
    expect(plain(validation)).toEqual(before);
  });

  test("tables of patterns take bounded room", () => {
    const kernels = new KernelModule(new Arena(), 16);
    kernels.constant(new Uint8Array((16 << 20) - 100));
    expect([kernels.affords(100), kernels.affords(101)]).toEqual([true, false]);
  });

  test("a layout with too few violation bits is refused", () => {
    const contract = makeContract({ n: { type: "long" } }, { rules: drawRules(new Draw(1), 0) });
    const many = { fields: contract.fields, rules: Array.from({ length: 65 }, (_, index) => ({ ...contract.rules[0]!, index })) };
    const arena = new Arena();
    expect(() => compileKernels(many, layoutBatch(contract.fields, arena, 1, limits), arena)).toThrow(/fewer violation bits/);
  });
});
