import type { AccessScope } from "../../core/access-scope.ts";
import { isOwnRef } from "../../core/ref-name.ts";
import type { Storage } from "../../core/storage.ts";
import type { LoadedTable, TableName } from "../catalog/catalog.ts";
import { EntryStatus } from "../iceberg/manifest.ts";
import type { Update } from "../iceberg/metadata-update.ts";
import { pathOfUri } from "../iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../iceberg/table-metadata.ts";
import { ancestorsOf, snapshotOfRef } from "../iceberg/table-metadata.ts";
import { isQuarantineName } from "./lake-context.ts";
import { summaryKeys, windowOfBranch } from "./summary-keys.ts";

/** A change that another program wants of a table of the lake. */
export interface ForeignChange {
  readonly base: LoadedTable;
  readonly updates: readonly Update[];
  readonly next: TableMetadata;
  readonly scope: AccessScope;
}

const rememberedMax = 10_000;

/** Changes that a contract, or maintenance, makes: with scope admin another program may too. */
const administered: ReadonlySet<Update["action"]> = new Set([
  "add-schema",
  "set-current-schema",
  "remove-schemas",
  "add-spec",
  "set-default-spec",
  "remove-partition-specs",
  "add-sort-order",
  "set-default-sort-order",
]);

/** Changes that would take from Sluice what it goes on from; each with what does it instead. */
const ownOnly: Partial<Record<Update["action"], string>> = {
  "upgrade-format-version": "the format version of a dataset's table is set by its contract",
  "set-location": "a dataset's table stays where it is",
  "remove-snapshots": "versions of a dataset expire by `sluice maintain`, which keeps what its history needs",
  "add-encryption-key": "a dataset's table is not encrypted by others",
  "remove-encryption-key": "a dataset's table is not encrypted by others",
};

/**
 * What other programs may not do to the lake's own tables. They may read, append, delete, compact and make branches and tags; they can't touch
 * Sluice's properties, forge its snapshots, move main backwards or to rows of held windows, or touch the branches of those. With scope worker they are
 * Sluice itself, and may. The reasons are in docs/reference/rest-catalog.md.
 */
export class ForeignChanges {
  readonly #namespace: string;
  readonly #storage: Storage;
  /** Paths that held snapshots added: they never change. */
  readonly #added = new Map<bigint, readonly string[]>();

  constructor(options: { readonly namespace: string; readonly storage: Storage }) {
    this.#namespace = options.namespace;
    this.#storage = options.storage;
  }

  #owns(namespace: string): boolean {
    return namespace === this.#namespace;
  }

  /** Both tables of a dataset: who looked at what was rejected is worth as much. */
  recordedAs({ namespace, name }: TableName): string | null {
    return this.#owns(namespace) ? name : null;
  }

  refuseName(namespace: string, scope: AccessScope): string | null {
    return this.#owns(namespace) && scope !== "worker"
      ? `tables of ${namespace} are made by contracts: other programs neither make nor rename any there`
      : null;
  }

  refuseDrop({ namespace, name }: TableName, scope: AccessScope): string | null {
    if (!this.#owns(namespace) || scope === "admin" || scope === "worker") return null;
    return `${namespace}.${name} is a dataset's table: dropping it needs admin`;
  }

  refuseNamespaceChange(namespace: string, scope: AccessScope): string | null {
    const isOurs = this.#owns(namespace) || this.#namespace.startsWith(`${namespace}.`);
    return !isOurs || scope === "admin" || scope === "worker" ? null : `${namespace} holds the lake's datasets: changing it needs admin`;
  }

  /** Why a change may not be, in words; null: it may. Rejects with TABLE_UNSUPPORTED and TABLE_CORRUPT where its files can't be judged. */
  async refuseChange(change: ForeignChange): Promise<string | null> {
    const { base, updates } = change;
    // A worker keeps these rules by itself, and must do all that they forbid.
    if (!this.#owns(base.table.namespace) || change.scope === "worker") return null;
    for (const update of updates) {
      const reason = this.#refuseUpdate(base, update, change.scope);
      if (reason !== null) return reason;
    }
    return this.#refuseMain(change);
  }

  #refuseUpdate(base: LoadedTable, update: Update, scope: AccessScope): string | null {
    const never = ownOnly[update.action];
    if (never !== undefined) return never;
    if (administered.has(update.action) && scope !== "admin")
      return `${update.action} on a dataset's table needs admin: its contract says how it is`;
    switch (update.action) {
      case "set-properties":
        return refuseProperties(Object.keys(update.updates));
      case "remove-properties":
        return refuseProperties(update.removals);
      case "set-snapshot-ref":
        return refuseRef(base.metadata, update["ref-name"], scope);
      case "remove-snapshot-ref":
        if (update["ref-name"] === "main") return "main can't be removed";
        return refuseRef(base.metadata, update["ref-name"], scope);
      case "add-snapshot":
        return refuseSummary(base.metadata, update.snapshot);
      default:
        return null;
    }
  }

  /** Main moves forward only, and carries nothing of windows that were held and not published. */
  async #refuseMain({ base, next }: ForeignChange): Promise<string | null> {
    const before = snapshotOfRef(base.metadata, "main");
    const after = snapshotOfRef(next, "main");
    if (after === null || after["snapshot-id"] === before?.["snapshot-id"]) return null;
    if (isQuarantineName(base.table.name)) return "main of a quarantine table is moved by Sluice alone: its rows are what was rejected";
    const line = ancestorsOf(next, after);
    const reached = before === null ? line.length : line.findIndex((each) => each["snapshot-id"] === before["snapshot-id"]);
    if (reached < 0) return "main moves forward only; `sluice rollback` moves it back, with author and reason";
    const held = line.slice(0, reached).find((each) => each.summary[summaryKeys.part] !== undefined);
    if (held !== undefined) return `snapshot ${held["snapshot-id"]} is a held window's: \`sluice hold publish\` is the way to main`;
    return this.#refuseFiles(base.metadata, before, after);
  }

  /** Reads what the new version adds to main: no file of it may be one that a held window wrote and that main does not hold yet. */
  async #refuseFiles(metadata: TableMetadata, before: Snapshot | null, after: Snapshot): Promise<string | null> {
    const known = new Set((await readManifestList(this.#storage, before)).map((manifest) => manifest.uri));
    const added = (await readManifestList(this.#storage, after)).filter((manifest) => !known.has(manifest.uri));
    if (added.length === 0) return null;
    const held = await this.#heldFiles(metadata);
    let live: ReadonlySet<string> | null = null;
    for (const manifest of added) {
      for (const { status, file } of await readManifest(this.#storage, manifest)) {
        if (status === EntryStatus.deleted) continue;
        const uri = file.file_path as string;
        // Compaction, erasure and tracing read every file of main: one that is elsewhere would stop them.
        const path = pathOfUri(this.#storage, uri);
        const windowId = held.get(path);
        if (windowId === undefined) continue;
        // Published since: what main holds already may be written anew.
        live ??= await this.#livePaths(before);
        if (live.has(path)) continue;
        return `${uri} holds rows of window ${windowId}, which was held: \`sluice hold publish\` is the way to main`;
      }
    }
    return null;
  }

  /** Paths of data files that held windows wrote, with their windows. */
  async #heldFiles(metadata: TableMetadata): Promise<ReadonlyMap<string, string>> {
    const files = new Map<string, string>();
    for (const snapshot of metadata.snapshots) {
      const { [summaryKeys.part]: part, [summaryKeys.windowId]: windowId } = snapshot.summary;
      if (part === undefined || windowId === undefined) continue;
      for (const path of await this.#addedPaths(snapshot)) files.set(path, windowId);
    }
    return files;
  }

  async #addedPaths(snapshot: Snapshot): Promise<readonly string[]> {
    const id = snapshot["snapshot-id"];
    const known = this.#added.get(id);
    if (known !== undefined) return known;
    const paths: string[] = [];
    for (const manifest of await readManifestList(this.#storage, snapshot)) {
      if (manifest.addedSnapshotId !== id) continue;
      for (const { status, file } of await readManifest(this.#storage, manifest)) {
        if (status === EntryStatus.added) paths.push(pathOfUri(this.#storage, file.file_path as string));
      }
    }
    if (this.#added.size >= rememberedMax) this.#added.clear();
    this.#added.set(id, paths);
    return paths;
  }

  async #livePaths(snapshot: Snapshot | null): Promise<ReadonlySet<string>> {
    const paths = new Set<string>();
    for (const manifest of await readManifestList(this.#storage, snapshot)) {
      for (const { status, file } of await readManifest(this.#storage, manifest)) {
        if (status !== EntryStatus.deleted) paths.add(pathOfUri(this.#storage, file.file_path as string));
      }
    }
    return paths;
  }
}

function refuseProperties(names: readonly string[]): string | null {
  const own = names.find((name) => name.startsWith("sluice."));
  return own === undefined ? null : `property ${own} is Sluice's own`;
}

function refuseRef(metadata: TableMetadata, name: string, scope: AccessScope): string | null {
  if (windowOfBranch(name) !== null) return `${name} is a held window's: \`sluice hold publish\` and \`sluice hold drop\` answer it`;
  if (name !== "main" && isOwnRef(name)) return `${name} is Sluice's own: \`sluice rollback\` and \`sluice rollforward\` make and end it`;
  const known = Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
  if (known?.type === "tag" && scope !== "admin") return `${name} is a tag: moving or removing a named version needs admin`;
  return null;
}

/** History, outboxes and positions are read from summaries: a forged one would be taken for a window. */
function refuseSummary(metadata: TableMetadata, snapshot: Snapshot): string | null {
  const own = Object.keys(snapshot.summary).find((key) => key.startsWith("sluice."));
  if (own !== undefined) return `summary key ${own} is Sluice's own`;
  // Cursors of outboxes are sequence numbers.
  if (snapshot["sequence-number"] <= metadata["last-sequence-number"])
    return "a dataset's versions are numbered on: this one was made from an older table";
  const wapId = snapshot.summary[summaryKeys.publishedWapId];
  const isWindow = metadata.snapshots.some(({ summary }) => wapId !== undefined && summary[summaryKeys.windowId] === wapId);
  return isWindow ? `${wapId} is a held window: \`sluice hold publish\` is the way to main` : null;
}
