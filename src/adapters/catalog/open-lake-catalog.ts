import type { VendedKeys } from "../storage/vended-keys.ts";
import type { Catalog } from "./catalog.ts";
import type { CatalogPlace, CatalogPorts, LakeStores } from "./open-catalog.ts";
import { openCatalog } from "./open-catalog.ts";
import type { RestOptions } from "./rest-session.ts";
import type { Turns } from "./turns.ts";

/** Where a lake's tables are looked up: in its own database, or in a REST catalog beside that. */
export interface LakeCatalogPlace extends CatalogPlace {
  /** The database then keeps what Sluice itself needs: cursors, claims, readings. */
  readonly rest?: (Omit<RestOptions, "random" | "patienceMs"> & { readonly vended?: boolean }) | null;
}

/** What an own catalog takes, and the keys that a REST catalog hands out; absent or null: it is not asked for any. */
interface LakeCatalogPorts extends CatalogPorts {
  readonly vended?: VendedKeys | null;
}

export interface OpenedLakeCatalog {
  readonly catalog: Catalog;
  readonly stores: LakeStores;
  /** Among the processes that share the database. */
  readonly turns: Turns;
  readonly close: () => Promise<void>;
}

/** Opens the catalog that a lake's tables are in, and makes its namespace. Rejects with CATALOG_*. */
export async function openLakeCatalog(place: LakeCatalogPlace, ports: LakeCatalogPorts): Promise<OpenedLakeCatalog> {
  const { rest = null } = place;
  const own = await openCatalog(place, ports);
  if (rest === null) return own;
  try {
    const { RestCatalog } = await import("./rest-catalog.ts");
    const { random, patienceMs, probe, vended = null } = ports;
    const catalog = await RestCatalog.open({ ...rest, random, patienceMs, probe, vended });
    const close = async (): Promise<void> => {
      catalog.close();
      await own.close();
    };
    try {
      await catalog.createNamespace(place.namespace);
    } catch (fault) {
      catalog.close();
      throw fault;
    }
    return { catalog, stores: own.stores, turns: own.turns, close };
  } catch (fault) {
    await own.close();
    throw fault;
  }
}
