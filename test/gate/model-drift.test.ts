import { expect, it } from "vitest";
import { openInlineEngine } from "../../src/cli/engine.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { DriftOutcome } from "../../src/core/drift.ts";
import type { Profile } from "../../src/core/profile.ts";
import { emptyDriftState, foldDrift, judgeDrift } from "../../src/drift/index.ts";
import type { EngineKind } from "../../src/gate/compiled.ts";
import { decodeProfile } from "../../src/sketches/index.ts";
import { documentOf, load } from "../contract/contract-text.ts";
import { makeRecords } from "../fixtures/contract.ts";
import { normal, seededRandom } from "../sketches/columns.ts";

const contractOf = async (drift: string): Promise<Contract> =>
  (
    await load(
      documentOf(`    properties:
      - { name: guess, logicalType: string }
      - { name: truth, logicalType: string }
      - { name: sure, logicalType: number }
      - { name: minutes_guess, logicalType: number }
      - { name: minutes, logicalType: number }
    customProperties: [{ property: sluice, value: { drift: { baseline: { rolling: 10 }, tick: { rows: 1 }, ${drift} } } }]
`),
    )
  ).contract;

interface Model {
  /** Share of predictions that are wrong. */
  readonly wrong?: number;
  /** Share of cats among what is true. */
  readonly cats?: number;
  /** Standard deviation of the guess of minutes. */
  readonly off?: number;
}

function textsOf(seed: number, { wrong = 0.1, cats = 0.5, off = 4 }: Model, count = 1500): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const truth = random() < cats ? "cat" : "dog";
    const other = truth === "cat" ? "dog" : "cat";
    const guess = random() < wrong ? other : truth;
    const minutes = 30 + 10 * normal(random);
    // Some labels never come.
    const known = random() < 0.8;
    return JSON.stringify({ guess, truth: known ? truth : null, sure: random(), minutes, minutes_guess: minutes + off * normal(random) });
  });
}

async function judged(contract: Contract, texts: readonly string[], kind: EngineKind = "compiled"): Promise<Profile> {
  const window = openInlineEngine().open({ contract, schema: null, kind });
  await window.add([makeRecords(texts)]);
  return decodeProfile((await window.settle(1_800_000_000_000)).profile.bytes);
}

async function outcomeOf(contract: Contract, model: Model): Promise<DriftOutcome> {
  let state = emptyDriftState;
  for (let n = 0; n < 10; n++) {
    const input = { windowId: `w${n}`, closedAtMs: n * 60_000, profile: await judged(contract, textsOf(n, {})) };
    const drift = judgeDrift(contract, state, input);
    expect(["learning", "pass"]).toContain(drift.status);
    state = foldDrift(contract, state, { ...input, kind: "window", verdict: "promote", drift });
  }
  return judgeDrift(contract, state, { windowId: "next", closedAtMs: 600_000, profile: await judged(contract, textsOf(99, model)) });
}

const told = ({ results }: DriftOutcome): (string | null)[] =>
  results.filter(({ status }) => status === "drift").map(({ explanation }) => explanation);

it("classes: predictions, labels and the error rate are told apart", async () => {
  const contract = await contractOf("model: { prediction: guess, label: truth, score: sure, policy: hold }");
  expect(contract.drift?.checks.map(({ column, called, tests }) => [column, called, tests])).toEqual([
    ["guess", "prediction guess", ["psi"]],
    ["truth", "label truth", ["l-infinity"]],
    ["sure", "score sure", ["psi"]],
    ["guess~truth", "guess against truth", ["error-rate"]],
  ]);
  expect((await outcomeOf(contract, {})).results.map(({ status }) => status)).toEqual(["pass", "pass", "pass", "pass"]);
  const wrong = await outcomeOf(contract, { wrong: 0.4 });
  expect(wrong.status).toBe("hold");
  expect(told(wrong)).toEqual([
    expect.stringMatching(
      /^guess against truth: the error rate rose from (9|10)\.\d% to (3[6-9]|4[0-4])\.\d%, of 1[12]\d\d records that have both/,
    ),
  ]);
  const shifted = await outcomeOf(contract, { cats: 0.85 });
  expect(told(shifted)).toEqual([
    expect.stringMatching(/^prediction guess: share of /),
    expect.stringMatching(/^label truth: share of cat rose from /),
  ]);
});

it("numbers: the mean absolute error, where the contract has tests of the columns already", async () => {
  const contract = await contractOf(
    "columns: [{ column: minutes, tests: [mean], limit: 0.4 }], model: { prediction: minutes_guess, label: minutes, errorLimit: 0.3 }",
  );
  expect(contract.drift?.checks).toEqual([
    { column: "minutes", called: "label minutes", tests: ["mean"], policy: "warn", limit: 0.4 },
    { column: "minutes_guess", called: "prediction minutes_guess", tests: ["psi"], policy: "warn", limit: null },
    {
      column: "minutes_guess~minutes",
      called: "minutes_guess against minutes",
      model: { prediction: "minutes_guess", label: "minutes", task: "regression" },
      tests: ["mean-absolute-error"],
      policy: "warn",
      limit: 0.3,
    },
  ]);
  expect(told(await outcomeOf(contract, { off: 10 }))).toContainEqual(
    expect.stringMatching(/^minutes_guess against minutes: the mean absolute error rose from 3\.\d+ to [78](\.\d+)?, of 1500 records/),
  );
});

it("both engines find the same errors, which are what the records say", async () => {
  const contract = await contractOf("model: { prediction: guess, label: truth }");
  const texts = textsOf(4, {}, 6000);
  const profile = await judged(contract, texts);
  expect(await judged(contract, texts, "reference")).toEqual(profile);
  const both = texts.map((text) => JSON.parse(text) as { guess: string; truth: string | null }).filter(({ truth }) => truth !== null);
  const { moments, missing } = profile.columns.get("guess~truth")!;
  expect([moments?.count, missing]).toEqual([both.length, 6000 - both.length]);
  expect(moments!.mean * both.length).toBeCloseTo(both.filter(({ guess, truth }) => guess !== truth).length, 6);
});
