import { allDone } from "../../core/all-done.ts";
import { encodeDecision } from "../../core/decision-text.ts";
import { countRows } from "../../core/encoded-file.ts";
import { SluiceError } from "../../core/errors.ts";
import type { CommitResult, RejectedRow, WindowCommit } from "../../core/ports.ts";
import type { Position } from "../../core/position.ts";
import { partitionId } from "../../core/position.ts";
import type { Reason } from "../../core/rule.ts";
import type { MergeCache } from "../iceberg/manifest-merge.ts";
import type { QuarantineRow } from "../iceberg/quarantine-schema.ts";
import type { TableDraft } from "../iceberg/table-draft.ts";
import type { NewManifest } from "../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../iceberg/table-metadata.ts";
import type { Plan } from "./commit-loop.ts";
import { commitUntilSettled, draftsOf } from "./commit-loop.ts";
import type { DatasetTables, LakeContext } from "./lake-context.ts";
import { loadTables } from "./lake-context.ts";
import { heldBranch, summaryKeys, windowSummary } from "./summary-keys.ts";
import { manifestsOf, writePassed, writeQuarantined } from "./table-files.ts";
import { pinStatistics } from "./window-statistics.ts";
import { positionsById, propertyNames, readContracts, readHoldNext, readPositions, writePositions } from "./table-properties.ts";

/** What of a window is written before the first attempt, and is the same in all of them. */
interface Staged {
  readonly commit: WindowCommit;
  readonly decisionHash: string;
  /** Ids of main's new snapshots. */
  readonly ids: { readonly promoted: bigint; readonly quarantine: bigint };
  /** Ids of the snapshots of a held window's branches. */
  readonly heldIds: { readonly passed: bigint; readonly raw: bigint; readonly rejected: bigint };
  readonly passed: readonly NewManifest[];
  readonly rejected: readonly NewManifest[];
  /** Raw records of rows that passed; only where the window is held. */
  readonly raw: readonly NewManifest[];
  readonly merges: { readonly promoted: MergeCache; readonly quarantine: MergeCache };
}

/** The snapshot of main by which a decision was committed, or null. */
export function findCommitted(metadata: TableMetadata, windowId: string, decisionHash: string): Snapshot | null {
  const own = (snapshot: Snapshot): boolean =>
    snapshot.summary[summaryKeys.windowId] === windowId &&
    snapshot.summary[summaryKeys.decisionHash] === decisionHash &&
    snapshot.summary[summaryKeys.part] === undefined;
  return metadata.snapshots.findLast(own) ?? null;
}

/** The result of a commit that took effect. */
export function committedAs(snapshot: Snapshot, attempts: number): CommitResult {
  return {
    status: "committed",
    snapshotId: snapshot["snapshot-id"].toString(),
    quarantineSnapshotId: snapshot.summary[summaryKeys.quarantineSnapshotId] ?? null,
    attempts,
  };
}

/** Rejects a contract that is neither active nor the one before: windows that were open at the change may finish under that one. */
export function checkContract(metadata: TableMetadata, contract: { readonly hash: string; readonly version: string }): void {
  const active = readContracts(metadata.properties);
  const place = active.findLastIndex((each) => each.hash === contract.hash);
  if (place < 0) throw new Error(`contract ${contract.hash} was never activated`);
  if (place >= active.length - 2) return;
  const message = `contract version ${contract.version} (${contract.hash}) was superseded by ${active.at(-1)?.version}`;
  throw new SluiceError("CONTRACT_SUPERSEDED", message);
}

/** Why a window that began at `from` can't be committed any more, or null. */
function whyLost(metadata: TableMetadata, from: readonly Position[]): string | null {
  const positions = positionsById(readPositions(metadata.properties));
  for (const position of from) {
    const now = positions.get(partitionId(position));
    if (now?.next === position.next) continue;
    const where = `partition ${position.partition} of ${position.topic}`;
    return `the window began at ${position.next} of ${where}, the table is at ${now === undefined ? "no position" : now.next}`;
  }
  return null;
}

function positionsAfter(metadata: TableMetadata, commit: WindowCommit): string {
  const positions = positionsById(readPositions(metadata.properties));
  for (const position of commit.to) positions.set(partitionId(position), position);
  // Last: a file's rows and its end, which supersedes them, often move in one window.
  for (const key of commit.supersedes) positions.delete(partitionId(key));
  return writePositions([...positions.values()]);
}

function* rejectedRows(rows: readonly RejectedRow[], commit: WindowCommit, decisionHash: string): Iterable<QuarantineRow> {
  for (const { records, row, reasons } of rows) yield { records, row, reasons, ...versionOf(commit, decisionHash) };
}

function* rawRows(commit: WindowCommit, decisionHash: string): Iterable<QuarantineRow> {
  const message = commit.decision.causes.map((cause) => cause.message).join("; ");
  const held: Reason = {
    rule: "window.held",
    family: "held",
    column: null,
    severity: "error",
    message: `passed, in a window that was held: ${message}`,
    observed: null,
    limit: null,
  };
  for (const { records, rows } of commit.raw) {
    for (const row of rows) yield { records, row, reasons: [held], ...versionOf(commit, decisionHash) };
  }
}

function versionOf({ decision }: WindowCommit, decisionHash: string): Omit<QuarantineRow, "records" | "row" | "reasons"> {
  return {
    contractHash: decision.contract.hash,
    decisionHash,
    windowId: decision.windowId,
    attempt: 0,
    state: "open",
    quarantinedAtMs: decision.closedAtMs,
  };
}

function checkWindow({ decision, from, to, passed, raw }: WindowCommit): void {
  if (decision.verdict === "stop") throw new Error("a stopped window is not committed: it moves nothing");
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(decision.windowId)) throw new Error(`${JSON.stringify(decision.windowId)} is no window id`);
  const rawRowCount = raw.reduce((sum, each) => sum + each.rows.length, 0);
  const passedRows = countRows(passed);
  if (rawRowCount !== (decision.verdict === "hold" ? passedRows : 0)) {
    throw new Error(`the window holds ${passedRows} rows and brings the records of ${rawRowCount}`);
  }
  const begun = new Set(from.map(partitionId));
  const stray = to.find((position) => !begun.has(partitionId(position)));
  if (stray !== undefined) throw new Error(`the window moves partition ${stray.partition} of ${stray.topic} without saying where it began`);
}

/** Stores a decision and its profile; both are durable before any table names them. Answers the decision's hash. */
async function storeDecision(context: LakeContext, commit: WindowCommit): Promise<string> {
  const { decision, profile } = commit;
  const [hash, profileHash] = await Promise.all([
    context.content.put("decision", encodeDecision(decision)),
    profile === null ? null : context.content.put("profile", profile),
  ]);
  if (profileHash !== null && profileHash !== decision.profile.hash) {
    throw new Error(`the decision names profile ${decision.profile.hash}, its bytes are ${profileHash}`);
  }
  context.probe("decision.written");
  return hash;
}

async function stage(context: LakeContext, tables: DatasetTables, commit: WindowCommit, decisionHash: string): Promise<Staged> {
  const { windowId, verdict } = commit.decision;
  const held = verdict === "hold";
  const ids = { promoted: context.snapshotId(), quarantine: context.snapshotId() };
  const heldIds = { passed: context.snapshotId(), raw: context.snapshotId(), rejected: context.snapshotId() };
  const promoted = tables.promoted.metadata;
  const quarantine = tables.quarantine.metadata;
  const toPromoted = async (id: bigint): Promise<NewManifest[]> =>
    manifestsOf(context, promoted, id, await writePassed(context, promoted, commit));
  const toQuarantine = async (id: bigint, rows: Iterable<QuarantineRow>): Promise<NewManifest[]> =>
    manifestsOf(context, quarantine, id, await writeQuarantined(context, quarantine, windowId, rows));
  // All of it at once: in object storage each file is a wait of its own.
  const [passed, rejected, raw] = await allDone([
    toPromoted(held ? heldIds.passed : ids.promoted),
    toQuarantine(held ? heldIds.rejected : ids.quarantine, rejectedRows(commit.rejected, commit, decisionHash)),
    held ? toQuarantine(heldIds.raw, rawRows(commit, decisionHash)) : Promise.resolve([]),
  ]);
  return { commit, decisionHash, ids, heldIds, passed, rejected, raw, merges: { promoted: new Map(), quarantine: new Map() } };
}

/** Puts a held window on its branches: over main as it is, so that main's own readers never meet it. */
async function appendHeld(staged: Staged, drafts: { promoted: TableDraft; quarantine: TableDraft }, nowMs: number): Promise<void> {
  const { commit, decisionHash, heldIds } = staged;
  const branch = heldBranch(commit.decision.windowId);
  const summary = windowSummary(commit.decision, decisionHash);
  const part = (name: string): Record<string, string> => ({ ...summary, [summaryKeys.part]: name });
  const common = { branch, merges: null, nowMs };
  await drafts.promoted.append({
    ...common,
    snapshotId: heldIds.passed,
    parent: drafts.promoted.main,
    manifests: staged.passed,
    summary: { ...part("passed"), "wap.id": commit.decision.windowId },
  });
  const raw = await drafts.quarantine.append({
    ...common,
    snapshotId: heldIds.raw,
    parent: drafts.quarantine.main,
    manifests: staged.raw,
    summary: part("raw"),
  });
  await drafts.quarantine.append({
    ...common,
    snapshotId: heldIds.rejected,
    parent: raw,
    manifests: staged.rejected,
    summary: part("rejected"),
  });
  // Both snapshots are the window: expiry by any program keeps as many of a branch as it asks for, one if it does not.
  drafts.quarantine.update({
    action: "set-snapshot-ref",
    "ref-name": branch,
    type: "branch",
    "snapshot-id": heldIds.rejected,
    "min-snapshots-to-keep": 2,
  });
}

async function plan(context: LakeContext, staged: Staged, tables: DatasetTables, attempt: number): Promise<Plan<CommitResult>> {
  const { commit, decisionHash, ids } = staged;
  const { decision } = commit;
  const before = settled(tables, commit, decisionHash, attempt);
  if (before !== null) return { kind: "done", result: before };
  const held = decision.verdict === "hold";
  const drafts = draftsOf(context, tables);
  const nowMs = context.clock.now();
  if (held) await appendHeld(staged, drafts, nowMs);
  const quarantineMoves = held || staged.rejected.length > 0;
  const summary = windowSummary(decision, decisionHash);
  const quarantineSnapshotId = quarantineMoves ? ids.quarantine.toString() : null;
  drafts.promoted.update({
    action: "set-properties",
    updates: { [propertyNames.positions]: positionsAfter(tables.promoted.metadata, commit) },
  });
  if (held && readHoldNext(tables.promoted.metadata.properties)) {
    drafts.promoted.update({ action: "remove-properties", removals: [propertyNames.holdNext] });
  }
  const common = { branch: "main", nowMs };
  const appendPassed = async (): Promise<Snapshot> => {
    const added = await drafts.promoted.append({
      ...common,
      snapshotId: ids.promoted,
      parent: drafts.promoted.main,
      manifests: held ? [] : staged.passed,
      summary: { ...summary, ...(quarantineSnapshotId === null ? {} : { [summaryKeys.quarantineSnapshotId]: quarantineSnapshotId }) },
      merges: staged.merges.promoted,
    });
    if (!held) pinStatistics(drafts.promoted, added, decision, commit.profile);
    return added;
  };
  const appendRejected = (): Promise<Snapshot> =>
    drafts.quarantine.append({
      ...common,
      snapshotId: ids.quarantine,
      parent: drafts.quarantine.main,
      manifests: held ? [] : staged.rejected,
      summary,
      merges: staged.merges.quarantine,
    });
  const [snapshot] = await allDone([appendPassed(), quarantineMoves ? appendRejected() : Promise.resolve(null)]);
  return {
    kind: "change",
    drafts: [drafts.promoted, quarantineMoves ? drafts.quarantine : null],
    result: committedAs(snapshot, attempt),
  };
}

/** What became of a window already: committed by an earlier try whose answer was lost, or lost to another worker; null where it is open. */
function settled(tables: DatasetTables, commit: WindowCommit, decisionHash: string, attempt: number): CommitResult | null {
  const { metadata } = tables.promoted;
  const own = findCommitted(metadata, commit.decision.windowId, decisionHash);
  if (own !== null) return committedAs(own, attempt);
  const message = whyLost(metadata, commit.from);
  if (message !== null) return { status: "lost", message };
  checkContract(metadata, commit.contract);
  return null;
}

/** Commits a window; see `Lake.commitWindow`. Calling again with the same argument after any fault is safe. */
export async function commitWindow(context: LakeContext, commit: WindowCommit): Promise<CommitResult> {
  checkWindow(commit);
  const [decisionHash, tables] = await allDone([storeDecision(context, commit), loadTables(context, commit.decision.dataset)]);
  const before = settled(tables, commit, decisionHash, 1);
  if (before !== null) return before;
  const staged = await stage(context, tables, commit, decisionHash);
  return commitUntilSettled(context, commit.decision.dataset, (fresh, attempt) => plan(context, staged, fresh, attempt));
}
