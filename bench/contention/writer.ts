/** One process that commits windows of its own partition: `writer.ts FOLDER PARTITION SECONDS DELAY_MS`; its last line has what it took, as JSON. */
import { setTimeout as sleep } from "node:timers/promises";
import { makeWindow, row } from "../../test/adapters/lake/lake-fixture.ts";
import { newMeter, openMetered } from "./commit-costs.ts";

/** ms of each commit, and its tries. */
export interface Written {
  readonly latenciesMs: number[];
  readonly attempts: number[];
}

if (import.meta.main) {
  const [folder, partition, seconds, delayMs] = process.argv.slice(2) as [string, string, string, string];
  const lake = await openMetered(folder, {}, newMeter({ storageMs: Number(delayMs), catalogMs: 0 }));
  const written: Written = { latenciesMs: [], attempts: [] };
  const until = performance.now() + Number(seconds) * 1000;
  for (let from = 0n; performance.now() < until; from += 2n) {
    await sleep(Math.random() * 100);
    const id = `w${partition}-${from}`;
    const window = makeWindow({ id, partition: Number(partition), from, values: [row(1), "bad"], rejected: [1] });
    const startMs = performance.now();
    const result = await lake.commitWindow(window);
    if (result.status === "lost") throw new Error(`window ${id} of a partition of its own was lost: ${result.message}`);
    written.latenciesMs.push(performance.now() - startMs);
    written.attempts.push(result.attempts);
  }
  await lake.close();
  process.stdout.write(`${JSON.stringify(written)}\n`);
}
