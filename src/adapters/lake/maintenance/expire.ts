import type { ExpiryPolicy, ExpiryReport } from "../../../core/lake-maintenance.ts";
import type { Cursors } from "../../../core/ports.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { TableDraft } from "../../iceberg/table-draft.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import type { Plan } from "../commit-loop.ts";
import { commitUntilSettled, draftsOf } from "../commit-loop.ts";
import type { DatasetTables, LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { summaryKeys } from "../summary-keys.ts";
import { propertyNames, readContracts } from "../table-properties.ts";
import type { ExpiryPlan } from "./expiry-plan.ts";
import { planExpiry } from "./expiry-plan.ts";
import { extendLedger } from "./ledger.ts";
import { unreachedFiles } from "./reachable.ts";

/** A sink whose lease ran out so long ago has been given up: it finds decisions in the ledger, and rows as they stand. */
const abandonedAfterMs = 7 * 24 * 3600_000;
/** The lease of maintenance itself stands among the cursors, and reads nothing. */
const maintenanceSink = "maintenance";

interface Standing {
  /** The lowest sequence number that a sink in use has delivered; null where there is none. */
  readonly slowest: bigint | null;
  readonly sinks: readonly { readonly sink: string; readonly sequence: bigint }[];
}

async function standingOf(context: LakeContext, cursors: Cursors, dataset: string): Promise<Standing> {
  const nowMs = context.clock.now();
  const all = await cursors.standing(dataset);
  const sinks = all.filter(({ sink, leaseUntilMs }) => sink !== maintenanceSink && nowMs - leaseUntilMs < abandonedAfterMs);
  const slowest = sinks.reduce<bigint | null>((least, { sequence }) => (least === null || sequence < least ? sequence : least), null);
  return { slowest, sinks };
}

/** The texts of contracts whose windows may still come: a baseline that one of them pins to a snapshot id stands there as that number. */
async function contractsInForce(context: LakeContext, metadata: TableMetadata): Promise<string> {
  const texts: string[] = [];
  for (const { text } of readContracts(metadata.properties).slice(-2))
    texts.push(new TextDecoder().decode(await context.content.get("contract", text)));
  return texts.join("\n");
}

interface Plans {
  readonly promoted: ExpiryPlan;
  readonly quarantine: ExpiryPlan;
  readonly heldBackBy: readonly string[];
}

async function planBoth(context: LakeContext, tables: DatasetTables, policy: ExpiryPolicy, standing: Standing): Promise<Plans> {
  const nowMs = context.clock.now();
  const texts = await contractsInForce(context, tables.promoted.metadata);
  const { slowest } = standing;
  const isUnseen = (snapshot: Snapshot): boolean => slowest !== null && snapshot["sequence-number"] > slowest && isCommit(snapshot);
  const unseen = tables.promoted.metadata.snapshots.filter(isUnseen);
  // A sink reads the rows that a commit's quarantine snapshot added.
  const wanted = new Set(unseen.flatMap(({ summary }) => summary[summaryKeys.quarantineSnapshotId] ?? []));
  const isPinned = (snapshot: Snapshot): boolean => texts.includes(snapshot["snapshot-id"].toString());
  const unlimited = planExpiry(tables.promoted.metadata, { policy, nowMs, isPinned });
  const oldest = unlimited.snapshots.reduce((most, each) => (each["sequence-number"] > most ? each["sequence-number"] : most), -1n);
  return {
    promoted: { ...unlimited, snapshots: unlimited.snapshots.filter((each) => !isUnseen(each)) },
    quarantine: planExpiry(tables.quarantine.metadata, {
      policy,
      nowMs,
      isPinned: (snapshot) => wanted.has(snapshot["snapshot-id"].toString()),
    }),
    heldBackBy: standing.sinks.filter(({ sequence }) => sequence < oldest).map(({ sink }) => sink),
  };
}

function isCommit({ summary }: Snapshot): boolean {
  return summary[summaryKeys.decisionHash] !== undefined && summary[summaryKeys.part] === undefined;
}

function draftRemoval(draft: TableDraft, { snapshots, refs }: ExpiryPlan): void {
  for (const name of refs) draft.update({ action: "remove-snapshot-ref", "ref-name": name });
  if (snapshots.length > 0) draft.update({ action: "remove-snapshots", "snapshot-ids": snapshots.map((each) => each["snapshot-id"]) });
}

/** Removes snapshots and refs in a draft, and keeps the snapshots' summaries in the ledger. */
async function draftExpiry(context: LakeContext, draft: TableDraft, plan: ExpiryPlan): Promise<void> {
  draftRemoval(draft, plan);
  if (plan.snapshots.length === 0) return;
  const ledger = await extendLedger(context.content, draft.base, plan.snapshots);
  draft.update({ action: "set-properties", updates: { [propertyNames.ledger]: ledger } });
}

/** Both tables before and after an expiry. */
interface Expired {
  readonly plans: Plans;
  readonly versions: readonly { readonly before: TableMetadata; readonly after: TableMetadata }[];
}

const nothing = (plans: Plans): boolean =>
  [plans.promoted, plans.quarantine].every((each) => each.snapshots.length + each.refs.length === 0);

async function commitExpiry(context: LakeContext, cursors: Cursors, dataset: string, policy: ExpiryPolicy): Promise<Expired> {
  let last: Expired | null = null;
  return commitUntilSettled<Expired>(context, dataset, async (tables): Promise<Plan<Expired>> => {
    if (last !== null && isDone(tables, last)) return { kind: "done", result: { ...last, versions: versionsSince(last, tables) } };
    const plans = await planBoth(context, tables, policy, await standingOf(context, cursors, dataset));
    // One table after the other, where the catalog can't change both at once: the first one is done, the second met another writer.
    const first = last !== null && lacks(tables.promoted.metadata, last.plans.promoted) ? last : null;
    if (nothing(plans) && first === null) return { kind: "done", result: { plans, versions: [] } };
    const drafts = draftsOf(context, tables);
    await draftExpiry(context, drafts.promoted, plans.promoted);
    await draftExpiry(context, drafts.quarantine, plans.quarantine);
    const both = [drafts.promoted, drafts.quarantine] as const;
    const versions = both.map((draft) => ({ before: draft.base, after: draft.metadata }));
    last = first === null ? { plans, versions } : joined(first, { plans, versions });
    return { kind: "change", drafts: both, result: last, apart: true };
  });
}

function lacks(metadata: TableMetadata, plan: ExpiryPlan): boolean {
  const there = new Set(metadata.snapshots.map((each) => each["snapshot-id"]));
  return !plan.snapshots.some((each) => there.has(each["snapshot-id"])) && !plan.refs.some((name) => metadata.refs[name] !== undefined);
}

/** Whether all that a try removed is gone: it took effect though its answer was lost. */
function isDone(tables: DatasetTables, { plans }: Expired): boolean {
  return lacks(tables.promoted.metadata, plans.promoted) && lacks(tables.quarantine.metadata, plans.quarantine);
}

/** An expiry whose promoted table went through at an earlier try. */
function joined(first: Expired, { plans, versions }: Expired): Expired {
  const { snapshots, refs } = first.plans.promoted;
  const promoted = { ...plans.promoted, snapshots: [...snapshots, ...plans.promoted.snapshots], refs: [...refs, ...plans.promoted.refs] };
  return {
    plans: { ...plans, promoted },
    versions: versions.map((each, i) => ({ ...each, before: i === 0 ? (first.versions[0] ?? each).before : each.before })),
  };
}

/** What is left is what stands now: others may have brought files back meanwhile, and then removed the snapshots themselves. */
function versionsSince({ versions }: Expired, { promoted, quarantine }: DatasetTables): Expired["versions"] {
  return versions.map(({ before }, i) => ({ before, after: (i === 0 ? promoted : quarantine).metadata }));
}

/** What an expiry would leave, without committing anything. */
async function imagine(context: LakeContext, cursors: Cursors, dataset: string, policy: ExpiryPolicy): Promise<Expired> {
  const tables = await loadTables(context, dataset);
  const plans = await planBoth(context, tables, policy, await standingOf(context, cursors, dataset));
  const drafts = draftsOf(context, tables);
  const versions = (
    [
      ["promoted", drafts.promoted],
      ["quarantine", drafts.quarantine],
    ] as const
  ).map(([name, draft]) => {
    draftRemoval(draft, plans[name]);
    return { before: draft.base, after: draft.metadata };
  });
  return { plans, versions };
}

/** Deletes files that nothing reaches any more; one that can't be deleted stays behind as an orphan. Answers how many went, and their bytes. */
export async function deleteFiles(
  context: LakeContext,
  paths: readonly string[],
  dryRun: boolean,
): Promise<{ files: number; bytes: number }> {
  const { storage } = context;
  let files = 0;
  let bytes = 0;
  for (const path of paths) {
    try {
      const size = await storage.sizeBytes(path);
      if (!dryRun) await storage.delete(path);
      files++;
      bytes += size;
    } catch (fault) {
      if (!(fault instanceof SluiceError)) throw fault;
    }
  }
  return { files, bytes };
}

/** See `LakeMaintenance.expire`. */
export async function expire(
  context: LakeContext,
  cursors: Cursors,
  dataset: string,
  { policy, dryRun }: { readonly policy: ExpiryPolicy; readonly dryRun: boolean },
): Promise<ExpiryReport> {
  const { plans, versions } = await (dryRun ? imagine : commitExpiry)(context, cursors, dataset, policy);
  const paths: string[] = [];
  for (const { before, after } of versions) paths.push(...(await unreachedFiles(context.storage, before, after)));
  const deleted = await deleteFiles(context, paths, dryRun);
  return {
    dataset,
    dryRun,
    snapshots: { promoted: plans.promoted.snapshots.length, quarantine: plans.quarantine.snapshots.length },
    refs: [...plans.promoted.refs.map((name) => `promoted/${name}`), ...plans.quarantine.refs.map((name) => `quarantine/${name}`)],
    ...deleted,
    heldBackBy: plans.heldBackBy,
  };
}
