import { setTimeout as sleep } from "node:timers/promises";
import { allDone } from "../../core/all-done.ts";
import { SluiceError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Storage } from "../../core/storage.ts";
import type { Catalog, LoadedTable, TableChange } from "../catalog/catalog.ts";
import type { Turns } from "../catalog/turns.ts";
import { parseLosslessJson, writeLosslessJson } from "../iceberg/lossless-json.ts";
import type { Update } from "../iceberg/metadata-update.ts";
import { TableDraft } from "../iceberg/table-draft.ts";
import type { NewManifest, TableIo } from "../iceberg/table-io.ts";
import { readManifestList } from "../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../iceberg/table-metadata.ts";
import { propertyNames } from "./table-properties.ts";

/** What tables are changed with. */
export interface TablePorts {
  readonly catalog: Catalog;
  readonly storage: Storage;
  readonly io: TableIo;
  readonly clock: Clock;
  /** Whose it is to change a dataset next. */
  readonly turns: Turns;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** A new snapshot id: 63 random bits. */
  readonly snapshotId: () => bigint;
  /** How long a commit goes on against other writers before it gives up for now. */
  readonly conflictMsMax: number;
}

/** The two tables of a dataset, each in some version. */
export interface DatasetTables {
  readonly dataset: string;
  readonly promoted: LoadedTable;
  readonly quarantine: LoadedTable;
}

/**
 * What a commit of the promoted table has decided of the quarantine table as well, where a catalog can't change both at once. It is a property of the
 * promoted table, set by that very commit, and stands until the quarantine table says that it is done: by whoever comes next, if need be.
 */
interface QuarantinePlan {
  /** Plans of a dataset are numbered from 1; a new one is made only once those before are done. */
  readonly number: number;
  /** The quarantine table's last sequence number when the plan was made: where it still is, the updates hold as they stand. */
  readonly sequence: string;
  readonly updates: readonly Update[];
}

/** What a draft does to the version that it was made from, once what these drafts write is there. */
export function changeOf(base: LoadedTable, draft: TableDraft, written: readonly TableDraft[] = [draft]): TableChange {
  return {
    base,
    requirements: draft.requirements,
    updates: draft.updates,
    written: async () => {
      await allDone(written.map((each) => each.written()));
    },
  };
}

const backoffMsMax = 1000;

function readPlan(metadata: TableMetadata): QuarantinePlan | null {
  const text = metadata.properties[propertyNames.plan];
  return text === undefined ? null : (parseLosslessJson(text) as QuarantinePlan);
}

function lastDone(metadata: TableMetadata): number {
  return Number(metadata.properties[propertyNames.planDone] ?? 0);
}

function movesMain(draft: TableDraft): boolean {
  return draft.metadata.refs.main?.["snapshot-id"] !== draft.base.refs.main?.["snapshot-id"];
}

/**
 * Puts what one draft does to the quarantine table into the draft of the promoted table, as its plan. Both must move their main: its old value is all that
 * a catalog checks.
 */
export async function carryPlan(
  context: TablePorts,
  drafts: { readonly promoted: TableDraft; readonly quarantine: TableDraft },
): Promise<void> {
  const { promoted, quarantine } = drafts;
  if (!movesMain(promoted)) throw new Error("a plan is carried by a commit that moves main");
  if (!movesMain(quarantine)) {
    await quarantine.append({
      snapshotId: context.snapshotId(),
      parent: quarantine.main,
      branch: "main",
      manifests: [],
      summary: {},
      merges: null,
      nowMs: context.clock.now(),
    });
  }
  const number = lastDone(quarantine.base) + 1;
  quarantine.update({ action: "set-properties", updates: { [propertyNames.planDone]: String(number) } });
  const plan: QuarantinePlan = { number, sequence: String(quarantine.base["last-sequence-number"]), updates: quarantine.updates };
  promoted.update({ action: "set-properties", updates: { [propertyNames.plan]: writeLosslessJson(plan) } });
}

/** The manifests that a snapshot added, as they were before it numbered them. */
async function manifestsAddedBy(context: TablePorts, snapshot: Snapshot): Promise<NewManifest[]> {
  const listed = await readManifestList(context.storage, snapshot);
  const added = listed.filter((each) => each.addedSnapshotId === snapshot["snapshot-id"] && each.addedFiles > 0);
  const bytes = BigInt(snapshot.summary["added-files-size"] ?? 0);
  return added.map((manifest, i) => ({
    manifest: { ...manifest, sequence: null, minSequence: null, firstRowId: null },
    addedBytes: i === 0 ? bytes : 0n,
  }));
}

/** Counts of a whole table are of the version that a snapshot was planned over. */
function withoutTotals(summary: Snapshot["summary"]): Record<string, string> {
  return Object.fromEntries(Object.entries(summary).filter(([key]) => !key.startsWith("total-")));
}

/** The plan over a quarantine table that has moved on: the same files under the same snapshot ids. */
async function rebase(context: TablePorts, draft: TableDraft, { updates }: QuarantinePlan): Promise<void> {
  const placed = new Map<bigint, Snapshot>();
  for (const [i, update] of updates.entries()) {
    const before = updates[i - 1];
    if (update.action === "add-snapshot") {
      const { snapshot } = update;
      const ref = updates[i + 1];
      if (ref?.action !== "set-snapshot-ref") throw new Error("a planned snapshot stands on no branch");
      const added = await draft.append({
        snapshotId: snapshot["snapshot-id"],
        parent: placed.get(snapshot["parent-snapshot-id"] ?? 0n) ?? draft.main,
        branch: ref["ref-name"],
        manifests: await manifestsAddedBy(context, snapshot),
        summary: withoutTotals(snapshot.summary),
        merges: null,
        nowMs: context.clock.now(),
      });
      placed.set(added["snapshot-id"], added);
    } else if (update.action === "remove-snapshot-ref") {
      if (draft.metadata.refs[update["ref-name"]] !== undefined) draft.update(update);
    } else if (before?.action !== "add-snapshot") draft.update(update);
  }
}

async function draftPlan(context: TablePorts, metadata: TableMetadata, plan: QuarantinePlan): Promise<TableDraft> {
  const draft = new TableDraft(context.io, metadata);
  if (String(metadata["last-sequence-number"]) === plan.sequence) draft.update(...plan.updates);
  else await rebase(context, draft, plan);
  return draft;
}

async function reload(context: TablePorts, { table }: LoadedTable): Promise<LoadedTable> {
  const loaded = await context.catalog.load(table);
  if (loaded === null) throw new SluiceError("TABLE_CORRUPT", `${table.namespace}.${table.name} is gone: someone dropped it`);
  return loaded;
}

/** Whether the promoted table has planned something of the quarantine table that is not done yet. */
export function hasPlan({ promoted, quarantine }: DatasetTables): boolean {
  const plan = readPlan(promoted.metadata);
  return plan !== null && lastDone(quarantine.metadata) < plan.number;
}

/**
 * Carries out what the promoted table has planned of the quarantine table, unless that is done. Any number of processes may do so at once: it is done
 * once. Rejects with COMMIT_CONFLICT where others change the quarantine table for too long; the plan stands then, and the next one to come carries on.
 */
export async function finishPlan(context: TablePorts, tables: DatasetTables): Promise<DatasetTables> {
  const plan = readPlan(tables.promoted.metadata);
  if (plan === null) return tables;
  const until = performance.now() + context.conflictMsMax;
  let { quarantine } = tables;
  for (let attempt = 1; ; attempt++) {
    if (lastDone(quarantine.metadata) >= plan.number) return { ...tables, quarantine };
    const draft = await draftPlan(context, quarantine.metadata, plan);
    try {
      const outcome = await context.catalog.commit([changeOf(quarantine, draft)]);
      const after = outcome.status === "committed" ? outcome.tables[0] : undefined;
      if (after !== undefined) return { ...tables, quarantine: after };
    } catch (fault) {
      if (!(fault instanceof SluiceError) || fault.code !== "COMMIT_UNKNOWN") throw fault;
      if (performance.now() >= until) throw fault.cause instanceof SluiceError ? fault.cause : fault;
    }
    quarantine = await reload(context, quarantine);
    if (lastDone(quarantine.metadata) < plan.number && performance.now() >= until) {
      throw new SluiceError(
        "COMMIT_CONFLICT",
        `${tables.dataset}: ${attempt} attempts at its quarantine table, each time another writer was first`,
      );
    }
    await sleep(context.random() * Math.min(backoffMsMax, 10 * 2 ** Math.min(attempt, 7)));
  }
}
