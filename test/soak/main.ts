import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { schemaOfContract } from "../../src/adapters/iceberg/table-schema.ts";
import { engineThreadOptions } from "../../src/cli/engine-thread-options.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Records } from "../../src/core/records.ts";
import { createEnginePool } from "../../src/gate/engine-pool.ts";
import { flightTexts } from "../../bench/flights.ts";
import { makeRecords } from "../fixtures/contract.ts";
import { Days } from "./days.ts";

/**
 * Two days in twenty minutes: flights go through an engine thread at full speed, thinned out as a day's traffic is (nights are a tenth of noon), with a share of bad and of
 * very large records, windows of changing size, and a new contract now and then. Fails where the second day takes more memory than the first did at the same hours.
 */
const minutes = Number(process.env["SLUICE_SOAK_MINUTES"] ?? "20");
const sampleMs = 2000;

const text = readFileSync(fileURLToPath(new URL("../../schemas/examples/flights.odcs.yaml", import.meta.url)), "utf8");

async function contractOf(version: number): Promise<Contract> {
  return (await loadContract("flights.odcs.yaml", () => Promise.resolve(text.replace("version: 1.0.0", `version: 1.0.${version}`))))
    .contract;
}

async function recordPool(): Promise<readonly Records[]> {
  const texts: Buffer[] = [];
  for await (const chunk of flightTexts(48_000)) texts.push(...chunk);
  const damage = (value: Buffer, i: number): Buffer => {
    if (i % 97 === 0) return value.subarray(0, value.length >> 1);
    if (i % 89 === 0) return Buffer.from(value.toString().replace(/"carrier":"[^"]*"/, '"carrier":"??"'));
    // A quarter of a megabyte of a field that the contract does not name.
    if (i % 9001 === 0) return Buffer.from(value.toString().replace("}", `,"note":"${"x".repeat(250_000)}"}`));
    return value;
  };
  const values = texts.map(damage);
  return Array.from({ length: 12 }, (_, i) => makeRecords(values.slice(i * 4000, (i + 1) * 4000)));
}

const pool = await recordPool();
const engine = createEnginePool(1, engineThreadOptions(256));
const samples: { atMs: number; mb: number }[] = [];
const begin = performance.now();
const totalMs = minutes * 60_000;
const days = new Days(totalMs, 2);
let nextSample = 0;
let rows = 0;
let windows = 0;
let contract = await contractOf(0);
let schema = schemaOfContract(contract, null).schema;

while (performance.now() - begin < totalMs) {
  const atMs = performance.now() - begin;
  const traffic = days.trafficAt(atMs);
  if (windows % 200 === 199) {
    contract = await contractOf(windows);
    schema = schemaOfContract(contract, null).schema;
  }
  const window = engine.open({ contract, schema, kind: "compiled" });
  const runs = Math.max(1, Math.round(20 * traffic));
  for (let i = 0; i < runs; i++) {
    await window.room();
    void window.add([pool[(windows + i) % pool.length] as Records]);
    rows += 4000;
  }
  await window.settle(Date.now());
  windows++;
  // Quiet hours have idle time.
  if (traffic < 0.5) await new Promise((resolve) => setTimeout(resolve, 50 * (0.5 - traffic)));
  if (atMs >= nextSample) {
    nextSample = atMs + sampleMs;
    samples.push({ atMs, mb: process.memoryUsage.rss() / 2 ** 20 });
    if (samples.length % 15 === 0)
      console.log(`hour ${days.hourAt(atMs).toFixed(1)}: ${rows} rows, ${windows} windows, ${Math.round(samples.at(-1)?.mb ?? 0)} MB`);
  }
}
await engine.close();
console.log(`${rows} rows in ${windows} windows, ${Math.round(rows / (totalMs / 1000))} rows a second`);
const passed = days.isFlat(samples);
console.log(passed ? "1 passed, 0 failed" : "0 passed, 1 failed");
process.exit(passed ? 0 : 1);
