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

/**
 * A day in twenty minutes: flights go through an engine thread at full speed, thinned out as a day's traffic is (nights are a tenth of noon), with a share of bad and of
 * very large records, windows of changing size, and a new contract now and then. Fails where resident memory still rises once it is warm.
 */
const minutes = Number(process.env["SLUICE_SOAK_MINUTES"] ?? "20");
/** Resident memory may rise by this much a minute, measured over all but the first third: the noise of the collector. */
const slopeMbMax = 1;
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

/** Least squares: megabytes a minute. */
function slopeOf(samples: readonly { readonly atMs: number; readonly mb: number }[]): number {
  const n = samples.length;
  const meanX = samples.reduce((sum, { atMs }) => sum + atMs / 60_000, 0) / n;
  const meanY = samples.reduce((sum, { mb }) => sum + mb, 0) / n;
  let above = 0;
  let below = 0;
  for (const { atMs, mb } of samples) {
    above += (atMs / 60_000 - meanX) * (mb - meanY);
    below += (atMs / 60_000 - meanX) ** 2;
  }
  return above / below;
}

const pool = await recordPool();
const engine = createEnginePool(1, engineThreadOptions(256));
const samples: { atMs: number; mb: number }[] = [];
const begin = performance.now();
const totalMs = minutes * 60_000;
let nextSample = 0;
let rows = 0;
let windows = 0;
let contract = await contractOf(0);
let schema = schemaOfContract(contract, null).schema;

while (performance.now() - begin < totalMs) {
  const atMs = performance.now() - begin;
  const hour = (atMs / totalMs) * 24;
  const traffic = 0.55 - 0.45 * Math.cos(((hour - 1) / 24) * 2 * Math.PI);
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
      console.log(`hour ${hour.toFixed(1)}: ${rows} rows, ${windows} windows, ${Math.round(samples.at(-1)?.mb ?? 0)} MB`);
  }
}
await engine.close();
const warm = samples.filter(({ atMs }) => atMs > totalMs / 3);
const slope = slopeOf(warm);
const peak = Math.max(...samples.map(({ mb }) => mb));
console.log(
  `${rows} rows in ${windows} windows, ${Math.round(rows / (totalMs / 1000))} rows a second; peak ${Math.round(peak)} MB, slope ${slope.toFixed(2)} MB a minute`,
);
const passed = slope <= slopeMbMax;
console.log(passed ? "1 passed, 0 failed" : "0 passed, 1 failed");
process.exit(passed ? 0 : 1);
