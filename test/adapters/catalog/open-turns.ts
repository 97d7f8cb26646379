import { join } from "node:path";
import { PostgresDatabase } from "../../../src/adapters/catalog/postgres-database.ts";
import { postgresTurns } from "../../../src/adapters/catalog/postgres-turns.ts";
import type { SqliteTurnLimits } from "../../../src/adapters/catalog/sqlite-turns.ts";
import { openTurnsFile } from "../../../src/adapters/catalog/sqlite-turns.ts";
import type { Turns } from "../../../src/adapters/catalog/turns.ts";

export interface OpenedTurns {
  readonly turns: Turns;
  readonly close: () => Promise<void>;
}

/** So patient that only what a test does ends any waiting. */
export const endless: SqliteTurnLimits = { waitMsMax: 1e9, heldMsMax: 1e9, beatMs: 20, silentMsMax: 1e9 };

/** Turns of a process, in an SQLite file of a folder or in a PostgreSQL database. */
export async function openTurns(
  { folder, url }: { readonly folder: string; readonly url?: string },
  limits: SqliteTurnLimits = endless,
): Promise<OpenedTurns> {
  if (url === undefined)
    return openTurnsFile({ file: join(folder, "turns.db"), random: Math.random, busyMsMax: 60_000 }, "sluice.db", limits);
  const database = await PostgresDatabase.open({ url, password: null, tls: null, random: Math.random, patienceMs: 60_000 }, "");
  return { turns: postgresTurns(database, "sluice.db", limits), close: () => database.close() };
}
