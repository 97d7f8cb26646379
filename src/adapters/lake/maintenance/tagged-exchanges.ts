import { VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import type { TableDraft } from "../../iceberg/table-draft.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { moveRef } from "../refs/move-ref.ts";
import { namedVersions } from "../trace/held-files.ts";
import type { Exchange } from "./exchanged-files.ts";
import { entriesOf } from "./version-entries.ts";

/** A data file that a tag names. */
export interface TaggedFile {
  readonly entry: ManifestEntry;
  /** Whether delete files of some tag's version may hit rows of it. */
  readonly mayHaveDeletes: boolean;
}

/** Tags and releases, and their versions; not those under which a rollback keeps what it took back: that is to come back as it was. */
export function tagsOf(metadata: TableMetadata): (readonly [string, Snapshot])[] {
  return namedVersions(metadata).filter(([name]) => metadata.refs[name]?.type === "tag" && !name.startsWith("withdrawn/"));
}

/** Data files of the tags of a table, by URI. */
export async function filesUnderTags(context: LakeContext, metadata: TableMetadata): Promise<ReadonlyMap<string, TaggedFile>> {
  const files = new Map<string, TaggedFile>();
  for (const [, snapshot] of tagsOf(metadata)) {
    const version = await entriesOf(context, snapshot);
    const deletes = VersionDeletes.over(context.storage, metadata, version.deletes);
    for (const entry of version.files) {
      const uri = entry.file["file_path"] as string;
      const mayHaveDeletes = files.get(uri)?.mayHaveDeletes === true || deletes.applyingTo(entry).length > 0;
      files.set(uri, { entry, mayHaveDeletes });
    }
  }
  return files;
}

interface TagPlan<T> {
  readonly name: string;
  readonly head: Snapshot;
  readonly exchanges: readonly T[];
}

/** Exchanges in the versions that tags name, beside those on main: of one commit, planned anew at each attempt. */
export class TaggedExchanges<T extends Exchange> {
  readonly #context: LakeContext;
  readonly #exchanges: readonly T[];
  readonly #ids = new Map<string, bigint>();
  #plans: readonly TagPlan<T>[] = [];

  constructor(context: LakeContext, exchanges: readonly T[]) {
    this.#context = context;
    this.#exchanges = exchanges;
  }

  /** Ids of the snapshots that attempts have made: one of them in the table says that it took effect. */
  get snapshotIds(): readonly bigint[] {
    return [...this.#ids.values()];
  }

  /** Exchanges all of whose files a tag's version has, with no row deleted there by delete files, which name files by their places. */
  async plan(metadata: TableMetadata): Promise<ReadonlySet<T>> {
    const plans: TagPlan<T>[] = [];
    for (const [name, head] of tagsOf(metadata)) {
      const version = await entriesOf(this.#context, head);
      const deletes = VersionDeletes.over(this.#context.storage, metadata, version.deletes);
      const free = new Set(
        version.files.filter((entry) => deletes.applyingTo(entry).length === 0).map(({ file }) => file["file_path"] as string),
      );
      const exchanges = this.#exchanges.filter(({ removed }) => removed.every(({ file }) => free.has(file["file_path"] as string)));
      if (exchanges.length > 0) plans.push({ name, head, exchanges });
    }
    this.#plans = plans;
    return new Set(plans.flatMap(({ exchanges }) => exchanges));
  }

  /** Adds the planned versions to a draft, and points the tags to them. */
  async draft(draft: TableDraft, summary: Readonly<Record<string, string>>): Promise<void> {
    for (const { name, head, exchanges } of this.#plans) {
      const snapshotId = this.#ids.get(name) ?? this.#context.snapshotId();
      this.#ids.set(name, snapshotId);
      const removed = new Set(exchanges.flatMap((each) => each.removed.map(({ file }) => file["file_path"] as string)));
      const files = { removed, added: exchanges.flatMap(({ added }) => added) };
      const placed = await draft.replace({ snapshotId, parent: head, branch: name, files, summary, nowMs: this.#context.clock.now() });
      if (placed === null) throw new Error(`${name} does not hold the files that its manifests name`);
      moveRef(draft, name, placed);
      draft.requireRef(name);
    }
  }
}
