import type { OrphanReport } from "../../../core/lake-maintenance.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { StoredFile } from "../../../core/storage.ts";
import type { LoadedTable } from "../../catalog/catalog.ts";
import { tableFolders } from "../../iceberg/storage-path.ts";
import type { LakeContext } from "../lake-context.ts";
import { namedContents } from "./named-contents.ts";
import { deleteFiles } from "./expire.ts";
import { reachedFiles } from "./reachable.ts";

const pathsShownMax = 100;

/** Files of a listing that were written before a time. */
async function olderThan(files: AsyncIterable<StoredFile>, beforeMs: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, writtenAtMs } of files) if (writtenAtMs < beforeMs) found.push(path);
  return found;
}

async function tablesOf(context: LakeContext): Promise<LoadedTable[]> {
  const tables: LoadedTable[] = [];
  for (const name of await context.catalog.list(context.namespace)) {
    const table = await context.catalog.load({ namespace: context.namespace, name });
    if (table !== null) tables.push(table);
  }
  return tables;
}

/** Files in the folders of this catalog's tables that no version of their table reaches. Listed before the table is loaded: what is committed meanwhile is reached. */
async function orphansOfTables(context: LakeContext, beforeMs: number): Promise<string[]> {
  const orphans: string[] = [];
  for (const { table, metadata: seen } of await tablesOf(context)) {
    const old: string[] = [];
    for (const folder of tableFolders(context.storage, seen.location))
      old.push(...(await olderThan(context.storage.files(folder), beforeMs)));
    const fresh = await context.catalog.load(table);
    if (fresh === null || fresh.metadata["table-uuid"] !== seen["table-uuid"]) continue;
    const reached = await reachedFiles(context.storage, fresh);
    orphans.push(...old.filter((path) => !reached.has(path)));
  }
  return orphans;
}

/** Contents that no table in the warehouse names, whatever catalog it is in. */
async function orphansOfContents(context: LakeContext, beforeMs: number): Promise<string[]> {
  const old: string[] = [];
  for (const kind of ["decision", "profile", "contract", "ledger"]) {
    old.push(...(await olderThan(context.storage.files(`content/${kind}`), beforeMs)));
  }
  if (old.length === 0) return [];
  const named = await namedContents(context, await tablesOf(context));
  return old.filter((path) => !named.has(hashOfPath(path)));
}

function hashOfPath(path: string): string {
  return (path.split("/").at(-1) as string).replace(/\.zst$/, "");
}

/** See `LakeMaintenance.removeOrphans`. */
export async function removeOrphans(context: LakeContext, graceMs: number, dryRun: boolean): Promise<OrphanReport> {
  const beforeMs = context.clock.now() - graceMs;
  const paths = await orphansOfTables(context, beforeMs);
  let contentsSkipped: string | null = null;
  try {
    paths.push(...(await orphansOfContents(context, beforeMs)));
  } catch (fault) {
    // A table that can't be read may name any of them: keys that a catalog hands out reach its own tables alone.
    if (!(fault instanceof SluiceError) || (fault.retryable && fault.code !== "STORAGE_REFUSED")) throw fault;
    contentsSkipped = fault.message;
  }
  const deleted = await deleteFiles(context, paths, dryRun);
  return { dryRun, ...deleted, paths: paths.toSorted().slice(0, pathsShownMax), contentsSkipped };
}
