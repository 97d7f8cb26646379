import { randomUUID } from "node:crypto";
import { openLakeCatalog } from "../../../src/adapters/catalog/open-lake-catalog.ts";
import { readQuarantineFile } from "../../../src/adapters/iceberg/parquet-quarantine-reader.ts";
import { pathOfUri } from "../../../src/adapters/iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../../src/adapters/iceberg/table-io.ts";
import type { TableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";
import { snapshotOfRef } from "../../../src/adapters/iceberg/table-metadata.ts";
import { openStorage } from "../../../src/adapters/storage/open-storage.ts";
import { readBack } from "../iceberg/parquet-reading.ts";
import { placeIn } from "./lake-fixture.ts";

const patience = { random: () => Math.random(), patienceMs: 10_000 };

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
  const { storage, close } = await openStorage(placeIn(folder), patience);
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
  close();
  return { promoted: promoted.toSorted(), quarantined: quarantined.toSorted(), files: [...promotedFiles, ...quarantineFiles].toSorted() };
}

/** The metadata of both tables of a dataset. */
export async function loadBoth(folder: string, dataset: string): Promise<{ promoted: TableMetadata; quarantine: TableMetadata }> {
  const files = await openStorage(placeIn(folder), patience);
  const { namespace } = placeIn(folder);
  const ports = { ...patience, clock: { now: () => Date.now() }, uuid: randomUUID, probe: () => {} };
  const { catalog, close } = await openLakeCatalog(placeIn(folder), { storage: files.storage, ...ports });
  try {
    const promoted = await catalog.load({ namespace, name: dataset });
    const quarantine = await catalog.load({ namespace, name: `${dataset}__quarantine` });
    return { promoted: promoted!.metadata, quarantine: quarantine!.metadata };
  } finally {
    await close();
    files.close();
  }
}
