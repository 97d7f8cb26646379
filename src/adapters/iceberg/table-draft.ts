import { allDone } from "../../core/all-done.ts";
import type { ManifestFile } from "./manifest-list.ts";
import type { ReplacedFiles } from "./replaced-files.ts";
import type { PuffinBlob } from "./puffin-file.ts";
import { encodePuffin } from "./puffin-file.ts";
import { numberManifests } from "./row-lineage.ts";
import { replacedSummary, replaceFiles } from "./replaced-files.ts";
import type { MergeCache } from "./manifest-merge.ts";
import { mergeManifests } from "./manifest-merge.ts";
import type { Requirement } from "./metadata-requirement.ts";
import type { Update } from "./metadata-update.ts";
import { applyUpdates } from "./metadata-update.ts";
import type { FileInWriting, NewManifest, TableIo } from "./table-io.ts";
import { readManifestList, writeManifestList, writeStatistics } from "./table-io.ts";
import type { Snapshot, TableMetadata } from "./table-metadata.ts";
import { snapshotOfRef } from "./table-metadata.ts";

/** A snapshot to add, and where. */
interface SnapshotChange {
  readonly snapshotId: bigint;
  readonly parent: Snapshot | null;
  readonly branch: string;
  readonly nowMs: number;
  /** What the snapshot says of itself besides Iceberg's own counts. */
  readonly summary: Readonly<Record<string, string>>;
}

/** A snapshot that adds files. */
export interface Append extends SnapshotChange {
  /** None: an empty snapshot, which moves the branch and adds no row. */
  readonly manifests: readonly NewManifest[];
  /** Where merges of the parent's manifests are kept between attempts; null: carry them as they are. */
  readonly merges: MergeCache | null;
}

/** A snapshot in which files take the place of others. */
export interface Replacement extends SnapshotChange {
  readonly files: ReplacedFiles;
}

/** Manifests that still name a file that is there; those of earlier deletions have said what they had to. */
function liveManifests(manifests: readonly ManifestFile[]): ManifestFile[] {
  return manifests.filter((each) => each.addedFiles + each.existingFiles > 0);
}

function totals(manifests: readonly ManifestFile[]): Record<string, string> {
  const files = (content: number): number =>
    manifests.filter((each) => each.content === content).reduce((sum, each) => sum + each.addedFiles + each.existingFiles, 0);
  const rows = manifests.filter((each) => each.content === 0).reduce((sum, each) => sum + each.addedRows + each.existingRows, 0n);
  return { "total-records": String(rows), "total-data-files": String(files(0)), "total-delete-files": String(files(1)) };
}

/** A snapshot's summary as Iceberg has it (spec, "Optional Snapshot Summary Fields"): counts as text, absent where the parent does not say. */
function summaryOf(append: Append, manifests: readonly ManifestFile[]): Record<string, string> {
  const added = append.manifests.map((each) => each.manifest);
  const addedFiles = added.reduce((sum, each) => sum + each.addedFiles, 0);
  const addedBytes = append.manifests.reduce((sum, each) => sum + each.addedBytes, 0n);
  const before = append.parent === null ? "0" : append.parent.summary["total-files-size"];
  const deletes = (key: string): Record<string, string> => {
    const count = append.parent === null ? "0" : append.parent.summary[key];
    return count === undefined ? {} : { [key]: count };
  };
  return {
    operation: "append",
    "added-data-files": String(addedFiles),
    "added-records": String(added.reduce((sum, each) => sum + each.addedRows, 0n)),
    "added-files-size": String(addedBytes),
    "changed-partition-count": String(
      append.manifests.reduce((sum, each) => sum + (each.partitions ?? Math.sign(each.manifest.addedFiles)), 0),
    ),
    ...totals(manifests),
    ...(before === undefined ? {} : { "total-files-size": String(BigInt(before) + addedBytes) }),
    ...deletes("total-position-deletes"),
    ...deletes("total-equality-deletes"),
    ...append.summary,
  };
}

/**
 * One attempt at changing a table: updates collected over the version it was made from. The files that its snapshots name are being written meanwhile: who
 * commits it, or reads them, waits for `written` first.
 */
export class TableDraft {
  readonly base: TableMetadata;
  readonly #io: TableIo;
  readonly #updates: Update[] = [];
  readonly #writing = new Map<string, Promise<void>>();
  readonly #required: Requirement[] = [];
  #metadata: TableMetadata;

  constructor(io: TableIo, base: TableMetadata) {
    this.#io = io;
    this.base = base;
    this.#metadata = base;
  }

  /** The table as it would be now. */
  get metadata(): TableMetadata {
    return this.#metadata;
  }

  get updates(): readonly Update[] {
    return this.#updates;
  }

  /** That the table is the same and main has not moved: what every catalog can check. */
  get requirements(): readonly Requirement[] {
    return [
      { type: "assert-table-uuid", uuid: this.base["table-uuid"] },
      { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": this.base.refs.main?.["snapshot-id"] ?? null },
      ...this.#required,
    ];
  }

  /** Adds that another branch or tag has not moved either. */
  requireRef(ref: string): void {
    this.#required.push({ type: "assert-ref-snapshot-id", ref, "snapshot-id": this.base.refs[ref]?.["snapshot-id"] ?? null });
  }

  /** URIs of the manifest lists and statistics written for it: of no use once the attempt has certainly failed. */
  get manifestLists(): readonly string[] {
    return [...this.#writing.keys()];
  }

  /** Resolves once all that its snapshots name is there. Rejects as what couldn't be written. */
  async written(): Promise<void> {
    await allDone([...this.#writing.values()]);
  }

  update(...updates: readonly Update[]): void {
    this.#metadata = applyUpdates(this.#metadata, updates);
    this.#updates.push(...updates);
  }

  /** Adds a snapshot over its parent and points the branch to it: writes the manifest list (and perhaps a merged manifest), nothing else. */
  async append(append: Append): Promise<Snapshot> {
    const kept = await this.#manifestsOf(append.parent);
    const { snapshotId, merges } = append;
    const carried = merges === null ? kept : await mergeManifests(this.#io, this.#metadata, snapshotId, kept, merges);
    const manifests = [...append.manifests.map((each) => each.manifest), ...carried];
    return this.#add(append, manifests, summaryOf(append, manifests));
  }

  /**
   * Adds a snapshot in which files have taken the place of others, and points the branch to it. Null, and nothing changed, where the parent does not hold
   * every one of the files that are to go.
   */
  async replace(replacement: Replacement): Promise<Snapshot | null> {
    const { snapshotId, parent } = replacement;
    const kept = await this.#manifestsOf(parent);
    const replaced = await replaceFiles(this.#io, this.#metadata, { snapshotId, manifests: kept, ...replacement.files });
    if (replaced === null) return null;
    for (const uri of replaced.written) this.#writing.set(uri, Promise.resolve());
    return this.#add(replacement, replaced.manifests, {
      ...replacedSummary(parent, replaced),
      ...totals(replaced.manifests),
      ...replacement.summary,
    });
  }

  /** Adds a file of statistics of a snapshot that this draft adds. */
  describe(snapshot: Snapshot, blobs: readonly PuffinBlob[]): void {
    const { "snapshot-id": snapshotId, "sequence-number": sequence } = snapshot;
    const { bytes, footerBytes } = encodePuffin(blobs, { snapshotId, sequence }, "Sluice");
    const uri = this.#waitFor(writeStatistics(this.#io, this.#metadata, snapshotId, bytes));
    const statistics = {
      "snapshot-id": snapshotId,
      "statistics-path": uri,
      "file-size-in-bytes": bytes.length,
      "file-footer-size-in-bytes": footerBytes,
      // The file's own footer lists its blobs. Types that the specification does not name have PyIceberg (0.12) refuse the whole table here.
      "blob-metadata": [],
    };
    this.update({ action: "set-statistics", statistics });
  }

  /** Manifests of a snapshot that still name a file, also of one that this draft added. */
  async #manifestsOf(snapshot: Snapshot | null): Promise<ManifestFile[]> {
    if (snapshot !== null) await this.#writing.get(snapshot["manifest-list"]);
    return liveManifests(await readManifestList(this.#io.storage, snapshot));
  }

  #waitFor({ uri, written }: FileInWriting): string {
    this.#writing.set(uri, written);
    // Told by `written`, and a draft that nobody commits is none's loss.
    written.catch(() => undefined);
    return uri;
  }

  #add(change: SnapshotChange, manifests: readonly ManifestFile[], summary: Record<string, string>): Snapshot {
    const { snapshotId } = change;
    const sequence = this.#metadata["last-sequence-number"] + 1n;
    const parentId = change.parent?.["snapshot-id"] ?? null;
    const firstRowId = this.#metadata["format-version"] < 3 ? null : (this.#metadata["next-row-id"] ?? 0n);
    const numbered = firstRowId === null ? null : numberManifests(manifests, firstRowId);
    const header = { snapshotId, parentId, sequence, ...(firstRowId !== null && { firstRowId }) };
    const list = this.#waitFor(writeManifestList(this.#io, this.#metadata, header, numbered?.manifests ?? manifests));
    const snapshot: Snapshot = {
      "sequence-number": sequence,
      "snapshot-id": snapshotId,
      ...(parentId === null ? {} : { "parent-snapshot-id": parentId }),
      // Readers refuse tables whose time runs backwards, and clocks of writers differ.
      "timestamp-ms": Math.max(change.nowMs, this.#metadata["last-updated-ms"] + 1),
      summary,
      "manifest-list": list,
      "schema-id": this.#metadata["current-schema-id"],
      ...(numbered !== null && firstRowId !== null && { "first-row-id": firstRowId, "added-rows": numbered.nextRowId - firstRowId }),
    };
    // A branch keeps the retention that someone gave it.
    const ref = { type: "branch", ...this.#metadata.refs[change.branch], "snapshot-id": snapshotId } as const;
    this.update({ action: "add-snapshot", snapshot }, { action: "set-snapshot-ref", "ref-name": change.branch, ...ref });
    return snapshot;
  }

  /** Where main stands in the version that the draft was made from. */
  get main(): Snapshot | null {
    return snapshotOfRef(this.base, "main");
  }
}
