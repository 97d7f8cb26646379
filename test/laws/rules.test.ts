import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codecs } from "../../src/codecs/index.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { MetricState, RuleCheck, RuleOutcome, RulePart } from "../../src/core/rule.ts";
import { jsonCodec } from "../../src/codecs/json.ts";
import { compileValidator } from "../../src/rules/compile-validator.ts";
import { ruleFamilies } from "../../src/rules/index.ts";
import { codecFormats } from "../fixtures/codec-formats.ts";
import { makeContract, makeRecords, type RuleSketch } from "../fixtures/contract.ts";
import { validate } from "../fixtures/validate.ts";

const fields = {
  i: { type: "long", required: true },
  j: { type: "int" },
  d: { type: "decimal" },
  f: { type: "double" },
  s: { type: "string" },
  t: { type: "timestamp" },
  l: { type: "list", of: { type: "int" } },
  o: { type: "struct", of: { x: { type: "int" }, y: { type: "string" } } },
} as const;

const positive: RulePart = {
  check: { family: "range", min: "1", max: null, exclusiveMin: false, exclusiveMax: false, minText: null, maxText: null },
  path: "i",
};
const short: RulePart = { check: { family: "length", min: null, max: 1 }, path: "s" };

function metric(limit: number, unit: "rows" | "percent" | "value" = "value"): Pick<RuleSketch, "scope" | "threshold"> {
  return { scope: "window", threshold: { operator: "mustBeLessOrEqualTo", values: [limit], unit } };
}

/** One rule of every family, at work on these fields: a family without an entry fails the first law. */
const examples: { readonly [F in RuleCheck["family"]]: Partial<RuleSketch> & { readonly check: RuleCheck & { readonly family: F } } } = {
  type: { check: { family: "type" }, path: "i" },
  required: { check: { family: "required" }, path: "i" },
  range: {
    check: { family: "range", min: "0", max: "5", exclusiveMin: false, exclusiveMax: true, minText: null, maxText: null },
    path: "i",
  },
  multipleOf: { check: { family: "multipleOf", of: "0.5" }, path: "f" },
  length: { check: { family: "length", min: 1, max: 2 }, path: "s" },
  pattern: { check: { family: "pattern", pattern: "^[a-c]*$" }, path: "s" },
  format: { check: { family: "format", format: "hostname" }, path: "s" },
  set: { check: { family: "set", values: [{ type: "string", value: "a" }], negated: true }, path: "s" },
  items: { check: { family: "items", min: 1, max: 2, unique: true }, path: "l" },
  properties: { check: { family: "properties", min: 1, max: null, required: ["x"] }, path: "o" },
  missing: { check: { family: "missing", tokens: [{ type: "string", value: "" }] }, path: "s" },
  null: { check: { family: "null" }, path: "f" },
  duplicate: { check: { family: "duplicate", columns: ["i", "s"], keep: "none" } },
  foreignKey: { check: { family: "foreignKey", dataset: "other", column: "id" }, path: "i" },
  sequence: { check: { family: "sequence", by: ["s"], scope: "partition", step: 1 }, path: "i" },
  reference: { check: { family: "reference", file: "letters.json", values: [{ type: "string", value: "a" }] }, path: "s" },
  compare: { check: { family: "compare", left: "i", op: "le", right: "f" } },
  condition: {
    check: {
      family: "condition",
      condition: {
        op: "or",
        of: [
          { op: "null", path: "j" },
          { op: "gt", path: "i", value: { type: "number", text: "1", value: 1 } },
        ],
      },
    },
  },
  jsonSchema: { check: { family: "jsonSchema", draft: "2020-12", schema: { properties: { i: { maximum: 4 } } } } },
  rowCount: { check: { family: "rowCount" }, scope: "window", threshold: { operator: "mustBeGreaterThan", values: [3], unit: "rows" } },
  empty: { check: { family: "empty", whitespace: true }, path: "s" },
  checksum: { check: { family: "checksum", algorithm: "luhn", lengths: [] }, path: "i" },
  tuples: {
    check: {
      family: "tuples",
      columns: ["i", "s"],
      tuples: [
        [
          { type: "number", text: "1", value: 1 },
          { type: "string", value: "a" },
        ],
      ],
      negated: false,
    },
  },
  complete: { check: { family: "complete", columns: ["j", "f", "s"], quantity: "allOrNone" } },
  arithmetic: {
    check: {
      family: "arithmetic",
      left: { op: "add", left: { op: "column", path: "i" }, right: { op: "column", path: "d" } },
      op: "le",
      right: { op: "multiply", left: { op: "column", path: "f" }, right: { op: "number", text: "2" } },
      within: "0.1",
      text: "i + d <= f * 2",
    },
  },
  allOf: { check: { family: "allOf", parts: [positive, short] } },
  anyOf: { check: { family: "anyOf", parts: [positive, short] } },
  not: { check: { family: "not", part: positive } },
  conditional: {
    check: {
      family: "conditional",
      when: { op: "gt", path: "i", value: { type: "number", text: "1", value: 1 } },
      consequent: short,
      otherwise: { check: { family: "checksum", algorithm: "luhn", lengths: [] }, path: "j" },
    },
  },
  cel: { check: { family: "cel", expression: "i + 1 > size(s) || l.exists(x, x == j) || f == null" } },
  unknownColumns: { check: { family: "unknownColumns", allowed: [] } },
  monotonic: { check: { family: "monotonic", direction: "increasing", strict: false }, path: "i" },
  completeness: { ...metric(99, "percent"), check: { family: "completeness" }, path: "f" },
  uniqueness: { ...metric(50, "percent"), check: { family: "uniqueness" }, path: "s" },
  zeros: { ...metric(20, "percent"), check: { family: "zeros" }, path: "i" },
  negatives: { ...metric(20, "rows"), check: { family: "negatives" }, path: "d" },
  mostCommon: { ...metric(50, "percent"), check: { family: "mostCommon" }, path: "s" },
  distinctCount: { ...metric(3), check: { family: "distinctCount" }, path: "t" },
  distinctSet: {
    ...metric(0),
    check: { family: "distinctSet", relation: "equal", values: [{ type: "string", value: "a" }] },
    path: "s",
  },
  entropy: { ...metric(1), check: { family: "entropy" }, path: "s" },
  mean: { ...metric(0.5), check: { family: "mean", of: "value" }, path: "d" },
  stdev: { ...metric(2), check: { family: "stdev", of: "value" }, path: "f" },
  sum: { ...metric(10), check: { family: "sum", of: "value" }, path: "f" },
  min: { ...metric(0), check: { family: "min", of: "length" }, path: "s" },
  max: { ...metric(4), check: { family: "max", of: "value" }, path: "i" },
  quantile: { ...metric(1), check: { family: "quantile", q: 0.5, of: "value" }, path: "i" },
  correlation: { ...metric(0.2), check: { family: "correlation", left: "i", right: "f" } },
  groups: { ...metric(1), check: { family: "groups", by: ["s", "j"], aggregate: "mean", column: "f", groupsMax: 100 } },
  ratio: {
    ...metric(0.5),
    check: {
      family: "ratio",
      numerator: { check: { family: "sum", of: "value" }, path: "i", where: { op: "notNull", path: "j" } },
      denominator: { check: { family: "rowCount" }, path: null, where: null },
    },
  },
  volume: { ...metric(100), check: { family: "volume" } },
  freshness: { ...metric(60), check: { family: "freshness" }, path: "t" },
  eventLag: { ...metric(5), check: { family: "eventLag", q: 0.5 }, path: "t" },
  change: {
    ...metric(10, "percent"),
    check: {
      family: "change",
      metric: { check: { family: "mean", of: "value" }, path: "d", where: null },
      windows: 5,
      windowsMin: 2,
      by: "percent",
    },
  },
  sql: { ...metric(0), check: { family: "sql", query: "SELECT count(*) FROM test" } },
  missingColumns: { ...metric(0), check: { family: "missingColumns", columns: ["j", "l", "o.x"] } },
  newColumns: { ...metric(0), check: { family: "newColumns", allowed: [] } },
  typeChanges: { ...metric(10, "percent"), check: { family: "typeChanges", columns: ["i", "t"] } },
};

const contracts = new Map<string, Contract>();

function contractOf(family: RuleCheck["family"], more: Partial<RuleSketch> = {}): Contract {
  const key = family + JSON.stringify(more);
  const contract =
    contracts.get(key) ??
    makeContract(fields, { rules: [{ ...examples[family], id: "law", ...more }], policies: { unknownFields: "keep" } });
  contracts.set(key, contract);
  return contract;
}

const small = fc.integer({ min: -2, max: 7 });
const value = fc
  .record(
    {
      i: fc.oneof({ weight: 8, arbitrary: small }, fc.constantFrom("x", null, 1.5)),
      j: fc.option(small),
      d: fc.integer({ min: -300, max: 300 }).map((n) => n / 100),
      f: fc.option(fc.integer({ min: -8, max: 8 }).map((n) => n / 4)),
      s: fc.option(fc.string({ unit: fc.constantFrom("a", "b", "c", ".", "é"), maxLength: 3 })),
      t: fc.constantFrom("2024-01-01T00:00:00Z", "yesterday"),
      l: fc.option(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 })),
      o: fc.option(fc.record({ x: small, y: fc.constantFrom("p", "q"), more: small }, { requiredKeys: [] })),
      extra: fc.constantFrom(1, null, "x"),
    },
    { requiredKeys: [] },
  )
  .map((record) => JSON.stringify(record));
const record = fc.oneof({ weight: 12, arbitrary: value }, fc.constantFrom("{", "[]", ""), fc.constant(null));

/** A window's cut into batches. */
function cut<T>(values: readonly T[], ends: readonly number[]): T[][] {
  const borders = [0, ...[...ends].sort((a, b) => a - b).map((end) => Math.min(end, values.length)), values.length];
  return borders.slice(1).map((end, i) => values.slice(borders[i], end));
}

/** Rows of the window that offend, counted over its batches. */
function offendersOf(contract: Contract, parts: readonly (readonly (string | null)[])[]): readonly number[] {
  const { offenders } = validate(contract, ...parts);
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.length, 0));
  return (offenders["law"] ?? [])
    .map((place) => {
      if (typeof place === "number") return place;
      const [batch, row] = place.split(":").map(Number) as [number, number];
      return (starts[batch] as number) + row;
    })
    .sort((a, b) => a - b);
}

const lawOutcome = (outcomes: readonly RuleOutcome[]): RuleOutcome | undefined => outcomes.at(-1);

test("every family in the list has an example here, and the other way round", () => {
  expect(ruleFamilies.map(({ family }) => family).sort()).toEqual(Object.keys(examples).sort());
});

describe.each(ruleFamilies.map(({ family }) => family))("%s", (family) => {
  test("judging twice gives the same", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 15 }), (values) => {
        const contract = contractOf(family);
        const [first, second] = [validate(contract, values), validate(contract, values)];
        expect(first.outcomes).toEqual(second.outcomes);
        expect(first.validations).toEqual(second.validations);
        values.forEach((_, row) => expect(first.reasons(row)).toEqual(second.reasons(row)));
        // One validator serves many windows, and none leaves anything behind for the next.
        const validator = compileValidator(contract);
        const close = (): unknown => {
          const window = validator.open();
          for (const batch of first.batches) window.add(batch);
          return window.close();
        };
        expect(close()).toEqual(close());
      }),
      { numRuns: 40 },
    );
  });

  test("however a window is cut into batches, the same rows offend and the outcomes are the same", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), fc.array(fc.nat(20), { maxLength: 3 }), (values, ends) => {
        const contract = contractOf(family, family === "rowCount" ? {} : { tolerance: { percent: 10 } });
        const parts = cut(values, ends);
        expect(offendersOf(contract, parts)).toEqual(offendersOf(contract, [values]));
        expect(validate(contract, ...parts).outcomes).toEqual(validate(contract, values).outcomes);
      }),
      { numRuns: 60 },
    );
  });

  test("a metric's states of two windows merge into the state of one", () => {
    const contract = contractOf(family);
    const validator = compileValidator(contract);
    const metric = validator.metrics?.get("law");
    if (metric === undefined) return;
    const decode = jsonCodec.compile(contract);
    const stateOf = (values: readonly (string | null)[], offset: number): MetricState => {
      const window = validator.open();
      window.add(decode(makeRecords(values, [], offset)));
      return window.close().metrics?.find(({ rule }) => rule === "law") as MetricState;
    };
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.array(record, { maxLength: 12 }), (a, b) => {
        const merged = metric.judge(metric.merge(stateOf(a, 0), structuredClone(stateOf(b, a.length))));
        const whole = metric.judge(stateOf([...a, ...b], 0));
        const [value, expected] = [merged.measured?.value, whole.measured?.value];
        if (value === undefined || expected === undefined) expect(value).toBe(expected);
        else expect(value).toBeCloseTo(expected, 9);
        // What rounding does not touch is the same to the letter.
        if (value === expected) expect(merged).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  test("no batch, an empty batch and a window of undecodable records are judged without offenders", () => {
    const contract = contractOf(family);
    for (const parts of [[], [[]], [[], []], [["{", null, "[]"]]] as (string | null)[][][]) {
      const { outcomes, offenders } = validate(contract, ...parts);
      expect(offenders).toEqual({});
      expect(lawOutcome(outcomes)).toMatchObject({ checked: 0, failed: 0, status: family === "rowCount" ? "fail" : "skipped" });
    }
  });

  test("records without any value offend only where values are asked for", () => {
    const asking = ["required", "missing", "null", "properties"];
    const empty = validate(contractOf(family), ["{}", "{}"]);
    const nulls = validate(
      contractOf(family),
      Array.from({ length: 2 }, () => JSON.stringify(Object.fromEntries(Object.keys(fields).map((name) => [name, null])))),
    );
    for (const { outcomes } of [empty, nulls]) {
      expect(lawOutcome(outcomes)).toMatchObject({ checked: 2, failed: asking.includes(family) && family !== "properties" ? 2 : 0 });
    }
  });

  test("offenders are ascending, distinct, decoded, and each gets a reason with rule, family and a sentence", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (values) => {
        const { validations, batches, reasons, outcomes } = validate(contractOf(family), values);
        for (const { rule, rows } of validations[0]!.violations) {
          expect(Array.from(rows)).toEqual([...new Set(rows)].sort((a, b) => a - b));
          for (const row of rows) {
            expect(batches[0]!.undecoded[row]).toBe(0);
            const found = reasons(row).find((reason) => reason.rule === outcomes[rule]!.rule);
            expect(found).toMatchObject({ family: outcomes[rule]!.family, severity: "error" });
            expect(found!.message.length).toBeGreaterThan(10);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test("a filter that no row passes leaves nothing to judge, one that all pass changes nothing", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 15 }), (values) => {
        const always = contractOf(family, {
          where: {
            op: "or",
            of: [
              { op: "null", path: "s" },
              { op: "not", of: { op: "null", path: "s" } },
            ],
          },
        });
        const never = contractOf(family, {
          where: {
            op: "and",
            of: [
              { op: "null", path: "s" },
              { op: "notNull", path: "s" },
            ],
          },
        });
        expect(offendersOf(always, [values])).toEqual(offendersOf(contractOf(family), [values]));
        expect(lawOutcome(validate(always, values).outcomes)).toEqual(lawOutcome(validate(contractOf(family), values).outcomes));
        expect(lawOutcome(validate(never, values).outcomes)).toMatchObject({ checked: 0, failed: 0 });
      }),
      { numRuns: 40 },
    );
  });
});

describe.each(codecs.map((codec) => [codec.name, codec] as const))("codec %s", (_, codec) => {
  const contract = { ...makeContract(fields), format: codecFormats[codec.name] };
  const decode = codec.compile(contract as Contract);

  test("decoding twice gives the same, and leaves the slab as it was", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 15 }), (values) => {
        const records = makeRecords(values);
        const before = records.bytes.slice();
        const [first, second] = [decode(records), decode(records)];
        expect(first).toEqual(second);
        expect(records.bytes).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });

  test("each row is decoded or has one fault or one policy, and undecoded rows have no values", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 15 }), (values) => {
        const batch = decode(makeRecords(values));
        const out = [...batch.faults, ...batch.skipped].map(({ row }) => row).sort((a, b) => a - b);
        expect(out).toEqual(Array.from(batch.undecoded).flatMap((flag, row) => (flag === 1 ? [row] : [])));
        for (const column of batch.columns) {
          expect(column.length).toBe(batch.rows);
          for (const row of out) expect(column.state[row]).toBe(2);
        }
      }),
      { numRuns: 60 },
    );
  });
});
