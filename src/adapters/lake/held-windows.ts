import { createHash } from "node:crypto";
import { decodeDecision, encodeDecision } from "../../core/decision-text.ts";
import type { Decision } from "../../core/decision.ts";
import { SluiceError } from "../../core/errors.ts";
import type { CommitResult, HeldWindow } from "../../core/ports.ts";
import type { NewManifest } from "../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../iceberg/table-metadata.ts";
import { ancestorsOf, snapshotOfRef } from "../iceberg/table-metadata.ts";
import { committedAs, findCommitted } from "./commit-window.ts";
import type { Plan } from "./commit-loop.ts";
import { commitUntilSettled, draftsOf } from "./commit-loop.ts";
import type { DatasetTables, LakeContext } from "./lake-context.ts";
import { loadTables } from "./lake-context.ts";
import { heldBranch, summaryKeys, windowOfBranch, windowSummary } from "./summary-keys.ts";
import { filesAddedBy, manifestsOf } from "./table-files.ts";
import { pinStatistics, profileToPin } from "./window-statistics.ts";

export interface Answer {
  readonly author: string;
  readonly reason: string;
}

/** The snapshots of a held window: its rows that passed, the raw records of those rows, and its rejected rows. */
interface HeldParts {
  readonly passed: Snapshot;
  readonly raw: Snapshot;
  readonly rejected: Snapshot;
}

function addedRecords(snapshot: Snapshot): number {
  return Number(snapshot.summary["added-records"] ?? 0);
}

function partOf(metadata: TableMetadata, windowId: string, part: string): Snapshot | null {
  const head = snapshotOfRef(metadata, heldBranch(windowId));
  const own = (snapshot: Snapshot): boolean => snapshot.summary[summaryKeys.windowId] === windowId;
  return ancestorsOf(metadata, head).find((snapshot) => own(snapshot) && snapshot.summary[summaryKeys.part] === part) ?? null;
}

function findParts(tables: DatasetTables, windowId: string): HeldParts | null {
  const passed = partOf(tables.promoted.metadata, windowId, "passed");
  const raw = partOf(tables.quarantine.metadata, windowId, "raw");
  const rejected = partOf(tables.quarantine.metadata, windowId, "rejected");
  return passed === null || raw === null || rejected === null ? null : { passed, raw, rejected };
}

function partIds({ passed, raw, rejected }: HeldParts): string {
  return [passed, raw, rejected].map((part) => part["snapshot-id"]).join(" ");
}

async function decisionOf(context: LakeContext, snapshot: Snapshot): Promise<Decision> {
  return decodeDecision(await context.content.get("decision", snapshot.summary[summaryKeys.decisionHash] ?? ""));
}

/** Windows that wait for a person, oldest first. */
export async function heldWindows(context: LakeContext, dataset: string): Promise<readonly HeldWindow[]> {
  const tables = await loadTables(context, dataset);
  const ids = Object.keys(tables.promoted.metadata.refs).flatMap((ref) => windowOfBranch(ref) ?? []);
  const found = ids.flatMap((windowId) => {
    const parts = findParts(tables, windowId);
    return parts === null ? [] : [{ windowId, parts }];
  });
  found.sort((a, b) => (a.parts.passed["sequence-number"] < b.parts.passed["sequence-number"] ? -1 : 1));
  return Promise.all(
    found.map(async ({ windowId, parts }) => ({
      windowId,
      dataset,
      heldAtMs: parts.passed["timestamp-ms"],
      rows: addedRecords(parts.passed),
      rejected: addedRecords(parts.rejected),
      decision: await decisionOf(context, parts.passed),
    })),
  );
}

/** The decision of an answer: the held window's own, with its rows where the answer puts them, under an id that follows from the window's. */
function answeredDecision(
  held: Decision,
  kind: "publish" | "drop",
  rows: { passed: number; rejected: number },
  by: Answer,
  nowMs: number,
): Decision {
  const publish = kind === "publish";
  const windowId = `w${createHash("sha256").update(`${kind}\n${held.windowId}`).digest("hex").slice(0, 20)}`;
  const quarantined = publish ? rows.rejected : rows.passed + rows.rejected;
  const cause = {
    kind: "policy",
    subject: held.windowId,
    message: `${publish ? "published" : "dropped"} by ${by.author}: ${by.reason}`,
  } as const;
  return {
    ...held,
    windowId,
    kind,
    closedAtMs: nowMs,
    counts: {
      records: rows.passed + rows.rejected,
      promoted: publish ? rows.passed : 0,
      quarantined,
      held: 0,
      skipped: { tombstone: 0, late: 0 },
    },
    profile: publish ? held.profile : { rows: 0, columns: [], hash: null },
    verdict: quarantined > 0 ? "promote-and-quarantine-rows" : "promote",
    causes: [cause],
  };
}

/** What an answer writes before its first attempt. */
interface StagedAnswer {
  readonly kind: "publish" | "drop";
  readonly heldId: string;
  /** What the held window's own snapshot says of its decision. */
  readonly heldSummary: Readonly<Record<string, string>>;
  readonly heldSnapshotId: bigint;
  /** Which snapshots it was staged from. */
  readonly heldIds: string;
  readonly decision: Decision;
  readonly decisionHash: string;
  readonly by: Answer;
  readonly ids: { readonly promoted: bigint; readonly quarantine: bigint };
  readonly promoted: readonly NewManifest[];
  readonly quarantine: readonly NewManifest[];
  /** Of the rows that are published. */
  readonly profile: Uint8Array | null;
}

async function stageAnswer(
  context: LakeContext,
  tables: DatasetTables,
  parts: HeldParts,
  kind: "publish" | "drop",
  by: Answer,
): Promise<StagedAnswer> {
  const held = await decisionOf(context, parts.passed);
  const rows = { passed: addedRecords(parts.passed), rejected: addedRecords(parts.rejected) };
  const decision = answeredDecision(held, kind, rows, by, context.clock.now());
  const decisionHash = await context.content.put("decision", encodeDecision(decision));
  context.probe("decision.written");
  const ids = { promoted: context.snapshotId(), quarantine: context.snapshotId() };
  const rejected = await filesAddedBy(context, parts.rejected);
  const toPromoted = kind === "publish" ? await filesAddedBy(context, parts.passed) : [];
  const toQuarantine = kind === "publish" ? rejected : [...(await filesAddedBy(context, parts.raw)), ...rejected];
  return {
    kind,
    heldId: held.windowId,
    heldSummary: {
      [summaryKeys.heldWindowId]: held.windowId,
      [summaryKeys.heldVerdict]: held.verdict,
      [summaryKeys.heldDecisionHash]: parts.passed.summary[summaryKeys.decisionHash] ?? "",
    },
    heldSnapshotId: parts.passed["snapshot-id"],
    heldIds: partIds(parts),
    decision,
    decisionHash,
    by,
    ids,
    profile: await profileToPin(context, tables.promoted.metadata, decision),
    promoted: await manifestsOf(context, tables.promoted.metadata, ids.promoted, toPromoted),
    quarantine: await manifestsOf(context, tables.quarantine.metadata, ids.quarantine, toQuarantine),
  };
}

function answerSummary(staged: StagedAnswer): Record<string, string> {
  return {
    ...windowSummary(staged.decision, staged.decisionHash),
    ...staged.heldSummary,
    [summaryKeys.author]: staged.by.author,
    [summaryKeys.reason]: staged.by.reason,
  };
}

async function planAnswer(context: LakeContext, staged: StagedAnswer, tables: DatasetTables, attempt: number): Promise<Plan<CommitResult>> {
  const drafts = draftsOf(context, tables);
  const nowMs = context.clock.now();
  const summary = answerSummary(staged);
  const quarantineMoves = staged.quarantine.length > 0;
  const published = { [summaryKeys.publishedWapId]: staged.heldId, [summaryKeys.sourceSnapshotId]: staged.heldSnapshotId.toString() };
  const snapshot = await drafts.promoted.append({
    snapshotId: staged.ids.promoted,
    parent: drafts.promoted.main,
    branch: "main",
    manifests: staged.promoted,
    summary: {
      ...summary,
      ...(staged.kind === "publish" ? published : {}),
      ...(quarantineMoves ? { [summaryKeys.quarantineSnapshotId]: staged.ids.quarantine.toString() } : {}),
    },
    merges: null,
    nowMs,
  });
  pinStatistics(drafts.promoted, snapshot, staged.decision, staged.profile);
  if (quarantineMoves) {
    const { quarantine } = drafts;
    const { main } = quarantine;
    await quarantine.append({
      snapshotId: staged.ids.quarantine,
      parent: main,
      branch: "main",
      manifests: staged.quarantine,
      summary,
      merges: null,
      nowMs,
    });
  }
  const dropBranch = { action: "remove-snapshot-ref", "ref-name": heldBranch(staged.heldId) } as const;
  drafts.promoted.update(dropBranch);
  drafts.quarantine.update(dropBranch);
  return { kind: "change", drafts: [drafts.promoted, drafts.quarantine], result: committedAs(snapshot, attempt) };
}

function notHeld(tables: DatasetTables, windowId: string): SluiceError {
  const answer = tables.promoted.metadata.snapshots.find((snapshot) => snapshot.summary[summaryKeys.heldWindowId] === windowId);
  if (answer === undefined) return new SluiceError("NOT_FOUND", `${tables.dataset} holds no window ${windowId}`);
  const { [summaryKeys.change]: change, [summaryKeys.author]: author } = answer.summary;
  return new SluiceError("HELD_WINDOW_SETTLED", `window ${windowId} was answered already: ${change} by ${author}`);
}

/** Answers a held window, once; see `Lake.publishHeld` and `Lake.dropHeld`. Rejects with NOT_FOUND and HELD_WINDOW_SETTLED. */
export async function answerHeld(
  context: LakeContext,
  dataset: string,
  windowId: string,
  kind: "publish" | "drop",
  by: Answer,
): Promise<CommitResult> {
  const tables = await loadTables(context, dataset);
  const parts = findParts(tables, windowId);
  if (parts === null) throw notHeld(tables, windowId);
  let staged = await stageAnswer(context, tables, parts, kind, by);
  return commitUntilSettled(context, dataset, async (fresh, attempt) => {
    const own = findCommitted(fresh.promoted.metadata, staged.decision.windowId, staged.decisionHash);
    if (own !== null && own["snapshot-id"] === staged.ids.promoted) return { kind: "done", result: committedAs(own, attempt) };
    const now = findParts(fresh, windowId);
    if (now === null) throw notHeld(fresh, windowId);
    // An erasure has put other snapshots in the place of the window's: the files that were staged may hold what was erased.
    if (partIds(now) !== staged.heldIds) staged = await stageAnswer(context, fresh, now, kind, by);
    return planAnswer(context, staged, fresh, attempt);
  });
}
