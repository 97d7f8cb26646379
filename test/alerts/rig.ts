import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const sluiceFile = resolve(import.meta.dirname, "../../bin/sluice");

/** What a dataset's contract of the alert runs says: rows, rules that quarantine and hold, drift of `amount`. */
export function contractOf(
  dataset: string,
  options: { readonly windowRows?: number; readonly windowSeconds?: number; readonly version?: number; readonly drift?: boolean } = {},
): string {
  const { windowRows = 2000, windowSeconds = 5, version = 1, drift = true } = options;
  const driftCheck = `
          drift:
            mode: each-tick
            tick: { rows: 60, seconds: 5 }
            warmupWindows: 5
            columns: [{ column: amount, tests: [psi], policy: warn }]`;
  return `apiVersion: v3.1.0
kind: DataContract
id: 3f0c9a52-1f9e-4d0a-8b35-${String(version).padStart(12, "0")}
name: ${dataset} of the alert runs
version: 1.0.${version}
status: active
schema:
  - name: ${dataset}
    physicalName: ${dataset}
    physicalType: topic
    logicalType: object
    customProperties:
      - property: sluice
        value:
          window: { rows: ${windowRows}, seconds: ${windowSeconds} }${drift ? driftCheck : ""}
    properties:
      - name: id
        logicalType: integer
        required: true
      - name: customer
        logicalType: string
        quality:
          - { metric: nullValues, mustBeLessThan: 50, unit: percent, severity: error }
      - name: amount
        logicalType: number
        required: true
        logicalTypeOptions: { minimum: 0 }
`;
}

/** A `sluice run` of its own configuration, in a folder of its own. */
export class WorkerProcess {
  readonly configFile: string;
  readonly #folder: string;
  #child: ChildProcess | null = null;

  constructor(folder: string, config: string, contracts: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.configFile = join(folder, "sluice.yaml");
    mkdirSync(folder, { recursive: true });
    writeFileSync(this.configFile, config);
    for (const [dataset, text] of Object.entries(contracts)) this.writeContract(dataset, text);
  }

  writeContract(dataset: string, text: string): void {
    writeFileSync(join(this.#folder, `${dataset}.odcs.yaml`), text);
  }

  start(): void {
    const child = spawn(sluiceFile, ["run", "--config", this.configFile], { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.pipe(createWriteStream(join(this.#folder, "worker.log"), { flags: "a" }));
    this.#child = child;
  }

  /** Ends it as said, and resolves when it is gone. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((settle) => child.once("exit", settle));
    child.kill(signal);
    await gone;
  }

  /** Runs another command on the same lake; answers what it printed. Throws where it fails. */
  command(...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(sluiceFile, [...args, "--config", this.configFile], { encoding: "utf8" });
    // 3: there are findings.
    if (status !== 0 && status !== 3) throw new Error(`sluice ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
    return stdout;
  }
}

/** One sample of a scrape: the series as `name{label="value",...}`, labels in the order in which they are exposed. */
export type Scrape = ReadonlyMap<string, number>;

/** Scrapes an endpoint as Prometheus does; null where it does not answer. */
export async function scrape(port: number): Promise<Scrape | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(10_000) });
    const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      lines.map((line) => {
        const end = line.lastIndexOf(" ");
        return [line.slice(0, end), Number(line.slice(end + 1))];
      }),
    );
  } catch {
    return null;
  }
}

/** Waits until something holds; throws after ten minutes. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 600_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`did not come about: ${what}`);
    await sleep(250);
  }
}
