import { SluiceError } from "../../../core/errors.ts";
import type { Authorship, NamedRef, NewRef } from "../../../core/lake-refs.ts";
import { checkRefName, isOwnRef } from "../../../core/ref-name.ts";
import { resolveVersion } from "../../../core/version-name.ts";
import { TableDraft } from "../../iceberg/table-draft.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { commitUntilSettled } from "../commit-loop.ts";
import type { DatasetTables, LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { summaryKeys } from "../summary-keys.ts";
import { namedRef } from "./list-refs.ts";
import type { RefRecord } from "./ref-records.ts";
import { existingSnapshot, recordOf, recordProperty, refAgeMs, versionSpace } from "./ref-records.ts";

/** A ref to make, by one call. */
export interface RefRequest extends Omit<NewRef, "kind"> {
  readonly kind: RefRecord["kind"];
  readonly atMs: number;
  readonly call: string;
  /** What the version was found to be; absent: it is looked up in the tables as they are when they change. */
  readonly snapshotId?: string;
  readonly datasets?: readonly string[];
}

function versionOf(dataset: string, metadata: TableMetadata, request: RefRequest): Snapshot {
  const snapshotId = request.snapshotId ?? resolveVersion(versionSpace(dataset, metadata), request.version, request.atMs).snapshotId;
  const snapshot = existingSnapshot(dataset, metadata, snapshotId);
  if (request.kind !== "branch" && snapshot.summary[summaryKeys.part] !== undefined) {
    const window = snapshot.summary[summaryKeys.windowId];
    throw new SluiceError(
      "REF_REFUSED",
      `snapshot ${snapshotId} is of held window ${window}: \`sluice hold publish\` comes before any tag`,
    );
  }
  return snapshot;
}

/** Rejects with REF_TAKEN where the name stands for something else, or a tag of that name did until it was dropped. */
function checkFree(metadata: TableMetadata, request: RefRequest, snapshotId: string): void {
  const record = recordOf(metadata, request.name);
  const standing = metadata.refs[request.name];
  if (standing !== undefined) {
    const what = record?.kind === "release" ? "release" : standing.type;
    throw new SluiceError("REF_TAKEN", `there is a ${what} ${request.name} already: snapshot ${standing["snapshot-id"]}`);
  }
  if (record?.dropped === undefined || record.kind === "branch" || record.snapshotId === snapshotId) return;
  const { author, reason } = record.dropped;
  const message = `${record.kind} ${request.name} named snapshot ${record.snapshotId} until ${author} dropped it (${reason}): it can't come to name another`;
  throw new SluiceError("REF_TAKEN", message);
}

/** Drafts one ref of one table; null where it stands as it is asked for. Rejects as `LakeRefs.create` does. */
export function draftRef(context: LakeContext, tables: DatasetTables, request: RefRequest): TableDraft | null {
  const { metadata } = tables.promoted;
  const { name, kind, author, reason, atMs, call, datasets } = request;
  checkRefName(name);
  const record = recordOf(metadata, name);
  const standing = metadata.refs[name];
  if (standing !== undefined && record?.call === call) return null;
  const snapshot = versionOf(tables.dataset, metadata, request);
  const id = snapshot["snapshot-id"];
  const same = standing?.["snapshot-id"] === id && record?.kind === "tag" && kind === "tag" && record.dropped === undefined;
  if (same) return null;
  checkFree(metadata, request, id.toString());
  const draft = new TableDraft(context.io, metadata);
  draft.requireRef(name);
  const age = request.keepMs === null ? {} : { "max-ref-age-ms": refAgeMs(snapshot, request.keepMs, atMs) };
  const kept: RefRecord = { kind, snapshotId: id.toString(), author, reason, atMs, call, ...(datasets !== undefined && { datasets }) };
  draft.update(
    { action: "set-snapshot-ref", "ref-name": name, type: kind === "branch" ? "branch" : "tag", "snapshot-id": id, ...age },
    { action: "set-properties", updates: { [recordProperty(name)]: JSON.stringify(kept) } },
  );
  return draft;
}

/** Makes a tag or branch; see `LakeRefs.create`. */
export async function createRef(context: LakeContext, dataset: string, ref: NewRef): Promise<NamedRef> {
  checkRefName(ref.name);
  const atMs = context.clock.now();
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const { snapshotId } = resolveVersion(versionSpace(dataset, metadata), ref.version, atMs);
  const request: RefRequest = { ...ref, atMs, call: context.io.uuid(), snapshotId };
  return commitUntilSettled(context, dataset, async (tables) => {
    const draft = draftRef(context, tables, request);
    if (draft === null) return { kind: "done", result: namedRef(tables.promoted.metadata, ref.name) as NamedRef };
    return { kind: "change", drafts: [draft, null], result: namedRef(draft.metadata, ref.name) as NamedRef };
  });
}

/** A ref to drop, by one call. */
export interface DropRequest extends Authorship {
  readonly kind: RefRecord["kind"];
  readonly name: string;
  readonly atMs: number;
  readonly call: string;
}

function checkDroppable(dataset: string, metadata: TableMetadata, { kind, name }: DropRequest): void {
  const standing = metadata.refs[name];
  if (name.startsWith("held/"))
    throw new SluiceError("REF_REFUSED", `${name} is a held window: \`sluice hold publish\` or \`sluice hold drop\` answers it`);
  if (isOwnRef(name)) throw new SluiceError("REF_REFUSED", `${name} is Sluice's own`);
  if (standing === undefined) throw new SluiceError("NOT_FOUND", `${dataset} has no ${kind} ${name}`);
  const record = recordOf(metadata, name);
  const actual = record?.kind === "release" && record.dropped === undefined ? "release" : standing.type;
  if (actual === kind) return;
  const others = record?.datasets === undefined ? "" : ` over ${record.datasets.join(", ")}`;
  throw new SluiceError("REF_REFUSED", `${name} is a ${actual}${others}: \`sluice ${actual} drop\` is about it`);
}

/** Drafts the dropping of one ref of one table; null where this very call has done it. */
export function draftDrop(context: LakeContext, tables: DatasetTables, request: DropRequest): TableDraft | null {
  const { metadata } = tables.promoted;
  const { name, author, reason, atMs, call, kind } = request;
  const record = recordOf(metadata, name);
  const standing = metadata.refs[name];
  if (standing === undefined && record?.dropped?.call === call) return null;
  // A release's tag that another program took away: its record ends all the same.
  const isLost = standing === undefined && kind === "release" && record?.kind === kind && record.dropped === undefined;
  if (!isLost) checkDroppable(tables.dataset, metadata, request);
  const snapshotId = standing?.["snapshot-id"].toString() ?? record?.snapshotId ?? "";
  // Of another program's tag no record was kept: its end is recorded all the same.
  const before: RefRecord = record ?? { kind, snapshotId, author: "another program", reason: "unknown", atMs, call };
  const ended: RefRecord = { ...before, snapshotId, dropped: { author, reason, atMs, call } };
  const draft = new TableDraft(context.io, metadata);
  draft.requireRef(name);
  if (!isLost) draft.update({ action: "remove-snapshot-ref", "ref-name": name });
  draft.update({ action: "set-properties", updates: { [recordProperty(name)]: JSON.stringify(ended) } });
  return draft;
}

/** Drops a tag or branch; see `LakeRefs.drop`. Answers it as it was. */
export function dropRef(context: LakeContext, dataset: string, ref: Omit<DropRequest, "atMs" | "call">): Promise<NamedRef> {
  const request: DropRequest = { ...ref, atMs: context.clock.now(), call: context.io.uuid() };
  let last: NamedRef | null = null;
  return commitUntilSettled(context, dataset, async (tables) => {
    last = namedRef(tables.promoted.metadata, ref.name) ?? last;
    const draft = draftDrop(context, tables, request);
    const result = last as NamedRef;
    return draft === null ? { kind: "done", result } : { kind: "change", drafts: [draft, null], result };
  });
}
