import type { CatalogRows } from "../adapters/catalog/catalog-rows.ts";
import type { CatalogContext } from "./catalog-context.ts";
import { checkNewName } from "./free-names.ts";
import type { JsonObject } from "./json-object.ts";
import { levelsOf, parseIdentifier } from "./names.ts";
import { needNamespace } from "./namespaces.ts";
import { pageOf } from "./pages.ts";
import type { Principal } from "./principal.ts";
import type { NamedThing } from "./rest-error.ts";
import { noSuchTable, noSuchView, takenByRename } from "./rest-error.ts";

function rowsOf({ rows, views }: CatalogContext, kind: NamedThing): CatalogRows {
  return kind === "Table" ? rows : views;
}

/** Names of a namespace's tables, or of its views. */
export async function listNames(context: CatalogContext, kind: NamedThing, namespace: string, query: URLSearchParams): Promise<unknown> {
  await needNamespace(context, namespace);
  const { items, next } = pageOf([...(await rowsOf(context, kind).tables(namespace))].sort(), query);
  const identifiers = items.map((name) => ({ namespace: levelsOf(namespace), name }));
  return { identifiers, ...(next !== null && { "next-page-token": next }) };
}

/** Gives a table or view another name, perhaps in another namespace. */
export async function rename(context: CatalogContext, principal: Principal, kind: NamedThing, body: JsonObject): Promise<void> {
  const [other, noSuch] = kind === "Table" ? (["View", noSuchTable] as const) : (["Table", noSuchView] as const);
  const from = parseIdentifier(body.object("source"));
  const to = parseIdentifier(body.object("destination"));
  for (const { namespace } of [from, to]) principal.need("write", namespace);
  for (const each of [from, to]) checkNewName(context, principal, each);
  if ((await rowsOf(context, kind).location(from)) === null) throw noSuch(from);
  await needNamespace(context, to.namespace);
  const outcome = await context.directory.rename(kind === "Table" ? "TABLE" : "VIEW", from, to);
  if (outcome === "missing") throw noSuch(from);
  if (outcome === "taken") throw takenByRename(from, to, (await rowsOf(context, other).location(to)) === null ? kind : other);
}
