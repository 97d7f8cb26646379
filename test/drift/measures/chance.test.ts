import { expect, test } from "vitest";
import type { DriftTestName } from "../../../src/core/drift.ts";
import { chanceEnergy } from "../../../src/drift/drift-limit.ts";
import { driftTests } from "../../../src/drift/drift-tests.ts";
import { profileBatch } from "../../../src/sketches/index.ts";
import type { TestValue } from "../../sketches/columns.ts";
import { batchOf, columnOf, contractOf, fieldOf, normal, seededRandom } from "../../sketches/columns.ts";

const words = Array.from({ length: 300 }, (_, i) => `v${i}`);

const columns: readonly { readonly field: ReturnType<typeof fieldOf>; readonly draw: (random: () => number) => TestValue }[] = [
  { field: fieldOf("normal", { kind: "double" }), draw: normal },
  { field: fieldOf("skewed", { kind: "double" }), draw: (random) => -Math.log(1 - random()) },
  { field: fieldOf("few", { kind: "long" }), draw: (random) => Math.floor(20 * random() ** 2) },
  { field: fieldOf("flag", { kind: "boolean" }), draw: (random) => random() < 0.1 },
  { field: fieldOf("uneven", { kind: "string" }), draw: (random) => words[Math.floor(300 * random() ** 4)] },
  { field: fieldOf("unique", { kind: "string" }), draw: (random) => `id${Math.floor(1e9 * random())}` },
];
const fields = columns.map(({ field }) => field);
const contract = contractOf(fields);

/** Tests whose mean is exactly that of the formula; of the others it is an upper bound (values that repeat, whole counts, an even tail). */
const exact: ReadonlySet<DriftTestName> = new Set(["psi", "jensen-shannon", "hellinger", "chi-squared", "mean", "wasserstein"]);

test("where nothing drifts, no test's energy is more than chance's on average, and few exceed what chance exceeds once in a hundred", () => {
  const random = seededRandom(17);
  const profile = (size: number) =>
    profileBatch(
      contract,
      batchOf(
        columns.map(({ field, draw }) =>
          columnOf(
            field,
            Array.from({ length: size }, () => (random() < 0.05 ? null : draw(random))),
          ),
        ),
      ),
      null,
    );
  const rounds = 120;
  const seen = new Map<string, { mean: number; beyond: number; count: number; isExact: boolean }>();
  for (let round = 0; round < rounds; round++) {
    const [before, now] = [profile(1600), profile(400)];
    for (const { name, measure } of driftTests) {
      for (const field of fields) {
        const found = measure(before.columns.get(field.path)!, now.columns.get(field.path)!, field);
        if ("skipped" in found) continue;
        const key = `${name} of ${field.path}`;
        const sum = seen.get(key) ?? { mean: 0, beyond: 0, count: 0, isExact: exact.has(name) };
        sum.mean += found.energy / found.expected;
        sum.beyond += found.energy > chanceEnergy(found, 0.01) ? 1 : 0;
        sum.count++;
        seen.set(key, sum);
      }
    }
  }
  expect(seen.size).toBeGreaterThan(50);
  for (const [key, { mean, beyond, count, isExact }] of seen) {
    const average = mean / count;
    expect([key, average < 1.35 && (!isExact || average > 0.7), average]).toEqual([key, true, average]);
    expect([key, beyond <= 0.05 * count, beyond]).toEqual([key, true, beyond]);
  }
});
