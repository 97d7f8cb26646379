import type { DatabaseSync } from "node:sqlite";
import { setImmediate as breathe } from "node:timers/promises";
import type { ClaimRows, Claims, ClaimScope, Memo } from "../../core/claims.ts";
import { claimKeyBytes, isWithinHorizon } from "../../core/claims.ts";
import { partitionId, type OffsetRange } from "../../core/position.ts";
import { skippedTest, type SkippedRange } from "../../core/skipped-range.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

/** The claims' own tables. Keys are spread evenly, so that a table of ten million takes half a gigabyte and a few page reads a key. */
export const claimSchema = `
CREATE TABLE IF NOT EXISTS sluice_claim_scopes (
  id INTEGER PRIMARY KEY,
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  rule VARCHAR(255) NOT NULL,
  covered INTEGER,
  newest_ms INTEGER NOT NULL,
  UNIQUE (lake, dataset, rule)
);
CREATE TABLE IF NOT EXISTS sluice_claim_sources (
  id INTEGER PRIMARY KEY,
  source VARCHAR(255) NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS sluice_claims (
  scope INTEGER NOT NULL,
  key BLOB NOT NULL,
  source INTEGER NOT NULL,
  position INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sluice_rule_memos (
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  rule VARCHAR(255) NOT NULL,
  sequence INTEGER NOT NULL,
  snapshot VARCHAR(255) NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (lake, dataset, rule)
);`;

/** Rows of one transaction: the event loop gets its turn in between. */
const rowsPerTransaction = 4096;
/** What is older than the horizon is deleted one slice of keys at a time, one slice a transaction. */
const slices = 256;

interface Held {
  readonly source: bigint;
  readonly position: bigint;
  readonly time_ms: bigint;
}

/** Claims in an SQLite database that the processes of one host share. */
export class SqliteClaims implements Claims {
  readonly #database: SqliteDatabase;
  readonly #lake: string;
  #slice = 0;

  constructor(database: SqliteDatabase, lake: string) {
    this.#database = database;
    this.#lake = lake;
  }

  async claim(scope: ClaimScope, rows: ClaimRows, skipped: readonly SkippedRange[] = []): Promise<Uint8Array> {
    const lost = new Uint8Array(rows.count);
    for (let from = 0; from < rows.count; from += rowsPerTransaction) {
      const to = Math.min(from + rowsPerTransaction, rows.count);
      await this.#database.write((database) => this.#claim(database, { scope, rows, skipped }, { from, to, lost }));
      await breathe();
    }
    return lost;
  }

  #claim(
    database: DatabaseSync,
    { scope, rows, skipped }: { readonly scope: ClaimScope; readonly rows: ClaimRows; readonly skipped: readonly SkippedRange[] },
    { from, to, lost }: { readonly from: number; readonly to: number; readonly lost: Uint8Array },
  ): void {
    const isVoid = voidTest(database, skipped);
    const id = this.#scope(database, scope);
    const sources = sourceIds(database, rows);
    const select = database.prepare("SELECT source, position, time_ms FROM sluice_claims WHERE scope = ? AND key = ?");
    select.setReadBigInts(true);
    const take = database.prepare(
      `INSERT INTO sluice_claims VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (scope, key) DO UPDATE SET source = excluded.source, position = excluded.position, time_ms = excluded.time_ms`,
    );
    let newest = -1n;
    for (let row = from; row < to; row++) {
      const key = keyAt(rows, row);
      const source = sources[rows.partition[row] as number] as bigint;
      const position = rows.offsets[row] as bigint;
      const time = rows.timestampsMs[row] as bigint;
      if (time > newest) newest = time;
      const held = select.get(id, key) as Held | undefined;
      lost[row] = 0;
      if (held === undefined || isVoid(held)) take.run(id, key, source, position, time);
      else if (held.source === source && held.position === position) continue;
      else if (isWithinHorizon(held.time_ms, time, scope.horizonMs)) lost[row] = 1;
      else if (time > held.time_ms) take.run(id, key, source, position, time);
    }
    database.prepare("UPDATE sluice_claim_scopes SET newest_ms = max(newest_ms, ?) WHERE id = ?").run(newest, id);
    if (scope.horizonMs !== null) this.#expire(database, id, scope.horizonMs);
  }

  #expire(database: DatabaseSync, id: bigint, horizonMs: number): void {
    const slice = this.#slice++ % slices;
    const beyond = slice + 1 < slices ? " AND key < ?" : "";
    const bounds = [Uint8Array.of(slice), ...(slice + 1 < slices ? [Uint8Array.of(slice + 1)] : [])];
    database
      .prepare(
        `DELETE FROM sluice_claims WHERE scope = ? AND key >= ?${beyond}
         AND time_ms >= 0 AND time_ms <= (SELECT newest_ms FROM sluice_claim_scopes WHERE id = ?) - ?`,
      )
      .run(id, ...bounds, id, BigInt(horizonMs) * 2n);
  }

  release(dataset: string, ranges: readonly OffsetRange[]): Promise<void> {
    return this.#database.write((database) => {
      const free = database.prepare(
        `DELETE FROM sluice_claims WHERE scope IN (SELECT id FROM sluice_claim_scopes WHERE lake = ? AND dataset = ?)
         AND source = (SELECT id FROM sluice_claim_sources WHERE source = ?) AND position >= ? AND position < ?`,
      );
      for (const range of ranges) free.run(this.#lake, dataset, partitionId(range), range.from, range.to);
    });
  }

  forfeit(scope: ClaimScope, rows: ClaimRows): Promise<void> {
    return this.#database.write((database) => {
      const id = this.#scope(database, scope);
      const sources = sourceIds(database, rows);
      const free = database.prepare("DELETE FROM sluice_claims WHERE scope = ? AND key = ? AND source = ? AND position = ?");
      for (let row = 0; row < rows.count; row++)
        free.run(id, keyAt(rows, row), sources[rows.partition[row] as number] as bigint, rows.offsets[row] as bigint);
    });
  }

  covered(scope: ClaimScope): Promise<bigint | null> {
    return this.#database.read((database) => {
      const select = database.prepare("SELECT covered FROM sluice_claim_scopes WHERE lake = ? AND dataset = ? AND rule = ?");
      select.setReadBigInts(true);
      const row = select.get(this.#lake, scope.dataset, scope.rule) as { readonly covered: bigint | null } | undefined;
      return row?.covered ?? null;
    });
  }

  cover(scope: ClaimScope, sequence: bigint): Promise<void> {
    return this.#database.write((database) => {
      const id = this.#scope(database, scope);
      database.prepare("UPDATE sluice_claim_scopes SET covered = max(coalesce(covered, ?), ?) WHERE id = ?").run(sequence, sequence, id);
    });
  }

  memo(dataset: string, rule: string): Promise<Memo | null> {
    return this.#database.read((database) => {
      const select = database.prepare(
        "SELECT sequence, snapshot, bytes FROM sluice_rule_memos WHERE lake = ? AND dataset = ? AND rule = ?",
      );
      select.setReadBigInts(true);
      const row = select.get(this.#lake, dataset, rule) as { sequence: bigint; snapshot: string; bytes: Uint8Array } | undefined;
      return row === undefined ? null : { sequence: row.sequence, snapshotId: row.snapshot, bytes: row.bytes };
    });
  }

  keepMemo(dataset: string, rule: string, { sequence, snapshotId, bytes }: Memo): Promise<void> {
    return this.#database.write((database) => {
      database
        .prepare("INSERT OR REPLACE INTO sluice_rule_memos (lake, dataset, rule, sequence, snapshot, bytes) VALUES (?, ?, ?, ?, ?, ?)")
        .run(this.#lake, dataset, rule, sequence, snapshotId, bytes);
    });
  }

  #scope(database: DatabaseSync, { dataset, rule }: ClaimScope): bigint {
    database
      .prepare("INSERT OR IGNORE INTO sluice_claim_scopes (lake, dataset, rule, covered, newest_ms) VALUES (?, ?, ?, NULL, -1)")
      .run(this.#lake, dataset, rule);
    const select = database.prepare("SELECT id FROM sluice_claim_scopes WHERE lake = ? AND dataset = ? AND rule = ?");
    select.setReadBigInts(true);
    return (select.get(this.#lake, dataset, rule) as { readonly id: bigint }).id;
  }
}

/** Tests whether a claim is of a record that is never read. */
function voidTest(database: DatabaseSync, skipped: readonly SkippedRange[]): (held: Held) => boolean {
  if (skipped.length === 0) return () => false;
  const isSkipped = skippedTest(skipped);
  const select = database.prepare("SELECT source FROM sluice_claim_sources WHERE id = ?");
  return ({ source, position }) => isSkipped((select.get(source) as { readonly source: string }).source, position);
}

function keyAt(rows: ClaimRows, row: number): Uint8Array {
  return rows.keys.subarray(row * claimKeyBytes, (row + 1) * claimKeyBytes);
}

function sourceIds(database: DatabaseSync, rows: ClaimRows): readonly bigint[] {
  const insert = database.prepare("INSERT OR IGNORE INTO sluice_claim_sources (source) VALUES (?)");
  const select = database.prepare("SELECT id FROM sluice_claim_sources WHERE source = ?");
  select.setReadBigInts(true);
  return rows.partitions.map((partition) => {
    const source = partitionId(partition);
    const known = select.get(source) as { readonly id: bigint } | undefined;
    if (known !== undefined) return known.id;
    insert.run(source);
    return (select.get(source) as { readonly id: bigint }).id;
  });
}
