import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { LakeCatalogPlace } from "../../src/adapters/catalog/open-lake-catalog.ts";
import { openLakeCatalog } from "../../src/adapters/catalog/open-lake-catalog.ts";
import type { Turns } from "../../src/adapters/catalog/turns.ts";
import type { LakeContext } from "../../src/adapters/lake/lake-context.ts";
import { lakeOver } from "../../src/adapters/lake/lake.ts";
import { createContentStore } from "../../src/adapters/storage/content-store.ts";
import { createLocalStorage } from "../../src/adapters/storage/local-storage.ts";
import type { StoragePlace } from "../../src/adapters/storage/open-storage.ts";
import type { Lake, WindowCommit } from "../../src/core/ports.ts";
import type { Storage } from "../../src/core/storage.ts";
import type { SlowProxy } from "./slow-proxy.ts";
import { contract, makeWindow, partitions, placeIn, row } from "../../test/adapters/lake/lake-fixture.ts";

/** How much longer than they take calls are made to take, ms: what a commit gains by it says how many of them it waits for one after another. */
export interface Delays {
  readonly storageMs: number;
  /** Each question to the catalog's server and its answer; a catalog in a file has none. */
  readonly catalogMs: number;
}

/** One commit: ms before its turn, and from there to the end of it, with what was asked of storage in both. */
export interface CommitCost {
  readonly beforeMs: number;
  readonly turnMs: number;
  readonly cpuMs: number;
  readonly reads: number;
  readonly writes: number;
  readonly bytesWritten: number;
}

interface Meter {
  delays: Delays;
  reads: number;
  writes: number;
  bytesWritten: number;
  turnAtMs: number;
  releasedAtMs: number;
  /** What others do before a commit's turn comes; it is not counted. */
  meanwhile: (() => Promise<void>) | null;
}

export function newMeter(delays: Delays): Meter {
  return { delays, reads: 0, writes: 0, bytesWritten: 0, turnAtMs: 0, releasedAtMs: 0, meanwhile: null };
}

async function later(ms: number): Promise<void> {
  if (ms > 0) await sleep(ms);
}

function meteredStorage(storage: Storage, meter: Meter): Storage {
  const read = async <T>(of: () => Promise<T>): Promise<T> => {
    meter.reads++;
    await later(meter.delays.storageMs);
    return of();
  };
  const write = async <T>(bytes: number, of: () => Promise<T>): Promise<T> => {
    meter.writes++;
    meter.bytesWritten += bytes;
    await later(meter.delays.storageMs);
    return of();
  };
  return {
    ...storage,
    root: storage.root,
    read: (path) => read(() => storage.read(path)),
    readRange: (path, from, to) => read(() => storage.readRange(path, from, to)),
    exists: (path) => read(() => storage.exists(path)),
    sizeBytes: (path) => read(() => storage.sizeBytes(path)),
    delete: async (path) => {
      await later(meter.delays.storageMs);
      await storage.delete(path);
    },
    write: (path, bytes) => write(bytes.byteLength, () => storage.write(path, bytes)),
    // Pieces go out while others are made: what is waited for is the end.
    create: async (path) => {
      const writer = await storage.create(path);
      let bytes = 0;
      return {
        write: (piece) => {
          bytes += piece.byteLength;
          return writer.write(piece);
        },
        close: () => write(bytes, () => writer.close()),
        abort: () => writer.abort(),
      };
    },
  };
}

function meteredTurns(turns: Turns, meter: Meter): Turns {
  return {
    take: async (...datasets) => {
      await meter.meanwhile?.();
      const turn = await turns.take(...datasets);
      meter.turnAtMs = performance.now();
      return {
        isMine: turn.isMine,
        release: async () => {
          meter.releasedAtMs = performance.now();
          await turn.release();
        },
      };
    },
  };
}

function cpuMsSince(cpu: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1000;
}

/** Keeps the table at a hundred windows. */
export const expiryPolicy = { snapshotAgeMsMax: 0, snapshotsMin: 100 };

export type LakePlace = StoragePlace & LakeCatalogPlace;

/** A lake whose calls are counted and take as much longer as the meter says. */
export async function openMetered(folder: string, place: Partial<LakePlace>, meter: Meter): Promise<Lake> {
  const whole = { ...placeIn(folder), ...place };
  const clock = { now: () => Date.now() };
  const probe = (): void => {};
  const storage = meteredStorage(createLocalStorage(whole.folder), meter);
  const ports = { storage, clock, uuid: randomUUID, random: Math.random, probe, patienceMs: 30_000, vended: null };
  const { catalog, stores, turns, close } = await openLakeCatalog(whole, ports);
  const context: LakeContext = {
    catalog,
    storage,
    turns: meteredTurns(turns, meter),
    content: createContentStore(storage, "content"),
    io: { storage, uuid: randomUUID, randomBytes, probe },
    namespace: whole.namespace,
    clock,
    probe,
    random: Math.random,
    snapshotId: () => randomBytes(8).readBigInt64BE() & 0x7fff_ffff_ffff_ffffn,
    conflictMsMax: 30_000,
  };
  return lakeOver(context, stores, close);
}

/** The lake whose commits are measured, and the way to its catalog's server, where it has one. */
export interface MeasuredPlace {
  readonly folder: string;
  readonly place: Partial<LakePlace>;
  readonly proxy: SlowProxy | null;
}

export interface Measured {
  readonly delays: readonly Delays[];
  readonly commits: number;
  readonly rows: number;
  readonly windows: number;
}

/**
 * What commits cost of a writer before each of whose turns another one has committed, so that it finds what that one left: windows of `rows` rows of which
 * one is bad, as many of each delay, after so many `windows` that bring the table to its size.
 */
export async function measureCommits(
  { folder, place, proxy }: MeasuredPlace,
  { delays, commits, rows, windows }: Measured,
): Promise<CommitCost[][]> {
  const none: Delays = { storageMs: 0, catalogMs: 0 };
  const meter = newMeter(none);
  const slow = (each: Delays): void => {
    meter.delays = each;
    if (proxy !== null) proxy.delayMs = each.catalogMs;
  };
  const lake = await openMetered(folder, place, meter);
  const other = await openMetered(folder, place, meter);
  await lake.activate(contract);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  const next: [number, number] = [0, 0];
  const windowOf = (partition: 0 | 1): WindowCommit => {
    const number = next[partition]++;
    const from = BigInt(number * rows);
    const values = Array.from({ length: rows }, (_, i) => (i === 1 ? "bad" : row(Number(from) + i)));
    return makeWindow({ id: `w${partition}-${number}`, partition, from, values, rejected: [1] });
  };
  const commitOne = async (each: Delays): Promise<CommitCost> => {
    const window = windowOf(0);
    const others = windowOf(1);
    Object.assign(meter, { reads: 0, writes: 0, bytesWritten: 0 });
    let asideMs = 0;
    let aside = { cpuMs: 0, reads: 0, writes: 0, bytesWritten: 0 };
    meter.meanwhile = async () => {
      meter.meanwhile = null;
      const { reads, writes, bytesWritten } = meter;
      const atMs = performance.now();
      const cpu = process.cpuUsage();
      slow(none);
      await other.commitWindow(others);
      slow(each);
      aside = {
        cpuMs: cpuMsSince(cpu),
        reads: meter.reads - reads,
        writes: meter.writes - writes,
        bytesWritten: meter.bytesWritten - bytesWritten,
      };
      asideMs = performance.now() - atMs;
    };
    slow(each);
    const startMs = performance.now();
    const cpu = process.cpuUsage();
    await lake.commitWindow(window);
    const cost = {
      beforeMs: meter.turnAtMs - startMs - asideMs,
      turnMs: meter.releasedAtMs - meter.turnAtMs,
      cpuMs: cpuMsSince(cpu) - aside.cpuMs,
      reads: meter.reads - aside.reads,
      writes: meter.writes - aside.writes,
      bytesWritten: meter.bytesWritten - aside.bytesWritten,
    };
    slow(none);
    return cost;
  };
  for (let i = 0; i < windows / 2; i++) await commitOne(none);
  const costs: CommitCost[][] = delays.map(() => []);
  for (let i = 0; i < commits; i++) {
    // In turn, so that what the machine does besides meets all alike.
    for (const [d, each] of delays.entries()) costs[d]?.push(await commitOne(each));
    if (i % 25 === 24) await lake.maintenance.expire("orders", expiryPolicy, false);
  }
  await lake.close();
  await other.close();
  return costs;
}
