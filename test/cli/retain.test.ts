import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/config.ts";
import { maintain } from "../../src/cli/maintenance-pass.ts";
import type { StepOutcome } from "../../src/cli/maintenance-pass.ts";
import { retentionPolicies } from "../../src/cli/retention-policies.ts";
import { makeWindow, openLake, partitions, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { odcs } from "../adapters/lake/odcs-fixture.ts";
import { readBranch } from "../adapters/lake/table-content.ts";
import { sluice } from "./sluice.ts";

const columns = ["{ name: n, logicalType: integer }", "{ name: day, logicalType: date }"];
const settings = `{ retention: [${[
  "{ action: expire, olderThan: 3 y, column: day }",
  "{ action: archive, olderThan: 1 year, column: day, place: cold }",
  "{ action: expire, of: quarantine, olderThan: 5 years }",
].join(", ")}] }`;

/** A lake with rows of three ages in a file each, its contract in force, and its configuration. */
async function makeLake(folder: string): Promise<string> {
  const contract = await odcs(1, columns, settings);
  writeFileSync(join(folder, "orders.odcs.yaml"), contract.text);
  const lake = await openLake(folder);
  await lake.activate(contract);
  await lake.recordStart("orders", [{ ...partitions[0]!, next: 0n }]);
  const { schema, layout } = await lake.state("orders");
  for (const [i, yearsAgo] of [10, 2, 0].entries()) {
    const day = new Date(Date.now() - yearsAgo * 366 * 86_400_000).toISOString().slice(0, 10);
    const values = [JSON.stringify({ n: i, day }), "bad"];
    await lake.commitWindow(makeWindow({ id: `w${i}`, from: BigInt(i * 2), values, rejected: [1], contract, schema, layout }));
  }
  await lake.close();
  const file = join(folder, "sluice.yaml");
  writeFileSync(
    file,
    `lake: { folder: ., catalog: catalog.db, namespace: db, archives: [{ name: cold, folder: cold }] }
source: { kind: files, paths: [x.ndjson] }
datasets: [{ contract: orders.odcs.yaml }]
`,
  );
  return file;
}

it("retains and archives by the contract from the command line: first only said, then done, once", async () => {
  using scratch = scratchFolder();
  const config = await makeLake(scratch.folder);
  const command = (...args: string[]): ReturnType<typeof sluice> => sluice(["maintain", ...args, "--config", config]);
  const before = await readBranch(scratch.folder, "orders");
  expect((await command("retain", "--dry-run")).out).toMatch(
    /^orders: would take rows of 1 files \(1 rows, .*\) to expire rows: older than 3 years by day\norders quarantine: nothing to expire quarantine: older than 5 years\n$/,
  );
  expect((await command("archive", "--dry-run")).out).toContain("orders: would move 2 files");
  expect(await readBranch(scratch.folder, "orders")).toEqual(before);
  expect((await command("retain")).out).toContain("orders: took rows of 1 files");
  const moved = JSON.parse((await command("archive", "--json")).out) as unknown;
  expect(moved).toMatchObject([{ dataset: "orders", table: "promoted", action: "archive", files: 1, rows: 1, skipped: [] }]);
  const after = await readBranch(scratch.folder, "orders");
  expect(after.promoted.map((each) => each.split("=")[1])).toEqual(["1", "2"]);
  expect(after.files.filter((uri) => uri.startsWith(`file://${scratch.folder}/cold/`))).toHaveLength(1);
  expect((await command("archive")).out).toBe("orders: nothing to archive rows to cold: older than 1 year by day\n");
  // Another contract stands in the file than the one in force: nothing is done by it, and the other steps are.
  writeFileSync(join(scratch.folder, "orders.odcs.yaml"), (await odcs(2, columns, settings)).text);
  expect(await command("retain")).toMatchObject({ code: 1, out: "" });
  const run = await command("run");
  expect([run.code, run.err]).toEqual([0, expect.stringContaining("no rule to expire by was applied: RETENTION_REFUSED")]);
  expect(run.out).toContain("orders: expired");
});

it("is done by a worker's maintenance at its interval, and a contract that can't be read removes nothing", async () => {
  using scratch = scratchFolder();
  const { config } = loadConfig(await makeLake(scratch.folder), {});
  const lake = await openLake(scratch.folder, config.lake);
  const pass = async (nowMs: number): Promise<StepOutcome[]> => {
    const told: StepOutcome[] = [];
    const retention = async (dataset: string): ReturnType<Parameters<typeof maintain>[0]["retention"]> =>
      (await retentionPolicies(config)).get(dataset) ?? null;
    const tell = (outcome: StepOutcome): void => void told.push(outcome);
    await maintain({ lake, settings: config.maintenance, datasets: ["orders"], holder: "t", now: () => nowMs, retention, tell });
    return told;
  };
  const start = Date.now();
  await pass(start);
  const interval = config.maintenance.intervalMs + 1;
  const done = await pass(start + interval);
  expect(done.slice(0, 2)).toMatchObject([
    { kind: "done", step: "retain", dataset: "orders", files: 1 },
    { kind: "done", step: "archive", dataset: "orders", files: 1 },
  ]);
  writeFileSync(join(scratch.folder, "orders.odcs.yaml"), "schema: 1");
  const broken = await pass(start + 2 * interval);
  expect(broken.map(({ step, kind }) => [step, kind])).toEqual([
    ["retain", "failed"],
    ["compact", "done"],
    ["expire", "done"],
    ["incidents", "done"],
    ["orphans", "done"],
  ]);
  expect(broken[0]).toMatchObject({ code: "CONTRACT_INVALID" });
  await lake.close();
});
