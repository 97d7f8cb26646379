import { randomBytes, randomUUID } from "node:crypto";
import { decodeDecision } from "../../core/decision-text.ts";
import type { Clock, Lake, Probe } from "../../core/ports.ts";
import { openClaimsFile } from "../catalog/claims-file.ts";
import { consumptionSchema, createConsumptionLog } from "../catalog/consumption-table.ts";
import { createCursors, cursorSchema } from "../catalog/outbox-cursors.ts";
import { catalogSchema } from "../catalog/catalog-rows.ts";
import { SqlCatalog } from "../catalog/sql-catalog.ts";
import { SqliteDatabase } from "../catalog/sqlite-database.ts";
import { sqliteRows } from "../catalog/sqlite-rows.ts";
import { createContentStore } from "../storage/content-store.ts";
import { createLocalStorage } from "../storage/local-storage.ts";
import { activate } from "./activate.ts";
import { Turnstile } from "./commit-loop.ts";
import { commitReplay } from "./commit-replay.ts";
import { commitWindow } from "./commit-window.ts";
import { stateOf } from "./dataset-state.ts";
import { answerHeld, heldWindows } from "./held-windows.ts";
import { ContractTexts, history, snapshots } from "./history.ts";
import type { LakeContext } from "./lake-context.ts";
import { isQuarantineName, loadTables } from "./lake-context.ts";
import { promotedColumns } from "./promoted-columns.ts";
import { scanQuarantine } from "./quarantine-scan.ts";
import { findFile } from "./trace/find-file.ts";
import { findRow } from "./trace/find-row.ts";
import { tableUsage } from "./trace/table-usage.ts";
import { block, recordStart, resetPositions, unblock } from "./source-state.ts";

/** Where ids and jitter come from; the system's own unless a test replays a run. */
export interface Randomness {
  uuid(): string;
  bytes(count: number): Uint8Array;
  /** A number in [0, 1). */
  fraction(): number;
}

export interface LakeOptions {
  /** The warehouse: tables and contents live in it. Created if it is missing. */
  readonly folder: string;
  /** The catalog's SQLite file; processes of one host may share it. */
  readonly catalog: string;
  readonly namespace: string;
  readonly clock: Clock;
  /** The catalog's name inside its database, by which other readers ask for it. */
  readonly catalogName?: string;
  readonly probe?: Probe;
  readonly randomness?: Randomness;
  /** How long a commit waits for a busy database, and goes on against other writers, before it is given back as retryable. */
  readonly patienceMs?: number;
}

const catalogNameDefault = "sluice";
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

async function openContext(options: LakeOptions, database: SqliteDatabase): Promise<LakeContext> {
  const { clock, probe = () => {}, randomness = systemRandomness, patienceMs = patienceMsDefault } = options;
  const storage = createLocalStorage(options.folder);
  const uuid = (): string => randomness.uuid();
  const rows = sqliteRows(database, options.catalogName ?? catalogNameDefault);
  const catalog = new SqlCatalog({ rows, storage, clock, uuid, probe });
  await rows.createNamespace(options.namespace);
  return {
    catalog,
    storage,
    content: createContentStore(storage, "content"),
    io: { storage, uuid, randomBytes: (count) => randomness.bytes(count), probe },
    namespace: options.namespace,
    clock,
    probe,
    random: () => randomness.fraction(),
    snapshotId: () => newSnapshotId(randomness),
    conflictMsMax: patienceMs,
  };
}

/** Opens a lake: Iceberg tables in a local folder, under a catalog in an SQLite file. Rejects with CATALOG_*, STORAGE_*. */
export async function createLake(options: LakeOptions): Promise<Lake> {
  const { randomness = systemRandomness, patienceMs = patienceMsDefault } = options;
  const database = await SqliteDatabase.open(
    { file: options.catalog, random: () => randomness.fraction(), busyMsMax: patienceMs },
    catalogSchema + cursorSchema + consumptionSchema,
  );
  try {
    const context = await openContext(options, database);
    const name = `${options.catalogName ?? catalogNameDefault}.${options.namespace}`;
    const file = `${options.catalog}.claims`;
    const claimsFile = openClaimsFile({ file, random: () => randomness.fraction(), busyMsMax: patienceMs }, name);
    const stores = {
      cursors: createCursors(database, context.clock, name),
      claims: claimsFile.claims,
      consumption: createConsumptionLog(database, name),
    };
    return lakeOver(context, stores, async () => {
      await claimsFile.close();
      database.close();
    });
  } catch (fault) {
    database.close();
    throw fault;
  }
}

/** The lake over any catalog and storage. Changes of one dataset by one process go one after another. */
export function lakeOver(context: LakeContext, stores: Pick<Lake, "cursors" | "claims" | "consumption">, close: () => Promise<void>): Lake {
  const turnstile = new Turnstile();
  const texts = new ContractTexts(context);
  const inTurn = <T>(dataset: string, work: () => Promise<T>): Promise<T> => turnstile.pass(dataset, work);
  const datasets = async (): Promise<readonly string[]> =>
    (await context.catalog.list(context.namespace)).filter((name) => !isQuarantineName(name));
  return {
    datasets,
    activate: (contract) => inTurn(contract.dataset, () => activate(context, contract)),
    state: async (dataset) => stateOf(await loadTables(context, dataset)),
    recordStart: (dataset, positions) => inTurn(dataset, () => recordStart(context, dataset, positions)),
    resetPositions: (dataset, change) => inTurn(dataset, () => resetPositions(context, dataset, change)),
    block: (dataset, added) => inTurn(dataset, () => block(context, dataset, added)),
    unblock: (dataset, answer) => inTurn(dataset, () => unblock(context, dataset, answer)),
    commitWindow: (commit) => inTurn(commit.decision.dataset, () => commitWindow(context, commit)),
    commitReplay: (commit) => inTurn(commit.decision.dataset, () => commitReplay(context, commit)),
    publishHeld: (dataset, windowId, by) => inTurn(dataset, () => answerHeld(context, dataset, windowId, "publish", by)),
    dropHeld: (dataset, windowId, by) => inTurn(dataset, () => answerHeld(context, dataset, windowId, "drop", by)),
    history: (dataset, after) => history(context, dataset, after),
    promotedColumns: (dataset, columns, range) => promotedColumns(context, dataset, columns, range),
    snapshots: (dataset) => snapshots(context, dataset),
    held: (dataset) => heldWindows(context, dataset),
    profile: (hash) => context.content.get("profile", hash),
    contractText: async (hash) => texts.get(hash, await datasets()),
    quarantined: async function* (dataset, filter) {
      const tables = await loadTables(context, dataset);
      yield* scanQuarantine(context, tables.quarantine.metadata, filter);
    },
    traces: {
      findRow: (dataset, key) => findRow(context, dataset, key),
      findFile: (dataset, path) => findFile(context, dataset, path),
      usage: (dataset) => tableUsage(context, dataset),
      decision: async (hash) => decodeDecision(await context.content.get("decision", hash)),
    },
    ...stores,
    close,
  };
}
