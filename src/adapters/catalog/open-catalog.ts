import type { Clock, Lake, Probe } from "../../core/ports.ts";
import type { Storage } from "../../core/storage.ts";
import type { Catalog } from "./catalog.ts";
import type { CatalogDirectory } from "./catalog-directory.ts";
import { catalogSchema } from "./catalog-rows.ts";
import type { CatalogRows } from "./catalog-rows.ts";
import { openClaimsFile } from "./claims-file.ts";
import { consumptionSchema, createConsumptionLog } from "./consumption-table.ts";
import { cursorSchema } from "./cursor-schema.ts";
import { incidentSchema } from "./incident-schema.ts";
import { createIncidentStore } from "./incident-tables.ts";
import { createCursors } from "./outbox-cursors.ts";
import type { PostgresOptions } from "./postgres-database.ts";
import { SqlCatalog } from "./sql-catalog.ts";
import { SqliteDatabase } from "./sqlite-database.ts";
import { sqliteDirectory } from "./sqlite-directory.ts";
import { sqliteRows } from "./sqlite-rows.ts";
import { openTurnsFile } from "./sqlite-turns.ts";
import type { Turns } from "./turns.ts";

/** Where a lake's tables are looked up, as a configuration says it. */
export interface CatalogPlace {
  /** The SQLite file, unless a PostgreSQL database is given. */
  readonly catalog: string;
  readonly postgres?: Pick<PostgresOptions, "url" | "password" | "tls"> | null;
  readonly namespace: string;
  /** The catalog's name inside its database, by which other readers ask for it. */
  readonly catalogName?: string;
}

export interface CatalogPorts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly uuid: () => string;
  readonly random: () => number;
  readonly probe: Probe;
  readonly patienceMs: number;
}

/** What Sluice itself keeps beside the tables. */
export type LakeStores = Pick<Lake, "cursors" | "claims" | "consumption" | "incidents">;

export interface OpenedCatalog {
  readonly catalog: Catalog;
  readonly rows: CatalogRows;
  readonly views: CatalogRows;
  readonly directory: CatalogDirectory;
  readonly stores: LakeStores;
  readonly turns: Turns;
  readonly close: () => Promise<void>;
}

const catalogNameDefault = "sluice";
/** Going without a turn is better than waiting for the file that keeps them. */
const turnBusyMsMax = 1000;

interface OpenedDatabase {
  readonly rows: CatalogRows;
  readonly views: CatalogRows;
  readonly directory: CatalogDirectory;
  readonly stores: LakeStores;
  readonly turns: Turns;
  readonly close: () => Promise<void>;
}

async function openSqlite(place: CatalogPlace, { clock, random, patienceMs }: CatalogPorts): Promise<OpenedDatabase> {
  const { namespace, catalogName = catalogNameDefault } = place;
  const options = { file: place.catalog, random, busyMsMax: patienceMs };
  const database = await SqliteDatabase.open(options, catalogSchema + cursorSchema + consumptionSchema + incidentSchema);
  const lake = `${catalogName}.${namespace}`;
  const claimsFile = openClaimsFile({ ...options, file: `${place.catalog}.claims` }, lake);
  const turnsFile = openTurnsFile({ ...options, file: `${place.catalog}.turns`, busyMsMax: turnBusyMsMax }, lake);
  return {
    rows: sqliteRows(database, catalogName),
    views: sqliteRows(database, catalogName, "VIEW"),
    directory: sqliteDirectory(database, catalogName),
    stores: {
      cursors: createCursors(database, clock, lake),
      claims: claimsFile.claims,
      consumption: createConsumptionLog(database, lake),
      incidents: createIncidentStore(database, lake),
    },
    turns: turnsFile.turns,
    close: async () => {
      await claimsFile.close();
      await turnsFile.close();
      database.close();
    },
  };
}

/** PostgreSQL's client is loaded only where it is used. */
async function openPostgres(
  place: CatalogPlace,
  postgres: NonNullable<CatalogPlace["postgres"]>,
  { random, patienceMs }: CatalogPorts,
): Promise<OpenedDatabase> {
  const { PostgresDatabase } = await import("./postgres-database.ts");
  const { postgresRows } = await import("./postgres-rows.ts");
  const { postgresDirectory } = await import("./postgres-directory.ts");
  const { postgresCursors } = await import("./postgres-cursors.ts");
  const { PostgresClaims, postgresClaimSchema } = await import("./postgres-claims.ts");
  const { postgresConsumption, postgresConsumptionSchema } = await import("./postgres-consumption.ts");
  const { postgresIncidents } = await import("./postgres-incidents.ts");
  const { postgresTurns } = await import("./postgres-turns.ts");
  const { namespace, catalogName = catalogNameDefault } = place;
  const schema = catalogSchema + cursorSchema + postgresConsumptionSchema + postgresClaimSchema + incidentSchema;
  const database = await PostgresDatabase.open({ ...postgres, random, patienceMs }, schema);
  const lake = `${catalogName}.${namespace}`;
  return {
    rows: postgresRows(database, catalogName),
    views: postgresRows(database, catalogName, "VIEW"),
    directory: postgresDirectory(database, catalogName),
    stores: {
      cursors: postgresCursors(database, lake),
      claims: new PostgresClaims(database, lake),
      consumption: postgresConsumption(database, lake),
      incidents: postgresIncidents(database, lake),
    },
    turns: postgresTurns(database, lake),
    close: () => database.close(),
  };
}

/** Opens the catalog of a place, and makes its namespace. Rejects with CATALOG_*. */
export async function openCatalog(place: CatalogPlace, ports: CatalogPorts): Promise<OpenedCatalog> {
  const { postgres = null } = place;
  const { rows, views, directory, stores, turns, close } =
    postgres === null ? await openSqlite(place, ports) : await openPostgres(place, postgres, ports);
  try {
    await rows.createNamespace(place.namespace);
  } catch (fault) {
    await close();
    throw fault;
  }
  const { storage, clock, uuid, probe } = ports;
  const catalog = new SqlCatalog({ rows, storage, clock, uuid, probe });
  return {
    catalog,
    rows,
    views,
    directory,
    stores,
    turns,
    close: async () => {
      await catalog.close();
      await close();
    },
  };
}
