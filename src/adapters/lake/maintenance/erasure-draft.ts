import { EntryStatus } from "../../iceberg/manifest.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import type { TableDraft } from "../../iceberg/table-draft.ts";
import { readManifest, readManifestList } from "../../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { ancestorsOf, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { moveRef } from "../refs/move-ref.ts";
import { readRollbacks, writeRollbacks } from "../refs/rollback-records.ts";
import { summaryKeys, windowOfBranch } from "../summary-keys.ts";
import { filesAddedBy, manifestsOf } from "../table-files.ts";
import { propertyNames } from "../table-properties.ts";
import type { ErasureRewrites } from "./erasure-rewrites.ts";
import { extendLedger, redactLedger } from "./ledger.ts";
import { redactSummary } from "./redact-summary.ts";

export interface TableErasure {
  readonly rewrites: ErasureRewrites;
  /** Redacted decisions by the hashes that they had. */
  readonly hashes: ReadonlyMap<string, string>;
  /** What the new snapshots say of themselves. */
  readonly summary: Readonly<Record<string, string>>;
}

/** Snapshots that reach a file which holds something that is to go. */
async function touchedSnapshots(context: LakeContext, metadata: TableMetadata, rewrites: ErasureRewrites): Promise<Set<bigint>> {
  const byManifest = new Map<string, boolean>();
  const touched = new Set<bigint>();
  for (const snapshot of metadata.snapshots) {
    for (const manifest of await readManifestList(context.storage, snapshot)) {
      let isTouched = byManifest.get(manifest.uri);
      if (isTouched === undefined) {
        const entries = await readManifest(context.storage, manifest);
        isTouched = entries.some(({ status, file }) => status !== EntryStatus.deleted && rewrites.concerns(file.file_path as string));
        byManifest.set(manifest.uri, isTouched);
      }
      if (isTouched) touched.add(snapshot["snapshot-id"]);
    }
  }
  return touched;
}

const isOwnKey = (key: string): boolean => key.startsWith("sluice.") || key === "wap.id";

/** Builds a held window's branch anew over main as it will be: the same parts, without the rows. */
async function rebuildHeld(context: LakeContext, draft: TableDraft, branch: string, { rewrites, hashes }: TableErasure): Promise<void> {
  const windowId = windowOfBranch(branch);
  const chain = ancestorsOf(draft.base, snapshotOfRef(draft.base, branch));
  const parts = chain.filter(({ summary }) => summary[summaryKeys.windowId] === windowId && summary[summaryKeys.part] !== undefined);
  let parent = snapshotOfRef(draft.metadata, "main");
  for (const part of parts.toReversed()) {
    const files: AvroRow[] = [];
    for (const file of await filesAddedBy(context, part)) {
      const rewritten = await rewrites.ofHeld(draft.base, part, file);
      if (rewritten !== null) files.push(rewritten);
    }
    const snapshotId = context.snapshotId();
    const own = Object.fromEntries(Object.entries(part.summary).filter(([key]) => isOwnKey(key)));
    parent = await draft.append({
      snapshotId,
      parent,
      branch,
      manifests: await manifestsOf(context, draft.base, snapshotId, files),
      summary: redactSummary(own, hashes),
      merges: null,
      nowMs: context.clock.now(),
    });
  }
}

/**
 * Drafts an erasure of one table: every branch and tag whose version holds one of the files gets a version without the rows, held windows are built anew,
 * and every snapshot that holds one of the files, or names a decision that was redacted, goes to the ledger. Answers how many snapshots went.
 */
export async function draftErasure(context: LakeContext, draft: TableDraft, erasure: TableErasure): Promise<number> {
  const { base } = draft;
  const { rewrites, hashes, summary } = erasure;
  const touched = await touchedSnapshots(context, base, rewrites);
  const isStale = (snapshot: Snapshot): boolean =>
    touched.has(snapshot["snapshot-id"]) ||
    hashes.has(snapshot.summary[summaryKeys.decisionHash] ?? "") ||
    hashes.has(snapshot.summary[summaryKeys.heldDecisionHash] ?? "");
  const moved = new Map<bigint, Snapshot>();
  // Main first: held windows stand on it.
  const names = Object.keys(base.refs).toSorted((a, b) => Number(b === "main") - Number(a === "main"));
  for (const name of names) {
    const head = snapshotOfRef(base, name);
    if (head === null || !isStale(head)) continue;
    if (windowOfBranch(name) !== null) {
      await rebuildHeld(context, draft, name, erasure);
      continue;
    }
    const known = moved.get(head["snapshot-id"]);
    if (known !== undefined) {
      moveRef(draft, name, known);
      continue;
    }
    const snapshotId = context.snapshotId();
    const placed = await draft.replace({
      snapshotId,
      parent: head,
      branch: name,
      files: await rewrites.filesFor(base, head),
      summary,
      nowMs: context.clock.now(),
    });
    if (placed === null) throw new Error(`${name} does not hold the files that its manifests name`);
    if (name !== "main") moveRef(draft, name, placed);
    moved.set(head["snapshot-id"], placed);
  }
  const stale = base.snapshots.filter(isStale);
  const ledger = await redactLedger(context.content, base, hashes);
  const expired = stale.map((each) => ({ ...each, summary: redactSummary(each.summary, hashes) }));
  const properties: Record<string, string> = {};
  if (stale.length > 0) {
    draft.update({ action: "remove-snapshots", "snapshot-ids": stale.map((each) => each["snapshot-id"]) });
    properties[propertyNames.ledger] = await extendLedger(context.content, ledger, expired);
  } else if (ledger !== base) properties[propertyNames.ledger] = ledger.properties[propertyNames.ledger] as string;
  if (base.properties[propertyNames.withdrawn] !== undefined) properties[propertyNames.withdrawn] = movedRollbacks(base, moved);
  if (Object.keys(properties).length > 0) draft.update({ action: "set-properties", updates: properties });
  return stale.length;
}

/** Rollbacks that name the versions which took the place of others, so that they can still be undone. */
function movedRollbacks(metadata: TableMetadata, moved: ReadonlyMap<bigint, Snapshot>): string {
  const idOf = (id: string): string => moved.get(BigInt(id))?.["snapshot-id"].toString() ?? id;
  return writeRollbacks(readRollbacks(metadata.properties).map((each) => ({ ...each, from: idOf(each.from), to: idOf(each.to) })));
}
