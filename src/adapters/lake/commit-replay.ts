import { encodeDecision } from "../../core/decision-text.ts";
import { countRows } from "../../core/encoded-file.ts";
import { recordsOfQuarantined } from "../../core/quarantined-records.ts";
import type { CommitResult, ReplayCommit } from "../../core/ports.ts";
import type { MergeCache } from "../iceberg/manifest-merge.ts";
import type { QuarantineRow } from "../iceberg/quarantine-schema.ts";
import type { NewManifest } from "../iceberg/table-io.ts";
import type { Plan } from "./commit-loop.ts";
import { commitUntilSettled, draftsOf } from "./commit-loop.ts";
import { checkContract, committedAs, findCommitted } from "./commit-window.ts";
import type { DatasetTables, LakeContext } from "./lake-context.ts";
import { loadTables } from "./lake-context.ts";
import { findMoved } from "./quarantine-scan.ts";
import { summaryKeys, windowSummary } from "./summary-keys.ts";
import { manifestsOf, writePassed, writeQuarantined } from "./table-files.ts";

interface StagedReplay {
  readonly commit: ReplayCommit;
  readonly decisionHash: string;
  readonly ids: { readonly promoted: bigint; readonly quarantine: bigint };
  readonly promoted: readonly NewManifest[];
  readonly quarantine: readonly NewManifest[];
  readonly merges: { readonly promoted: MergeCache; readonly quarantine: MergeCache };
  /** Where quarantine's main stood when every record was seen open. */
  readonly seenAt: bigint | null;
}

/** The next version of every replayed record: promoted, or what it failed as. */
function* versions(commit: ReplayCommit, decisionHash: string): Iterable<QuarantineRow> {
  const { decision, replayed } = commit;
  const failed = new Map(commit.failed.map((each) => [each.index, each]));
  const records = recordsOfQuarantined(replayed);
  for (const [row, record] of replayed.entries()) {
    const outcome = failed.get(row);
    yield {
      records,
      row,
      reasons: outcome?.reasons ?? [],
      contractHash: decision.contract.hash,
      decisionHash,
      windowId: record.windowId,
      attempt: record.attempt + 1,
      state: outcome?.state ?? "promoted",
      quarantinedAtMs: decision.closedAtMs,
    };
  }
}

function checkReplay(commit: ReplayCommit): void {
  const indexes = new Set(commit.failed.map((each) => each.index));
  const accounted = indexes.size === commit.failed.length && indexes.size + countRows(commit.passed) === commit.replayed.length;
  if (!accounted) throw new Error("a replay must put each record in exactly one place");
  if (new Set(commit.replayed.map((record) => record.id)).size !== commit.replayed.length) throw new Error("a replay names a record twice");
}

async function stage(context: LakeContext, tables: DatasetTables, commit: ReplayCommit, decisionHash: string): Promise<StagedReplay> {
  const { windowId } = commit.decision;
  const promoted = tables.promoted.metadata;
  const quarantine = tables.quarantine.metadata;
  const ids = { promoted: context.snapshotId(), quarantine: context.snapshotId() };
  const passed = await writePassed(context, promoted, commit);
  const next = await writeQuarantined(context, quarantine, windowId, versions(commit, decisionHash));
  return {
    commit,
    decisionHash,
    ids,
    promoted: await manifestsOf(context, promoted, ids.promoted, passed),
    quarantine: await manifestsOf(context, quarantine, ids.quarantine, next),
    merges: { promoted: new Map(), quarantine: new Map() },
    seenAt: quarantine.refs.main?.["snapshot-id"] ?? null,
  };
}

async function settled(
  context: LakeContext,
  tables: DatasetTables,
  commit: ReplayCommit,
  decisionHash: string,
  attempt: number,
  seenAt: bigint | null,
): Promise<CommitResult | null> {
  const own = findCommitted(tables.promoted.metadata, commit.decision.windowId, decisionHash);
  if (own !== null) return committedAs(own, attempt);
  const { metadata } = tables.quarantine;
  const unmoved = seenAt !== null && metadata.refs.main?.["snapshot-id"] === seenAt;
  const moved = unmoved ? null : await findMoved(context, metadata, commit.replayed);
  if (moved !== null) return { status: "lost", message: `record ${moved.id} is no longer open at attempt ${moved.attempt}` };
  checkContract(tables.promoted.metadata, commit.contract);
  return null;
}

async function plan(context: LakeContext, staged: StagedReplay, tables: DatasetTables, attempt: number): Promise<Plan<CommitResult>> {
  const { commit, decisionHash, ids } = staged;
  const before = await settled(context, tables, commit, decisionHash, attempt, staged.seenAt);
  if (before !== null) return { kind: "done", result: before };
  const drafts = draftsOf(context, tables);
  const nowMs = context.clock.now();
  const summary = windowSummary(commit.decision, decisionHash);
  const snapshot = await drafts.promoted.append({
    snapshotId: ids.promoted,
    parent: drafts.promoted.main,
    branch: "main",
    manifests: staged.promoted,
    summary: { ...summary, [summaryKeys.quarantineSnapshotId]: ids.quarantine.toString() },
    merges: staged.merges.promoted,
    nowMs,
  });
  await drafts.quarantine.append({
    snapshotId: ids.quarantine,
    parent: drafts.quarantine.main,
    branch: "main",
    manifests: staged.quarantine,
    summary,
    merges: staged.merges.quarantine,
    nowMs,
  });
  return { kind: "change", drafts: [drafts.promoted, drafts.quarantine], result: committedAs(snapshot, attempt) };
}

/** Commits a replay; see `Lake.commitReplay`. Calling again with the same argument after any fault is safe. */
export async function commitReplay(context: LakeContext, commit: ReplayCommit): Promise<CommitResult> {
  checkReplay(commit);
  if (commit.replayed.length === 0) throw new Error("a replay of no records is no replay");
  const decisionHash = await context.content.put("decision", encodeDecision(commit.decision));
  context.probe("decision.written");
  const tables = await loadTables(context, commit.decision.dataset);
  const before = await settled(context, tables, commit, decisionHash, 1, null);
  if (before !== null) return before;
  const staged = await stage(context, tables, commit, decisionHash);
  return commitUntilSettled(context, commit.decision.dataset, (fresh, attempt) => plan(context, staged, fresh, attempt));
}
