import type { TableName } from "../adapters/catalog/catalog.ts";
import type { CatalogContext } from "./catalog-context.ts";
import type { JsonObject } from "./json-object.ts";
import { checkTableName } from "./names.ts";
import { needNamespace } from "./namespaces.ts";
import type { Principal } from "./principal.ts";
import type { NamedThing } from "./rest-error.ts";
import { alreadyExists, forbidden, otherAlreadyExists } from "./rest-error.ts";

/** Throws a 403 where a client may neither make nor move anything under a name. */
export function checkNewName(context: CatalogContext, principal: Principal, name: TableName): void {
  const refusal = context.guard.refuseName(name.namespace, principal.scope);
  if (refusal !== null) throw forbidden(refusal);
}

/** Rejects with a 409 where a table or a view has the name that another one is to have. */
export async function needFreeName(context: CatalogContext, name: TableName, wanted: NamedThing): Promise<void> {
  const text = `${name.namespace}.${name.name}`;
  const [table, view] = await Promise.all([context.rows.location(name), context.views.location(name)]);
  const [own, other] = wanted === "Table" ? [table, view] : [view, table];
  if (own !== null) throw alreadyExists(wanted, text);
  if (other !== null) throw otherAlreadyExists(wanted === "Table" ? "View" : "Table", text);
}

/** The name that a body wants for a new table or view of a namespace. Rejects with a 404 where there is no such namespace, with a 403 where nobody may make one. */
export async function newNameIn(context: CatalogContext, principal: Principal, namespace: string, body: JsonObject): Promise<TableName> {
  const name = { namespace, name: checkTableName(body.text("name")) };
  await needNamespace(context, namespace);
  checkNewName(context, principal, name);
  return name;
}
