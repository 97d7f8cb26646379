import type { Claims } from "../../core/claims.ts";
import { claimSchema, SqliteClaims } from "./sqlite-claims.ts";
import { SqliteDatabase, type SqliteOptions } from "./sqlite-database.ts";

/** Claims in a database file of their own, beside the catalog's: taking keys never waits for a commit. Opened when it is first needed. */
export interface ClaimsFile {
  readonly claims: Claims;
  close(): Promise<void>;
}

/** `lake` tells lakes apart that share one file. */
export function openClaimsFile(options: SqliteOptions, lake: string): ClaimsFile {
  let opened: Promise<{ readonly database: SqliteDatabase; readonly claims: SqliteClaims }> | null = null;
  const open = async (): Promise<{ readonly database: SqliteDatabase; readonly claims: SqliteClaims }> => {
    // After power loss the file is an older version of itself, and whoever begins brings it up to the table.
    const database = await SqliteDatabase.open({ ...options, synchronous: "NORMAL", cacheKib: 65_536 }, claimSchema);
    // Keys are random: each page is written once for many keys if checkpoints are rare.
    await database.read((connection) => connection.exec("PRAGMA wal_autocheckpoint = 16384"));
    return { database, claims: new SqliteClaims(database, lake) };
  };
  const claims = async (): Promise<SqliteClaims> => {
    opened ??= open();
    try {
      return (await opened).claims;
    } catch (fault) {
      opened = null;
      throw fault;
    }
  };
  return {
    claims: {
      claim: async (scope, rows, skipped) => (await claims()).claim(scope, rows, skipped),
      release: async (dataset, ranges) => (await claims()).release(dataset, ranges),
      forfeit: async (scope, rows) => (await claims()).forfeit(scope, rows),
      covered: async (scope) => (await claims()).covered(scope),
      memo: async (dataset, rule) => (await claims()).memo(dataset, rule),
      keepMemo: async (dataset, rule, memo) => (await claims()).keepMemo(dataset, rule, memo),
      cover: async (scope, sequence) => (await claims()).cover(scope, sequence),
    },
    close: async () => {
      if (opened !== null) (await opened.catch(() => null))?.database.close();
    },
  };
}
