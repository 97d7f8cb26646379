import type { Consumption, ConsumptionFilter, ConsumptionLog } from "../../core/consumption.ts";
import { consumptionColumns, consumptionOf, consumptionPageRows } from "./consumption-rows.ts";
import type { PostgresDatabase } from "./postgres-database.ts";

/** Its rows in PostgreSQL. */
export const postgresConsumptionSchema = consumptionColumns("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY");

/** Column by column, what a filter asks for; null asks for nothing. */
const condition = `lake = $1 AND ($2::text IS NULL OR dataset = $2) AND ($3::text[] IS NULL OR snapshot_id = ANY($3))
  AND ($4::text[] IS NULL OR kind = ANY($4)) AND ($5::text IS NULL OR reader = $5) AND ($6::text IS NULL OR job = $6)
  AND ($7::text IS NULL OR run_id = $7) AND ($8::bigint IS NULL OR at_ms >= $8) AND ($9::bigint IS NULL OR at_ms < $9)`;

function valuesOf(lake: string, dataset: string | null, filter: ConsumptionFilter): readonly unknown[] {
  const { snapshotIds, kinds, reader, job, runId, sinceMs, untilMs } = filter;
  return [lake, dataset, ...[snapshotIds, kinds, reader, job, runId, sinceMs, untilMs].map((each) => each ?? null)];
}

/** The readings of one lake in the catalog's database. */
export function postgresConsumption(database: PostgresDatabase, lake: string): ConsumptionLog {
  return {
    record: async (consumptions) => {
      if (consumptions.length === 0) return;
      await database.transaction(async (transaction) => {
        const insert = `INSERT INTO sluice_consumption (lake, dataset, snapshot_id, kind, reader, job, run_id, at_ms, details)
          SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])`;
        const column = <K extends keyof Consumption>(key: K): readonly Consumption[K][] => consumptions.map((each) => each[key]);
        const texts = [column("dataset"), column("snapshotId"), column("kind"), column("reader"), column("job"), column("runId")];
        const details = consumptions.map((each) => JSON.stringify(each.details));
        await transaction.query(insert, [lake, ...texts, column("atMs"), details]);
      });
    },
    of: async function* (dataset, filter = {}) {
      const values = valuesOf(lake, dataset, filter);
      for (let after = "0"; ;) {
        const sql = `SELECT * FROM sluice_consumption WHERE ${condition} AND id > $10 ORDER BY id LIMIT ${consumptionPageRows}`;
        const page = await database.query(sql, [...values, after]);
        yield* page.map(consumptionOf);
        if (page.length < consumptionPageRows) return;
        after = page.at(-1)?.["id"] as string;
      }
    },
  };
}
