import type { MovedMain } from "../../../core/decision.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { LakeRefs, Rollback } from "../../../core/lake-refs.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { EntryStatus } from "../../iceberg/manifest.ts";
import { TableDraft } from "../../iceberg/table-draft.ts";
import type { NewManifest } from "../../iceberg/table-io.ts";
import { keyOfPartition, writeManifest } from "../../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { snapshotOfRef, snapshotWithId } from "../../iceberg/table-metadata.ts";
import { commitUntilSettled } from "../commit-loop.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { everySnapshot } from "../maintenance/ledger.ts";
import { propertyNames } from "../table-properties.ts";
import { standingFor } from "./list-refs.ts";
import type { LiveFile } from "./live-files.ts";
import { liveFiles } from "./live-files.ts";
import { isIn, parseRanges, readRollbacks, withdrawnTag, writeRollbacks } from "./rollback-records.ts";
import { moveDecision, moveSummary } from "./rollback.ts";

function chosen(dataset: string, metadata: TableMetadata, id: string | null): Rollback {
  const standing = readRollbacks(metadata.properties);
  const found = id === null ? standing.at(-1) : standing.find((each) => each.id === id);
  if (found === undefined) {
    throw new SluiceError("NOT_FOUND", id === null ? `no rollback of ${dataset} stands` : `${dataset} has no standing rollback ${id}`);
  }
  if (found.keysReleased) {
    throw new SluiceError("ROLLBACK_REFUSED", `the unique keys of rollback ${found.id} were given back: its rows could stand twice`);
  }
  return found;
}

/** The versions of a line after one of some, newest first; null where some of them have expired. */
function versionsAfter(metadata: TableMetadata, head: Snapshot, ids: ReadonlySet<bigint>): Snapshot[] | null {
  const chain: Snapshot[] = [];
  for (let at: Snapshot | null = head; at !== null;) {
    chain.push(at);
    const parent: bigint = at["parent-snapshot-id"] ?? -1n;
    if (ids.has(parent)) return chain;
    at = snapshotWithId(metadata, parent);
  }
  return null;
}

/** The version that a rollback went back to, and those in whose place it stands. */
async function wentBackTo(context: LakeContext, metadata: TableMetadata, { to }: Rollback): Promise<ReadonlySet<bigint>> {
  const every = await Array.fromAsync(everySnapshot(context.content, metadata, -1n));
  const byId = new Map(every.map((each) => [each["snapshot-id"], each]));
  const target = byId.get(BigInt(to));
  return new Set([BigInt(to), ...(target === undefined ? [] : standingFor(byId, target)).map((each) => each["snapshot-id"])]);
}

/** Files that appends between two versions brought, where others were rewritten meanwhile: taken from the snapshots themselves, which must still be there. */
async function appendedFiles(context: LakeContext, metadata: TableMetadata, rollback: Rollback, head: Snapshot): Promise<LiveFile[]> {
  const chain = versionsAfter(metadata, head, await wentBackTo(context, metadata, rollback));
  if (chain === null) {
    throw new SluiceError(
      "ROLLBACK_REFUSED",
      `files of rollback ${rollback.id} were rewritten before it, and snapshots that tell them apart have expired`,
    );
  }
  const files: LiveFile[] = [];
  for (const snapshot of chain.toReversed()) {
    const { operation = "append" } = snapshot.summary;
    if (operation === "replace") continue;
    if (operation !== "append") {
      throw new SluiceError(
        "ROLLBACK_REFUSED",
        `snapshot ${snapshot["snapshot-id"]} of another program changed rows (${operation}): that can't be done again`,
      );
    }
    const own = await liveFiles(context, snapshot);
    files.push(...own.filter(({ entry }) => entry.status === EntryStatus.added && entry.snapshotId === snapshot["snapshot-id"]));
  }
  return files;
}

/** The data files that a rollback withdrew, as they were audited. */
async function withdrawnFiles(context: LakeContext, metadata: TableMetadata, rollback: Rollback): Promise<LiveFile[]> {
  const head = snapshotWithId(metadata, BigInt(rollback.from));
  if (head === null) throw new SluiceError("ROLLBACK_REFUSED", `what rollback ${rollback.id} withdrew has expired`);
  const ranges = parseRanges(rollback.sequences);
  const files = rollback.isRewritten
    ? await appendedFiles(context, metadata, rollback, head)
    : (await liveFiles(context, head)).filter(({ entry }) => entry.sequence !== null && isIn(ranges, entry.sequence));
  return files;
}

async function manifestsOf(
  context: LakeContext,
  metadata: TableMetadata,
  snapshotId: bigint,
  files: readonly LiveFile[],
): Promise<NewManifest[]> {
  const manifests: NewManifest[] = [];
  for (const specId of new Set(files.map((file) => file.specId))) {
    const own = files.filter((file) => file.specId === specId);
    const entries = own.map(({ entry }): ManifestEntry => {
      // The sequence number of old: deletes that were committed since hit these rows as they would have.
      return { status: EntryStatus.added, snapshotId, sequence: entry.sequence, fileSequence: null, file: entry.file };
    });
    const manifest = await writeManifest(context.io, metadata, snapshotId, entries);
    const addedBytes = own.reduce((sum, { entry }) => sum + (entry.file["file_size_in_bytes"] as bigint), 0n);
    const partitions = new Set(own.map(({ entry }) => keyOfPartition(entry.file["partition"] as AvroRow))).size;
    manifests.push({ manifest, addedBytes, partitions });
  }
  return manifests;
}

/** What is written before an attempt, for what a rollback withdrew as it was then. */
interface StagedForward {
  readonly rollback: Rollback;
  readonly files: readonly LiveFile[];
  readonly manifests: readonly NewManifest[];
}

async function stage(context: LakeContext, metadata: TableMetadata, rollback: Rollback, id: bigint): Promise<StagedForward> {
  const files = await withdrawnFiles(context, metadata, rollback);
  return { rollback, files, manifests: await manifestsOf(context, metadata, id, files) };
}

/** Whether what was staged is still there: an erasure puts other files in the place of some, an expiry deletes them. */
function isFresh(metadata: TableMetadata, staged: StagedForward, now: Rollback): boolean {
  return staged.rollback.from === now.from && snapshotWithId(metadata, BigInt(now.from)) !== null;
}

/** Rejects where one of the files stands on main: another program has brought it back. */
async function checkAbsent(context: LakeContext, metadata: TableMetadata, files: readonly LiveFile[]): Promise<void> {
  const now = new Set((await liveFiles(context, snapshotOfRef(metadata, "main"))).map((file) => file.path));
  const twice = files.find((file) => now.has(file.path));
  if (twice !== undefined) throw new SluiceError("ROLLBACK_REFUSED", `main has file ${twice.path} again already: another program moved it`);
}

/** Brings back what a rollback withdrew, by appending its very files to what main is now; see `LakeRefs.rollForward`. */
export async function rollForward(
  context: LakeContext,
  dataset: string,
  change: Parameters<LakeRefs["rollForward"]>[1],
): ReturnType<LakeRefs["rollForward"]> {
  const { author, reason, producer = "unknown" } = change;
  const id = context.snapshotId();
  const { metadata: first } = (await loadTables(context, dataset)).promoted;
  let staged = await stage(context, first, chosen(dataset, first, change.rollback), id);
  return commitUntilSettled(context, dataset, async (tables) => {
    const { metadata } = tables.promoted;
    if (snapshotWithId(metadata, id) !== null) return { kind: "done", result: { snapshotId: id.toString(), rollback: staged.rollback } };
    const rollback = chosen(dataset, metadata, staged.rollback.id);
    if (!isFresh(metadata, staged, rollback)) staged = await stage(context, metadata, rollback, id);
    const { files, manifests } = staged;
    await checkAbsent(context, metadata, files);
    const nowMs = context.clock.now();
    const { from, to, sequences, windows, rows } = rollback;
    const moved: MovedMain = { rollback: rollback.id, from, to, sequences, windows };
    const decision = moveDecision(metadata, {
      dataset,
      kind: "restore",
      snapshotId: id.toString(),
      moved,
      rows,
      nowMs,
      author,
      reason,
      producer,
    });
    const draft = new TableDraft(context.io, metadata);
    const left = readRollbacks(metadata.properties).filter((each) => each.id !== rollback.id);
    draft.update({ action: "set-properties", updates: { [propertyNames.withdrawn]: writeRollbacks(left) } });
    if (metadata.refs[withdrawnTag(rollback.id)] !== undefined) {
      draft.update({ action: "remove-snapshot-ref", "ref-name": withdrawnTag(rollback.id) });
    }
    const summary = await moveSummary(context, decision, { author, reason });
    await draft.append({ snapshotId: id, parent: draft.main, branch: "main", manifests, summary, merges: null, nowMs });
    return { kind: "change", drafts: [draft, null], result: { snapshotId: id.toString(), rollback } };
  });
}
