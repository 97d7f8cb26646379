import type { Clock, Probe } from "../../core/ports.ts";
import { allDone } from "../../core/all-done.ts";
import { SluiceError } from "../../core/errors.ts";
import type { Storage } from "../../core/storage.ts";
import { applyUpdates } from "../iceberg/metadata-update.ts";
import { unmetRequirement } from "../iceberg/metadata-requirement.ts";
import { pathOfUri } from "../iceberg/storage-path.ts";
import type { TableMetadata } from "../iceberg/table-metadata.ts";
import { parseTableMetadata, serializeTableMetadata } from "../iceberg/table-metadata.ts";
import type { Catalog, CommitOutcome, LoadedTable, TableChange, TableName } from "./catalog.ts";
import { tableKey } from "./catalog.ts";
import type { CatalogRows } from "./catalog-rows.ts";

export interface SqlCatalogOptions {
  readonly rows: CatalogRows;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly uuid: () => string;
  readonly probe: Probe;
}

const previousVersionsMaxDefault = 100;

/** A change with the metadata file that it needs. */
interface Prepared {
  readonly table: TableName;
  readonly base: LoadedTable | null;
  readonly metadata: TableMetadata;
  readonly location: string;
  readonly written: () => Promise<void>;
}

async function nothing(): Promise<void> {}

/** Adds the version before to the metadata log, and cuts the log as the table's properties say. */
function withLog(base: LoadedTable, metadata: TableMetadata, nowMs: number): TableMetadata {
  const entry = { "timestamp-ms": base.metadata["last-updated-ms"], "metadata-file": base.metadataLocation };
  const max = Number(metadata.properties["write.metadata.previous-versions-max"] ?? previousVersionsMaxDefault);
  // A commit without a snapshot has not moved the time yet; clocks may stand behind the last writer's.
  const unmoved = metadata["last-updated-ms"] === base.metadata["last-updated-ms"];
  return {
    ...metadata,
    "last-updated-ms": unmoved ? Math.max(nowMs, base.metadata["last-updated-ms"] + 1) : metadata["last-updated-ms"],
    "metadata-log": [...base.metadata["metadata-log"], entry].slice(-Math.max(1, max)),
  };
}

function nextLocation(base: LoadedTable | null, metadata: TableMetadata, uuid: string): string {
  const version = base === null ? 0 : Number(/\/(\d+)-[^/]*$/.exec(base.metadataLocation)?.[1] ?? 0) + 1;
  return `${metadata.location}/metadata/${String(version).padStart(5, "0")}-${uuid}.metadata.json`;
}

/** Metadata files that a commit has pushed out of the log, if the table wants them deleted: no version of the table refers to them any more. */
function expiredFiles(prepared: Prepared): string[] {
  if (prepared.base === null || prepared.metadata.properties["write.metadata.delete-after-commit.enabled"] !== "true") return [];
  const kept = new Set(prepared.metadata["metadata-log"].map((entry) => entry["metadata-file"]));
  return prepared.base.metadata["metadata-log"].map((entry) => entry["metadata-file"]).filter((file) => !kept.has(file));
}

/** A catalog in a database: a row a table, moved by compare-and-swap of the metadata file's location. */
export class SqlCatalog implements Catalog {
  readonly isJoint = true;
  readonly #options: SqlCatalogOptions;
  /** The last version seen of each table: metadata files never change. */
  readonly #seen = new Map<string, LoadedTable>();
  /** Of metadata files that no version refers to, after the last commit: nobody waits for it but the next one, which tells of a fault in it. */
  #deleting: Promise<void> = Promise.resolve();

  constructor(options: SqlCatalogOptions) {
    this.#options = options;
  }

  list(namespace: string): Promise<readonly string[]> {
    return this.#options.rows.tables(namespace);
  }

  async load(table: TableName): Promise<LoadedTable | null> {
    for (;;) {
      const location = await this.#options.rows.location(table);
      if (location === null) return null;
      const key = tableKey(table);
      const seen = this.#seen.get(key);
      if (seen?.metadataLocation === location) return seen;
      try {
        const loaded = { table, metadataLocation: location, metadata: await this.#readMetadata(table, location, seen?.metadata ?? null) };
        this.#seen.set(key, loaded);
        return loaded;
      } catch (fault) {
        // Versions that have left the log are deleted: a slow reader may come too late for one, and finds the table moved on.
        if ((await this.#options.rows.location(table)) === location) throw fault;
      }
    }
  }

  async commit(changes: readonly TableChange[]): Promise<CommitOutcome> {
    await this.#deleting;
    const stale = await this.#firstMoved(changes);
    if (stale !== null) return { status: "conflict", message: stale };
    const prepared = changes.map((change) => this.#prepare(change));
    const moved = await this.#writeAndSwap(prepared);
    if (moved !== null) {
      await this.#delete(prepared.map((each) => each.location));
      return { status: "conflict", message: moved };
    }
    this.#deleting = this.#delete(prepared.flatMap(expiredFiles));
    this.#deleting.catch(() => undefined);
    const tables = prepared.map((each) => ({ table: each.table, metadataLocation: each.location, metadata: each.metadata }));
    for (const loaded of tables) this.#seen.set(tableKey(loaded.table), loaded);
    return { status: "committed", tables };
  }

  /** Once all that commits have left to do is done. */
  async close(): Promise<void> {
    await this.#deleting;
  }

  async #readMetadata(table: TableName, location: string, earlier: TableMetadata | null): Promise<TableMetadata> {
    try {
      const bytes = await this.#options.storage.read(pathOfUri(this.#options.storage, location));
      return parseTableMetadata(new TextDecoder().decode(bytes), earlier);
    } catch (fault) {
      const lost = fault instanceof SyntaxError || (fault instanceof SluiceError && fault.code === "NOT_FOUND");
      if (!lost) throw fault;
      const message = `table ${table.namespace}.${table.name}: its metadata file ${location} can't be read: ${fault.message}`;
      throw new SluiceError("TABLE_CORRUPT", message, { cause: fault });
    }
  }

  /** Looks before anything is written: most conflicts are seen here, and cost nothing. */
  async #firstMoved(changes: readonly TableChange[]): Promise<string | null> {
    const moved = changes.map(async (change) => {
      const table = "base" in change ? change.base.table : change.table;
      const expected = "base" in change ? change.base.metadataLocation : null;
      const unmet = "base" in change ? unmetRequirement(change.base.metadata, change.requirements) : null;
      if (unmet !== null) return `${table.namespace}.${table.name}: ${unmet}`;
      return (await this.#options.rows.location(table)) === expected ? null : `${table.namespace}.${table.name} has moved on`;
    });
    return (await Promise.all(moved)).find((each) => each !== null) ?? null;
  }

  #prepare(change: TableChange): Prepared {
    if ("create" in change) {
      return {
        table: change.table,
        base: null,
        metadata: change.create,
        location: nextLocation(null, change.create, this.#options.uuid()),
        written: nothing,
      };
    }
    const { base, updates, written = nothing } = change;
    const nowMs = this.#options.clock.now();
    const metadata = withLog(base, applyUpdates(base.metadata, updates, nowMs), nowMs);
    return { table: base.table, base, metadata, location: nextLocation(base, metadata, this.#options.uuid()), written };
  }

  async #writeAndSwap(prepared: readonly Prepared[]): Promise<string | null> {
    const { storage, probe } = this.#options;
    try {
      const metadataFiles = prepared.map(async (each) => {
        const text = serializeTableMetadata(each.metadata);
        await storage.write(pathOfUri(storage, each.location), new TextEncoder().encode(text));
        probe("metadata.written");
      });
      await allDone([...metadataFiles, ...prepared.map(({ written }) => written())]);
      probe("catalog.before-commit");
      const moved = await this.#swap(prepared);
      probe("catalog.after-commit");
      return moved;
    } catch (fault) {
      // After an unknown outcome the catalog may point to these files: they stay.
      const unknown = fault instanceof SluiceError && fault.code === "COMMIT_UNKNOWN";
      if (!unknown) await this.#delete(prepared.map((each) => each.location));
      throw fault;
    }
  }

  /** Moves all rows, or none: then it says which had moved on. */
  async #swap(prepared: readonly Prepared[]): Promise<string | null> {
    const moved = await this.#options.rows.swap(
      prepared.map(({ table, base, location }) => ({ table, from: base?.metadataLocation ?? null, to: location })),
    );
    return moved === null ? null : `${moved.namespace}.${moved.name} has moved on`;
  }

  /** Metadata files that no version refers to; one that can't be deleted stays behind as an orphan. */
  async #delete(locations: readonly string[]): Promise<void> {
    const { storage } = this.#options;
    const deleted = locations.map(async (location) => {
      try {
        await storage.delete(pathOfUri(storage, location));
      } catch (fault) {
        if (!(fault instanceof SluiceError)) throw fault;
      }
    });
    await allDone(deleted);
  }
}
