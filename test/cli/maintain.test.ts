import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/config.ts";
import type { Incident } from "../../src/core/incident.ts";
import { incidentPlanDefault } from "../../src/core/incident.ts";
import { emptyIncidentState, foldWindow } from "../../src/incidents/index.ts";
import { drifting, makeWindow as incidentWindow } from "../incidents/make-window.ts";
import type { GateEvent } from "../../src/core/events.ts";
import type { StepOutcome } from "../../src/cli/maintenance-pass.ts";
import { maintain } from "../../src/cli/maintenance-pass.ts";
import { startMaintenance } from "../../src/cli/maintenance-thread.ts";
import { makeWindow, openLake, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { odcs } from "../adapters/lake/odcs-fixture.ts";
import { readBranch } from "../adapters/lake/table-content.ts";
import { sluice } from "./sluice.ts";

/** A lake with small files of five windows, and its configuration. */
async function makeLake(folder: string, maintenance: string): Promise<string> {
  const lake = await startedLake(folder);
  for (let i = 0; i < 5; i++)
    await lake.commitWindow(makeWindow({ id: `w${i}`, from: BigInt(i * 2), values: [row(i), "bad"], rejected: [1] }));
  await lake.close();
  writeFileSync(join(folder, "orders.odcs.yaml"), (await odcs(1, ["{ name: n, logicalType: integer }"])).text);
  const file = join(folder, "sluice.yaml");
  const lakeSection = `lake: { folder: ${folder}, catalog: ${join(folder, "catalog.db")}, namespace: db }`;
  writeFileSync(
    file,
    `${lakeSection}\nsource: { kind: files, paths: [x.ndjson] }\ndatasets: [{ contract: orders.odcs.yaml }]\nmaintenance: { ${maintenance} }\n`,
  );
  return file;
}

it("compacts, expires and cleans up from the command line, and only says so in a dry run", async () => {
  using scratch = scratchFolder();
  const config = await makeLake(scratch.folder, "filesMin: 2, snapshotsMin: 1, snapshotAgeMsMax: 60000");
  const before = await readBranch(scratch.folder, "orders");
  const command = (...args: string[]): ReturnType<typeof sluice> => sluice(["maintain", ...args, "--config", config]);

  const dry = await command("run", "--dry-run");
  expect(dry).toMatchObject({ code: 0, err: "" });
  expect(dry.out).toContain("orders: would make 5 files into 1");
  expect(dry.out).toContain("orders quarantine: would make 5 files into 1");
  expect(await readBranch(scratch.folder, "orders")).toEqual(before);

  const compacted = await command("compact", "--json");
  const reports = JSON.parse(compacted.out) as { dataset: string; table: string; filesAfter: number; rows: string }[];
  expect(reports.map(({ dataset, table, filesAfter, rows }) => [dataset, table, filesAfter, rows])).toEqual([
    ["orders", "promoted", 1, "5"],
    ["orders", "quarantine", 1, "5"],
  ]);
  expect((await command("compact")).out).toBe("orders: nothing to compact\norders quarantine: nothing to compact\n");

  expect((await command("expire")).out).toMatch(/^orders: expired 0 snapshots and 0 of quarantine/);
  await sleep(1100);
  const expired = JSON.parse((await command("expire", "--older-than", "1s", "--keep", "1", "--json")).out) as {
    snapshots: unknown;
    files: number;
  }[];
  // All but main's newest: five windows, their activation and start; quarantine has windows only.
  expect(expired[0]?.snapshots).toEqual({ promoted: 6, quarantine: 5 });
  expect(expired[0]?.files).toBeGreaterThan(20);
  const after = await readBranch(scratch.folder, "orders");
  expect([after.promoted, after.quarantined]).toEqual([before.promoted, before.quarantined]);
  expect((await command("statistics")).out).toMatch(
    /^orders: described snapshot \d+ \(read 5 rows of 1 files, of 1\)\n.*distinct values.*\nn +5\n/,
  );
  const [described] = JSON.parse((await command("statistics", "--json")).out) as { isCurrent: boolean; filesRead: number }[];
  expect(described).toMatchObject({ dataset: "orders", isCurrent: true, filesRead: 0, rowsRead: "0", columns: [] });
  expect((await command("orphans", "--grace", "1m")).err).toContain("1h at least");
  expect((await command("orphans", "--dry-run", "--grace", "30d")).out).toBe("would remove 0 files that nothing names (0 B)\n");
  expect((await sluice(["snapshots", "--config", config])).out).toContain("compact");
  expect((await sluice(["trace", "record", "orders:0:0", "--config", config])).out).toContain("orders:0:0  promoted");
  expect((await sluice(["status", "--config", config])).code).toBe(0);
});

it("erases from the command line: dry, refused without a reason, and for good", async () => {
  using scratch = scratchFolder();
  const config = await makeLake(scratch.folder, "");
  const command = (...args: string[]): ReturnType<typeof sluice> => sluice(["erase", ...args, "--config", config]);
  expect((await command("--where", "s = 's3'", "--dry-run")).err).toContain("ERASURE_REFUSED");
  const lake = await openLake(scratch.folder);
  await lake.commitWindow(
    makeWindow({ id: "w9", from: 10n, values: [row(77, "Erika Mustermann"), "bad Erika Mustermann"], rejected: [1] }),
  );
  await lake.close();
  expect((await command("--where", "s = Erika Mustermann", "--dry-run")).out).toBe("would erase 2 records, in 2 files\n");
  expect(await command("--where", "s = Erika Mustermann")).toMatchObject({ code: 2, out: "" });
  expect(await command("--reason", "r")).toMatchObject({ code: 2 });
  const erased = await command("--where", "s = 'Erika Mustermann'", "--reason", "request 1");
  expect(erased).toMatchObject({ code: 0, err: "" });
  expect(erased.out).toContain("erased 2 records: 1 promoted, 0 held, 1 quarantined rows");
  expect(erased.out).toMatch(/read \d+ files of both tables afterwards: none has the value/);
  expect(erased.out).not.toContain("Erika");
  const after = await readBranch(scratch.folder, "orders");
  expect([after.promoted.length, after.quarantined.length]).toEqual([5, 5]);
});

it("removes old incidents from the command line and at its interval, but those that the fold has in hand", async () => {
  using scratch = scratchFolder();
  const config = await makeLake(scratch.folder, "incidentAgeMsMax: 86400000");
  const lake = await openLake(scratch.folder);
  const opened = foldWindow(emptyIncidentState("orders"), incidentWindow(1, drifting(["n"], "warn")), incidentPlanDefault);
  const base = opened.changed[0] as Incident;
  const now = Date.now();
  const days = (count: number): number => now - count * 86_400_000;
  const over = (id: string, closedAtMs: number): Incident => ({ ...base, id, dataset: "orders", status: "resolved", closedAtMs });
  const incidents = [over("inc-a", days(400)), over("inc-b", days(40)), over("inc-c", days(2)), over("inc-live", days(400))];
  const state = JSON.stringify({ ...opened.state, live: [incidents[3]] });
  const notice = { id: "inc-a/1/opened", kind: "opened", atMs: 1, severityBefore: null, incident: incidents[0]! } as const;
  await lake.incidents.keep("orders", 0, { state, notes: [], notices: [{ number: 2, notice }], incidents });
  const ids = async (): Promise<string[]> => (await lake.incidents.incidents("orders")).map(({ id }) => id).toSorted();
  const command = (...args: string[]): ReturnType<typeof sluice> => sluice(["maintain", "incidents", ...args, "--config", config]);
  expect((await command("--older-than", "1h")).err).toContain("1d at least");
  expect((await command("--older-than", "90d", "--dry-run")).out).toBe("orders: would remove 1 old incidents with 1 notices\n");
  expect(JSON.parse((await command("--older-than", "90d", "--json")).out)).toEqual([
    { dataset: "orders", dryRun: false, incidents: 1, notices: 1 },
  ]);
  expect(await ids()).toEqual(["inc-b", "inc-c", "inc-live"]);
  const { config: loaded } = loadConfig(config, {});
  const told: StepOutcome[] = [];
  const pass = (nowMs: number): Promise<void> =>
    maintain({
      lake,
      settings: loaded.maintenance,
      datasets: ["orders"],
      holder: "t",
      now: () => nowMs,
      retention: async () => null,
      tell: (outcome) => void told.push(outcome),
    });
  await pass(now);
  await pass(now + loaded.maintenance.intervalMs + 1);
  expect(told.filter(({ step }) => step === "incidents")).toMatchObject([{ kind: "done", dataset: "orders", incidents: 2 }]);
  expect(await ids()).toEqual(["inc-live"]);
  await lake.close();
});

/** Runs maintenance until an event comes that is wanted. */
async function until(config: Config, wanted: (event: GateEvent) => boolean): Promise<GateEvent[]> {
  const events: GateEvent[] = [];
  const maintenance = startMaintenance({ config, datasets: ["orders"], holder: "test" }, (event) => events.push(event));
  for (const start = performance.now(); !events.some(wanted) && performance.now() - start < 20_000;) await sleep(50);
  await maintenance.stop();
  return events;
}

it("does the same in a thread of a worker, once an interval, and is told when it fails", async () => {
  using scratch = scratchFolder();
  const { config } = loadConfig(await makeLake(scratch.folder, "filesMin: 2, intervalMs: 1000"), {});
  const events = await until(config, (event) => event.type === "maintenance.done" && event.step === "orphans");
  const steps = events.map((event) => (event.type === "maintenance.done" ? [event.step, event.dataset, event.files] : event));
  const expiry = ["expire", "orders", 0];
  // Looks between two intervals expire as well: there are as many as the machine is fast.
  const isExpiry = (step: unknown): boolean => JSON.stringify(step) === JSON.stringify(expiry);
  expect(steps.filter((step) => !isExpiry(step))).toEqual([
    ["compact", "orders", 10],
    ["incidents", "orders", 0],
    ["orphans", null, 0],
  ]);
  const compacted = steps.findIndex((step) => !isExpiry(step));
  expect(steps[compacted + 1]).toEqual(expiry);
  const lake = await openLake(scratch.folder);
  expect((await lake.state("orders")).positions[0]?.next).toBe(10n);
  await lake.close();
  // Another worker has the lease: it is left to that one, without a word.
  const other = await openLake(scratch.folder);
  for (const dataset of ["orders", ""]) await other.cursors.acquire("maintenance", dataset, "another", 60_000);
  const quiet: GateEvent[] = [];
  const waiting = startMaintenance({ config, datasets: ["orders"], holder: "test" }, (event) => quiet.push(event));
  await sleep(2500);
  await waiting.stop();
  expect(quiet).toEqual([]);
  await other.close();

  const broken: Config = { ...config, lake: { ...config.lake, catalog: join(scratch.folder, "sluice.yaml") } };
  const failures = await until(broken, (event) => event.type === "maintenance.failed");
  expect(failures[0]).toMatchObject({ type: "maintenance.failed", error: { code: "MAINTENANCE_FAILED" } });
});

it("expires more snapshots than are to stay between its intervals too", async () => {
  using scratch = scratchFolder();
  const config = await makeLake(scratch.folder, "snapshotsMax: 20, snapshotsMin: 1");
  const { config: loaded } = loadConfig(config, {});
  const lake = await openLake(scratch.folder);
  for (let i = 5; i < 30; i++)
    await lake.commitWindow(makeWindow({ id: `w${i}`, from: BigInt(2 * i), values: [row(i), "bad"], rejected: [1] }));
  const told: StepOutcome[] = [];
  let nowMs = Date.now();
  const pass = (): Promise<void> =>
    maintain({
      lake,
      settings: loaded.maintenance,
      datasets: ["orders"],
      holder: "t",
      now: () => nowMs,
      retention: async () => null,
      tell: (outcome) => void told.push(outcome),
    });
  await pass();
  expect(told).toEqual([]);
  nowMs += 60_000;
  await pass();
  expect(told).toMatchObject([{ kind: "done", step: "expire", dataset: "orders" }]);
  expect((await lake.snapshots("orders")).length).toBe(20);
  await lake.close();
});
