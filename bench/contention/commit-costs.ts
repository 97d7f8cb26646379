import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Catalog } from "../../src/adapters/catalog/catalog.ts";
import type { LakeCatalogPlace } from "../../src/adapters/catalog/open-lake-catalog.ts";
import { openLakeCatalog } from "../../src/adapters/catalog/open-lake-catalog.ts";
import type { Turns } from "../../src/adapters/catalog/turns.ts";
import type { LakeContext } from "../../src/adapters/lake/lake-context.ts";
import { lakeOver } from "../../src/adapters/lake/lake.ts";
import { createContentStore } from "../../src/adapters/storage/content-store.ts";
import { createLocalStorage } from "../../src/adapters/storage/local-storage.ts";
import type { StoragePlace } from "../../src/adapters/storage/open-storage.ts";
import type { Lake } from "../../src/core/ports.ts";
import type { Storage } from "../../src/core/storage.ts";
import { contract, makeWindow, partitions, placeIn, row } from "../../test/adapters/lake/lake-fixture.ts";

/** How much longer than they take calls are made to take, ms: what a commit gains by it says how many of them it waits for one after another. */
export interface Delays {
  readonly storageMs: number;
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
}

export function newMeter(delays: Delays): Meter {
  return { delays, reads: 0, writes: 0, bytesWritten: 0, turnAtMs: 0, releasedAtMs: 0 };
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

function meteredCatalog(catalog: Catalog, meter: Meter): Catalog {
  return {
    isJoint: catalog.isJoint,
    list: (namespace) => catalog.list(namespace),
    load: async (table) => {
      await later(meter.delays.catalogMs);
      return catalog.load(table);
    },
    commit: async (changes) => {
      await later(meter.delays.catalogMs);
      return catalog.commit(changes);
    },
  };
}

function meteredTurns(turns: Turns, meter: Meter): Turns {
  return {
    take: async (...datasets) => {
      await later(meter.delays.catalogMs);
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
    catalog: meteredCatalog(catalog, meter),
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

/** What commits of one writer alone cost, windows of `rows` rows of which one is bad: as many of each delay, after a hundred that bring the table to its size. */
export async function measureCommits(
  folder: string,
  place: Partial<LakePlace>,
  { delays, commits, rows }: { readonly delays: readonly Delays[]; readonly commits: number; readonly rows: number },
): Promise<CommitCost[][]> {
  const meter = newMeter({ storageMs: 0, catalogMs: 0 });
  const lake = await openMetered(folder, place, meter);
  await lake.activate(contract);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  const policy = { snapshotAgeMsMax: 0, snapshotsMin: 100 };
  let next = 0;
  const commitOne = async (): Promise<CommitCost> => {
    const from = BigInt(next * rows);
    const values = Array.from({ length: rows }, (_, i) => (i === 1 ? "bad" : row(Number(from) + i)));
    const window = makeWindow({ id: `w${next++}`, from, values, rejected: [1] });
    Object.assign(meter, { reads: 0, writes: 0, bytesWritten: 0 });
    const startMs = performance.now();
    const cpu = process.cpuUsage();
    await lake.commitWindow(window);
    const { user, system } = process.cpuUsage(cpu);
    return {
      beforeMs: meter.turnAtMs - startMs,
      turnMs: meter.releasedAtMs - meter.turnAtMs,
      cpuMs: (user + system) / 1000,
      reads: meter.reads,
      writes: meter.writes,
      bytesWritten: meter.bytesWritten,
    };
  };
  for (let i = 0; i < 100; i++) await commitOne();
  const costs: CommitCost[][] = delays.map(() => []);
  for (let i = 0; i < commits; i++) {
    // In turn, so that what the machine does besides meets all alike.
    for (const [d, each] of delays.entries()) {
      meter.delays = each;
      costs[d]?.push(await commitOne());
    }
    meter.delays = { storageMs: 0, catalogMs: 0 };
    if (i % 50 === 49) await lake.maintenance.expire("orders", policy, false);
  }
  await lake.close();
  return costs;
}
