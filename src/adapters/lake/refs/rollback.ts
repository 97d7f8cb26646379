import { createHash } from "node:crypto";
import { encodeDecision } from "../../../core/decision-text.ts";
import type { Decision, MovedMain } from "../../../core/decision.ts";
import type { Authorship, LakeRefs, MoveAuthorship, Rollback } from "../../../core/lake-refs.ts";
import { resolveVersion } from "../../../core/version-name.ts";
import { TableDraft } from "../../iceberg/table-draft.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { snapshotWithId } from "../../iceberg/table-metadata.ts";
import { commitUntilSettled } from "../commit-loop.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { summaryKeys, windowSummary } from "../summary-keys.ts";
import { propertyNames, readContracts } from "../table-properties.ts";
import { planRollback } from "./plan-rollback.ts";
import { refAgeMs, versionSpace } from "./ref-records.ts";
import { formatRanges, readRollbacks, withdrawnTag, writeRollbacks } from "./rollback-records.ts";

/** The decision of a person who moved main. It reads no records: its counts are of the rows that it moved. */
export function moveDecision(
  metadata: TableMetadata,
  change: {
    readonly dataset: string;
    readonly kind: "withdraw" | "restore";
    readonly snapshotId: string;
    readonly moved: MovedMain;
    readonly rows: number;
    readonly nowMs: number;
  } & Required<MoveAuthorship>,
): Decision {
  const { dataset, kind, snapshotId, moved, rows, nowMs, author, reason, producer } = change;
  const contract = readContracts(metadata.properties).at(-1);
  const withdraw = kind === "withdraw";
  const message = `${withdraw ? "rolled back" : "brought back"} by ${author}: ${reason}`;
  return {
    format: "sluice.decision/1",
    dataset,
    windowId: `w${createHash("sha256").update(`${kind}\n${snapshotId}`).digest("hex").slice(0, 20)}`,
    kind,
    openedAtMs: nowMs,
    closedAtMs: nowMs,
    closedBy: "person",
    contract: { id: contract?.id ?? "", version: contract?.version ?? "", hash: contract?.hash ?? "" },
    ranges: [],
    counts: {
      records: rows,
      promoted: withdraw ? 0 : rows,
      quarantined: 0,
      held: 0,
      skipped: { tombstone: 0, late: 0 },
      ...(withdraw && { withdrawn: rows }),
    },
    rules: [],
    profile: { rows: 0, columns: [], hash: null },
    drift: { status: "off", tick: null, baseline: null, needs: 0, results: [] },
    verdict: "promote",
    causes: [{ kind: "policy", subject: moved.rollback, message }],
    moved,
    worker: author,
    producer,
  };
}

/** Stores the decision of a move, and answers what its snapshot says of itself. */
export async function moveSummary(
  context: LakeContext,
  decision: Decision,
  { author, reason }: Authorship,
): Promise<Record<string, string>> {
  const hash = await context.content.put("decision", encodeDecision(decision));
  context.probe("decision.written");
  return {
    ...windowSummary(decision, hash),
    [summaryKeys.author]: author,
    [summaryKeys.reason]: reason,
    [summaryKeys.detail]: JSON.stringify(decision.moved),
  };
}

/**
 * Moves main back; see `LakeRefs.rollback`. Main does not become the old snapshot again but an empty one over it: so main's old value still tells every
 * version of the table's positions from every other, the change stands in the history with who made it and why, and cursors hear of it. What is withdrawn
 * stays under a tag.
 */
export async function rollback(
  context: LakeContext,
  dataset: string,
  change: Parameters<LakeRefs["rollback"]>[1],
): ReturnType<LakeRefs["rollback"]> {
  const { author, reason, producer = "unknown" } = change;
  const id = context.snapshotId();
  // Looked up once: while others commit, `main~2` would come to mean what nobody asked for.
  const { metadata: first } = (await loadTables(context, dataset)).promoted;
  const to = resolveVersion(versionSpace(dataset, first), change.to, context.clock.now());
  let mine: Awaited<ReturnType<LakeRefs["rollback"]>> | null = null;
  return commitUntilSettled(context, dataset, async (tables) => {
    const { metadata } = tables.promoted;
    if (mine !== null && snapshotWithId(metadata, id) !== null) return { kind: "done", result: mine };
    const { plan, head, versions, target, ranges, isRewritten } = await planRollback(context, tables, to);
    const nowMs = context.clock.now();
    const moved: MovedMain = {
      rollback: id.toString(),
      from: plan.from,
      to: plan.to.snapshotId,
      sequences: formatRanges(ranges),
      windows: plan.windows.filter((each) => each.decision.counts.promoted > 0).length,
    };
    const { rollback: _id, ...rest } = moved;
    const record: Rollback = {
      id: id.toString(),
      ...rest,
      atMs: nowMs,
      author,
      reason,
      rows: plan.rows,
      keysReleased: change.releaseKeys,
      ...(change.releaseKeys && { keysPending: true }),
      isRewritten,
    };
    const decision = moveDecision(metadata, {
      dataset,
      kind: "withdraw",
      snapshotId: id.toString(),
      moved,
      rows: plan.rows,
      nowMs,
      author,
      reason,
      producer,
    });
    const draft = new TableDraft(context.io, metadata);
    const age = change.keepMs === null ? {} : { "max-ref-age-ms": refAgeMs(head, change.keepMs, nowMs) };
    // A tag keeps its one snapshot. Where that does not tell what came after the target, all in between are kept, as a branch's.
    const kind = isRewritten ? ({ type: "branch", "min-snapshots-to-keep": versions + 1 } as const) : ({ type: "tag" } as const);
    draft.update(
      { action: "set-properties", updates: { [propertyNames.withdrawn]: writeRollbacks([...readRollbacks(metadata.properties), record]) } },
      { action: "set-snapshot-ref", "ref-name": withdrawnTag(record.id), ...kind, "snapshot-id": head["snapshot-id"], ...age },
    );
    const summary = await moveSummary(context, decision, { author, reason });
    await draft.append({ snapshotId: id, parent: target, branch: "main", manifests: [], summary, merges: null, nowMs });
    mine = { snapshotId: id.toString(), rollback: record, plan };
    return { kind: "change", drafts: [draft, null], result: mine };
  });
}
