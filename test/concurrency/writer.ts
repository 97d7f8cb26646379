/** One process on a shared table: `writer.ts OPTIONS ROLE INDEX SECONDS`, options as JSON. Its last line says what it did, as JSON. */
import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../src/core/errors.ts";
import { createLake, type LakeOptions } from "../../src/adapters/lake/lake.ts";
import type { Lake } from "../../src/core/ports.ts";
import { makeWindow, partitions, row } from "../adapters/lake/lake-fixture.ts";

/** What one process did. */
export interface Tally {
  readonly role: "writer" | "compactor" | "expirer";
  /** Commits that took effect, how long each took, ms, and in how many tries. */
  readonly latenciesMs: number[];
  readonly attempts: number[];
  /** Windows that another writer of the same partition had before. */
  lost: number;
  /** Tries that were given up: others were first for too long. */
  conflicts: number;
  files: number;
  snapshots: number;
}

const by = { author: "test", reason: "test" };

async function write(lake: Lake, index: number, tally: Tally, round: number): Promise<void> {
  const partition = index % partitions.length;
  const from = (await lake.state("orders")).positions.find((each) => each.partition === partition)?.next as bigint;
  const n = Number(from);
  const values = [row(n), `bad ${n}`, row(n + 2), row(n + 3)];
  const isHeld = round % 25 === 24;
  const id = `w${index}-${n}-${process.pid}`;
  const commit = makeWindow({ id, partition, from, values, rejected: [1], ...(isHeld && { verdict: "hold" as const }) });
  const start = performance.now();
  const result = await lake.commitWindow(commit);
  if (result.status === "lost") {
    tally.lost++;
    return;
  }
  tally.latenciesMs.push(performance.now() - start);
  tally.attempts.push(result.attempts);
  if (isHeld) await (round % 2 === 0 ? lake.publishHeld("orders", id, by) : lake.dropHeld("orders", id, by));
}

async function step(lake: Lake, index: number, tally: Tally, round: number): Promise<void> {
  switch (tally.role) {
    case "writer":
      await write(lake, index, tally, round);
      await sleep(Math.random() * 100);
      break;
    case "compactor": {
      const start = performance.now();
      for (const { snapshotId, filesBefore, attempts } of await lake.maintenance.compact(
        "orders",
        { fileBytesTarget: 1 << 27, filesMin: 4 },
        false,
      )) {
        if (snapshotId === null) continue;
        tally.latenciesMs.push(performance.now() - start);
        tally.attempts.push(attempts);
        tally.files += filesBefore;
      }
      await sleep(200 + Math.random() * 500);
      break;
    }
    case "expirer": {
      const start = performance.now();
      const { snapshots, files } = await lake.maintenance.expire("orders", { snapshotAgeMsMax: 2000, snapshotsMin: 5 }, false);
      if (snapshots.promoted > 0) tally.latenciesMs.push(performance.now() - start);
      tally.snapshots += snapshots.promoted + snapshots.quarantine;
      tally.files += files;
      await sleep(500);
      break;
    }
  }
}

if (import.meta.main) {
  const [options, role, index, seconds] = process.argv.slice(2) as [string, Tally["role"], string, string];
  const lake = await createLake({ ...(JSON.parse(options) as Omit<LakeOptions, "clock">), clock: { now: () => Date.now() } });
  const tally: Tally = { role, latenciesMs: [], attempts: [], lost: 0, conflicts: 0, files: 0, snapshots: 0 };
  const until = performance.now() + Number(seconds) * 1000;
  for (let round = 0; performance.now() < until; round++) {
    try {
      await step(lake, Number(index), tally, round);
    } catch (fault) {
      if (!(fault instanceof SluiceError) || fault.code !== "COMMIT_CONFLICT") throw fault;
      tally.conflicts++;
    }
  }
  await lake.close();
  process.stdout.write(`${JSON.stringify(tally)}\n`);
}
