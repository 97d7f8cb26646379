import { createHash } from "node:crypto";
import { allDone } from "../../../core/all-done.ts";
import type { ErasurePreview, ErasureReport, ErasureRequest } from "../../../core/lake-maintenance.ts";
import type { RecordCopies } from "../../../core/record-copies.ts";
import type { TableDraft } from "../../iceberg/table-draft.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { currentSchema, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { Plan } from "../commit-loop.ts";
import { commitUntilSettled, draftsOf } from "../commit-loop.ts";
import type { DatasetTables, LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { summaryKeys, windowOfBranch } from "../summary-keys.ts";
import { propertyNames } from "../table-properties.ts";
import type { RedactedDecisions } from "./erasure-contents.ts";
import { contentPaths, redactDecisions } from "./erasure-contents.ts";
import { copyMatcher } from "./erasure-copies.ts";
import { draftErasure } from "./erasure-draft.ts";
import type { ErasureStep } from "./erasure-record.ts";
import { everErased, finishDeletions, keepReport, putRecord } from "./erasure-record.ts";
import { proveErased } from "./erasure-proof.ts";
import { ErasureRewrites } from "./erasure-rewrites.ts";
import type { Found, FoundRows } from "./erasure-scan.ts";
import { filesOf, findRows, isNothing } from "./erasure-scan.ts";
import type { Needle } from "./erasure-target.ts";
import { needleOf } from "./erasure-target.ts";
import type { TableKind } from "./exchange.ts";
import { ledgerSegments } from "./ledger.ts";
import { unreachedFiles } from "./reachable.ts";
import { entriesOf } from "./version-entries.ts";

/** Others may write such rows, or make files with them into others, while they are being erased: it is looked again, so often. */
const roundsMax = 5;

/** What no change of the lake reaches. */
const beyond: readonly string[] = [
  "records in the source topic: they go by the topic's retention, or by Kafka's own deletion",
  "keys of uniqueness rules: 128 bits of a SHA-256 of the value stay claimed",
  "events that were delivered already (lineage, telemetry), and copies that readers made",
];

interface Round {
  readonly found: Found;
  readonly redacted: RedactedDecisions;
  readonly rewrites: Readonly<Record<TableKind, ErasureRewrites>>;
}

interface Committed {
  readonly snapshots: number;
}

function summaryOf(request: ErasureRequest, predicateHash: string, found: Found): Record<string, string> {
  return {
    operation: "overwrite",
    [summaryKeys.change]: "erase",
    [summaryKeys.author]: request.author,
    [summaryKeys.reason]: request.reason,
    [summaryKeys.detail]: JSON.stringify({ predicate: predicateHash, records: found.ids.size }),
  };
}

/** Whether a try took effect: both tables have forgotten the files that it found. */
async function isDone(context: LakeContext, tables: DatasetTables, { rewrites }: Round): Promise<boolean> {
  for (const table of ["promoted", "quarantine"] as const) {
    const { data, deletes } = await filesOf(context, tables[table].metadata.snapshots);
    if ([...data.keys(), ...deletes.keys()].some((uri) => rewrites[table].concerns(uri))) return false;
  }
  return true;
}

function commit(context: LakeContext, dataset: string, request: ErasureRequest, round: Round): Promise<Committed> {
  let last: Committed | null = null;
  const gone = { promoted: 0, quarantine: 0 };
  return commitUntilSettled<Committed>(context, dataset, async (tables): Promise<Plan<Committed>> => {
    if (last !== null && (await isDone(context, tables, round))) return { kind: "done", result: last };
    const drafts = draftsOf(context, tables);
    const both = [drafts.promoted, drafts.quarantine] as const;
    const { hashes } = round.redacted;
    const predicateHash = predicateHashOf(request, drafts.promoted.base);
    const summary = summaryOf(request, predicateHash, round.found);
    for (const table of ["promoted", "quarantine"] as const) {
      for (const ref of Object.keys(drafts[table].base.refs)) if (ref !== "main") drafts[table].requireRef(ref);
      const snapshots = await draftErasure(context, drafts[table], { rewrites: round.rewrites[table], hashes, summary });
      // None: the table went through at an earlier try.
      if (snapshots > 0) gone[table] = snapshots;
    }
    const { author, reason } = request;
    const erased = [...round.found.ids].toSorted();
    await allDone(both.map((draft) => draft.written()));
    const deleted = await unnamedFiles(context, both, round.redacted);
    const atMs = context.clock.now();
    const step: ErasureStep = { format: "sluice.erasure-step/1", dataset, atMs, author, reason, predicateHash, erased, deleted };
    const named = await putRecord(context, drafts.promoted.base, step);
    drafts.promoted.update({ action: "set-properties", updates: { [propertyNames.erasures]: named } });
    last = { snapshots: gone.promoted + gone.quarantine };
    return { kind: "change", drafts: both, result: last, apart: true };
  });
}

/** What nothing names once the drafts are committed, and could hold the value: files of both tables, and contents. */
async function unnamedFiles(
  context: LakeContext,
  drafts: readonly TableDraft[],
  { hashes, profiles }: RedactedDecisions,
): Promise<string[]> {
  const paths: string[] = [];
  for (const { base, metadata } of drafts) {
    paths.push(...(await unreachedFiles(context.storage, base, metadata)));
    const kept = new Set(ledgerSegments(metadata).map(({ hash }) => hash));
    for (const { hash } of ledgerSegments(base)) if (!kept.has(hash)) paths.push(...contentPaths("ledger", hash));
  }
  for (const hash of hashes.keys()) paths.push(...contentPaths("decision", hash));
  for (const hash of profiles) paths.push(...contentPaths("profile", hash));
  return paths;
}

function beyondReach({ target, copies }: ErasureRequest): string[] {
  const found = [...beyond];
  if (copies === undefined) found.push("copies on a dead letter topic: they go by the topic's retention, or by Kafka's own deletion");
  else found.push("blocks of the brokers' disks: what was deleted from a topic is read by nobody, and goes with its log segment");
  if (target.kind === "key")
    found.push("promoted rows of records that never were in quarantine: a table of rows has no record keys, name a column");
  return found;
}

function rowsIn(found: FoundRows): number {
  return [...found.values()].reduce((sum, rows) => sum + rows.size, 0);
}

/** Rows of files that stand on a held window's branch and not on main. */
async function heldRows(context: LakeContext, metadata: TableMetadata, found: FoundRows): Promise<number> {
  const held = new Set<string>();
  for (const ref of Object.keys(metadata.refs)) {
    if (windowOfBranch(ref) === null) continue;
    for (const { file } of (await entriesOf(context, snapshotOfRef(metadata, ref))).files) held.add(file.file_path as string);
  }
  const main = new Set((await entriesOf(context, snapshotOfRef(metadata, "main"))).files.map(({ file }) => file.file_path as string));
  return rowsIn(new Map([...found].filter(([uri]) => held.has(uri) && !main.has(uri))));
}

interface Totals {
  readonly ids: Set<string>;
  promoted: number;
  held: number;
  quarantined: number;
  rewritten: number;
  snapshots: number;
  deleted: number;
  profiles: number;
}

async function eraseOnce(context: LakeContext, dataset: string, request: ErasureRequest, totals: Totals): Promise<boolean> {
  const tables = await loadTables(context, dataset);
  const { promoted, quarantine } = { promoted: tables.promoted.metadata, quarantine: tables.quarantine.metadata };
  const needle = needleOf(request.target, currentSchema(promoted));
  const found = await findRows(context, { promoted, quarantine }, needle);
  if (isNothing(found)) return true;
  const rewrites = {
    promoted: new ErasureRewrites(context, "promoted", found.promoted),
    quarantine: new ErasureRewrites(context, "quarantine", found.quarantine),
  };
  await rewrites.promoted.prepare(promoted);
  await rewrites.quarantine.prepare(quarantine);
  const round: Round = { found, redacted: await redactDecisions(context, promoted, found.ids, needle), rewrites };
  const done = await commit(context, dataset, request, round);
  const after = await loadTables(context, dataset);
  for (const table of ["promoted", "quarantine"] as const) await rewrites[table].discardUnused(after[table].metadata);
  for (const id of found.ids) totals.ids.add(id);
  const held = await heldRows(context, promoted, found.promoted.rows);
  totals.held += held;
  totals.promoted += rowsIn(found.promoted.rows) - held;
  totals.quarantined += rowsIn(found.quarantine.rows);
  totals.rewritten += found.promoted.rows.size + found.quarantine.rows.size;
  totals.snapshots += done.snapshots;
  totals.profiles += round.redacted.profiles.length;
  totals.deleted += await finishDeletions(context, dataset);
  return false;
}

function predicateHashOf({ target }: ErasureRequest, metadata: TableMetadata): string {
  const text = target.kind === "key" ? `key ${Buffer.from(target.key).toString("hex")}` : `column ${target.column} ${target.value}`;
  return createHash("sha256").update(`${metadata["table-uuid"]}\n${text}`).digest("hex");
}

/** What is found, and nothing done. */
export async function previewErasure(
  context: LakeContext,
  dataset: string,
  target: ErasureRequest["target"],
  copies?: RecordCopies,
): Promise<ErasurePreview> {
  const tables = await loadTables(context, dataset);
  const versions = { promoted: tables.promoted.metadata, quarantine: tables.quarantine.metadata };
  const needle = needleOf(target, currentSchema(versions.promoted));
  const found = await findRows(context, versions, needle);
  const files = (["promoted", "quarantine"] as const).map((table) => found[table].rows.size + found[table].deletes.size);
  const ids = (await everErased(context, versions.promoted)).union(found.ids);
  return {
    records: found.ids.size,
    files: files.reduce((sum, each) => sum + each, 0),
    copies: (await copies?.find(copyMatcher(needle, ids))) ?? null,
  };
}

/** See `LakeMaintenance.erase`. */
export async function erase(context: LakeContext, dataset: string, request: ErasureRequest): Promise<ErasureReport> {
  const totals: Totals = { ids: new Set(), promoted: 0, held: 0, quarantined: 0, rewritten: 0, snapshots: 0, deleted: 0, profiles: 0 };
  totals.deleted += await finishDeletions(context, dataset);
  for (let round = 0; round < roundsMax; round++) if (await eraseOnce(context, dataset, request, totals)) break;
  const { promoted, quarantine } = await loadTables(context, dataset);
  const needle: Needle = needleOf(request.target, currentSchema(promoted.metadata));
  const proofs = [
    await proveErased(context, promoted.metadata, needle, false),
    await proveErased(context, quarantine.metadata, needle, true),
  ];
  // What an earlier erasure could not reach goes with it.
  const ids = (await everErased(context, promoted.metadata)).union(totals.ids);
  const copies = (await request.copies?.erase(copyMatcher(needle, ids))) ?? null;
  const report: ErasureReport = {
    format: "sluice.erasure/1",
    dataset,
    atMs: context.clock.now(),
    author: request.author,
    reason: request.reason,
    predicateHash: predicateHashOf(request, promoted.metadata),
    rows: { promoted: totals.promoted, held: totals.held, quarantined: totals.quarantined },
    erased: [...totals.ids].toSorted(),
    filesRewritten: totals.rewritten,
    snapshotsExpired: totals.snapshots,
    filesDeleted: totals.deleted,
    profilesDeleted: totals.profiles,
    scanned: proofs.reduce((sum, each) => sum + each.scanned, 0),
    remaining: proofs.flatMap((each) => each.remaining),
    copies,
    beyond: beyondReach(request),
  };
  await keepReport(context, report);
  return report;
}
