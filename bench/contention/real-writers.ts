import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lake } from "../../src/core/ports.ts";
import { contract, openLake, partitions } from "../../test/adapters/lake/lake-fixture.ts";
import { expiryPolicy } from "./commit-costs.ts";
import type { Contended } from "./simulate.ts";
import type { Written } from "./writer.ts";

export const realWriters = partitions.length;
/** Each is back within so many ms. */
export const realRestMsMax = 100;

const expiryMs = 5000;

/** Runs work while the table is kept as small as the one that commits were measured on. */
async function expiring<T>(lake: Lake, work: () => Promise<T>): Promise<T> {
  const until = new AbortController();
  const expiry = (async () => {
    while (!until.signal.aborted) {
      await sleep(expiryMs, undefined, { signal: until.signal }).catch(() => undefined);
      await lake.maintenance.expire("orders", expiryPolicy, false);
    }
  })();
  try {
    return await work();
  } finally {
    until.abort();
    await expiry;
  }
}

/** As many processes as there are partitions, each committing windows of its own to one table for a while, with storage that takes `delayMs` longer. */
export async function runRealWriters(order: "race" | "queue", seconds: number, delayMs: number): Promise<Omit<Contended, "busy">> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-writers-"));
  try {
    // Where a folder stands in the file's place nobody has turns.
    if (order === "race") mkdirSync(join(folder, "catalog.db.turns"));
    const lake = await openLake(folder);
    await lake.activate(contract);
    await lake.recordStart(
      "orders",
      partitions.map((key) => ({ ...key, next: 0n })),
    );
    const program = fileURLToPath(new URL("writer.ts", import.meta.url));
    const write = promisify(execFile);
    const outputs = await expiring(lake, () =>
      Promise.all(
        partitions.map(({ partition }) =>
          write(process.execPath, [program, folder, String(partition), String(seconds), String(delayMs)], { maxBuffer: 1 << 26 }),
        ),
      ),
    );
    await lake.close();
    const written = outputs.map(({ stdout }) => JSON.parse(stdout) as Written);
    const all = (key: keyof Written): number[] => written.flatMap((each) => each[key]).toSorted((a, b) => a - b);
    return { latenciesMs: all("latenciesMs"), attempts: all("attempts"), lost: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
