import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { TableName } from "../adapters/catalog/catalog.ts";
import { tableKey } from "../adapters/catalog/catalog.ts";
import { ownPath, pathOfUri, uriOfPath } from "../adapters/iceberg/storage-path.ts";
import { RefusedUpdate } from "../adapters/iceberg/refused-update.ts";
import type { ViewMetadata } from "../adapters/iceberg/view-metadata.ts";
import { parseViewMetadata, serializeViewMetadata } from "../adapters/iceberg/view-metadata.ts";
import { applyViewUpdates, newViewMetadata } from "../adapters/iceberg/view-update.ts";
import { SluiceError } from "../core/errors.ts";
import type { CatalogContext } from "./catalog-context.ts";
import { backoffMs } from "./commits.ts";
import { checkNewName, needFreeName, newNameIn } from "./free-names.ts";
import type { JsonObject } from "./json-object.ts";
import type { ViewChange } from "./parse-view.ts";
import { parseViewVersion } from "./parse-view.ts";
import { parseSchema } from "./parse-schema.ts";
import type { Principal } from "./principal.ts";
import { badRequest, commitFailed, noSuchView, RestError } from "./rest-error.ts";

/** One version of a view's metadata, as the catalog pointed to it. */
export interface LoadedView {
  readonly metadataLocation: string;
  readonly metadata: ViewMetadata;
}

/** A view as it is. Rejects with a 404 where there is none, or its metadata file is gone. */
export async function needView(context: CatalogContext, view: TableName): Promise<LoadedView> {
  const metadataLocation = await context.views.location(view);
  if (metadataLocation === null) throw noSuchView(view);
  try {
    return { metadataLocation, metadata: await readView(context, metadataLocation) };
  } catch (fault) {
    // Dropped between the two looks.
    if ((await context.views.location(view)) === null) throw noSuchView(view);
    if (!(fault instanceof SyntaxError)) throw fault;
    throw new SluiceError("TABLE_CORRUPT", `view ${view.namespace}.${view.name}: ${metadataLocation} is no JSON`, { cause: fault });
  }
}

/** Turns what a view can't take into the answer that clients make their own exception of. */
function taking<T>(work: () => T): T {
  try {
    return work();
  } catch (fault) {
    if (!(fault instanceof RefusedUpdate)) throw fault;
    throw fault.stale ? commitFailed(fault.message) : new RestError(400, "IllegalArgumentException", fault.message);
  }
}

/** Whether views may have files somewhere: in the warehouse, and not among those of tables, of decisions or of archives. */
function mayHold(context: CatalogContext, uri: string): boolean {
  const path = ownPath(context.storage, uri);
  return path !== null && !/^(tables|content|@[^/]*)(\/|$)/.test(path);
}

function ownFolder(metadata: ViewMetadata): string {
  return `views/${metadata["view-uuid"]}`;
}

/** Where a view's next metadata file is written: where the view wants it, if it may be there. */
function metadataFolder(context: CatalogContext, metadata: ViewMetadata): string {
  const wanted = [metadata.properties["write.metadata.path"]?.replace(/\/+$/, ""), `${metadata.location}/metadata`];
  const found = wanted.find((each) => each !== undefined && mayHold(context, each));
  return found ?? uriOfPath(context.storage, `${ownFolder(metadata)}/metadata`);
}

async function write(context: CatalogContext, metadata: ViewMetadata, version: number): Promise<string> {
  const location = `${metadataFolder(context, metadata)}/${String(version).padStart(5, "0")}-${context.uuid()}.metadata.json`;
  await context.storage.write(pathOfUri(context.storage, location), new TextEncoder().encode(serializeViewMetadata(metadata)));
  return location;
}

/** Moves a view's row, or takes its new file away again; after an unknown outcome the catalog may point to that, and it stays. */
async function swap(context: CatalogContext, view: TableName, from: string | null, to: string): Promise<boolean> {
  const discard = (): Promise<void> => context.storage.delete(pathOfUri(context.storage, to));
  let moved: TableName | null;
  try {
    moved = await context.views.swap([{ table: view, from, to }]);
  } catch (fault) {
    if (!(fault instanceof SluiceError && fault.code === "COMMIT_UNKNOWN")) await discard();
    throw fault;
  }
  if (moved !== null) await discard();
  return moved === null;
}

/** Makes a view (specification, `CreateViewRequest`). Its files stand where the catalog wants them, whatever location is asked for. */
export async function createView(context: CatalogContext, principal: Principal, namespace: string, body: JsonObject): Promise<LoadedView> {
  const view = await newNameIn(context, principal, namespace, body);
  await needFreeName(context, view, "View");
  const schema = parseSchema(body.object("schema"));
  const version = parseViewVersion(body.object("view-version"));
  const properties = body.textsByName("properties");
  const uuid = context.uuid();
  const location = uriOfPath(context.storage, `views/${uuid}`);
  const metadata = taking(() => newViewMetadata({ uuid, location, schema, version, properties }, context.clock.now()));
  const metadataLocation = await write(context, metadata, 0);
  if (await swap(context, view, null, metadataLocation)) return { metadataLocation, metadata };
  await needFreeName(context, view, "View");
  throw commitFailed(`${namespace}.${view.name} has just been made and dropped`);
}

async function replaceOnce(context: CatalogContext, view: TableName, { uuids, updates }: ViewChange): Promise<LoadedView | null> {
  const base = await needView(context, view);
  const wrong = uuids.find((each) => each.toLowerCase() !== base.metadata["view-uuid"].toLowerCase());
  if (wrong !== undefined) {
    throw commitFailed(`Requirement failed: view UUID does not match: expected ${wrong} != ${base.metadata["view-uuid"]}`);
  }
  // A view's files stay where they are: a client may be told another place than it asked for.
  const taken = updates.filter((update) => update.action !== "set-location");
  const metadata = taking(() => applyViewUpdates(base.metadata, taken, context.clock.now()));
  // Sent again, or already so.
  if (isDeepStrictEqual(metadata, base.metadata)) return base;
  const before = Number(/\/(\d+)-[^/]*$/.exec(base.metadataLocation)?.[1] ?? 0);
  const metadataLocation = await write(context, metadata, before + 1);
  return (await swap(context, view, base.metadataLocation, metadataLocation)) ? { metadataLocation, metadata } : null;
}

/** Changes a view. A change that meets another one is made again over what that left. */
export async function replaceView(context: CatalogContext, principal: Principal, view: TableName, change: ViewChange): Promise<LoadedView> {
  checkNewName(context, principal, view);
  return context.turns.pass([tableKey(view)], async () => {
    const until = performance.now() + context.patienceMs;
    for (let attempt = 1; ; attempt++) {
      const replaced = await replaceOnce(context, view, change);
      if (replaced !== null) return replaced;
      if (performance.now() >= until) throw commitFailed(`Commit conflict, ${attempt} times: ${view.namespace}.${view.name} has moved on`);
      context.observe({ type: "catalog.retried", table: `${view.namespace}.${view.name}` });
      await sleep(backoffMs(context, attempt));
    }
  });
}

async function readView(context: CatalogContext, location: string): Promise<ViewMetadata> {
  return parseViewMetadata(new TextDecoder().decode(await context.storage.read(pathOfUri(context.storage, location))));
}

/** Puts an existing view's metadata file under a name (specification, `RegisterViewRequest`). */
export async function registerView(
  context: CatalogContext,
  principal: Principal,
  namespace: string,
  body: JsonObject,
): Promise<LoadedView> {
  const metadataLocation = body.text("metadata-location");
  const view = await newNameIn(context, principal, namespace, body);
  await needFreeName(context, view, "View");
  let metadata: ViewMetadata;
  try {
    metadata = await readView(context, metadataLocation);
  } catch (fault) {
    if (fault instanceof SyntaxError || (fault instanceof SluiceError && (fault.code === "NOT_FOUND" || fault.code === "TABLE_CORRUPT"))) {
      throw badRequest(`${metadataLocation} is no metadata file of a view: ${fault.message}`);
    }
    throw fault;
  }
  const moved = await context.views.swap([{ table: view, from: null, to: metadataLocation }]);
  if (moved === null) return { metadataLocation, metadata };
  await needFreeName(context, view, "View");
  throw commitFailed(`${namespace}.${view.name} has just been made and dropped`);
}

/** Whether another view's metadata file stands in a folder: it was registered from there. */
async function isShared(context: CatalogContext, folder: string): Promise<boolean> {
  for (const namespace of await context.directory.namespaces()) {
    for (const name of await context.views.tables(namespace)) {
      const location = await context.views.location({ namespace, name });
      if (location !== null && ownPath(context.storage, location)?.startsWith(`${folder}/`) === true) return true;
    }
  }
  return false;
}

/** Takes a view out of the catalog, and the metadata files in its own folder with it, unless it says otherwise (`gc.enabled`). */
export async function dropView(context: CatalogContext, principal: Principal, view: TableName): Promise<void> {
  const location = await context.views.location(view);
  if (location === null) throw noSuchView(view);
  checkNewName(context, principal, view);
  // One whose metadata can't be read any more can still be dropped.
  const metadata = await readView(context, location).catch(() => null);
  if (!(await context.directory.dropNamed(view, location))) throw commitFailed("the view has just changed");
  if (metadata === null || metadata.properties["gc.enabled"] === "false") return;
  const folder = ownFolder(metadata);
  if (await isShared(context, folder)) return;
  for await (const path of context.storage.list(folder)) await context.storage.delete(path);
}
