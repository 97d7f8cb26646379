import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { flightTexts } from "../../bench/flights.ts";
import { schemaOfContract } from "../../src/adapters/iceberg/table-schema.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Records } from "../../src/core/records.ts";
import type { EngineKind } from "../../src/gate/compiled.ts";
import { openInlineEngine } from "../../src/cli/engine.ts";
import type { JudgedRows, SettledRows } from "../../src/gate/judged-rows.ts";
import { decodeProfile, summarizeProfile } from "../../src/sketches/index.ts";
import { makeRecords } from "../fixtures/contract.ts";

const key = { topic: "flights", topicId: "t", partition: 0 };
let contract: Contract;
beforeAll(async () => {
  const file = fileURLToPath(new URL("../../schemas/examples/flights.odcs.yaml", import.meta.url));
  contract = (await loadContract(file, (path) => Promise.resolve(readFileSync(path, "utf8")))).contract;
});

/** Numbers in [0, below), the same for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A flight with something changed: a byte, its end, a value, the order of its keys, its spacing. */
function mutate(text: Buffer, roll: (below: number) => number): Buffer {
  const bytes = Buffer.from(text);
  switch (roll(8)) {
    case 0:
      bytes[roll(bytes.length)] = roll(256);
      return bytes;
    case 1:
      return bytes.subarray(0, roll(bytes.length));
    case 2:
      return Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text.toString()) as object).toReversed())));
    case 3:
      return Buffer.from(JSON.stringify(JSON.parse(text.toString()), null, roll(3)));
    case 4:
      return Buffer.from(
        text.toString().replace(/:(-?\d+)([,}])/, `:${["1e3", "-0", "12345678901234567890", "1.5", "null", "true", '"x"'][roll(7)]}$2`),
      );
    case 5:
      return Buffer.from(text.toString().replace("{", `{"unknown":${roll(100)},`));
    case 6:
      return Buffer.from(text.toString().replace(/"carrier":"[^"]*"/, `"carrier":"${["\\u0041A", "\\ud800", "AA\\n", "é", ""][roll(5)]}"`));
    default:
      return Buffer.from(text.toString().replace("}", ',"origin":"EWR"}'));
  }
}

async function flights(count: number, mutants: number, seed: number): Promise<Records[]> {
  const roll = dice(seed);
  const texts: Buffer[] = [];
  for await (const batch of flightTexts(count)) for (const text of batch) texts.push(roll(100) < mutants ? mutate(text, roll) : text);
  const runs: Records[] = [];
  for (let from = 0; from < texts.length;) {
    const size = 1 + roll(6000);
    runs.push({ ...makeRecords(texts.slice(from, from + size), [], from), partitions: [key] });
    from += size;
  }
  return runs;
}

async function settle(
  kind: EngineKind,
  runs: readonly Records[],
  plan: Contract = contract,
): Promise<{ settled: SettledRows; judged: JudgedRows[] }> {
  const engine = openInlineEngine();
  const { schema } = schemaOfContract(plan, null);
  const window = engine.open({ contract: plan, schema, kind });
  const judged: JudgedRows[] = [];
  for (const run of runs) judged.push(await window.add([run]));
  return { settled: await window.settle(1_800_000_000_000), judged };
}

const hex = (bounds: ReadonlyMap<number, Uint8Array>): unknown =>
  [...bounds].map(([id, bytes]) => [id, Buffer.from(bytes).toString("hex")]);

/** Everything that a decision, quarantine and the table come from. */
function essence({ settled, judged }: { settled: SettledRows; judged: readonly JudgedRows[] }): unknown {
  const { files, profile } = settled;
  return {
    ...settled,
    judged: judged.map(({ rows, faults, rejected, newestTimestampMs }) => ({ rows, faults, rejected, newestTimestampMs })),
    profile: { ...profile, bytes: Buffer.from(profile.bytes).toString("hex") },
    files: files.map((file) => ({
      ...file,
      pieces: Buffer.concat(file.pieces.map((piece) => Buffer.from(piece))).toString("hex"),
      lowerBounds: hex(file.lowerBounds),
      upperBounds: hex(file.upperBounds),
    })),
  };
}

describe("compiled and reference engine decide alike", () => {
  it("on real flights", async () => {
    const runs = await flights(30_000, 0, 1);
    const [compiled, reference] = [await settle("compiled", runs), await settle("reference", runs)];
    expect(compiled.settled.passedRows).toBe(30_000);
    expect(essence(compiled)).toEqual(essence(reference));
  });

  it.each([1, 2, 3])("on flights of which a third was mutated, seed %i", async (seed) => {
    const runs = await flights(12_000, 33, seed);
    const [compiled, reference] = [await settle("compiled", runs), await settle("reference", runs)];
    expect(compiled.settled.rejected.length).toBeGreaterThan(500);
    expect(essence(compiled)).toEqual(essence(reference));
    const { bytes, columns } = compiled.settled.profile;
    expect(columns).toEqual(summarizeProfile(decodeProfile(bytes), contract));
  });

  it("where rows can still fall as the window closes", async () => {
    const late = { column: "sched_hour", seconds: 3600 * 24 * 365 * 10, action: "skip" } as const;
    const plan: Contract = {
      ...contract,
      policies: { ...contract.policies, late },
      rules: contract.rules.map((rule) => (rule.check.family === "duplicate" ? { ...rule, check: { ...rule.check, keep: "none" } } : rule)),
    };
    const runs = await flights(12_000, 20, 4);
    const [compiled, reference] = [
      await settle("compiled", [...runs, ...runs.slice(0, 1)], plan),
      await settle("reference", [...runs, ...runs.slice(0, 1)], plan),
    ];
    expect(essence(compiled)).toEqual(essence(reference));
    expect(compiled.settled.skipped.length).toBeGreaterThan(0);
  });
});
