import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { consumptionSchema, createConsumptionLog } from "../../../src/adapters/catalog/consumption-table.ts";
import { SqliteDatabase } from "../../../src/adapters/catalog/sqlite-database.ts";
import type { Consumption, ConsumptionFilter, ConsumptionLog } from "../../../src/core/consumption.ts";

let folder: string;
let database: SqliteDatabase;
let log: ConsumptionLog;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-consumption-"));
  database = await SqliteDatabase.open({ file: join(folder, "c.db"), random: Math.random, busyMsMax: 5000 }, consumptionSchema);
  log = createConsumptionLog(database, "sluice.db");
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const reading = (change: Partial<Consumption>): Consumption => ({
  dataset: "orders",
  snapshotId: "9223372036854775807",
  kind: "load",
  reader: "spark",
  job: null,
  runId: null,
  atMs: 1000,
  details: {},
  ...change,
});

const answer = (dataset: string | null, filter?: ConsumptionFilter): Promise<Consumption[]> => Array.fromAsync(log.of(dataset, filter));

it("answers what was recorded, in its order, whole", async () => {
  const first = reading({ details: { userAgent: 'it\'s "quoted"' } });
  const second = reading({ dataset: "users", kind: "scan", job: "train", runId: "7", atMs: 900 });
  await log.record([first]);
  await log.record([second]);
  await log.record([]);
  expect(await answer(null)).toEqual([first, second]);
  expect(await answer("orders")).toEqual([first]);
});

it("restricts by every part of a filter", async () => {
  const readings = [
    reading({ snapshotId: "1", kind: "load", reader: "a", job: "x", runId: "r1", atMs: 10 }),
    reading({ snapshotId: "2", kind: "scan", reader: "b", job: "y", runId: "r2", atMs: 20 }),
    reading({ snapshotId: "3", kind: "declared", reader: "c", job: null, runId: null, atMs: 30 }),
  ];
  await log.record(readings);
  const found = async (filter: ConsumptionFilter): Promise<string[]> => (await answer(null, filter)).map((one) => one.snapshotId);
  expect(await found({ snapshotIds: ["1", "3"] })).toEqual(["1", "3"]);
  expect(await found({ snapshotIds: [] })).toEqual([]);
  expect(await found({ kinds: ["scan", "declared"] })).toEqual(["2", "3"]);
  expect(await found({ reader: "a" })).toEqual(["1"]);
  expect(await found({ job: "y" })).toEqual(["2"]);
  expect(await found({ runId: "r1" })).toEqual(["1"]);
  expect(await found({ sinceMs: 20 })).toEqual(["2", "3"]);
  expect(await found({ untilMs: 20 })).toEqual(["1"]);
  expect(await found({ sinceMs: 0, untilMs: 11, kinds: ["scan"] })).toEqual([]);
});

it("reads a long record page by page, and keeps lakes apart", async () => {
  const many = Array.from({ length: 2500 }, (_, i) => reading({ snapshotId: String(i) }));
  await log.record(many);
  await createConsumptionLog(database, "other.db").record([reading({})]);
  expect(await answer("orders")).toEqual(many);
});
