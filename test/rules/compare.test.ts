import { expect, test } from "vitest";
import type { FloatColumn, IntegerColumn } from "../../src/core/column.ts";
import type { Comparison } from "../../src/core/rule.ts";
import { compileValidator } from "../../src/rules/compile-validator.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";

const values = [NaN, Infinity, -Infinity, 1, 2];

function offending(op: Comparison, left: "a" | "n", right: "b" | "n"): number[] {
  const check = { family: "compare", left, op, right } as const;
  const contract = makeContract({ a: { type: "double" }, b: { type: "double" }, n: { type: "long" } }, { rules: [{ check, id: "x" }] });
  const base = { length: 5, state: new Uint8Array(5), invalid: null };
  const floats = (index: number, given: number[]): FloatColumn => ({
    ...base,
    kind: "float",
    field: contract.fields[index]!,
    values: Float64Array.from(given),
  });
  const whole: IntegerColumn = {
    ...base,
    kind: "integer",
    field: contract.fields[2]!,
    exact: new BigInt64Array(5).fill(1n),
    values: new Float64Array(5).fill(1),
  };
  const columns = [floats(0, values), floats(1, [NaN, Infinity, Infinity, 1, 1]), whole];
  const records = makeRecords(["", "", "", "", ""]);
  const batch = { records, rows: 5, columns, faults: [], undecoded: new Uint8Array(5), skipped: [], unknown: null };
  return [...(compileValidator(contract).open().add(batch).violations[0]?.rows ?? [])];
}

test("infinities are compared by their place, and what is no number is unequal to all", () => {
  expect(offending("eq", "a", "b")).toEqual([0, 2, 4]);
  expect(offending("ne", "a", "b")).toEqual([1, 3]);
  expect(offending("lt", "a", "b")).toEqual([0, 1, 3, 4]);
  expect(offending("ge", "a", "b")).toEqual([0, 2]);
  expect(offending("le", "a", "n")).toEqual([0, 1, 4]);
  expect(offending("gt", "a", "n")).toEqual([0, 2, 3]);
  expect(offending("lt", "n", "b")).toEqual([0, 3, 4]);
  expect(offending("ne", "n", "b")).toEqual([3, 4]);
});
