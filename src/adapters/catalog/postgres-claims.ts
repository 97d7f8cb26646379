import type { ClaimRows, Claims, ClaimScope, Memo } from "../../core/claims.ts";
import { claimKeyBytes, isWithinHorizon } from "../../core/claims.ts";
import { partitionId, type OffsetRange } from "../../core/position.ts";
import { skippedTest, type SkippedRange } from "../../core/skipped-range.ts";
import type { PostgresDatabase, PostgresTransaction } from "./postgres-database.ts";

/** The claims' own tables. */
export const postgresClaimSchema = `
CREATE TABLE IF NOT EXISTS sluice_claim_scopes (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  rule VARCHAR(255) NOT NULL,
  covered BIGINT,
  newest_ms BIGINT NOT NULL,
  UNIQUE (lake, dataset, rule)
);
CREATE TABLE IF NOT EXISTS sluice_claims (
  scope BIGINT NOT NULL,
  key BYTEA NOT NULL,
  source VARCHAR(255) NOT NULL,
  position BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE TABLE IF NOT EXISTS sluice_rule_memos (
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  rule VARCHAR(255) NOT NULL,
  sequence BIGINT NOT NULL,
  snapshot VARCHAR(255) NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (lake, dataset, rule)
);`;

/** Rows of one transaction: its row locks keep others of the same keys waiting. */
const rowsPerTransaction = 4096;
/** What is older than the horizon is deleted one slice of keys at a time, one slice a transaction. */
const slices = 256;

interface Holder {
  readonly source: string;
  readonly position: bigint;
  readonly timeMs: bigint;
}

interface Claim extends Holder {
  readonly key: string;
}

const columns = "unnest($2::bytea[], $3::text[], $4::bigint[], $5::bigint[]) AS wanted (key, source, position, time_ms)";

function valuesOf(id: string, claims: readonly Claim[]): readonly unknown[] {
  return [
    id,
    claims.map((each) => Buffer.from(each.key, "hex")),
    claims.map((each) => each.source),
    claims.map((each) => each.position),
    claims.map((each) => each.timeMs),
  ];
}

/** Claims in a PostgreSQL database that processes of several hosts share. Every transaction may be repeated after a lost reply. */
export class PostgresClaims implements Claims {
  readonly #database: PostgresDatabase;
  readonly #lake: string;
  #slice = 0;

  constructor(database: PostgresDatabase, lake: string) {
    this.#database = database;
    this.#lake = lake;
  }

  async claim(scope: ClaimScope, rows: ClaimRows, skipped: readonly SkippedRange[] = []): Promise<Uint8Array> {
    const lost = new Uint8Array(rows.count);
    if (rows.count === 0) return lost;
    const id = await this.#scope(scope);
    const isSkipped = skippedTest(skipped);
    for (let from = 0; from < rows.count; from += rowsPerTransaction) {
      const to = Math.min(from + rowsPerTransaction, rows.count);
      const wanted = Array.from({ length: to - from }, (_, i) => claimAt(rows, from + i));
      await this.#database.transaction(async (transaction) => {
        lost.set(await this.#claim(transaction, { id, horizonMs: scope.horizonMs, wanted, isSkipped }), from);
      });
    }
    return lost;
  }

  async #claim(
    transaction: PostgresTransaction,
    asked: {
      readonly id: string;
      readonly horizonMs: number | null;
      readonly wanted: readonly Claim[];
      readonly isSkipped: ReturnType<typeof skippedTest>;
    },
  ): Promise<Uint8Array> {
    const { id, horizonMs, wanted, isSkipped } = asked;
    const lost = new Uint8Array(wanted.length);
    const first = new Map(wanted.toReversed().map((each) => [each.key, each]));
    // All writers take keys in one order, so that none waits for another in a circle.
    const ordered = [...first.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
    await transaction.query(
      `INSERT INTO sluice_claims SELECT $1::bigint, wanted.* FROM ${columns} ORDER BY wanted.key ON CONFLICT DO NOTHING`,
      valuesOf(id, ordered),
    );
    const held = await transaction.query(
      "SELECT key, source, position, time_ms FROM sluice_claims WHERE scope = $1 AND key = ANY($2::bytea[]) ORDER BY key FOR UPDATE",
      valuesOf(id, ordered).slice(0, 2),
    );
    const holders = new Map<string, Holder>(
      held.rows.map((row) => [
        (row["key"] as Buffer).toString("hex"),
        { source: row["source"] as string, position: BigInt(row["position"] as string), timeMs: BigInt(row["time_ms"] as string) },
      ]),
    );
    const taken = new Map<string, Claim>();
    for (const [i, each] of wanted.entries()) {
      const holder = holders.get(each.key);
      const own = holder === undefined || (holder.source === each.source && holder.position === each.position);
      const isVoid = !own && isSkipped(holder.source, holder.position);
      const within = !own && !isVoid && isWithinHorizon(holder.timeMs, each.timeMs, horizonMs);
      lost[i] = within ? 1 : 0;
      if (own || within || (!isVoid && each.timeMs <= holder.timeMs)) continue;
      holders.set(each.key, each);
      taken.set(each.key, each);
    }
    if (taken.size > 0) {
      await transaction.query(
        `UPDATE sluice_claims AS held SET source = wanted.source, position = wanted.position, time_ms = wanted.time_ms
         FROM ${columns} WHERE held.scope = $1 AND held.key = wanted.key`,
        valuesOf(id, [...taken.values()]),
      );
    }
    const newest = wanted.reduce((max, each) => (each.timeMs > max ? each.timeMs : max), -1n);
    if (horizonMs !== null) await this.#expire(transaction, id, newest, horizonMs);
    return lost;
  }

  async #expire(transaction: PostgresTransaction, id: string, newest: bigint, horizonMs: number): Promise<void> {
    const slice = this.#slice++ % slices;
    const bounds = [Buffer.of(slice), slice + 1 < slices ? Buffer.of(slice + 1) : null];
    // Rows that another transaction is claiming are left for the next round.
    await transaction.query(
      `WITH scope AS (
         UPDATE sluice_claim_scopes SET newest_ms = greatest(newest_ms, $2) WHERE id = $1 RETURNING newest_ms
       ), old AS (
         SELECT key FROM sluice_claims, scope WHERE scope = $1 AND key >= $3 AND ($4::bytea IS NULL OR key < $4)
         AND time_ms >= 0 AND time_ms <= scope.newest_ms - $5::bigint FOR UPDATE OF sluice_claims SKIP LOCKED
       )
       DELETE FROM sluice_claims USING old WHERE sluice_claims.scope = $1 AND sluice_claims.key = old.key`,
      [id, newest, ...bounds, 2 * horizonMs],
    );
  }

  async release(dataset: string, ranges: readonly OffsetRange[]): Promise<void> {
    await this.#database.query(
      `DELETE FROM sluice_claims USING unnest($3::text[], $4::bigint[], $5::bigint[]) AS range (source, first, next)
       WHERE scope IN (SELECT id FROM sluice_claim_scopes WHERE lake = $1 AND dataset = $2)
       AND sluice_claims.source = range.source AND position >= range.first AND position < range.next`,
      [this.#lake, dataset, ranges.map(partitionId), ranges.map((range) => range.from), ranges.map((range) => range.to)],
    );
  }

  async forfeit(scope: ClaimScope, rows: ClaimRows): Promise<void> {
    const id = await this.#scope(scope);
    const claims = Array.from({ length: rows.count }, (_, row) => claimAt(rows, row));
    await this.#database.query(
      `DELETE FROM sluice_claims AS held USING ${columns}
       WHERE held.scope = $1 AND held.key = wanted.key AND held.source = wanted.source AND held.position = wanted.position`,
      valuesOf(id, claims),
    );
  }

  async covered(scope: ClaimScope): Promise<bigint | null> {
    const sql = "SELECT covered FROM sluice_claim_scopes WHERE lake = $1 AND dataset = $2 AND rule = $3";
    const [row] = await this.#database.query(sql, [this.#lake, scope.dataset, scope.rule]);
    const covered = (row?.["covered"] ?? null) as string | null;
    return covered === null ? null : BigInt(covered);
  }

  async cover(scope: ClaimScope, sequence: bigint): Promise<void> {
    const id = await this.#scope(scope);
    await this.#database.query("UPDATE sluice_claim_scopes SET covered = greatest(covered, $2) WHERE id = $1", [id, sequence]);
  }

  async memo(dataset: string, rule: string): Promise<Memo | null> {
    const sql = "SELECT sequence, snapshot, bytes FROM sluice_rule_memos WHERE lake = $1 AND dataset = $2 AND rule = $3";
    const [row] = await this.#database.query(sql, [this.#lake, dataset, rule]);
    if (row === undefined) return null;
    return { sequence: BigInt(row["sequence"] as string), snapshotId: row["snapshot"] as string, bytes: row["bytes"] as Buffer };
  }

  async keepMemo(dataset: string, rule: string, { sequence, snapshotId, bytes }: Memo): Promise<void> {
    await this.#database.query(
      `INSERT INTO sluice_rule_memos VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (lake, dataset, rule) DO UPDATE SET sequence = excluded.sequence, snapshot = excluded.snapshot, bytes = excluded.bytes`,
      [this.#lake, dataset, rule, sequence, snapshotId, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)],
    );
  }

  async #scope({ dataset, rule }: ClaimScope): Promise<string> {
    const key = [this.#lake, dataset, rule];
    const find = "SELECT id FROM sluice_claim_scopes WHERE lake = $1 AND dataset = $2 AND rule = $3";
    const [known] = await this.#database.query(find, key);
    if (known !== undefined) return known["id"] as string;
    const insert = "INSERT INTO sluice_claim_scopes (lake, dataset, rule, newest_ms) VALUES ($1, $2, $3, -1) ON CONFLICT DO NOTHING";
    await this.#database.query(insert, key);
    return (await this.#database.query(find, key))[0]?.["id"] as string;
  }
}

function claimAt(rows: ClaimRows, row: number): Claim {
  const partition = rows.partitions[rows.partition[row] as number];
  if (partition === undefined) throw new Error(`row ${row} has no partition`);
  return {
    key: Buffer.from(rows.keys.subarray(row * claimKeyBytes, (row + 1) * claimKeyBytes)).toString("hex"),
    source: partitionId(partition),
    position: rows.offsets[row] as bigint,
    timeMs: rows.timestampsMs[row] as bigint,
  };
}
