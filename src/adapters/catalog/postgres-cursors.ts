import type { Cursors } from "../../core/ports.ts";
import type { PostgresDatabase } from "./postgres-database.ts";

/** The server's own clock: holders on several hosts may disagree on the time. */
const nowMs = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** Cursors of one lake in the catalog's database. Every statement may be repeated after a lost reply. */
export function postgresCursors(database: PostgresDatabase, lake: string): Cursors {
  return {
    acquire: async (sink, dataset, holder, leaseMs) => {
      // Whoever takes a lease over, or takes it again after it ran out, gets a new fence: what the last holder still has under way is refused.
      const [row] = await database.query(
        `INSERT INTO sluice_cursors AS held VALUES ($1, $2, $3, 0, 1, $4, ${nowMs} + $5)
         ON CONFLICT (lake, sink, dataset) DO UPDATE SET
           fence = CASE WHEN held.holder = excluded.holder AND held.lease_until_ms > ${nowMs} THEN held.fence ELSE held.fence + 1 END,
           holder = excluded.holder, lease_until_ms = excluded.lease_until_ms
         WHERE held.holder = excluded.holder OR held.lease_until_ms <= ${nowMs}
         RETURNING sequence, fence`,
        [lake, sink, dataset, holder, leaseMs],
      );
      return row === undefined ? null : { sequence: BigInt(row["sequence"] as string), fence: BigInt(row["fence"] as string) };
    },
    advance: async (sink, dataset, fence, sequence) => {
      const rows = await database.query(
        "UPDATE sluice_cursors SET sequence = $5 WHERE lake = $1 AND sink = $2 AND dataset = $3 AND fence = $4 AND sequence <= $5 RETURNING 1",
        [lake, sink, dataset, fence, sequence],
      );
      return rows.length === 1;
    },
    standing: async (dataset) => {
      const sql = "SELECT sink, sequence, lease_until_ms FROM sluice_cursors WHERE lake = $1 AND dataset = $2 ORDER BY sink";
      return (await database.query(sql, [lake, dataset])).map((row) => ({
        sink: row["sink"] as string,
        sequence: BigInt(row["sequence"] as string),
        leaseUntilMs: Number(row["lease_until_ms"]),
      }));
    },
  };
}
