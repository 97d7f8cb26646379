import type { LoadedTable, TableName } from "../adapters/catalog/catalog.ts";
import { ownPath, pathOfUri, tableFolders, uriOfPath } from "../adapters/iceberg/storage-path.ts";
import { SluiceError } from "../core/errors.ts";
import type { Storage } from "../core/storage.ts";
import type { CatalogContext } from "./catalog-context.ts";
import { checkNewName } from "./free-names.ts";
import type { Principal } from "./principal.ts";
import { badRequest } from "./rest-error.ts";

/** Folders that hold more than one table's files: those of all tables and views, and those of decisions and of single views. */
const sharedFolder =
  /^(@[^/]+\/)?(tables|views|content)$|^@[^/]+$|^(@[^/]+\/)?content\/|^views\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\/|$)/i;

/** A location as a path; empty: the whole warehouse. */
function folderOf(storage: Storage, location: string): string {
  return pathOfUri(storage, `${location}/x`).slice(0, -2);
}

/** Whether a folder may be one table's alone: keys, purges and maintenance of a table reach all that is below its location. */
function mayBeOwn(storage: Storage, folder: string): boolean {
  if (folder === "" || sharedFolder.test(folder)) return false;
  const uri = `${uriOfPath(storage, folder)}/`;
  return [storage, ...(storage.archives ?? [])].every(({ root }) => !`${root}/`.startsWith(uri));
}

function isWithin(folder: string, other: string): boolean {
  return `${folder}/`.startsWith(`${other}/`);
}

/** Whether two locations have files in common: one is the other, or is inside of it, in the warehouse or in an archive. */
function overlap(storage: Storage, one: string, other: string): boolean {
  if (ownPath(storage, one) === null || ownPath(storage, other) === null) return one === other;
  const others = tableFolders(storage, other);
  return tableFolders(storage, one).some((a) => others.some((b) => isWithin(a, b) || isWithin(b, a)));
}

/** A table; null where there is none, or its metadata can't be read any more. */
export async function loadedOrNull(context: CatalogContext, table: TableName): Promise<LoadedTable | null> {
  try {
    return await context.catalog.load(table);
  } catch (fault) {
    if (fault instanceof SluiceError && (fault.code === "TABLE_CORRUPT" || fault.code === "TABLE_UNSUPPORTED")) return null;
    throw fault;
  }
}

/** The other names in the catalog that lead to the same files, or to some of them. */
export async function namesOver(
  context: CatalogContext,
  location: string,
  { namespace: ownNamespace, name: ownName }: TableName,
): Promise<TableName[]> {
  const names: TableName[] = [];
  for (const namespace of await context.directory.namespaces()) {
    for (const name of await context.rows.tables(namespace)) {
      if (namespace === ownNamespace && name === ownName) continue;
      const other = await loadedOrNull(context, { namespace, name });
      if (other !== null && overlap(context.storage, other.metadata.location, location)) names.push({ namespace, name });
    }
  }
  return names;
}

/**
 * Rejects with a 403 where a table at a location would be a way around what guards the tables that have files there, with a 400 where no table may be: keys of
 * it would reach others'.
 */
export async function checkPlace(context: CatalogContext, principal: Principal, table: TableName, location: string): Promise<void> {
  if (!mayBeOwn(context.storage, folderOf(context.storage, location))) throw badRequest(`${location} is no folder for one table's files`);
  for (const other of await namesOver(context, location, table)) {
    principal.need("write", other.namespace);
    checkNewName(context, principal, other);
  }
}

/** The same of a folder that is to be new: who else has files there is asked only where there are files. */
export async function checkNewPlace(context: CatalogContext, principal: Principal, table: TableName, location: string): Promise<void> {
  for (const folder of tableFolders(context.storage, location)) {
    for await (const _file of context.storage.list(folder)) return checkPlace(context, principal, table, location);
  }
}
