import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { catalogSchema } from "../../../src/adapters/catalog/catalog-rows.ts";
import { SqlCatalog } from "../../../src/adapters/catalog/sql-catalog.ts";
import { SqliteDatabase } from "../../../src/adapters/catalog/sqlite-database.ts";
import { sqliteRows } from "../../../src/adapters/catalog/sqlite-rows.ts";
import { readQuarantineFile } from "../../../src/adapters/iceberg/parquet-quarantine-reader.ts";
import { pathOfUri } from "../../../src/adapters/iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../../src/adapters/iceberg/table-io.ts";
import type { TableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";
import { snapshotOfRef } from "../../../src/adapters/iceberg/table-metadata.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { readBack } from "../iceberg/parquet-reading.ts";

/** What a reader that knows nothing of Sluice's code paths finds under a branch of both tables. */
export interface BranchContent {
  /** `<topicId>:<partition>:<offset>=<n>` of every promoted row, sorted; a doubled row stands twice. */
  readonly promoted: readonly string[];
  /** `<topicId>:<partition>:<offset>#<attempt>=<state>` of every row of the quarantine table, sorted. */
  readonly quarantined: readonly string[];
  /** Data files of both tables, sorted; a file added twice stands twice. */
  readonly files: readonly string[];
}

/** Reads a dataset as it stands in the catalog file, through manifests and Parquet files alone. */
export async function readBranch(folder: string, dataset: string, branch = "main"): Promise<BranchContent> {
  const tables = await loadBoth(folder, dataset);
  const storage = createLocalStorage(folder);
  const filesOf = async (metadata: TableMetadata): Promise<string[]> => {
    const files: string[] = [];
    for (const manifest of await readManifestList(storage, snapshotOfRef(metadata, branch))) {
      for (const entry of await readManifest(storage, manifest)) if (entry.status !== 2) files.push(entry.file.file_path as string);
    }
    return files;
  };
  const promotedFiles = await filesOf(tables.promoted);
  const quarantineFiles = await filesOf(tables.quarantine);
  const promoted: string[] = [];
  for (const uri of promotedFiles) {
    const { rows } = await readBack(await storage.read(pathOfUri(storage, uri)));
    for (const row of rows) {
      const id = [row._sluice_source, row._sluice_partition, row._sluice_offset].map(String).join(":");
      promoted.push(`${id}=${String(row.n)}`);
    }
  }
  const quarantined: string[] = [];
  for (const uri of quarantineFiles) {
    for await (const row of readQuarantineFile(storage, pathOfUri(storage, uri))) quarantined.push(`${row.id}#${row.attempt}=${row.state}`);
  }
  return { promoted: promoted.toSorted(), quarantined: quarantined.toSorted(), files: [...promotedFiles, ...quarantineFiles].toSorted() };
}

/** The metadata of both tables of a dataset. */
export async function loadBoth(folder: string, dataset: string): Promise<{ promoted: TableMetadata; quarantine: TableMetadata }> {
  const database = await SqliteDatabase.open({ file: join(folder, "catalog.db"), random: Math.random, busyMsMax: 10_000 }, catalogSchema);
  const clock = { now: () => Date.now() };
  const storage = createLocalStorage(folder);
  const catalog = new SqlCatalog({ rows: sqliteRows(database, "sluice"), storage, clock, uuid: randomUUID, probe: () => {} });
  try {
    const promoted = await catalog.load({ namespace: "db", name: dataset });
    const quarantine = await catalog.load({ namespace: "db", name: `${dataset}__quarantine` });
    return { promoted: promoted!.metadata, quarantine: quarantine!.metadata };
  } finally {
    database.close();
  }
}
