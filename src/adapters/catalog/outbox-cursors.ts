import type { Clock, Cursors } from "../../core/ports.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

interface CursorRow {
  readonly sequence: bigint;
  readonly fence: bigint;
  readonly holder: string;
  readonly lease_until_ms: bigint;
}

/** Cursors of one lake in the catalog's database. Leases are judged by the clock of the one host that all processes share. */
export function createCursors(database: SqliteDatabase, clock: Clock, lake: string): Cursors {
  return {
    acquire: (sink, dataset, holder, leaseMs) =>
      database.write((connection) => {
        const now = BigInt(clock.now());
        const select = connection.prepare(
          "SELECT sequence, fence, holder, lease_until_ms FROM sluice_cursors WHERE lake = ? AND sink = ? AND dataset = ?",
        );
        select.setReadBigInts(true);
        const row = select.get(lake, sink, dataset) as CursorRow | undefined;
        if (row !== undefined && row.holder !== holder && row.lease_until_ms > now) return null;
        // Whoever takes a lease over, or takes it again after it ran out, gets a new fence: what the last holder still has under way is refused.
        const renewed = row !== undefined && row.holder === holder && row.lease_until_ms > now;
        const fence = row === undefined ? 1n : renewed ? row.fence : row.fence + 1n;
        const sequence = row?.sequence ?? 0n;
        connection
          .prepare(
            `INSERT INTO sluice_cursors VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (lake, sink, dataset) DO UPDATE SET fence = excluded.fence, holder = excluded.holder, lease_until_ms = excluded.lease_until_ms`,
          )
          .run(lake, sink, dataset, sequence, fence, holder, now + BigInt(leaseMs));
        return { sequence, fence };
      }),
    advance: (sink, dataset, fence, sequence) =>
      database.write((connection) => {
        const { changes } = connection
          .prepare("UPDATE sluice_cursors SET sequence = ? WHERE lake = ? AND sink = ? AND dataset = ? AND fence = ? AND sequence <= ?")
          .run(sequence, lake, sink, dataset, fence, sequence);
        return changes === 1;
      }),
    standing: (dataset) =>
      database.read((connection) => {
        const select = connection.prepare(
          "SELECT sink, sequence, lease_until_ms FROM sluice_cursors WHERE lake = ? AND dataset = ? ORDER BY sink",
        );
        select.setReadBigInts(true);
        return select
          .all(lake, dataset)
          .map((row) => ({ sink: row.sink as string, sequence: row.sequence as bigint, leaseUntilMs: Number(row.lease_until_ms) }));
      }),
  };
}
