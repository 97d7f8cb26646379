import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { Catalog } from "../../../src/adapters/catalog/catalog.ts";
import { openClaimsFile } from "../../../src/adapters/catalog/claims-file.ts";
import { consumptionSchema, createConsumptionLog } from "../../../src/adapters/catalog/consumption-table.ts";
import { incidentSchema } from "../../../src/adapters/catalog/incident-schema.ts";
import { createIncidentStore } from "../../../src/adapters/catalog/incident-tables.ts";
import { cursorSchema } from "../../../src/adapters/catalog/cursor-schema.ts";
import { createCursors } from "../../../src/adapters/catalog/outbox-cursors.ts";
import { catalogSchema } from "../../../src/adapters/catalog/catalog-rows.ts";
import { SqlCatalog } from "../../../src/adapters/catalog/sql-catalog.ts";
import { SqliteDatabase } from "../../../src/adapters/catalog/sqlite-database.ts";
import { sqliteRows } from "../../../src/adapters/catalog/sqlite-rows.ts";
import { noTurn } from "../../../src/adapters/catalog/turns.ts";
import { lakeOver } from "../../../src/adapters/lake/lake.ts";
import { createContentStore } from "../../../src/adapters/storage/content-store.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { SluiceError } from "../../../src/core/errors.ts";
import type { Lake } from "../../../src/core/ports.ts";
import type { Storage } from "../../../src/core/storage.ts";
import { expectConserved } from "./conservation.ts";
import { collect, contract, makeWindow, openLake, partitions, row, scratchFolder, startedLake } from "./lake-fixture.ts";
import { makeReplay } from "./replay-fixture.ts";
import { readBranch } from "./table-content.ts";

/** Which call fails, and whether it takes effect all the same. */
interface Fault {
  readonly at: number;
  readonly after: boolean;
}

interface Faulty {
  readonly lake: Lake;
  /** Arms a fault: calls are counted from here on. */
  readonly arm: (fault: Fault) => void;
  /** Whether the armed fault has struck. */
  readonly struck: () => boolean;
}

/** A real lake whose file writes and catalog commits fail once, as a full disk or a lost reply would. */
async function faultyLake(folder: string): Promise<Faulty> {
  let fault: Fault | null = null;
  let calls = 0;
  const strike = async <T>(work: () => Promise<T>, error: () => SluiceError): Promise<T> => {
    if (fault === null || ++calls !== fault.at) return work();
    if (fault.after) await work();
    throw error();
  };
  const full = (): SluiceError => new SluiceError("STORAGE_FULL", "no space left");
  const local = createLocalStorage(folder);
  const storage: Storage = {
    ...local,
    write: (path, bytes) => strike(() => local.write(path, bytes), full),
    async create(path) {
      const file = await local.create(path);
      return { write: (bytes) => file.write(bytes), abort: () => file.abort(), close: () => strike(() => file.close(), full) };
    },
  };
  const database = await SqliteDatabase.open(
    { file: join(folder, "catalog.db"), random: Math.random, busyMsMax: 5000 },
    catalogSchema + cursorSchema + consumptionSchema + incidentSchema,
  );
  const clock = { now: () => Date.now() };
  const probe = (): void => {};
  const rows = sqliteRows(database, "sluice");
  const sql = new SqlCatalog({ rows, storage, clock, uuid: randomUUID, probe });
  await rows.createNamespace("db");
  const unknown = (): SluiceError => new SluiceError("COMMIT_UNKNOWN", "the reply was lost", { cause: full() });
  const catalog: Catalog = {
    isJoint: true,
    list: (namespace) => sql.list(namespace),
    load: (table) => sql.load(table),
    commit: (changes) => strike(() => sql.commit(changes), unknown),
  };
  const io = { storage, uuid: randomUUID, randomBytes: (count: number) => randomBytes(count), probe };
  const lake = lakeOver(
    {
      catalog,
      storage,
      turns: { take: async () => noTurn },
      content: createContentStore(storage, "content"),
      io,
      namespace: "db",
      clock,
      probe,
      random: Math.random,
      snapshotId: () => randomBytes(8).readBigUInt64BE() >> 1n,
      conflictMsMax: 5000,
    },
    {
      cursors: createCursors(database, clock, "sluice.db"),
      claims: openClaimsFile({ file: `${folder}/claims.db`, random: Math.random, busyMsMax: 5000 }, "sluice.db").claims,
      consumption: createConsumptionLog(database, "sluice.db"),
      incidents: createIncidentStore(database, "sluice.db"),
    },
    async () => database.close(),
  );
  const arm = (next: Fault): void => {
    fault = next;
    calls = 0;
  };
  return { lake, arm, struck: () => fault !== null && calls >= fault.at };
}

const by = { author: "ann", reason: "test" };

/** Operations that a caller simply repeats after a retryable fault. Each is made once and then called with the same argument. */
const repeatable: Readonly<Record<string, (lake: Lake, round: number) => Promise<() => Promise<unknown>>>> = {
  commitWindow: async (lake, round) => {
    const from = (await lake.state("orders")).positions[0]!.next;
    const window = makeWindow({ id: `w${round}`, from, values: [row(1), "bad", row(2)], rejected: [1] });
    return () => lake.commitWindow(window);
  },
  hold: async (lake, round) => {
    const from = (await lake.state("orders")).positions[0]!.next;
    const window = makeWindow({ id: `h${round}`, from, values: [row(1), "bad", row(2)], rejected: [1], verdict: "hold" });
    return () => lake.commitWindow(window);
  },
  commitReplay: async (lake, round) => {
    const from = (await lake.state("orders")).positions[0]!.next;
    await lake.commitWindow(makeWindow({ id: `w${round}`, from, values: [row(1), "bad"], rejected: [0, 1] }));
    const replay = makeReplay(`r${round}`, await collect(lake.quarantined("orders", { windowId: `w${round}` })));
    return () => lake.commitReplay(replay);
  },
  resetPositions: async (lake, round) => {
    const set = [{ ...partitions[3]!, next: 0n }];
    return () => lake.resetPositions("orders", { remove: [], set, author: "ann", reason: String(round) });
  },
  activate: async (lake, round) => {
    const next = { ...contract, hash: `sha256:r${round}`, text: `text ${round}` };
    return () => lake.activate(next);
  },
};

it.each(Object.keys(repeatable))(
  "repeats %s after a fault of any write or commit, and has done it once",
  { timeout: 300_000 },
  async (name) => {
    using scratch = scratchFolder();
    const first = await startedLake(scratch.folder);
    await first.close();
    const { lake, arm, struck } = await faultyLake(scratch.folder);
    let faults = 0;
    for (const after of [false, true]) {
      for (let at = 1; ; at++) {
        const run = await repeatable[name]!(lake, 2 * at + (after ? 1 : 0));
        arm({ at, after });
        let failed: unknown = null;
        await run().catch((error: unknown) => (failed = error));
        const hit = struck();
        arm({ at: Infinity, after });
        if (failed !== null) {
          expect(failed).toMatchObject({ code: "STORAGE_FULL", retryable: true });
          faults++;
        }
        const result = (await run()) as { status?: string } | undefined;
        if (name.startsWith("commit") || name === "hold") expect(result).toMatchObject({ status: "committed" });
        if (!hit) break;
      }
    }
    if (name !== "activate") await expectConserved(scratch.folder);
    expect(faults).toBeGreaterThan(3);
    await lake.close();
  },
);

it.each(["publishHeld", "dropHeld"] as const)("answers a held window once by %s, whatever fails", { timeout: 300_000 }, async (answer) => {
  using scratch = scratchFolder();
  await (await startedLake(scratch.folder)).close();
  const { lake, arm, struck } = await faultyLake(scratch.folder);
  for (const after of [false, true]) {
    for (let at = 1; ; at++) {
      const id = `h${at}${after ? "a" : "b"}`;
      await lake.commitWindow(await heldWindow(lake, id));
      arm({ at, after });
      const failed = await lake[answer]("orders", id, by).then(
        () => null,
        (error: unknown) => error,
      );
      const hit = struck();
      arm({ at: Infinity, after });
      const stillHeld = (await lake.held("orders")).some((each) => each.windowId === id);
      // A fault that was reported changed nothing, except where a lost reply was settled by reading back.
      expect(stillHeld).toBe(failed !== null);
      if (stillHeld) await lake[answer]("orders", id, by);
      if (!hit) break;
    }
  }
  await expectConserved(scratch.folder);
  await lake.close();
});

async function heldWindow(lake: Lake, id: string): Promise<ReturnType<typeof makeWindow>> {
  const from = (await lake.state("orders")).positions[0]!.next;
  return makeWindow({ id, from, values: [row(1), "bad", row(2)], rejected: [1], verdict: "hold" });
}

/** What a person does once; `isDone` says by the tables alone whether it took effect. */
const answers: Readonly<
  Record<string, (lake: Lake, round: string) => { readonly run: () => Promise<unknown>; readonly isDone: () => Promise<boolean> }>
> = {
  tag: (lake, round) => ({
    run: () => lake.refs.create("orders", { kind: "tag", name: `t-${round}`, version: "main", keepMs: null, ...by }),
    isDone: async () => (await lake.refs.list("orders")).some((each) => each.name === `t-${round}`),
  }),
  release: (lake, round) => ({
    run: () => lake.refs.createRelease({ name: `r-${round}`, datasets: ["orders", "others"], version: "main", keepMs: null, ...by }),
    isDone: async () => {
      const members = (await lake.refs.releases()).find((each) => each.name === `r-${round}`)?.members ?? [];
      expect([0, 2]).toContain(members.length);
      return members.length === 2;
    },
  }),
  rollback: (lake, round) => ({
    run: () => lake.refs.rollback("orders", { to: "main~1", keepMs: null, releaseKeys: false, author: "ann", reason: round }),
    isDone: async () => (await lake.refs.rollbacks("orders")).some((each) => each.reason === round),
  }),
  rollForward: (lake) => ({
    run: () => lake.refs.rollForward("orders", { rollback: null, ...by }),
    isDone: async () => (await lake.refs.rollbacks("orders")).length === 0,
  }),
};

it.each(Object.keys(answers))("does a person's %s once or not at all, whatever fails", { timeout: 300_000 }, async (name) => {
  using scratch = scratchFolder();
  const first = await startedLake(scratch.folder);
  await first.activate({ ...contract, dataset: "others", hash: "sha256:o", text: "others" });
  await first.recordStart("others", [{ ...partitions[0]!, next: 0n }]);
  await first.close();
  const { lake, arm, struck } = await faultyLake(scratch.folder);
  let faults = 0;
  for (const after of [false, true]) {
    for (let at = 1; ; at++) {
      const from = (await lake.state("orders")).positions[0]!.next;
      await lake.commitWindow(makeWindow({ id: `w${from}`, from, values: [row(1)] }));
      if (name === "rollForward" && (await lake.refs.rollbacks("orders")).length === 0)
        await lake.refs.rollback("orders", { to: "main~1", keepMs: null, releaseKeys: false, ...by });
      const { run, isDone } = answers[name]!(lake, `${at}${after}`);
      arm({ at, after });
      const failed = await run().then(
        () => null,
        (error: unknown) => error,
      );
      const hit = struck();
      arm({ at: Infinity, after });
      if (failed !== null) faults++;
      expect(await isDone()).toBe(failed === null);
      await expectConserved(scratch.folder);
      if (!hit) break;
    }
  }
  expect(faults).toBeGreaterThan(1);
  await lake.close();
});

it("waits for a busy catalog without stopping the event loop", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  const other = new DatabaseSync(join(scratch.folder, "catalog.db"));
  other.exec("BEGIN IMMEDIATE");
  const gaps: number[] = [];
  let last = performance.now();
  const ticker = setInterval(() => {
    gaps.push(performance.now() - last);
    last = performance.now();
  }, 5);
  const commit = lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  while (gaps.length <= 20) await sleep(20);
  expect((await lake.state("orders")).positions[0]?.next).toBe(0n);
  other.exec("COMMIT");
  expect(await commit).toMatchObject({ status: "committed", attempts: 1 });
  clearInterval(ticker);
  // SQLite itself would wait in the only thread.
  expect(Math.max(...gaps)).toBeLessThan(2000);
  other.close();
  await lake.close();
});

it("gives a commit back as retryable where the catalog stays busy", async () => {
  using scratch = scratchFolder();
  await (await startedLake(scratch.folder)).close();
  const lake = await openLake(scratch.folder, { patienceMs: 100 });
  const other = new DatabaseSync(join(scratch.folder, "catalog.db"));
  other.exec("BEGIN IMMEDIATE");
  const window = makeWindow({ id: "w1", from: 0n, values: [row(1)] });
  await expect(lake.commitWindow(window)).rejects.toMatchObject({ code: "CATALOG_BUSY", retryable: true });
  other.exec("ROLLBACK");
  other.close();
  expect(await lake.commitWindow(window)).toMatchObject({ status: "committed" });
  await expectConserved(scratch.folder);
  await lake.close();
});

it("says plainly that a file is no catalog", async () => {
  using scratch = scratchFolder();
  const lake = openLake(scratch.folder, { catalog: new URL(import.meta.url).pathname });
  await expect(lake).rejects.toMatchObject({ code: "CATALOG_CORRUPT" });
});

it("says STORAGE_FULL where the system takes no more bytes, and leaves no file of the attempt", async () => {
  using scratch = scratchFolder();
  await (await startedLake(scratch.folder)).close();
  const before = await readBranch(scratch.folder, "orders");
  const worker = new URL("lake-worker.ts", import.meta.url).pathname;
  // A limit on the size of files stands in for a full disk: the kernel refuses the write (EFBIG).
  const script = 'ulimit -f 128 && exec "$0" "$@"';
  const { stdout } = await promisify(execFile)("sh", ["-c", script, process.execPath, worker, scratch.folder, "big", "0"]);
  expect(stdout).toBe("STORAGE_FULL true");
  expect(await readBranch(scratch.folder, "orders")).toEqual(before);
  const left = readdirSync(join(scratch.folder, "tables"), { recursive: true }).filter((name) => String(name).includes("/data/"));
  expect(left).toEqual([]);
  const lake = await openLake(scratch.folder);
  expect(await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }))).toMatchObject({ status: "committed" });
  await lake.close();
});
