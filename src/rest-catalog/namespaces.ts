import type { CatalogContext } from "./catalog-context.ts";
import type { JsonObject } from "./json-object.ts";
import { joinLevels, levelsOf, parseNamespace } from "./names.ts";
import { pageOf } from "./pages.ts";
import type { Principal } from "./principal.ts";
import { alreadyExists, badRequest, forbidden, noSuchNamespace, RestError } from "./rest-error.ts";

/** Rejects with a 404 where a namespace is not known. */
export async function needNamespace(context: CatalogContext, namespace: string): Promise<void> {
  if (!(await context.directory.namespaces()).includes(namespace)) throw noSuchNamespace(namespace);
}

/** The namespaces right below another, or the top ones. */
export async function listNamespaces(context: CatalogContext, principal: Principal, query: URLSearchParams): Promise<unknown> {
  const parentText = query.get("parent") ?? "";
  const parent = parentText === "" ? null : parseNamespace(parentText);
  if (parent !== null && !principal.sees(parent)) throw forbidden(`${principal.name} has no access to namespace ${parent}`);
  const all = await context.directory.namespaces();
  if (parent !== null && !all.includes(parent)) throw noSuchNamespace(parent);
  const depth = parent === null ? 1 : levelsOf(parent).length + 1;
  const below = all.filter((each) => levelsOf(each).length === depth && (parent === null || each.startsWith(`${parent}.`)));
  const { items, next } = pageOf(
    below.filter((each) => principal.sees(each)),
    query,
  );
  return { namespaces: items.map(levelsOf), ...(next !== null && { "next-page-token": next }) };
}

/** Makes a namespace with its properties; those above it need not be there. */
export async function createNamespace(context: CatalogContext, principal: Principal, body: JsonObject): Promise<unknown> {
  const namespace = joinLevels(body.texts("namespace"));
  principal.need("write", namespace);
  const properties = body.textsByName("properties");
  if ((await context.directory.namespaces()).includes(namespace) || !(await context.directory.create(namespace, properties))) {
    throw alreadyExists("Namespace", namespace);
  }
  return { namespace: levelsOf(namespace), properties };
}

/** A namespace with its properties. */
export async function loadNamespace(context: CatalogContext, namespace: string): Promise<unknown> {
  await needNamespace(context, namespace);
  return { namespace: levelsOf(namespace), properties: await context.directory.properties(namespace) };
}

/** Removes an empty namespace. */
export async function dropNamespace(context: CatalogContext, principal: Principal, namespace: string): Promise<void> {
  await needNamespace(context, namespace);
  const refusal = context.guard.refuseNamespaceChange(namespace, principal.scope);
  if (refusal !== null) throw forbidden(refusal);
  if (await context.directory.drop(namespace)) return;
  throw new RestError(409, "NamespaceNotEmptyException", `Namespace is not empty: ${namespace}`);
}

/** Sets and removes properties of a namespace; says which of those to remove were not there. */
export async function updateNamespace(
  context: CatalogContext,
  principal: Principal,
  namespace: string,
  body: JsonObject,
): Promise<unknown> {
  const removals = body.has("removals") ? body.texts("removals") : [];
  const updates = body.textsByName("updates");
  const both = removals.find((key) => Object.hasOwn(updates, key));
  if (both !== undefined) {
    throw new RestError(422, "UnprocessableEntityException", `Invalid namespace update: cannot set and remove key ${both} at once`);
  }
  if (Object.values(updates).some((value) => value.length > 1000)) throw badRequest("a property has at most 1000 characters");
  await needNamespace(context, namespace);
  const refusal = context.guard.refuseNamespaceChange(namespace, principal.scope);
  if (refusal !== null) throw forbidden(refusal);
  const known = await context.directory.properties(namespace);
  await context.directory.update(namespace, removals, updates);
  return {
    updated: Object.keys(updates),
    removed: removals.filter((key) => Object.hasOwn(known, key)),
    missing: removals.filter((key) => !Object.hasOwn(known, key)),
  };
}
