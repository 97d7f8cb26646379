import { SluiceError } from "../../../core/errors.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import { DeletedRows } from "../../iceberg/deletes/deleted-rows.ts";
import { DeleteFiles, VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { dataFileRecord } from "../../iceberg/manifest.ts";
import { rewriteParquet } from "../../iceberg/parquet-rewrite.ts";
import type { NewFile, ReplacedFiles } from "../../iceberg/replaced-files.ts";
import { lineageOf } from "../../iceberg/row-lineage-columns.ts";
import { pathOfUri, uriOfPath } from "../../iceberg/storage-path.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { currentSchema, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { windowOfBranch } from "../summary-keys.ts";
import { newPath } from "../table-files.ts";
import { writingOf } from "./compact.ts";
import type { FoundOfTable } from "./erasure-scan.ts";
import { filesOf } from "./erasure-scan.ts";
import type { TableKind } from "./exchange.ts";
import { uselessDeletes } from "./useless-deletes.ts";
import { entriesOf } from "./version-entries.ts";

/** A data file without some of its rows; null where none stays. */
interface Variant {
  readonly gone: DeletedRows;
  readonly file: NewFile | null;
}

/**
 * What takes the place of one table's files, kept between attempts at one commit: versions of which other programs deleted different rows get different
 * files for the same one.
 */
export class ErasureRewrites {
  readonly found: FoundOfTable;
  readonly #context: LakeContext;
  readonly #table: TableKind;
  readonly #deleteFiles: DeleteFiles;
  readonly #variants = new Map<string, Variant[]>();

  constructor(context: LakeContext, table: TableKind, found: FoundOfTable) {
    this.#context = context;
    this.#table = table;
    this.found = found;
    this.#deleteFiles = new DeleteFiles(context.storage);
  }

  /** Whether a file, of data or of deletes, holds something that is to go. */
  concerns(uri: string): boolean {
    return this.found.rows.has(uri) || this.found.deletes.has(uri);
  }

  /** Writes what the versions of a table's branches and tags need, before a commit is tried. */
  async prepare(metadata: TableMetadata): Promise<void> {
    if (this.found.rows.size + this.found.deletes.size === 0) return;
    for (const name of Object.keys(metadata.refs)) {
      const head = snapshotOfRef(metadata, name);
      if (head !== null && windowOfBranch(name) === null) await this.filesFor(metadata, head);
    }
  }

  /**
   * How a version goes on without what was found. Its data files with such rows, and those that a delete file with the value applies to, are written anew
   * without the rows that its deletes take out: so that those delete files can go, and no deleted row comes back. Rejects with TABLE_UNSUPPORTED,
   * TABLE_CORRUPT.
   */
  async filesFor(metadata: TableMetadata, snapshot: Snapshot): Promise<ReplacedFiles> {
    const { storage } = this.#context;
    const version = await entriesOf(this.#context, snapshot);
    const deletes = VersionDeletes.over(storage, metadata, version.deletes, this.#deleteFiles);
    const removed = new Set<string>();
    const added: NewFile[] = [];
    for (const entry of version.files) {
      const uri = entry.file.file_path as string;
      if (!this.found.rows.has(uri) && !deletes.applyingTo(entry).some(({ file }) => this.found.deletes.has(file.file_path as string)))
        continue;
      removed.add(uri);
      const written = await this.#without(metadata, entry, await deletes.rowsOf(entry));
      if (written !== null) added.push(written);
    }
    const doomed = version.deletes.map(({ file }) => file.file_path as string).filter((uri) => this.found.deletes.has(uri));
    // Where no file was touched, nothing of another program's is either.
    const useless = removed.size === 0 ? [] : uselessDeletes(version, deletes, removed);
    return { removed, added, removedDeletes: new Set([...doomed, ...useless]) };
  }

  /** A data file as a held window adds it: deletes of others on its branch were never audited, and go with the branch. */
  async ofHeld(metadata: TableMetadata, head: Snapshot, file: AvroRow): Promise<AvroRow | null> {
    const uri = file.file_path as string;
    if (!this.found.rows.has(uri)) return file;
    const entry = (await entriesOf(this.#context, head)).files.find((each) => each.file.file_path === uri);
    if (entry === undefined) throw new SluiceError("TABLE_CORRUPT", `${uri} is not in the version that added it`);
    return (await this.#without(metadata, entry, null))?.file ?? null;
  }

  async #without(metadata: TableMetadata, entry: ManifestEntry, deleted: DeletedRows | null): Promise<NewFile | null> {
    const uri = entry.file.file_path as string;
    const gone = deleted ?? new DeletedRows(Number(entry.file.record_count));
    for (const row of this.found.rows.get(uri) ?? []) gone.add(row);
    const variants = this.#variants.get(uri) ?? [];
    const known = variants.find((each) => each.gone.equals(gone));
    if (known !== undefined) return known.file;
    const file = await this.#write(metadata, entry, gone);
    this.#variants.set(uri, [...variants, { gone, file }]);
    return file;
  }

  async #write(metadata: TableMetadata, entry: ManifestEntry, gone: DeletedRows): Promise<NewFile | null> {
    const { storage } = this.#context;
    const uri = entry.file.file_path as string;
    const path = newPath(this.#context, metadata, "erase");
    const inputs = [{ path: pathOfUri(storage, uri), gone, ...lineageOf(metadata, entry) }];
    const written = await rewriteParquet({ storage, inputs, path, schema: currentSchema(metadata), ...writingOf(this.#table) });
    if ((written?.recordCount ?? 0) !== gone.rows - gone.count)
      throw new SluiceError("TABLE_CORRUPT", `${uri} holds other rows than its manifest says`);
    this.#context.probe("data-file.written");
    if (written === null) return null;
    const { spec_id: specId, partition } = entry.file;
    const place = { specId: (specId ?? 0) as number, record: (partition ?? {}) as AvroRow };
    return { file: dataFileRecord(written, uriOfPath(storage, path), place), sequence: entry.sequence ?? 0n };
  }

  /** Deletes the files that no version of the table, as it is after the commit, has. */
  async discardUnused(metadata: TableMetadata): Promise<void> {
    if (this.#variants.size === 0) return;
    const { data } = await filesOf(this.#context, metadata.snapshots);
    for (const { file } of [...this.#variants.values()].flat()) {
      const uri = file?.file.file_path as string | undefined;
      if (uri !== undefined && !data.has(uri)) await this.#context.storage.delete(pathOfUri(this.#context.storage, uri));
    }
  }
}
