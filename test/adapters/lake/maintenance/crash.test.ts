import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { expectConserved } from "../conservation.ts";
import { collect, makeWindow, moveLake, openLake, row, scratchFolder } from "../lake-fixture.ts";
import { operations, positionOf } from "../lake-worker.ts";
import { readBranch } from "../table-content.ts";
import { runWorker } from "../worker-process.ts";

/** Small files, old snapshots, and a value to erase: on main, in quarantine and in a held window. */
async function prepare(folder: string): Promise<number> {
  const lake = await openLake(folder);
  await operations["create"]!(lake);
  for (const verdict of ["promote-and-quarantine-rows", "promote-and-quarantine-rows", "hold"] as const) {
    const from = await positionOf(lake, 0);
    const values = [row(Number(from), "Erika"), row(Number(from) + 1), "bad Erika", "bad"];
    await lake.commitWindow(makeWindow({ id: `w${from}`, from, values, rejected: [2, 3], verdict }));
  }
  const commits = (await collect(lake.history("orders", 0n))).length;
  await lake.close();
  return commits;
}

function filesWith(folder: string, text: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.includes(".db"),
  );
  return files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => readFileSync(path).includes(text));
}

/** That main's rows stand in the archive, each file whole, and nothing else once orphans are removed. */
async function expectArchived(folder: string): Promise<void> {
  const lake = await openLake(folder);
  await lake.maintenance.removeOrphans(0, false);
  await lake.close();
  const { files, promoted } = await readBranch(folder, "orders");
  const archived = files.filter((uri) => uri.startsWith(`file://${folder}/cold/`));
  const there = readdirSync(join(folder, "cold"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(there.map((entry) => `file://${join(entry.parentPath, entry.name)}`).toSorted()).toEqual(archived.toSorted());
  expect([archived.length, promoted.length]).toEqual([2, 4]);
}

/** Steps of each operation that are tried: all of them in `npm run test:crash`. */
const isEveryStep = process.env["SLUICE_EVERY_STEP"] === "1";

/** Every step of expiry; every so many of the others, whose steps repeat for each file and branch. */
it.each([
  ["compact", 3, 8],
  ["expire", 1, 3],
  ["erase", 6, 12],
  ["retain", 4, 4],
  ["archive", 2, 3],
])("survives kill -9 at steps of %s, and is finished by the next run", { timeout: 600_000 }, async (operation, stride, stepsMin) => {
  let step = 1;
  for (let killed = true; killed; step += isEveryStep ? 1 : stride) {
    using scratch = scratchFolder();
    const { folder } = scratch;
    moveLake(folder, { archives: [{ name: "cold", folder: join(folder, "cold"), s3: null }] });
    const commits = await prepare(folder);
    ({ killed } = await runWorker(folder, operation, step));
    await expectConserved(folder);
    const lake = await openLake(folder);
    expect(await collect(lake.history("orders", 0n))).toHaveLength(commits);
    await operations[operation]!(lake);
    expect(await collect(lake.history("orders", 0n))).toHaveLength(commits);
    await lake.close();
    await expectConserved(folder);
    if (operation === "erase") expect(filesWith(folder, "Erika")).toEqual([]);
    if (operation === "retain") expect((await readBranch(folder, "orders")).files).toEqual([]);
    if (operation === "archive") await expectArchived(folder);
  }
  expect(step).toBeGreaterThan(stepsMin);
});
