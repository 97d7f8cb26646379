import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { SluiceError } from "../../../../src/core/errors.ts";
import type { Contract } from "../../../../src/core/contract.ts";
import type { Lake } from "../../../../src/core/ports.ts";
import type { RetentionPolicy, RetentionRule } from "../../../../src/core/retention.ts";
import { traceRecord } from "../../../../src/trace/trace-record.ts";
import { pythonHere, pythonReaders, runPython } from "../../../live/harness/python-readers.ts";
import { expectConserved } from "../conservation.ts";
import { makeWindow, moveLake, openLake, partitions, scratchFolder } from "../lake-fixture.ts";
import { odcs } from "../odcs-fixture.ts";
import { readBranch } from "../table-content.ts";

const day = 86_400_000;
const start = Date.UTC(2026, 0, 1, 12);
const columns = ["{ name: n, logicalType: integer }", "{ name: day, logicalType: date }", "{ name: ts, logicalType: timestamp }"];
const everything = { snapshotAgeMsMax: 0, snapshotsMin: 1 } as const;
const by = { author: "ann", reason: "test" };

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** A lake with an archive beside it, whose clock is the test's. */
async function started(folder: string, settings: string): Promise<{ lake: Lake; contract: Contract; clock: { nowMs: number } }> {
  moveLake(folder, { archives: [{ name: "cold", folder: join(folder, "cold"), s3: null }] });
  const clock = { nowMs: start };
  const lake = await openLake(folder, { clock: { now: () => clock.nowMs } });
  const contract = await odcs(1, columns, settings);
  await lake.activate(contract);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  return { lake, contract, clock };
}

/** A window of rows, each with the day of its event; the last record is rejected. */
async function promote(lake: Lake, contract: Contract, days: readonly (string | null)[], hold = false): Promise<string> {
  const { schema, layout, positions } = await lake.state("orders");
  const from = positions[0]?.next ?? 0n;
  const rows = days.map((each, i) => JSON.stringify({ n: Number(from) + i, day: each, ts: each === null ? null : `${each}T06:00:00Z` }));
  const sketch = { id: `w${from}`, from, values: [...rows, "bad"], rejected: [rows.length], contract, schema, layout };
  await lake.commitWindow(makeWindow({ ...sketch, ...(hold && { verdict: "hold" as const }) }));
  return sketch.id;
}

const policyOf = ({ hash, retention = [] }: Contract, isOwned = true): RetentionPolicy => ({
  contractHash: hash,
  rules: retention,
  isOwned,
});
const numbers = async (folder: string, ref = "main"): Promise<number[]> =>
  (await readBranch(folder, "orders", ref)).promoted.map((each) => Number(each.split("=")[1])).toSorted((a, b) => a - b);
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((each) => each.endsWith(".parquet"));

it("takes rows that are too old by a column off main, whole files and parts of files; tags, held windows and rows without a value stay", async () => {
  using scratch = scratchFolder();
  const { lake, contract, clock } = await started(scratch.folder, "{ retention: [{ action: expire, olderThan: 30 days, column: day }] }");
  const old = dayOf(start - 40 * day);
  await promote(lake, contract, [old, old]);
  await lake.refs.create("orders", { kind: "tag", name: "kept", version: "main", keepMs: null, ...by });
  await promote(lake, contract, [old, null, dayOf(start)]);
  const held = await promote(lake, contract, [old], true);
  await promote(lake, contract, [dayOf(start - 30 * day)]);
  const policy = policyOf(contract);
  const planned = await lake.maintenance.retain("orders", policy, "expire", true);
  expect(planned).toMatchObject([{ table: "promoted", dryRun: true, files: 2, rows: 5, snapshotId: null, skipped: [] }]);
  expect(await numbers(scratch.folder)).toEqual([0, 1, 3, 4, 5, 9]);
  const [report] = await lake.maintenance.retain("orders", policy, "expire", false);
  expect(report).toMatchObject({ files: 2, rows: 3, rule: "expire rows: older than 30 days by day" });
  // Exactly thirty days ago is not older than thirty days.
  expect(await numbers(scratch.folder)).toEqual([4, 5, 9]);
  expect(await numbers(scratch.folder, "kept")).toEqual([0, 1]);
  expect((await readBranch(scratch.folder, "orders", `held/${held}`)).promoted).not.toEqual([]);
  const snapshot = (await lake.snapshots("orders")).at(-1)!;
  expect(snapshot).toMatchObject({ snapshotId: report!.snapshotId, operation: "overwrite", summary: { "sluice.change": "retain" } });
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 3, open: 3, held: 2, expired: 3 });
  const traced = async (offset: bigint): Promise<string> => {
    const { state, says } = await traceRecord(lake, "orders", "orders", { topicId: "topic-a", partition: 0, offset });
    return `${state}: ${says}`;
  };
  expect(await traced(0n)).toBe(
    `expired: expired by the contract's retention (expire rows: older than 30 days by day), in snapshot ${report!.snapshotId}: only in held/${held}, kept`,
  );
  expect(await traced(4n)).toBe("promoted: promoted");
  // A second time there is nothing to do; a day later the next rows are too old.
  expect(await lake.maintenance.retain("orders", policy, "expire", false)).toMatchObject([{ files: 0, snapshotId: null }]);
  clock.nowMs += day;
  expect(await lake.maintenance.retain("orders", policy, "expire", false)).toMatchObject([{ files: 1, rows: 1 }]);
  expect((await lake.snapshots("orders")).at(-1)!.operation).toBe("delete");
  expect(await numbers(scratch.folder)).toEqual([4, 5]);
  await lake.refs.drop("orders", { kind: "tag", name: "kept", ...by });
  await lake.maintenance.expire("orders", everything, false);
  expect(await traced(0n)).toMatch(/^expired: /);
  await lake.maintenance.erase("orders", { target: { kind: "column", column: "day", value: dayOf(start) }, ...by });
  expect(await traced(5n)).toBe("erased: erased on request");
  expect(await expectConserved(scratch.folder)).toEqual({ promoted: 1, open: 3, held: 2, expired: 4, erased: 1 });
  await lake.close();
});

it("tells the age of rows by when they came, keeps to a size, and expires quarantine", async () => {
  using scratch = scratchFolder();
  const { lake, contract, clock } = await started(
    scratch.folder,
    "{ retention: [{ action: expire, olderThan: 2 months }, { action: expire, of: quarantine, olderThan: 1 month }, { action: expire, beyond: 1 B, unowned: true }] }",
  );
  await promote(lake, contract, [null]);
  clock.nowMs = Date.UTC(2026, 1, 15);
  await promote(lake, contract, [null]);
  await lake.maintenance.expire("orders", everything, false);
  const retain = (isOwned: boolean): ReturnType<Lake["maintenance"]["retain"]> =>
    lake.maintenance.retain("orders", policyOf(contract, isOwned), "expire", false);
  // The first came on the 1st of January: its snapshot has expired, and the ledger knows. Only its quarantine is older than a month.
  expect((await retain(true)).map(({ table, files }) => [table, files])).toEqual([
    ["promoted", 0],
    ["quarantine", 1],
    ["promoted", 0],
  ]);
  clock.nowMs = Date.UTC(2026, 2, 2, 12);
  expect((await retain(true)).map(({ files, rows }) => [files, rows])).toEqual([
    [1, 1],
    [0, 0],
    [0, 0],
  ]);
  expect(await numbers(scratch.folder)).toEqual([2]);
  // Nobody owns it any more: what goes beyond a byte is all of it.
  expect((await retain(false)).map(({ files }) => files)).toEqual([0, 0, 1]);
  expect(await numbers(scratch.folder)).toEqual([]);
  expect(await expectConserved(scratch.folder)).toEqual({ expired: 3, open: 1 });
  await lake.close();
});

it("moves files to an archive that every reader finds, and takes back the place they had; what tags name stays, and so does what was read", async () => {
  using scratch = scratchFolder();
  const { lake, contract, clock } = await started(
    scratch.folder,
    "{ retention: [{ action: archive, olderThan: 10 days, unreadFor: 5 days, place: cold }] }",
  );
  const cold = join(scratch.folder, "cold");
  await promote(lake, contract, ["2025-11-01", null]);
  await lake.refs.create("orders", { kind: "tag", name: "release", version: "main", keepMs: null, ...by });
  await promote(lake, contract, ["2025-11-02"]);
  const second = (await lake.snapshots("orders")).at(-1)!;
  await promote(lake, contract, ["2025-11-03"]);
  clock.nowMs += 12 * day;
  await promote(lake, contract, ["2025-11-04"]);
  const reading = {
    dataset: "orders",
    snapshotId: second.snapshotId,
    kind: "declared",
    reader: "ann",
    job: null,
    runId: null,
    details: {},
  } as const;
  await lake.consumption.record([{ ...reading, atMs: clock.nowMs - day }]);
  const policy = policyOf(contract);
  const before = await numbers(scratch.folder);
  const [report] = await lake.maintenance.retain("orders", policy, "archive", false);
  // The first stays for its tag and for the reading of the second, which saw both; the third is moved; the fourth is young.
  expect(report).toMatchObject({ files: 1, rows: 1, skipped: [] });
  expect(filesIn(cold)).toHaveLength(1);
  const moved = (await readBranch(scratch.folder, "orders")).files.filter((uri) => uri.startsWith(`file://${cold}/`));
  expect(moved).toHaveLength(1);
  expect(await numbers(scratch.folder)).toEqual(before);
  clock.nowMs += 11 * day;
  expect(await lake.maintenance.retain("orders", policy, "archive", false)).toMatchObject([
    { files: 2, skipped: [{ files: 1, why: "tags or branches name them where they are" }] },
  ]);
  expect(await lake.maintenance.retain("orders", policy, "archive", false)).toMatchObject([{ files: 0 }]);
  const warm = join(scratch.folder, "tables");
  const count = filesIn(warm).length;
  await lake.maintenance.expire("orders", everything, false);
  expect(filesIn(warm)).toHaveLength(count - 3);
  expect(await numbers(scratch.folder)).toEqual(before);
  // What stands in an archive is left there, and still traced, erased and cleaned up after.
  await promote(lake, contract, ["2025-11-05"]);
  expect((await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false))[0]).toMatchObject({ filesBefore: 2 });
  const rows = await lake.traces.findRow("orders", { topicId: "topic-a", partition: 0, offset: 5n });
  expect(rows.map(({ file }) => file)).toEqual(moved);
  await expectConserved(scratch.folder);
  if (pythonHere) {
    const read = `
import sys, json
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
print(json.dumps(sorted(catalog.load_table("db.orders").scan().to_arrow()["n"].to_pylist())))
`;
    const python = (await pythonReaders()) as string;
    expect(JSON.parse(await runPython(python, read, [scratch.folder]))).toEqual(await numbers(scratch.folder));
  }
  await lake.maintenance.erase("orders", { target: { kind: "column", column: "day", value: "2025-11-03" }, ...by });
  expect(await numbers(scratch.folder)).not.toContain(5);
  expect(filesIn(cold)).toHaveLength(2);
  await lake.close();
});

it("names the archive that the configuration lacks, and refuses rules of a contract that is not in force", async () => {
  using scratch = scratchFolder();
  const { lake, contract } = await started(scratch.folder, "{ retention: [{ action: archive, olderThan: 1 day, place: warm }] }");
  await promote(lake, contract, [null]);
  const refusal = async (policy: RetentionPolicy): Promise<unknown> =>
    lake.maintenance.retain("orders", policy, "archive", false).catch((fault: unknown) => fault instanceof SluiceError && fault.code);
  expect(await refusal(policyOf(contract))).toBe("ARCHIVE_UNKNOWN");
  expect(await refusal({ ...policyOf(contract), contractHash: "sha256:other" })).toBe("RETENTION_REFUSED");
  const elsewhere: RetentionRule = { ...contract.retention![0]!, place: "cold", column: "gone", action: "archive" };
  expect(await refusal({ ...policyOf(contract), rules: [elsewhere] })).toBe("RETENTION_REFUSED");
  expect(readFileSync(join(scratch.folder, "place.json"), "utf8")).toContain("cold");
  await lake.close();
});
