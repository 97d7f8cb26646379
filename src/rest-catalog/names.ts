import type { TableName } from "../adapters/catalog/catalog.ts";
import type { JsonObject } from "./json-object.ts";
import { badRequest } from "./rest-error.ts";

/** What separates levels of a namespace in paths and queries (specification, `namespace`). */
const separator = "\u001f";
/** What the catalog's tables hold, in any database. */
const lengthMax = 255;

/** The catalog's own name of a namespace: its levels joined with dots, as in the layout that other catalogs share. */
export function joinLevels(levels: readonly string[]): string {
  if (levels.length === 0) throw badRequest("the namespace is empty");
  for (const level of levels) {
    if (level === "" || level.includes(".") || level.includes("\0")) {
      throw badRequest(`a namespace's level can't be ${JSON.stringify(level)}: levels are not empty and have no dot`);
    }
  }
  const joined = levels.join(".");
  if (joined.length > lengthMax) throw badRequest(`a namespace's name has at most ${lengthMax} characters`);
  return joined;
}

/** A namespace as a path or query writes it. */
export function parseNamespace(text: string): string {
  return joinLevels(text.split(separator));
}

/** The levels of a namespace, as bodies have them. */
export function levelsOf(namespace: string): readonly string[] {
  return namespace.split(".");
}

/** Checks a table's name. */
export function checkTableName(name: string): string {
  if (name === "" || name.length > lengthMax || name.includes("\0")) {
    throw badRequest(`${JSON.stringify(name.slice(0, 60))} can't name a table: names have 1 to ${lengthMax} characters`);
  }
  return name;
}

/** A table's identifier in a body. */
export function parseIdentifier(identifier: JsonObject): TableName {
  return { namespace: joinLevels(identifier.texts("namespace")), name: checkTableName(identifier.text("name")) };
}
