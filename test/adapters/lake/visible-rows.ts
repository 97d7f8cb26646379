import { VersionDeletes } from "../../../src/adapters/iceberg/deletes/version-deletes.ts";
import { pathOfUri } from "../../../src/adapters/iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../../src/adapters/iceberg/table-io.ts";
import { snapshotOfRef } from "../../../src/adapters/iceberg/table-metadata.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { readBack } from "../iceberg/parquet-reading.ts";
import { loadBoth } from "./table-content.ts";

/** A row's number `n`, its id, and the sequence number at which it came. */
export interface VisibleRow {
  readonly n: unknown;
  readonly id: unknown;
  readonly at: unknown;
}

export interface VisibleFile {
  readonly uri: string;
  readonly sortOrderId: unknown;
  readonly rows: readonly VisibleRow[];
}

/** Data files of a branch with their rows as they stand, those that delete files take out left out; each with its id and sequence number as readers know them. */
export async function visibleFiles(folder: string, branch = "main"): Promise<VisibleFile[]> {
  const storage = createLocalStorage(folder);
  const { promoted: metadata } = await loadBoth(folder, "orders");
  const snapshot = snapshotOfRef(metadata, branch);
  const deletes = await VersionDeletes.of({ storage, metadata, snapshot });
  const found: VisibleFile[] = [];
  for (const manifest of (await readManifestList(storage, snapshot)).filter(({ content }) => content === 0)) {
    for (const entry of (await readManifest(storage, manifest)).filter(({ status }) => status !== 2)) {
      const uri = entry.file["file_path"] as string;
      const gone = await deletes.rowsOf(entry);
      const { rows } = await readBack(await storage.read(pathOfUri(storage, uri)));
      const first = (entry.file["first_row_id"] ?? null) as bigint | null;
      const numbered = rows.map((row, i) => ({
        n: row["n"],
        id: row["_row_id"] ?? (first === null ? null : first + BigInt(i)),
        at: row["_last_updated_sequence_number"] ?? entry.sequence,
      }));
      found.push({ uri, sortOrderId: entry.file["sort_order_id"], rows: numbered.filter((_, i) => gone?.has(i) !== true) });
    }
  }
  return found;
}

/** The rows of all of them, by their numbers. */
export const visibleRows = async (folder: string, branch = "main"): Promise<VisibleRow[]> =>
  (await visibleFiles(folder, branch)).flatMap(({ rows }) => rows).toSorted((a, b) => Number(a.n) - Number(b.n));
