import type { FileTotals, TableUsage } from "../../../core/lake-usage.ts";
import type { LoadedTable } from "../../catalog/catalog.ts";
import { ManifestCache } from "../../iceberg/manifest-cache.ts";
import { snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import type { HeldFile } from "./held-files.ts";
import { everyVersion, heldFiles, namedVersions } from "./held-files.ts";

/** See `LakeTraces.usage`. */
export async function tableUsage(context: LakeContext, dataset: string): Promise<readonly TableUsage[]> {
  const { promoted, quarantine } = await loadTables(context, dataset);
  return [await usageOf(context, promoted, "promoted"), await usageOf(context, quarantine, "quarantine")];
}

async function usageOf(context: LakeContext, loaded: LoadedTable, table: TableUsage["table"]): Promise<TableUsage> {
  const { metadata } = loaded;
  const cache = new ManifestCache();
  const named = await heldFiles(context, namedVersions(metadata), cache);
  const all = await heldFiles(context, everyVersion(metadata), cache);
  const inMain = [...named.values()].filter((file) => file.refs.has("main"));
  return {
    table,
    name: loaded.table.name,
    main: totalsOf(inMain),
    named: totalsOf([...named.values()].filter((file) => !file.refs.has("main"))),
    older: totalsOf([...all].flatMap(([uri, file]) => (named.has(uri) ? [] : [file]))),
    snapshots: metadata.snapshots.length,
    lastCommitMs: snapshotOfRef(metadata, "main")?.["timestamp-ms"] ?? null,
  };
}

function totalsOf(files: readonly HeldFile[]): FileTotals {
  const sum = (key: string): bigint => files.reduce((total, { entry: { file } }) => total + (file[key] as bigint), 0n);
  return { files: files.length, rows: sum("record_count"), bytes: sum("file_size_in_bytes") };
}
