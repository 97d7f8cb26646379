import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { Config } from "../../config/config.ts";
import { loadConfig } from "../../config/config.ts";

const contractFile = fileURLToPath(new URL("../../../schemas/examples/flights.odcs.yaml", import.meta.url));

/** A window of the whole demo; with fewer rows windows shrink, so that there are as many of them and drift has something to compare. */
const windowRowsMax = 10_000;
const windowRowsMin = 500;
const windowsMin = 34;
/** The least that brokers take: how long a killed worker's place in the group stays taken. */
const sessionTimeoutMs = 6000;

/** Puts the demo's own contract and configuration into its folder: files that a person can read, change and run `sluice run` with. */
export function writeSetting(
  folder: string,
  rows: number,
  source: { readonly brokers: readonly string[]; readonly topic: string } | { readonly files: string },
): void {
  const kafka = "brokers" in source;
  const windowRows = Math.min(windowRowsMax, Math.max(windowRowsMin, Math.floor(rows / windowsMin)));
  const text = readFileSync(contractFile, "utf8").replaceAll(`rows: ${windowRowsMax}`, `rows: ${windowRows}`);
  const contract = kafka ? text.replace("physicalName: flights", `physicalName: ${source.topic}`) : text;
  writeFileSync(join(folder, "flights.odcs.yaml"), contract);
  const document = {
    worker: "demo",
    lake: { folder: "lake" },
    source: kafka
      ? { kind: "kafka", brokers: source.brokers, group: `${source.topic}-gate`, sessionTimeoutMs }
      : { kind: "files", paths: [source.files] },
    datasets: [{ contract: "flights.odcs.yaml" }],
    ...(kafka && { dlq: { enabled: true } }),
    lineage: { transports: [{ kind: "file", path: "lineage.ndjson" }] },
    http: { enabled: false },
  };
  const comment = "# Written by `sluice demo`: what `sluice run --config` would take.\n";
  writeFileSync(join(folder, "sluice.yaml"), comment + stringify(document));
}

/** Points the configuration to where the broker is now: a demo that goes on may find it on another port. */
export function updateBrokers(folder: string, brokers: readonly string[]): void {
  const file = join(folder, "sluice.yaml");
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace(/ {2}brokers:\n(?: {4}- .*\n)+/, `  brokers:\n${brokers.map((one) => `    - ${one}\n`).join("")}`),
  );
}

/** The demo's configuration; only the demo's: the environment's overrides are for other workers. */
export function loadSetting(folder: string): Config {
  return loadConfig(join(folder, "sluice.yaml"), {}).config;
}
