import { SluiceError } from "../../../core/errors.ts";
import type { FileChange, VersionComparison } from "../../../core/lake-refs.ts";
import type { VersionRows } from "../../../core/lake-trace.ts";
import { DeleteFiles, VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import { ManifestCache } from "../../iceberg/manifest-cache.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { snapshotWithId } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { everySnapshot } from "../maintenance/ledger.ts";
import type { LiveFile } from "./live-files.ts";
import { filesRemovedBy, liveFiles } from "./live-files.ts";
import { rowsOf } from "./ref-records.ts";

/** The newest snapshot that two versions have in common, and what each has beyond it, newest first. */
export interface Fork {
  readonly common: Snapshot;
  readonly a: readonly Snapshot[];
  readonly b: readonly Snapshot[];
}

/** Counts the rows that readers of some versions of one table find. */
export class RowCounts {
  readonly #context: LakeContext;
  readonly #metadata: TableMetadata;
  readonly #manifests = new ManifestCache();
  readonly #deleteFiles: DeleteFiles;
  readonly #deletes = new Map<Snapshot, VersionDeletes>();

  constructor(context: LakeContext, metadata: TableMetadata) {
    this.#context = context;
    this.#metadata = metadata;
    this.#deleteFiles = new DeleteFiles(context.storage);
  }

  /** The rows of a version, and what delete files leave out of it. Rejects with TABLE_UNSUPPORTED delete files that are not read. */
  async of(snapshot: Snapshot): Promise<VersionRows> {
    const deletes = await this.#deletesOf(snapshot);
    let deleted = 0;
    for (const { entry } of deletes.isEmpty ? [] : await this.#files(snapshot)) deleted += (await deletes.rowsOf(entry))?.count ?? 0;
    const rows = rowsOf(snapshot);
    return { rows: rows === null ? null : rows - deleted, deleteFiles: deletes.entries.length, rowsDeleted: deleted };
  }

  /** What B has that A has not, and the other way round. `ways`: null where expiry has cut them. */
  async compare(a: Snapshot, b: Snapshot, ways: Fork | null): Promise<Pick<VersionComparison, "added" | "removed" | "rowsRewritten">> {
    const [filesA, filesB] = [await this.#files(a), await this.#files(b)];
    const [inA, inB] = [pathsOf(filesA), pathsOf(filesB)];
    const [onlyA, onlyB] = [filesA.filter(({ path }) => !inB.has(path)), filesB.filter(({ path }) => !inA.has(path))];
    const both = filesA.filter(({ path }) => inB.has(path));
    const added = (await this.#rows(b, onlyB)) + (await this.#rowsGone(b, a, both));
    const removed = (await this.#rows(a, onlyA)) + (await this.#rowsGone(a, b, both));
    const known = ways === null ? null : (await this.#rewritten(ways.b, onlyA)) + (await this.#rewritten(ways.a, onlyB));
    // Of rows that were written anew some may have been deleted since: those are no difference of files, and were removed.
    const rewritten = known === null ? null : least(known, added, removed);
    const change = (files: readonly LiveFile[], rows: bigint): FileChange => ({
      files: files.length,
      bytes: files.reduce((sum, { entry }) => sum + (entry.file.file_size_in_bytes as bigint), 0n),
      rows: rows - (rewritten ?? 0n),
    });
    return { added: change(onlyB, added), removed: change(onlyA, removed), rowsRewritten: rewritten };
  }

  #files(snapshot: Snapshot): Promise<LiveFile[]> {
    return liveFiles(this.#context, snapshot, this.#manifests);
  }

  async #deletesOf(snapshot: Snapshot): Promise<VersionDeletes> {
    const known = this.#deletes.get(snapshot);
    if (known !== undefined) return known;
    const { storage } = this.#context;
    const deletes = await VersionDeletes.of({
      storage,
      metadata: this.#metadata,
      snapshot,
      files: this.#deleteFiles,
      read: (manifest) => this.#manifests.read(storage, manifest),
    });
    this.#deletes.set(snapshot, deletes);
    return deletes;
  }

  /** Rows of files as readers of a version find them. */
  async #rows(snapshot: Snapshot, files: readonly LiveFile[]): Promise<bigint> {
    const deletes = await this.#deletesOf(snapshot);
    let rows = 0n;
    for (const { entry } of files) rows += (entry.file.record_count as bigint) - BigInt((await deletes.rowsOf(entry))?.count ?? 0);
    return rows;
  }

  /** Rows of files that both versions have which readers find in one, and not in the other. */
  async #rowsGone(found: Snapshot, gone: Snapshot, files: readonly LiveFile[]): Promise<bigint> {
    const [here, there] = [await this.#deletesOf(found), await this.#deletesOf(gone)];
    let rows = 0n;
    for (const { entry } of there.isEmpty ? [] : files) {
      const deleted = await there.rowsOf(entry);
      if (deleted === null) continue;
      const own = await here.rowsOf(entry);
      for (let row = 0; row < deleted.rows; row++) if (deleted.has(row) && own?.has(row) !== true) rows++;
    }
    return rows;
  }

  /** Rows of files that compactions took away on one side, as readers found them then: the other side still has them, so that they are no difference. */
  async #rewritten(side: readonly Snapshot[], onlyOther: readonly LiveFile[]): Promise<bigint> {
    let rows = 0n;
    for (const snapshot of side) {
      if (snapshot.summary["operation"] !== "replace") continue;
      const replaced = await filesRemovedBy(this.#context, snapshot, this.#manifests);
      const before = snapshotWithId(this.#metadata, snapshot["parent-snapshot-id"] ?? -1n) ?? snapshot;
      rows += await this.#rows(
        before,
        onlyOther.filter(({ path }) => replaced.has(path)),
      );
    }
    return rows;
  }
}

/** See `LakeTraces.countRows`. */
export async function countRows(context: LakeContext, dataset: string, snapshotId: string): Promise<VersionRows> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const snapshot = snapshotWithId(metadata, BigInt(snapshotId));
  if (snapshot !== null) return new RowCounts(context, metadata).of(snapshot);
  for await (const each of everySnapshot(context.content, metadata, -1n)) {
    if (each["snapshot-id"].toString() !== snapshotId) continue;
    const deleteFiles = Number(each.summary["total-delete-files"] ?? 0);
    // Which rows those left out can't be counted any more.
    return { rows: deleteFiles > 0 ? null : rowsOf(each), deleteFiles, rowsDeleted: 0 };
  }
  throw new SluiceError("NOT_FOUND", `${dataset} has no snapshot ${snapshotId}`);
}

function pathsOf(files: readonly LiveFile[]): ReadonlySet<string> {
  return new Set(files.map(({ path }) => path));
}

function least(...numbers: readonly bigint[]): bigint {
  return numbers.reduce((smallest, each) => (each < smallest ? each : smallest));
}
