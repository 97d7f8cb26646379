import { createHash } from "node:crypto";
import type { ErasureReport, ErasureRequest } from "../../../core/lake-maintenance.ts";
import { SluiceError } from "../../../core/errors.ts";
import { dataFileRecord } from "../../iceberg/manifest.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import type { LeafReader } from "../../iceberg/parquet-leaf-reader.ts";
import { rewriteParquet } from "../../iceberg/parquet-rewrite.ts";
import type { NewFile } from "../../iceberg/replaced-files.ts";
import { pathOfUri, uriOfPath } from "../../iceberg/storage-path.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { currentSchema, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { Plan } from "../commit-loop.ts";
import { commitUntilSettled, draftsOf } from "../commit-loop.ts";
import type { DatasetTables, LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { summaryKeys, windowOfBranch } from "../summary-keys.ts";
import { propertyNames } from "../table-properties.ts";
import { writingOf } from "./compact.ts";
import type { RedactedDecisions } from "./erasure-contents.ts";
import { deleteContents, redactDecisions } from "./erasure-contents.ts";
import type { Rewrites } from "./erasure-draft.ts";
import { draftErasure } from "./erasure-draft.ts";
import { proveErased } from "./erasure-proof.ts";
import type { Found, FoundRows } from "./erasure-scan.ts";
import { allFiles, findRows } from "./erasure-scan.ts";
import type { Needle } from "./erasure-target.ts";
import { needleOf } from "./erasure-target.ts";
import { deleteFiles } from "./expire.ts";
import { ledgerSegments } from "./ledger.ts";
import { unreachedFiles } from "./reachable.ts";

/** Others may write such rows, or make files with them into others, while they are being erased: it is looked again, so often. */
const roundsMax = 5;
const rowIdsVersion = 3;

/** What no change of the lake reaches. */
const beyond: readonly string[] = [
  "records in the source topic, and copies on the dead letter topic: they go by the topic's retention, or by Kafka's own deletion",
  "keys of uniqueness rules: 128 bits of a SHA-256 of the value stay claimed",
  "events that were delivered already (lineage, telemetry), and copies that readers made",
];

type TableKind = "promoted" | "quarantine";

/** Writes each file anew without its found rows. */
async function rewriteAll(context: LakeContext, table: TableKind, metadata: TableMetadata, found: FoundRows): Promise<Rewrites> {
  const { storage } = context;
  const rewrites = new Map<string, NewFile | null>();
  const entries = found.size === 0 ? new Map() : await allFiles(context, metadata);
  for (const [uri, gone] of found) {
    const entry = entries.get(uri);
    if (entry === undefined) throw new SluiceError("COMMIT_CONFLICT", `${uri} went while it was being rewritten`);
    const path = `${pathOfUri(storage, metadata.location)}/data/erase-${context.io.uuid()}.parquet`;
    const starts = new Map<LeafReader, number>();
    const keep = (reader: LeafReader, group: number): Promise<Uint8Array> => {
      const start = starts.get(reader) ?? 0;
      const rows = reader.rowGroups[group]?.rows ?? 0;
      starts.set(reader, start + rows);
      return Promise.resolve(Uint8Array.from({ length: rows }, (_, row) => (gone.has(start + row) ? 0 : 1)));
    };
    const written = await rewriteParquet({
      storage,
      inputs: [pathOfUri(storage, uri)],
      path,
      schema: currentSchema(metadata),
      keep,
      ...writingOf(table),
    });
    const left = Number(entry.file.record_count as bigint) - gone.size;
    if ((written?.recordCount ?? 0) !== left) throw new SluiceError("TABLE_CORRUPT", `${uri} holds other rows than its manifest says`);
    context.probe("data-file.written");
    const { spec_id: specId, partition } = entry.file as AvroRow;
    const place = { specId: (specId ?? 0) as number, record: (partition ?? {}) as AvroRow };
    rewrites.set(
      uri,
      written === null ? null : { file: dataFileRecord(written, uriOfPath(storage, path), place), sequence: entry.sequence ?? 0n },
    );
  }
  return rewrites;
}

interface Round {
  readonly found: Found;
  readonly redacted: RedactedDecisions;
  readonly rewrites: Readonly<Record<TableKind, Rewrites>>;
}

interface Committed {
  readonly snapshots: number;
  readonly versions: readonly { readonly before: TableMetadata; readonly after: TableMetadata }[];
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

/** Whether a try took effect: both tables have forgotten its files. */
async function isDone(context: LakeContext, tables: DatasetTables, { rewrites }: Round): Promise<boolean> {
  for (const table of ["promoted", "quarantine"] as const) {
    const files = await allFiles(context, tables[table].metadata);
    if ([...rewrites[table].keys()].some((uri) => files.has(uri))) return false;
  }
  return true;
}

function commit(context: LakeContext, dataset: string, round: Round, summary: Record<string, string>): Promise<Committed> {
  let last: Committed | null = null;
  return commitUntilSettled<Committed>(context, dataset, async (tables): Promise<Plan<Committed>> => {
    if (last !== null && (await isDone(context, tables, round))) {
      const now = [tables.promoted.metadata, tables.quarantine.metadata];
      return {
        kind: "done",
        result: { ...last, versions: last.versions.map(({ before }, i) => ({ before, after: now[i] as TableMetadata })) },
      };
    }
    const drafts = draftsOf(context, tables);
    const { hashes } = round.redacted;
    let snapshots = 0;
    for (const table of ["promoted", "quarantine"] as const) {
      for (const ref of Object.keys(drafts[table].base.refs)) if (ref !== "main") drafts[table].requireRef(ref);
      snapshots += await draftErasure(context, drafts[table], { rewrites: round.rewrites[table], hashes, summary });
    }
    const both = [drafts.promoted, drafts.quarantine] as const;
    last = { snapshots, versions: both.map((draft) => ({ before: draft.base, after: draft.metadata })) };
    return { kind: "change", drafts: both, result: last };
  });
}

/** Segments of ledgers that were written anew without a value. */
function oldSegments({ versions }: Committed): string[] {
  return versions.flatMap(({ before, after }) => {
    const kept = new Set(ledgerSegments(after).map(({ hash }) => hash));
    return ledgerSegments(before).flatMap(({ hash }) => (kept.has(hash) ? [] : [hash]));
  });
}

function rowsIn(found: FoundRows): number {
  return [...found.values()].reduce((sum, rows) => sum + rows.size, 0);
}

/** Rows of files that stand on a held window's branch and not on main. */
async function heldRows(context: LakeContext, metadata: TableMetadata, found: FoundRows): Promise<number> {
  const held = new Set<string>();
  for (const ref of Object.keys(metadata.refs)) {
    if (windowOfBranch(ref) === null) continue;
    for (const uri of (
      await allFiles(context, { ...metadata, snapshots: [snapshotOfRef(metadata, ref)].filter((each) => each !== null) })
    ).keys())
      held.add(uri);
  }
  const main = await allFiles(context, { ...metadata, snapshots: [snapshotOfRef(metadata, "main")].filter((each) => each !== null) });
  return rowsIn(new Map([...found].filter(([uri]) => held.has(uri) && !main.has(uri))));
}

function checkVersions({ promoted, quarantine }: DatasetTables): void {
  const numbered = [promoted, quarantine].find(({ metadata }) => (metadata["format-version"] as number) >= rowIdsVersion);
  if (numbered !== undefined)
    throw new SluiceError("TABLE_UNSUPPORTED", "tables of version 3 number their rows, and a rewrite would number them anew");
}

/** Keeps the report for good, and names it on the table. */
async function record(context: LakeContext, report: ErasureReport): Promise<void> {
  const hash = await context.content.put("erasure", new TextEncoder().encode(JSON.stringify(report)));
  await commitUntilSettled<undefined>(context, report.dataset, async (tables) => {
    const known = JSON.parse(tables.promoted.metadata.properties[propertyNames.erasures] ?? "[]") as string[];
    if (known.includes(hash)) return { kind: "done", result: undefined };
    const { promoted } = draftsOf(context, tables);
    promoted.update({ action: "set-properties", updates: { [propertyNames.erasures]: JSON.stringify([...known, hash]) } });
    return { kind: "change", drafts: [promoted, null], result: undefined };
  });
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
  checkVersions(tables);
  const { promoted, quarantine } = { promoted: tables.promoted.metadata, quarantine: tables.quarantine.metadata };
  const needle = needleOf(request.target, currentSchema(promoted));
  const found = await findRows(context, { promoted, quarantine }, needle);
  if (found.ids.size === 0) return true;
  const round: Round = {
    found,
    redacted: await redactDecisions(context, promoted, found.ids, needle),
    rewrites: {
      promoted: await rewriteAll(context, "promoted", promoted, found.promoted),
      quarantine: await rewriteAll(context, "quarantine", quarantine, found.quarantine),
    },
  };
  const done = await commit(context, dataset, round, summaryOf(request, predicateHashOf(request, promoted), found));
  for (const id of found.ids) totals.ids.add(id);
  const held = await heldRows(context, promoted, found.promoted);
  totals.held += held;
  totals.promoted += rowsIn(found.promoted) - held;
  totals.quarantined += rowsIn(found.quarantine);
  totals.rewritten += found.promoted.size + found.quarantine.size;
  totals.snapshots += done.snapshots;
  for (const { before, after } of done.versions) {
    const unreached = await unreachedFiles(context.storage, before, after);
    totals.deleted += (await deleteFiles(context, unreached, false)).files;
  }
  totals.profiles += await deleteContents(context, "profile", round.redacted.profiles);
  await deleteContents(context, "decision", round.redacted.hashes.keys());
  await deleteContents(context, "ledger", oldSegments(done));
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
): Promise<{ records: number; files: number }> {
  const tables = await loadTables(context, dataset);
  checkVersions(tables);
  const versions = { promoted: tables.promoted.metadata, quarantine: tables.quarantine.metadata };
  const found = await findRows(context, versions, needleOf(target, currentSchema(versions.promoted)));
  return { records: found.ids.size, files: found.promoted.size + found.quarantine.size };
}

/** See `LakeMaintenance.erase`. */
export async function erase(context: LakeContext, dataset: string, request: ErasureRequest): Promise<ErasureReport> {
  const totals: Totals = { ids: new Set(), promoted: 0, held: 0, quarantined: 0, rewritten: 0, snapshots: 0, deleted: 0, profiles: 0 };
  for (let round = 0; round < roundsMax; round++) if (await eraseOnce(context, dataset, request, totals)) break;
  const { promoted, quarantine } = await loadTables(context, dataset);
  const needle: Needle = needleOf(request.target, currentSchema(promoted.metadata));
  const proofs = [
    await proveErased(context, promoted.metadata, needle, false),
    await proveErased(context, quarantine.metadata, needle, true),
  ];
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
    beyond:
      request.target.kind === "key"
        ? [...beyond, "promoted rows of records that never were in quarantine: a table of rows has no record keys, name a column"]
        : beyond,
  };
  await record(context, report);
  return report;
}
