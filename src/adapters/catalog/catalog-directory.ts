import type { TableName } from "./catalog.ts";
import type { NamedKind } from "./catalog-rows.ts";

/** What is in a catalog besides the tables' own versions: namespaces and names. Levels of a namespace are joined with dots. */
export interface CatalogDirectory {
  /** Every namespace, in order: those that were made, those that tables are in, and what stands above either. */
  namespaces(): Promise<readonly string[]>;
  /** Properties of a namespace; none for one that is unknown. */
  properties(namespace: string): Promise<Readonly<Record<string, string>>>;
  /** Makes a namespace. False where it was made before; nothing changes then. */
  create(namespace: string, properties: Readonly<Record<string, string>>): Promise<boolean>;
  /** Sets and removes properties at once. */
  update(namespace: string, removals: readonly string[], updates: Readonly<Record<string, string>>): Promise<void>;
  /** Removes a namespace; false where a table or another namespace is in it. */
  drop(namespace: string): Promise<boolean>;
  /** Takes a table or view out of the catalog, if it is still at this metadata file; its files stay. */
  dropNamed(table: TableName, location: string): Promise<boolean>;
  /** Gives a table or view another name. `taken`: there is a table or view of that name already. */
  rename(kind: NamedKind, from: TableName, to: TableName): Promise<"renamed" | "missing" | "taken">;
}

/** The property that marks a namespace which has no other (as PyIceberg and JdbcCatalog do); it is not shown. */
export const existsProperty = "exists";

/** Namespaces with everything above them, in order, each once. */
export function withParents(namespaces: readonly string[]): string[] {
  const all = new Set<string>();
  for (const namespace of namespaces) {
    const levels = namespace.split(".");
    for (let depth = 1; depth <= levels.length; depth++) all.add(levels.slice(0, depth).join("."));
  }
  return [...all].sort();
}
