import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import type { BenchResult, Spread } from "./bench.ts";
import { benches } from "./list.ts";

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

function cell(spread: Spread | null): string {
  return spread === null ? "" : `${figure(spread.min)} / ${figure(spread.median)} / ${figure(spread.max)}`;
}

function printTable(result: BenchResult): void {
  console.log(result.setup);
  for (const { title, rows } of result.tables ?? []) {
    console.log(title);
    console.table(rows);
  }
  if (result.measurements.length === 0) return;
  console.table(
    result.measurements.map((each) => ({
      contestant: each.name,
      "records/s min/median/max": cell(each.rate),
      "CPU s per million": cell(each.cpuSecondsPerMillion),
      "peak RSS MB": cell(each.peakRssMb),
    })),
  );
  console.table(
    result.comparisons.map((each) => ({
      comparison: each.name,
      "ratio min/median/max": cell(each.ratio),
      floor: each.floor,
      aim: each.aim,
    })),
  );
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(`no bench is named ${unknown.join(", ")}; there are ${benches.map((bench) => bench.name).join(", ")}`);
  process.exit(2);
}
const folder = new URL("results/", import.meta.url);
mkdirSync(folder, { recursive: true });
const { dependencies, devDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as Readonly<
  Record<"dependencies" | "devDependencies", Readonly<Record<string, string>>>
>;
let failed = 0;
for (const bench of benches) {
  if (wanted.length > 0 ? !wanted.includes(bench.name) : bench.onDemand === true) continue;
  console.log(`\n# ${bench.name}`);
  const result = await bench.run((line) => console.log(line));
  printTable(result);
  failed += result.comparisons.filter((each) => each.floor !== null && each.ratio.median < each.floor).length;
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: process.platform,
  };
  const record = {
    name: bench.name,
    ...result,
    machine,
    versions: { node: process.version, ...dependencies, ...devDependencies, ...result.versions },
    commit: commit(),
    date: new Date().toISOString(),
  };
  writeFileSync(new URL(`${bench.name}.json`, folder), `${JSON.stringify(record, null, 2)}\n`);
}
if (failed > 0) console.error(`${failed} ratios are below their floor`);
process.exitCode = failed > 0 ? 1 : 0;
