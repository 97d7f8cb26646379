import { randomBytes, randomUUID } from "node:crypto";
import { decodeDecision } from "../../core/decision-text.ts";
import type { Clock, Lake, Probe } from "../../core/ports.ts";
import type { Storage } from "../../core/storage.ts";
import type { CatalogPorts, LakeStores, OpenedCatalog } from "../catalog/open-catalog.ts";
import { openCatalog } from "../catalog/open-catalog.ts";
import type { LakeCatalogPlace, OpenedLakeCatalog } from "../catalog/open-lake-catalog.ts";
import { openLakeCatalog } from "../catalog/open-lake-catalog.ts";
import { createContentStore } from "../storage/content-store.ts";
import type { StoragePlace } from "../storage/open-storage.ts";
import { openStorage } from "../storage/open-storage.ts";
import { VendedKeys } from "../storage/vended-keys.ts";
import { activate } from "./activate.ts";
import { Turnstile } from "./commit-loop.ts";
import { commitReplay } from "./commit-replay.ts";
import { commitWindow } from "./commit-window.ts";
import { stateOf } from "./dataset-state.ts";
import { answerHeld, heldWindows } from "./held-windows.ts";
import { ContractTexts, history, pastSnapshots, snapshots } from "./history.ts";
import type { LakeContext } from "./lake-context.ts";
import { isQuarantineName, loadTables } from "./lake-context.ts";
import { createMaintenance } from "./maintenance/maintenance.ts";
import { sequenceBefore } from "./maintenance/sequence-before.ts";
import { previewContract } from "./preview-contract.ts";
import { promotedColumns } from "./promoted-columns.ts";
import { scanQuarantine } from "./quarantine-scan.ts";
import { createRefs } from "./refs/lake-refs.ts";
import { findFile } from "./trace/find-file.ts";
import { countRows } from "./refs/row-counts.ts";
import { findRemoval } from "./trace/find-removal.ts";
import { findRow } from "./trace/find-row.ts";
import { tableUsage } from "./trace/table-usage.ts";
import { rebaseDrift } from "./rebase-drift.ts";
import { block, recordStart, resetPositions, unblock } from "./source-state.ts";

/** Where ids and jitter come from; the system's own unless a test replays a run. */
export interface Randomness {
  uuid(): string;
  bytes(count: number): Uint8Array;
  /** A number in [0, 1). */
  fraction(): number;
}

/** Where a lake is, and what it works with. Processes of one host may share an SQLite file, of several hosts a PostgreSQL database. */
export interface LakeOptions extends StoragePlace, LakeCatalogPlace {
  readonly clock: Clock;
  readonly probe?: Probe;
  readonly randomness?: Randomness;
  /** How long a commit waits for a busy database, and goes on against other writers, before it is given back as retryable. */
  readonly patienceMs?: number;
}

const patienceMsDefault = 30_000;

const systemRandomness: Randomness = {
  uuid: () => randomUUID(),
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
};

/** 63 random bits, folded from 128 as Iceberg does it. */
function newSnapshotId(randomness: Randomness): bigint {
  const bytes = Buffer.from(randomness.bytes(16));
  const id = (bytes.readBigInt64BE(0) ^ bytes.readBigInt64BE(8)) & 0x7fff_ffff_ffff_ffffn;
  return id === 0n ? 1n : id;
}

/** Opens a lake: Iceberg tables in a folder or in S3, under a catalog. Rejects with CATALOG_*, STORAGE_*. */
export async function createLake(options: LakeOptions): Promise<Lake> {
  const vended = options.rest?.vended === true ? new VendedKeys(options.clock) : null;
  return (await openOver(options, vended, (ports) => openLakeCatalog(options, { ...ports, vended }))).lake;
}

/** A lake, and the catalog and storage that it is opened on: for whoever serves those to others as well. */
export interface ServedLake {
  readonly lake: Lake;
  readonly storage: Storage;
  readonly opened: OpenedCatalog;
}

/** Opens a lake with a catalog of its own, together with that. Rejects with CATALOG_*, STORAGE_*. */
export function openServedLake(options: Omit<LakeOptions, "rest">): Promise<ServedLake> {
  return openOver(options, null, (ports) => openCatalog(options, ports));
}

async function openOver<C extends OpenedLakeCatalog>(
  options: LakeOptions,
  vended: VendedKeys | null,
  open: (ports: CatalogPorts) => Promise<C>,
): Promise<{ readonly lake: Lake; readonly storage: Storage; readonly opened: C }> {
  const { clock, probe = () => {}, randomness = systemRandomness, patienceMs = patienceMsDefault } = options;
  const random = (): number => randomness.fraction();
  const uuid = (): string => randomness.uuid();
  const files = await openStorage(options, { random, patienceMs, vended });
  const { storage } = files;
  try {
    const opened = await open({ storage, clock, uuid, random, probe, patienceMs });
    const { catalog, stores, turns } = opened;
    const context: LakeContext = {
      catalog,
      storage,
      turns,
      content: createContentStore(storage, "content"),
      io: { storage, uuid, randomBytes: (count) => randomness.bytes(count), probe },
      namespace: options.namespace,
      clock,
      probe,
      random,
      snapshotId: () => newSnapshotId(randomness),
      conflictMsMax: patienceMs,
    };
    const lake = lakeOver(context, stores, async () => {
      await opened.close();
      files.close();
    });
    return { lake, storage, opened };
  } catch (fault) {
    files.close();
    throw fault;
  }
}

/** The lake over any catalog and storage. Changes of one dataset by one process go one after another. */
export function lakeOver(context: LakeContext, stores: LakeStores, close: () => Promise<void>): Lake {
  const turnstile = new Turnstile();
  const texts = new ContractTexts(context);
  const inTurn = <T>(dataset: string, work: () => Promise<T>): Promise<T> => turnstile.pass(dataset, work);
  const datasets = async (): Promise<readonly string[]> =>
    (await context.catalog.list(context.namespace)).filter((name) => !isQuarantineName(name));
  return {
    datasets,
    contracts: { preview: (contract) => previewContract(context, contract) },
    activate: (contract) => inTurn(contract.dataset, () => activate(context, contract)),
    state: async (dataset) => stateOf(await loadTables(context, dataset)),
    recordStart: (dataset, positions) => inTurn(dataset, () => recordStart(context, dataset, positions)),
    resetPositions: (dataset, change) => inTurn(dataset, () => resetPositions(context, dataset, change)),
    block: (dataset, added) => inTurn(dataset, () => block(context, dataset, added)),
    unblock: (dataset, answer) => inTurn(dataset, () => unblock(context, dataset, answer)),
    rebaseDrift: (dataset, change) => inTurn(dataset, () => rebaseDrift(context, dataset, change)),
    commitWindow: (commit) => inTurn(commit.decision.dataset, () => commitWindow(context, commit)),
    commitReplay: (commit) => inTurn(commit.decision.dataset, () => commitReplay(context, commit)),
    publishHeld: (dataset, windowId, by) => inTurn(dataset, () => answerHeld(context, dataset, windowId, "publish", by)),
    dropHeld: (dataset, windowId, by) => inTurn(dataset, () => answerHeld(context, dataset, windowId, "drop", by)),
    history: (dataset, after) => history(context, dataset, after),
    sequenceBefore: (dataset, commits) => sequenceBefore(context, dataset, commits),
    promotedColumns: (dataset, columns, range) => promotedColumns(context, dataset, columns, range),
    snapshots: (dataset) => snapshots(context, dataset),
    held: (dataset) => heldWindows(context, dataset),
    profile: (hash) => context.content.get("profile", hash),
    contractText: async (hash) => texts.get(hash, await datasets()),
    quarantined: async function* (dataset, filter) {
      const tables = await loadTables(context, dataset);
      yield* scanQuarantine(context, tables.quarantine.metadata, filter);
    },
    maintenance: createMaintenance(context, stores),
    traces: {
      findRow: (dataset, key) => findRow(context, dataset, key),
      findRemoval: (dataset, key) => findRemoval(context, dataset, key),
      countRows: (dataset, snapshotId) => countRows(context, dataset, snapshotId),
      findFile: (dataset, path) => findFile(context, dataset, path),
      usage: (dataset) => tableUsage(context, dataset),
      snapshots: (dataset) => pastSnapshots(context, dataset),
      decision: async (hash) => decodeDecision(await context.content.get("decision", hash)),
    },
    refs: createRefs(context, stores.claims, inTurn, datasets),
    ...stores,
    close,
  };
}
