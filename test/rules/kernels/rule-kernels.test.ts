import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Batch } from "../../../src/core/batch.ts";
import type { Contract } from "../../../src/core/contract.ts";
import type { RuleOutcome, Validation } from "../../../src/core/rule.ts";
import type { Field } from "../../../src/core/schema.ts";
import { compileValidator } from "../../../src/rules/compile-validator.ts";
import { compileKernels, type RuleKernels } from "../../../src/rules/kernels/rule-kernels.ts";
import { Arena } from "../../../src/wasm/arena.ts";
import { defaultLimits, layoutBatch, type BatchLayout } from "../../../src/wasm/layout.ts";
import { makeResident } from "../../../src/wasm/resident-batch.ts";
import { makeContract, type FieldSketch, type RuleSketch } from "../../fixtures/contract.ts";
import { Draw, drawBatch } from "./random-batch.ts";
import { drawCellCheck, drawCompare, drawCondition, drawSettings } from "./random-rules.ts";

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
  return { validations, outcomes: window.close().outcomes };
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
    const field = draw.pick(allFields);
    return { check: drawCellCheck(field, draw), path: field.path, ...rest };
  });
}

describe("kernels find what the reference finds", () => {
  test("any rules over any columns", { timeout: 120_000 }, () => {
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
      { numRuns: 150, endOnFailure: true },
    );
    expect([...covered.keys()].sort()).toEqual([
      "compare",
      "condition",
      "empty",
      "format",
      "items",
      "length",
      "missing",
      "multipleOf",
      "null",
      "pattern",
      "range",
      "required",
      "set",
      "type",
    ]);
  });
});
