import { expect, it } from "vitest";
import { expectConserved } from "./conservation.ts";
import { openLake, partitions, scratchFolder, startedLake } from "./lake-fixture.ts";
import { operations, positionOf } from "./lake-worker.ts";
import { runWorker } from "./worker-process.ts";

/** What must be there for an operation to have something to do. */
async function prepare(folder: string, operation: string): Promise<void> {
  const lake = await openLake(folder);
  await operations["create"]!(lake);
  const held = (await lake.held("orders")).length;
  if ((operation === "publish" || operation === "drop") && held === 0) await operations["hold"]!(lake);
  if (operation === "replay" && held === 0) {
    await operations["hold"]!(lake);
    await operations["drop"]!(lake);
  }
  // Something to withdraw, and something withdrawn.
  if (operation === "rollback" || operation === "rollforward" || operation === "tag") await operations["window"]!(lake);
  if (operation === "rollforward" && (await lake.refs.rollbacks("orders")).length === 0) {
    await operations["window"]!(lake);
    await operations["rollback"]!(lake);
  }
  await lake.close();
}

it("survives kill -9 at every step of making the tables", { timeout: 300_000 }, async () => {
  using scratch = scratchFolder();
  let step = 1;
  while ((await runWorker(scratch.folder, "create", step)).killed) step++;
  expect(step).toBeGreaterThan(4);
  const lake = await openLake(scratch.folder);
  await operations["window"]!(lake);
  expect(await positionOf(lake, 0)).toBe(4n);
  await lake.close();
  await expectConserved(scratch.folder);
});

it.each([
  ["window", 8],
  ["hold", 8],
  ["publish", 8],
  ["drop", 8],
  ["replay", 8],
  ["rollback", 5],
  ["rollforward", 6],
  ["tag", 3],
])("survives kill -9 at every step of %s", { timeout: 600_000 }, async (operation, stepsMin) => {
  using scratch = scratchFolder();
  const { folder } = scratch;
  let step = 0;
  for (let killed = true; killed;) {
    step++;
    await prepare(folder, operation);
    ({ killed } = await runWorker(folder, operation, step));
    // What was under way when the process died is done wholly or not at all.
    await expectConserved(folder);
  }
  expect(step).toBeGreaterThan(stepsMin);
});

it("loses and doubles nothing with three processes on the same partitions, killed at random", { timeout: 600_000 }, async () => {
  using scratch = scratchFolder();
  const { folder } = scratch;
  await (await startedLake(folder)).close();
  const end = 4 * 15;
  // Two processes share partition 0: each one's windows make the other's lose.
  const jobs = [0, 0, 1].map(async (partition, index) => {
    for (let round = 0; ; round++) {
      const kill = round < 4 ? 3 + ((index * 7 + round * 11) % 40) : 0;
      const { killed, output } = await runWorker(folder, "commit-up-to", kill, [String(partition), String(end)]);
      if (!killed) return Number(output);
    }
  });
  const lost = await Promise.all(jobs);
  const counts = await expectConserved(folder);
  expect(counts).toEqual({ promoted: (end / 4) * 3 * 2, open: (end / 4) * 2 });
  const lake = await openLake(folder);
  for (const partition of [0, 1]) expect(await positionOf(lake, partition)).toBe(BigInt(end));
  expect(await positionOf(lake, partitions.length - 1)).toBe(0n);
  await lake.close();
  console.log(`windows lost to the other worker: ${lost.join(", ")}`);
});
