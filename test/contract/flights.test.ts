import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { expect, test } from "vitest";
import { jsonCodec } from "../../src/codecs/json.ts";
import { lintContract } from "../../src/contract/lint-contract.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import { allocateRecords } from "../../src/core/records.ts";
import type { Records } from "../../src/core/records.ts";
import { compileValidator } from "../../src/rules/compile-validator.ts";
import { compileOfficial, findStandards } from "./standards.ts";
import { parse } from "yaml";

const root = resolve(import.meta.dirname, "../..");
const file = resolve(root, "schemas/examples/flights.odcs.yaml");

async function load(): ReturnType<typeof loadContract> {
  return loadContract(file, (path) => readFile(path));
}

function recordsOf(rows: readonly object[], firstOffset: number): Records {
  const values = rows.map((row) => Buffer.from(JSON.stringify(row)));
  const records = allocateRecords(rows.length, Buffer.concat(values), [{ topic: "flights", topicId: "", partition: 0 }]);
  let at = 0;
  values.forEach((value, row) => {
    records.offsets[row] = BigInt(firstOffset + row);
    records.keyLength[row] = -1;
    records.valueStart[row] = at;
    records.valueLength[row] = value.length;
    at += value.length;
  });
  return records;
}

test("the example contract is good: nothing but notes", async () => {
  const { contract, diagnostics } = await load();
  expect(diagnostics.map(({ severity, code }) => [severity, code])).toEqual([
    ["info", "not-enforced"],
    ["info", "not-enforced"],
  ]);
  expect(lintContract(contract).map(({ severity, code }) => [severity, code])).toEqual([
    ["info", "unique-in-window"],
    ["info", "pattern-cost"],
    ["info", "pattern-cost"],
  ]);
  const standards = findStandards();
  if (standards === null) return;
  expect(compileOfficial(standards)["3.1"](parse(contract.text))).toBe(true);
});

test(
  "every second window of the real flights meets it: four registrations are warned of, no row is rejected, no window held",
  { timeout: 300_000 },
  async () => {
    const { contract } = await load();
    const decode = jsonCodec.compile(contract);
    const validator = compileValidator(contract);
    const source = await asyncBufferFromFile(resolve(root, "examples/nyc-flights-2013.parquet"));
    const { rows: size } = contract.window;
    const failed = new Map<string, number>();
    let judged = 0;
    for (let start = size; start < 336_776; start += 2 * size) {
      const rows = await parquetReadObjects({ file: source, compressors, rowStart: start, rowEnd: Math.min(start + size, 336_776) });
      const window = validator.open();
      for (let from = 0; from < rows.length; from += 2500) {
        const { rejected } = window.add(decode(recordsOf(rows.slice(from, from + 2500), start + from)));
        expect(rejected.includes(1)).toBe(false);
      }
      const { outcomes, late } = window.close();
      expect(late).toEqual([]);
      for (const { rule, failed: count, severity, status, breach } of outcomes) {
        if (severity === "error") expect([rule, status, breach]).toEqual([rule, "pass", null]);
        if (severity === "warning" && count > 0) failed.set(rule, (failed.get(rule) ?? 0) + count);
      }
      judged += rows.length;
    }
    expect(judged).toBe(166_776);
    expect(failed.get("tailnum_registered")).toBe(4);
    expect([...failed.keys()].toSorted()).toEqual(["most_flights_depart", "tailnum_registered"]);
  },
);
