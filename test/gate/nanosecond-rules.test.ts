import fc from "fast-check";
import { expect, it } from "vitest";
import { schemaOfContract } from "../../src/adapters/iceberg/table-schema.ts";
import { openInlineEngine } from "../../src/cli/engine.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import { nanosText } from "../../src/core/civil.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { EngineKind } from "../../src/gate/compiled.ts";
import type { SettledRows } from "../../src/gate/judged-rows.ts";
import { makeRecords } from "../fixtures/contract.ts";

const text = (nanos: bigint): string => nanosText(nanos, true);
const texts = (all: readonly bigint[]): string => all.map((each) => `"${text(each)}"`).join(", ");

function contractWith(rules: Readonly<Record<string, string>>): Promise<Contract> {
  const lines = Object.entries(rules).map(
    ([id, check]) =>
      `      - { id: ${id}, type: custom, engine: sluice, implementation: { check: ${check}, tolerance: { rows: 1000 } } }\n`,
  );
  const document = `apiVersion: v3.1.0
kind: DataContract
id: ticks
version: 1.0.0
status: active
schema:
  - name: ticks
    quality:
${lines.join("")}    customProperties: [{ property: sluice, value: { formatVersion: 3 } }]
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: at, logicalType: timestamp, physicalType: timestamptz_ns }
      - { name: seen, logicalType: timestamp, physicalType: timestamptz_ns }
      - { name: all, logicalType: array, items: { logicalType: timestamp, physicalType: timestamptz_ns } }
`;
  return loadContract("ticks.odcs.yaml", () => Promise.resolve(document)).then(({ contract }) => contract);
}

async function settle(kind: EngineKind, contract: Contract, records: readonly string[]): Promise<SettledRows> {
  const window = openInlineEngine().open({ contract, schema: schemaOfContract(contract, null).schema, kind });
  await window.add([makeRecords(records)]);
  return window.settle(1_800_000_000_000);
}

/** All that is left of a window but the bytes of its files, which another test compares. */
const essence = ({ outcomes, rejected, profile }: SettledRows): unknown => ({
  outcomes,
  rejected,
  profile: Buffer.from(profile.bytes).toString("hex"),
});

/** Near the ends of 64 bits, today and the epoch; a double holds several neighbours at once in all but the last. */
const bases = [-(2n ** 63n), 2n ** 63n - 13n, 1_772_326_800_123_456_783n, -6n];
const step = fc.nat({ max: 12 }).map(BigInt);

it("every rule tells neighbours apart as their numbers do, in both engines", async () => {
  const row = fc.record({ at: fc.option(step, { freq: 9 }), seen: fc.option(step, { freq: 9 }) });
  const steps = fc.tuple(step, step, step);
  const ranges = fc.array(row, { minLength: 20, maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...bases),
      steps,
      fc.uniqueArray(step, { minLength: 9 }),
      ranges,
      async (base, limits, others, rows) => {
        const [a, b, c] = limits.map((each) => base + each) as [bigint, bigint, bigint];
        const [least, most] = a < b ? [a, b] : [b, a];
        const many = others.map((each) => base + each);
        const cells = rows.map(({ at, seen }) => ({
          at: at === null ? null : base + at,
          seen: seen === null ? null : base + seen,
        }));
        const contract = await contractWith({
          range: `range, column: at, minimum: "${text(least)}", maximum: "${text(most)}"`,
          inside: `range, column: at, exclusiveMinimum: "${text(least)}", exclusiveMaximum: "${text(most)}"`,
          few: `set, column: at, allowed: [${texts([a, b])}]`,
          many: `set, column: at, allowed: [${texts(many)}]`,
          none: `set, column: at, forbidden: [${texts([c])}]`,
          before: "compare, left: at, operator: lessThan, right: seen",
          equal: "compare, left: at, operator: equals, right: seen",
          late: `"null", column: id, where: { column: at, greaterThan: "${text(c)}" }`,
          early: `"null", column: id, where: { column: at, lessOrEqualTo: "${text(c)}" }`,
          missing: `missing, column: at, missingValues: [${texts([a])}]`,
          once: "duplicate, columns: [at]",
          pairs: "duplicate, columns: [at, seen]",
          tuples: `tuples, columns: [at, seen], allowed: [[${texts([a, b])}], [${texts([b, c])}]]`,
          items: "items, column: all, uniqueItems: true",
          rising: "monotonic, column: at, direction: increasing, strict: true",
        });
        const records = cells.map(({ at, seen }, id) =>
          JSON.stringify({
            id,
            at: at === null ? null : text(at),
            seen: seen === null ? null : text(seen),
            all: [at, seen].flatMap((each) => (each === null ? [] : [text(each)])),
          }),
        );
        const compiled = await settle("compiled", contract, records);
        expect(essence(compiled)).toEqual(essence(await settle("reference", contract, records)));
        const ats = cells.flatMap(({ at }) => (at === null ? [] : [at]));
        const both = cells.flatMap(({ at, seen }) => (at === null || seen === null ? [] : [{ at, seen }]));
        const found = Object.fromEntries(compiled.outcomes.map(({ rule, failed, checked }) => [rule, { failed, checked }]));
        const offenders = (of: readonly boolean[]): object => ({ failed: of.filter((isWrong) => isWrong).length });
        expect(found).toMatchObject({
          range: offenders(ats.map((at) => at < least || at > most)),
          inside: offenders(ats.map((at) => at <= least || at >= most)),
          few: offenders(ats.map((at) => at !== a && at !== b)),
          many: offenders(ats.map((at) => !many.includes(at))),
          none: offenders(ats.map((at) => at === c)),
          before: offenders(both.map(({ at, seen }) => at >= seen)),
          equal: offenders(both.map(({ at, seen }) => at !== seen)),
          late: { checked: ats.filter((at) => at > c).length },
          early: { checked: ats.filter((at) => at <= c).length },
          missing: offenders(cells.map(({ at }) => at === null || at === a)),
          once: { failed: ats.length - new Set(ats).size },
          pairs: { failed: both.length - new Set(both.map(({ at, seen }) => `${at} ${seen}`)).size },
          items: offenders(both.map(({ at, seen }) => at === seen)),
          rising: offenders(ats.map((at, i) => i > 0 && (ats[i - 1] as bigint) >= at)),
        });
      },
    ),
    { numRuns: 25 },
  );
});
