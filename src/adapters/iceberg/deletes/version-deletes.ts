import { SluiceError } from "../../../core/errors.ts";
import type { Storage } from "../../../core/storage.ts";
import { fieldWithId } from "../../../core/table-schema.ts";
import type { AvroRow } from "../avro-schema.ts";
import type { ManifestEntry } from "../manifest.ts";
import { EntryStatus } from "../manifest.ts";
import type { ManifestFile } from "../manifest-list.ts";
import { keyOfPartition, readManifest, readManifestList } from "../table-io.ts";
import type { Snapshot, TableMetadata } from "../table-metadata.ts";
import { currentSchema } from "../table-metadata.ts";
import { DeletedRows } from "./deleted-rows.ts";
import { readDeletionVector } from "./deletion-vector.ts";
import type { EqualityDeletes } from "./equality-deletes.ts";
import { applyEqualityDeletes, readEqualityDeletes } from "./equality-deletes.ts";
import type { PositionsByFile } from "./position-deletes.ts";
import { positionDeleteIds, readPositionDeletes } from "./position-deletes.ts";

const positionContent = 1;
const equalityContent = 2;
/** Rows of delete files that stay in memory for the next data file. */
const cachedRowsMax = 5_000_000;

/** A scalar field of a table by its id. Throws TABLE_UNSUPPORTED. */
type ScalarFieldOf = Parameters<typeof readEqualityDeletes>[2];

/** Delete files that were read, shared by the versions of one table that are looked at together. */
export class DeleteFiles {
  readonly #storage: Storage;
  readonly #positions = new Map<string, PositionsByFile>();
  readonly #equalities = new Map<string, EqualityDeletes>();
  #rows = 0n;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async positions(entry: ManifestEntry): Promise<PositionsByFile> {
    return this.#remembered(this.#positions, entry, () => readPositionDeletes(this.#storage, entry));
  }

  async equalities(entry: ManifestEntry, fieldOf: ScalarFieldOf): Promise<EqualityDeletes> {
    return this.#remembered(this.#equalities, entry, () => readEqualityDeletes(this.#storage, entry, fieldOf));
  }

  async #remembered<T>(known: Map<string, T>, { file }: ManifestEntry, read: () => Promise<T>): Promise<T> {
    const uri = file.file_path as string;
    const found = known.get(uri);
    if (found !== undefined) return found;
    const fresh = await read();
    this.#rows += file.record_count as bigint;
    if (this.#rows > cachedRowsMax) {
      this.#positions.clear();
      this.#equalities.clear();
      this.#rows = file.record_count as bigint;
    }
    known.set(uri, fresh);
    return fresh;
  }
}

/** How a version's deletes are found. */
export interface DeletesFrom {
  readonly storage: Storage;
  readonly metadata: TableMetadata;
  readonly snapshot: Snapshot | null;
  readonly files?: DeleteFiles;
  /** The snapshot's manifests, where they were read already. */
  readonly manifests?: readonly ManifestFile[];
  /** How manifests are read, where they are remembered. */
  readonly read?: (manifest: ManifestFile) => Promise<readonly ManifestEntry[]>;
}

/** The delete files of one version of a table, and the rows that they take from each of its data files (Iceberg spec, "Scan Planning"). */
export class VersionDeletes {
  /** Every live delete file: of positions, of values, and deletion vectors. */
  readonly entries: readonly ManifestEntry[];
  readonly #storage: Storage;
  readonly #metadata: TableMetadata;
  readonly #files: DeleteFiles;
  readonly #vectors = new Map<string, ManifestEntry>();
  readonly #positions = new Map<string, ManifestEntry[]>();
  readonly #equalities = new Map<string, ManifestEntry[]>();
  readonly #unpartitioned: ReadonlySet<number>;

  /** Reads a version's manifests of deletes. Rejects with TABLE_CORRUPT. */
  static async of({ storage, metadata, snapshot, files, manifests, read }: DeletesFrom): Promise<VersionDeletes> {
    const entries: ManifestEntry[] = [];
    for (const manifest of manifests ?? (await readManifestList(storage, snapshot))) {
      if (manifest.content === 0) continue;
      const live = (await (read?.(manifest) ?? readManifest(storage, manifest))).filter(({ status }) => status !== EntryStatus.deleted);
      entries.push(...live);
    }
    return new VersionDeletes(storage, metadata, entries, files ?? new DeleteFiles(storage));
  }

  /** Over a version's delete files, where their entries were read already. */
  static over(
    storage: Storage,
    metadata: TableMetadata,
    entries: readonly ManifestEntry[],
    files = new DeleteFiles(storage),
  ): VersionDeletes {
    return new VersionDeletes(storage, metadata, entries, files);
  }

  private constructor(storage: Storage, metadata: TableMetadata, entries: readonly ManifestEntry[], files: DeleteFiles) {
    this.#storage = storage;
    this.#metadata = metadata;
    this.#files = files;
    this.entries = entries;
    this.#unpartitioned = new Set(metadata["partition-specs"].filter(({ fields }) => fields.length === 0).map((spec) => spec["spec-id"]));
    for (const entry of entries) {
      const { file } = entry;
      if (isVector(entry)) {
        const referenced = file.referenced_data_file as string | null | undefined;
        if (typeof referenced !== "string")
          throw new SluiceError("TABLE_CORRUPT", `the deletion vector ${file.file_path as string} names no data file`);
        this.#vectors.set(referenced, entry);
      } else if (file.content === positionContent) put(this.#positions, partitionOfFile(file), entry);
      else put(this.#equalities, this.#unpartitioned.has((file.spec_id ?? 0) as number) ? "" : partitionOfFile(file), entry);
    }
  }

  /** Whether the version has no delete file. */
  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Delete files that apply to a data file: position deletes by what is known of them without reading them. */
  applyingTo(entry: ManifestEntry): readonly ManifestEntry[] {
    if (this.isEmpty) return [];
    const path = entry.file.file_path as string;
    const sequence = entry.sequence ?? 0n;
    const partition = partitionOfFile(entry.file);
    const vector = this.#vectors.get(path);
    // A file's vector holds every position that was deleted before it.
    const isCovered = vector !== undefined && (vector.sequence ?? 0n) >= sequence;
    const positions = isCovered
      ? [vector]
      : (this.#positions.get(partition) ?? []).filter((each) => (each.sequence ?? 0n) >= sequence && mayName(each.file, path));
    const equalities = [...(this.#equalities.get("") ?? []), ...(this.#equalities.get(partition) ?? [])];
    return [...positions, ...equalities.filter((each) => (each.sequence ?? 0n) > sequence)];
  }

  /**
   * The deleted rows of a data file of the version; null where no delete file applies to it. Rejects with TABLE_UNSUPPORTED (delete files that are neither
   * Parquet nor Avro, or too large), TABLE_CORRUPT, NOT_FOUND.
   */
  async rowsOf(entry: ManifestEntry): Promise<DeletedRows | null> {
    const applying = this.applyingTo(entry);
    if (applying.length === 0) return null;
    const deleted = new DeletedRows(Number(entry.file.record_count));
    for (const each of applying) await this.#apply(each, entry, deleted);
    return deleted;
  }

  /** The delete files that delete one row of a data file, oldest first; none: the row is there. */
  async deletersOf(entry: ManifestEntry, row: number): Promise<readonly ManifestEntry[]> {
    const found: ManifestEntry[] = [];
    for (const each of this.applyingTo(entry)) {
      const deleted = new DeletedRows(Number(entry.file.record_count));
      await this.#apply(each, entry, deleted);
      if (deleted.has(row)) found.push(each);
    }
    return found.toSorted((a, b) => Number((a.sequence ?? 0n) - (b.sequence ?? 0n)));
  }

  async #apply(each: ManifestEntry, data: ManifestEntry, deleted: DeletedRows): Promise<void> {
    const path = data.file.file_path as string;
    if (isVector(each)) await readDeletionVector(this.#storage, each, deleted);
    else if (each.file.content === positionContent) {
      for (const row of (await this.#files.positions(each)).get(path) ?? []) deleted.add(row);
    } else {
      const equalities = await this.#files.equalities(each, (id) => this.#fieldOf(id));
      await applyEqualityDeletes(this.#storage, path, equalities, deleted);
    }
  }

  #fieldOf(id: number): ReturnType<ScalarFieldOf> {
    for (const schema of [currentSchema(this.#metadata), ...this.#metadata.schemas.toReversed()]) {
      const field = fieldWithId(schema.fields, id);
      if (typeof field?.type === "string") return { ...field, type: field.type };
    }
    throw new SluiceError("TABLE_UNSUPPORTED", `rows are deleted by field ${id}, which no schema of the table has as a scalar`);
  }
}

function isVector({ file }: ManifestEntry): boolean {
  if (file.content !== positionContent && file.content !== equalityContent)
    throw new SluiceError("TABLE_CORRUPT", `${file.file_path as string} is listed as a delete file, and is none`);
  return (file.file_format as string).toUpperCase() === "PUFFIN";
}

function partitionOfFile(file: AvroRow): string {
  return `${(file.spec_id ?? 0) as number} ${keyOfPartition((file.partition ?? {}) as AvroRow)}`;
}

function put(map: Map<string, ManifestEntry[]>, key: string, entry: ManifestEntry): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [entry]);
  else list.push(entry);
}

/** Whether a position delete file may name a data file: by the one that it is for, or by its bounds of paths. */
function mayName(file: AvroRow, path: string): boolean {
  const referenced = file.referenced_data_file as string | null | undefined;
  if (typeof referenced === "string") return referenced === path;
  const bound = (key: "lower_bounds" | "upper_bounds"): Uint8Array | undefined =>
    (file[key] as ReadonlyMap<number, Uint8Array> | null | undefined)?.get(positionDeleteIds.path);
  const [lower, upper, own] = [bound("lower_bounds"), bound("upper_bounds"), Buffer.from(path)];
  return (lower === undefined || Buffer.compare(lower, own) <= 0) && (upper === undefined || Buffer.compare(upper, own) >= 0);
}
