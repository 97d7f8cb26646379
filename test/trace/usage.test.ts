import { expect, it } from "vitest";
import { datasetUsage } from "../../src/trace/dataset-usage.ts";
import { makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";

it("every file is counted once: in main, under another name, or under old snapshots alone", async () => {
  using scratch = scratchFolder();
  let nowMs = 1_800_000_000_000;
  const lake = await startedLake(scratch.folder, { clock: { now: () => nowMs++ } });
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), "bad", row(2)], rejected: [1] }));
  await lake.commitWindow(makeWindow({ id: "w2", from: 3n, values: [row(3)], verdict: "hold" }));
  await lake.commitWindow(makeWindow({ id: "w3", from: 4n, values: [row(4)], verdict: "hold" }));
  await lake.dropHeld("orders", "w3", { author: "ann", reason: "bad" });
  const before = await datasetUsage(lake, "orders", 1_800_000_000_000);
  expect(before).toMatchObject({
    isIdle: false,
    lastRead: null,
    readings: 0,
    tables: [
      { table: "promoted", main: { files: 1, rows: 2n }, named: { files: 1, rows: 1n }, older: { files: 1, rows: 1n } },
      // The dropped window's raw record has moved to main; the held one's waits on its branch.
      { table: "quarantine", main: { files: 2, rows: 2n }, named: { files: 1, rows: 1n }, older: { files: 0, rows: 0n, bytes: 0n } },
    ],
  });
  const each = before.tables.flatMap(({ main, named, older }) => [main.bytes, named.bytes, older.bytes]);
  expect(before.bytes).toBe(each.reduce((a, b) => a + b));
  const later = 1_900_000_000_000;
  expect((await datasetUsage(lake, "orders", later)).isIdle).toBe(true);
  const reading = { dataset: "orders", snapshotId: "1", kind: "scan" as const, reader: "duckdb", runId: null, details: {} };
  await lake.consumption.record([
    { ...reading, job: null, atMs: later - 1 },
    { ...reading, job: "report", atMs: later + 5 },
  ]);
  expect(await datasetUsage(lake, "orders", later)).toMatchObject({
    isIdle: false,
    readings: 1,
    lastRead: { atMs: later + 5, by: "report" },
  });
  await lake.close();
});
