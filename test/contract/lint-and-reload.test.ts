import { describe, expect, test } from "vitest";
import { lintContract } from "../../src/contract/lint-contract.ts";
import { reloadContract } from "../../src/contract/reload-contract.ts";
import { DocumentError } from "../../src/core/errors.ts";
import { documentOf, documentWith, load } from "./contract-text.ts";

async function lintOf(text: string): Promise<string[]> {
  return lintContract((await load(text)).contract).map(({ code, location }) => `${location.line} ${code}`);
}

describe("lint", () => {
  test("rules that never or always fail", async () => {
    const quality = (text: string): string => documentWith(`name: x\nlogicalType: string\nquality:\n  - ${text}`);
    expect(await lintOf(quality("{ metric: nullValues, mustBeGreaterOrEqualTo: 0 }"))).toEqual(["13 rule-never-fails"]);
    expect(await lintOf(quality("{ metric: nullValues, mustBeLessOrEqualTo: 100, unit: percent }"))).toEqual(["13 rule-never-fails"]);
    expect(await lintOf(quality("{ metric: nullValues, mustBeLessThan: 0 }"))).toEqual(["13 rule-always-fails"]);
    expect(await lintOf(quality("{ metric: nullValues, mustBeLessThan: 5 }"))).toEqual([]);
    const options = (text: string, type = "string"): string => documentWith(`name: x\nlogicalType: ${type}\nlogicalTypeOptions: ${text}`);
    expect(await lintOf(options('{ pattern: "[a-z]*" }'))).toEqual(["12 rule-never-fails", "12 pattern-cost"]);
    expect(await lintOf(options('{ pattern: "[a-z]+" }'))).toEqual(["12 pattern-unanchored", "12 pattern-cost"]);
    expect(await lintOf(options('{ pattern: "^[a-z]*$" }'))).toEqual(["12 pattern-cost"]);
    expect(await lintOf(options("{ minimum: -9223372036854775808 }", "integer"))).toEqual(["12 rule-never-fails"]);
    expect(await lintOf(options("{ minimum: -9223372036854775807 }", "integer"))).toEqual([]);
    const { diagnostics } = await load(options("{ minimum: 5, exclusiveMaximum: 5 }", "integer"));
    expect(diagnostics).toMatchObject([{ code: "range-empty", severity: "warning" }]);
    expect(await lintOf(options("{ minLength: 3, maxLength: 2 }"))).toEqual(["12 range-empty"]);
    expect(await lintOf(options("{ minLength: 3, maxLength: 3 }"))).toEqual([]);
  });

  test("what a pattern costs", async () => {
    const lint = async (pattern: string): Promise<string | undefined> => {
      const { contract } = await load(documentWith(`name: x\nlogicalType: string\nlogicalTypeOptions: { pattern: "${pattern}" }`));
      return lintContract(contract).find(({ code }) => code === "pattern-cost")?.message;
    };
    expect(await lint("^[A-Z]{3}$")).toMatch(/its pattern is an automaton of 6 states: one look-up a byte$/);
    expect(await lint("^(a|b)*a(a|b){20}$")).toMatch(
      /takes the general engine \(re2js\), 5 to 40 times slower than an automaton, because it needs more than 4096 states$/,
    );
  });

  test("drift tests that can't judge their column, and limits in several units", async () => {
    const text = `${documentOf(`    properties:
      - { name: carrier, logicalType: string }
      - { name: delay, logicalType: number }
`)}    customProperties:
      - property: sluice
        value: { drift: { columns: [{ column: carrier, tests: [ks, new-values] }, { column: delay, tests: [ks, psi, length], limit: 0.2 }] } }
`;
    const told = lintContract((await load(text)).contract).filter(({ code }) => code.startsWith("drift-"));
    expect(told.map(({ code, message }) => `${code}: ${message}`).toSorted()).toEqual([
      'drift-limit-shared: the limit 0.2 of "delay" holds for ks, psi, length, each in its own unit',
      'drift-test-skipped: the drift test ks does not judge text columns: it is skipped at "carrier"',
      'drift-test-skipped: the drift test length does not judge number columns: it is skipped at "delay"',
    ]);
  });

  test("fixed thresholds of drift, with how often chance exceeds them, and seasons beyond reach", async () => {
    const lint = async (value: string): Promise<string[]> => {
      const text = `${documentOf("    properties:\n      - { name: delay, logicalType: number }\n")}    customProperties:
      - property: sluice
        value: { ${value} }
`;
      return lintContract((await load(text)).contract).map(({ code, message, hint }) => `${code}: ${message}; ${hint}`);
    };
    const classical = (rows: number): string =>
      `window: { rows: ${rows} }, drift: { mode: classical, tick: { rows: ${rows} }, columns: [{ column: delay, tests: [psi, jensen-shannon] }] }`;
    const told = await lint(classical(200));
    // PSI of .1 at 200 rows against 4,000: 19.05 of a chi-squared variable of 9 degrees is exceeded in 2.5%; twice in 4.9%.
    expect(told.filter((each) => each.startsWith("drift-classical"))).toEqual([
      "drift-classical: fixed thresholds know nothing of sample sizes: at ticks of 200 rows chance exceeds one of 2 in 4.9% of ticks; mode: sequential keeps false alarms as seldom as `falseAlarms` says",
    ]);
    expect((await lint(classical(50_000)))[0]).toMatch(/chance exceeds one of 2 in less than a millionth of ticks/);
    const seasonal = (seconds: number): string =>
      `window: { seconds: ${seconds} }, drift: { baseline: { seasonal: { by: [weekday] } }, columns: [{ column: delay }] }`;
    expect(await lint(seasonal(10))).toEqual([
      "season-beyond-reach: 63 days of seasons can be 544,320 windows, and a worker that starts reads back 6,400; windows of 851 seconds or more, or fewer days",
    ]);
    expect(await lint(seasonal(900))).toEqual([]);
  });

  test("limits so small that a moving baseline can stay in alarm", async () => {
    const lint = async (drift: string): Promise<string[]> => {
      const text = `${documentOf("    properties:\n      - { name: delay, logicalType: number }\n")}    customProperties:
      - property: sluice
        value: { drift: { ${drift} } }
`;
      const told = lintContract((await load(text)).contract).filter(({ code }) => code === "drift-limit-small");
      return told.map(({ severity, message, hint }) => `${severity}: ${message}; ${hint}`);
    };
    const check = (text: string): string => `columns: [{ column: delay, ${text} }]`;
    expect(await lint(check("tests: [psi], limit: 0.02"))).toEqual([
      'warning: the limit 0.02 of "delay" is less than half of the default of psi: windows of an alarm join no rolling baseline, so a small change that stays is one alarm until a person rebases; a pinned baseline, or a larger limit',
    ]);
    expect(await lint(`baseline: { seasonal: { by: [hour] } }, ${check("tests: [psi, mean], limit: 0.06")}`)).toEqual([
      expect.stringMatching(/the default of mean: windows of an alarm join no seasonal baseline/),
    ]);
    expect(await lint(check("tests: [psi], limit: 0.05"))).toEqual([]);
    expect(await lint(check("tests: [psi]"))).toEqual([]);
    expect(await lint(check("tests: [psi], limit: 0.02, policy: observe"))).toEqual([]);
    expect(await lint(`baseline: { pinned: v1 }, ${check("tests: [psi], limit: 0.02")}`)).toEqual([]);
    expect(await lint(`mode: each-tick, ${check("tests: [psi], limit: 0.02")}`)).toEqual([]);
  });

  test("drift tests of several columns", async () => {
    const drifting = (check: string): string =>
      documentOf(`    properties:
      - { name: a, logicalType: number }
      - { name: b, logicalType: integer }
      - { name: c, logicalType: string }
      - { name: day, logicalType: date }
    customProperties:
      - property: sluice
        value: { drift: { columns: [${check}] } }
`);
    const errors = async (check: string): Promise<string[]> => {
      const failed = await load(drifting(check)).catch((error: unknown) => error);
      if (!(failed instanceof DocumentError)) throw new Error("the contract is good");
      return failed.diagnostics.filter(({ severity }) => severity === "error").map(({ code, message }) => `${code}: ${message}`);
    };
    const { contract } = await load(drifting("{ column: a, tests: [correlation, joint-mean], with: [b, day] }"));
    expect(contract.drift?.checks).toMatchObject([{ column: "a", with: ["b", "day"] }]);
    expect(await errors("{ column: a, tests: [correlation, psi] }")).toEqual([
      'drift-with-missing: correlation of "a" needs other columns',
    ]);
    expect(await errors("{ column: a, tests: [psi], with: [b] }")).toEqual(['drift-with-unused: no test of "a" takes other columns']);
    expect(await errors("{ column: a, tests: [joint-mean], with: [a, c, nope] }")).toEqual([
      'drift-with: "a" is the column itself',
      'drift-with: "c" is a text column: it has no mean',
      'column-unknown: there is no column "nope"',
    ]);
    const lint = lintContract((await load(drifting("{ column: day, tests: [event-lag] }"))).contract);
    expect(lint.find(({ code }) => code === "drift-test-skipped")?.message).toContain("needs an instant");
  });

  test("tolerances without effect, repeated rules, uniqueness, personal data, case", async () => {
    const text = documentOf(`    properties:
      - name: emailAddress
        logicalType: string
        required: true
        unique: true
        quality:
          - { id: one, metric: nullValues, mustBe: 0 }
          - { id: two, type: custom, engine: sluice, implementation: { check: length, maxLength: 5, severity: warning, tolerance: { percent: 100 } } }
          - { id: three, type: custom, engine: sluice, implementation: { check: length, maxLength: 5 } }
      - { name: EmailAddress, logicalType: string, classification: pii, enum: [{ value: a }] }
`);
    expect((await lintOf(text)).toSorted()).toEqual([
      "11 classification-missing",
      "13 unique-in-window",
      "15 rule-repeated",
      "16 tolerance-never-exceeded",
      "16 tolerance-without-effect",
      "17 rule-repeated",
      "18 classified-constant",
      "18 name-case",
    ]);
  });
});

describe("reload", () => {
  const column = (name: string, type: string): string => documentWith(`name: ${name}\n${type}`);
  const before = column("x", "logicalType: integer\nphysicalType: int");
  const reload = async (next: string | null): Promise<Awaited<ReturnType<typeof reloadContract>>> => {
    const { contract } = await load(before);
    return reloadContract(contract, () => (next === null ? Promise.reject(new Error("there is no such file")) : Promise.resolve(next)));
  };
  const codes = async (next: string): Promise<string[]> => {
    const result = await reload(next);
    if (result.kind !== "broken" || !(result.error instanceof DocumentError)) throw new Error(`not refused: ${result.kind}`);
    return result.error.diagnostics.map(({ code }) => code);
  };

  test("the same bytes change nothing; others are a new contract", async () => {
    expect(await reload(before)).toMatchObject({ kind: "unchanged", kept: { version: "1.0.0" } });
    const next = column("x", "logicalType: integer\nphysicalType: bigint");
    expect(await reload(next.replace("1.0.0", "1.1.0"))).toMatchObject({
      kind: "changed",
      contract: { version: "1.1.0", fields: [{ type: { kind: "long" } }] },
      diagnostics: [],
    });
    expect(await reload(next)).toMatchObject({ kind: "changed", diagnostics: [{ code: "version-unchanged" }] });
  });

  test("a broken, missing or foreign file leaves the old one in force", async () => {
    expect(await reload(null)).toMatchObject({ kind: "broken", kept: { version: "1.0.0" }, error: { code: "FILE_NOT_FOUND" } });
    expect(await reload("a: [")).toMatchObject({ kind: "broken", kept: { version: "1.0.0" }, error: { code: "CONTRACT_INVALID" } });
    expect(await codes(before.replace("name: things", "name: others"))).toEqual(["no-dataset"]);
    expect(await codes(before.replace("things-topic", "other-topic"))).toEqual(["topic-changed"]);
    expect(await codes(column("x", "logicalType: string"))).toEqual(["type-changed"]);
    expect(await codes(column("x", "logicalType: integer\nlogicalTypeOptions: { minimun: 1 }"))).toEqual(["unknown-key"]);
  });

  test("columns may come and go", async () => {
    expect(await reload(column("y", "logicalType: string"))).toMatchObject({ kind: "changed" });
  });
});
