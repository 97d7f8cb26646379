import type { LoadedTable, TableName } from "../adapters/catalog/catalog.ts";
import { pathOfUri } from "../adapters/iceberg/storage-path.ts";
import type { TableMetadata } from "../adapters/iceberg/table-metadata.ts";
import { parseTableMetadata, serializeTableMetadata } from "../adapters/iceberg/table-metadata.ts";
import { SluiceError } from "../core/errors.ts";
import type { CatalogContext } from "./catalog-context.ts";
import { commitNew, locationOf, taking } from "./commits.ts";
import type { FileAccess, KeyDesk } from "./file-access.ts";
import { answerEtag } from "./file-access.ts";
import { needFreeName, newNameIn } from "./free-names.ts";
import type { JsonObject } from "./json-object.ts";
import { newTable } from "./new-table.ts";
import { parseSortOrder, parseSpec } from "./parse-changes.ts";
import { parseSchema } from "./parse-schema.ts";
import type { Principal } from "./principal.ts";
import type { Reader } from "./reads.ts";
import { purge } from "./reachable-files.ts";
import { checkPlace, loadedOrNull, namesOver } from "./table-places.ts";
import { alreadyExists, badRequest, forbidden, noSuchTable, RestError } from "./rest-error.ts";

/** A table as a client is answered (specification, `LoadTableResult`): the body's text, and what its ETag would be. */
export interface TableAnswer {
  readonly body: string;
  readonly etag: string | null;
}

/** Which snapshots an answer has: all, or those that branches and tags point to. */
type SnapshotMode = "all" | "refs";

/** The mode that a load asks for. */
export function snapshotMode(query: URLSearchParams): SnapshotMode {
  const mode = query.get("snapshots") ?? "all";
  if (mode === "all" || mode === "refs") return mode;
  throw badRequest(`snapshots is all or refs, not ${JSON.stringify(mode)}`);
}

function restrict(metadata: TableMetadata, mode: SnapshotMode): TableMetadata {
  if (mode === "all") return metadata;
  const pointed = new Set(Object.values(metadata.refs).map((ref) => ref["snapshot-id"]));
  return { ...metadata, snapshots: metadata.snapshots.filter((snapshot) => pointed.has(snapshot["snapshot-id"])) };
}

/** The answer about a table; one that is only staged has no metadata file yet. */
export function tableAnswer(
  access: FileAccess,
  table: { readonly metadataLocation: string | null; readonly metadata: TableMetadata },
  mode: SnapshotMode = "all",
): TableAnswer {
  const { metadataLocation: location, metadata } = table;
  const place = location === null ? "" : `"metadata-location":${JSON.stringify(location)},`;
  const { config, credentials } = access;
  const keys = credentials.length === 0 ? "" : `,"storage-credentials":${JSON.stringify(credentials)}`;
  return {
    body: `{${place}"metadata":${serializeTableMetadata(restrict(metadata, mode))},"config":${JSON.stringify(config)}${keys}}`,
    etag: location === null ? null : answerEtag(access, location, mode),
  };
}

/** A table as it is. Rejects with a 404 where there is none, or its metadata file is gone. */
export async function needTable(context: CatalogContext, table: TableName): Promise<LoadedTable> {
  const loaded = await context.catalog.load(table);
  if (loaded === null) throw noSuchTable(table);
  // The catalog knows versions that it has read before by heart.
  if (!(await context.storage.exists(pathOfUri(context.storage, loaded.metadataLocation)))) {
    throw new RestError(404, "NotFoundException", `Failed to open input stream for file: ${loaded.metadataLocation}`);
  }
  return loaded;
}

/** Makes a table, or says how it would look (`stage-create`) for the commit that then makes it. */
export async function createTable(
  context: CatalogContext,
  desk: KeyDesk,
  reader: Reader,
  namespace: string,
  body: JsonObject,
): Promise<TableAnswer> {
  const table = await newNameIn(context, reader.principal, namespace, body);
  await needFreeName(context, table, "Table");
  const wanted = {
    schema: parseSchema(body.object("schema")),
    spec: body.has("partition-spec") ? parseSpec(body.object("partition-spec")) : { fields: [] },
    order: body.has("write-order") ? parseSortOrder(body.object("write-order")) : { fields: [] },
    properties: body.textsByName("properties"),
  };
  const uuid = context.uuid();
  const metadata = taking(() => newTable(wanted, { uuid, location: locationOf(context, uuid), nowMs: context.clock.now() }));
  const access = await desk.accessTo({ table, location: metadata.location }, reader);
  if (body.flag("stage-create")) return tableAnswer(access, { metadataLocation: null, metadata });
  return tableAnswer(access, await commitNew(context, table, metadata));
}

async function readMetadata(context: CatalogContext, location: string): Promise<TableMetadata> {
  try {
    return parseTableMetadata(new TextDecoder().decode(await context.storage.read(pathOfUri(context.storage, location))));
  } catch (fault) {
    if (fault instanceof SyntaxError) throw badRequest(`${location} is no metadata file: ${fault.message}`);
    if (fault instanceof SluiceError && fault.code === "NOT_FOUND") throw badRequest(`there is no metadata file ${location}`);
    throw fault;
  }
}

/** Puts an existing table's metadata file under a name. */
export async function registerTable(
  context: CatalogContext,
  desk: KeyDesk,
  reader: Reader,
  namespace: string,
  body: JsonObject,
): Promise<TableAnswer> {
  const { principal } = reader;
  const location = body.text("metadata-location");
  const table = await newNameIn(context, principal, namespace, body);
  const current = await context.rows.location(table);
  if (current === null || !body.flag("overwrite")) await needFreeName(context, table, "Table");
  const metadata = await readMetadata(context, location);
  // A second name would be a way around what guards the first.
  await checkPlace(context, principal, table, metadata.location);
  const moved = await context.rows.swap([{ table, from: current, to: location }]);
  if (moved !== null) throw alreadyExists("Table", `${namespace}.${table.name}`);
  return tableAnswer(await desk.accessTo({ table, location: metadata.location }, reader), { metadataLocation: location, metadata });
}

/** Takes a table out of the catalog; with `purgeRequested` its files go too. */
export async function dropTable(context: CatalogContext, principal: Principal, table: TableName, query: URLSearchParams): Promise<void> {
  const isPurged = query.get("purgeRequested") === "true";
  const location = await context.rows.location(table);
  if (location === null) throw noSuchTable(table);
  // A table whose metadata can't be read any more can still be dropped.
  const loaded = await loadedOrNull(context, table);
  const refusal = context.guard.refuseDrop(table, principal.scope);
  if (refusal !== null) throw forbidden(refusal);
  const from = loaded?.metadataLocation ?? location;
  if (!(await context.directory.dropNamed(table, from))) throw new RestError(409, "CommitFailedException", "the table has just changed");
  if (!isPurged || loaded === null || (await namesOver(context, loaded.metadata.location, table)).length > 0) return;
  await purge(context.storage, loaded);
}
