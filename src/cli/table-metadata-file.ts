import { fileURLToPath } from "node:url";
import { SqlCatalog } from "../adapters/catalog/sql-catalog.ts";
import { SqliteDatabase } from "../adapters/catalog/sqlite-database.ts";
import { sqliteRows } from "../adapters/catalog/sqlite-rows.ts";
import { createLocalStorage } from "../adapters/storage/local-storage.ts";
import type { Config } from "../config/config.ts";

/** The path of a table's current metadata file, which readers without a catalog take; null where there is no such table. */
export async function metadataFile(config: Config, table: string): Promise<string | null> {
  const { folder, catalog: file, namespace } = config.lake;
  const unused = (): never => {
    throw new Error("looking up a table draws no ids");
  };
  const database = await SqliteDatabase.open({ file, random: () => Math.random(), busyMsMax: 5000 }, "");
  try {
    const options = {
      rows: sqliteRows(database, "sluice"),
      storage: createLocalStorage(folder),
      clock: { now: () => Date.now() },
      uuid: unused,
      probe: () => {},
    };
    const loaded = await new SqlCatalog(options).load({ namespace, name: table });
    return loaded === null ? null : fileURLToPath(loaded.metadataLocation);
  } finally {
    database.close();
  }
}
