import type { ConsumptionFilter, ConsumptionLog } from "../../core/consumption.ts";
import { consumptionColumns, consumptionOf, consumptionPageRows } from "./consumption-rows.ts";
import { compares, isOneOf, whereAll, type Condition } from "./sqlite-condition.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

function conditionsOf(lake: string, dataset: string | null, filter: ConsumptionFilter): readonly Condition[] {
  return [
    ...compares("lake =", lake),
    ...compares("dataset =", dataset),
    ...isOneOf("snapshot_id", filter.snapshotIds),
    ...isOneOf("kind", filter.kinds),
    ...compares("reader =", filter.reader),
    ...compares("job =", filter.job),
    ...compares("run_id =", filter.runId),
    ...compares("at_ms >=", filter.sinceMs),
    ...compares("at_ms <", filter.untilMs),
  ];
}

/** Its rows in SQLite. */
export const consumptionSchema = consumptionColumns("INTEGER PRIMARY KEY");

/** The readings of one lake in the catalog's database. */
export function createConsumptionLog(database: SqliteDatabase, lake: string): ConsumptionLog {
  return {
    record: async (consumptions) => {
      if (consumptions.length === 0) return;
      await database.write((connection) => {
        const insert = connection.prepare(
          `INSERT INTO sluice_consumption (lake, dataset, snapshot_id, kind, reader, job, run_id, at_ms, details)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        );
        for (const { dataset, snapshotId, kind, reader, job, runId, atMs, details } of consumptions) {
          insert.run(lake, dataset, snapshotId, kind, reader, job, runId, atMs, JSON.stringify(details));
        }
      });
    },
    of: async function* (dataset, filter = {}) {
      const { where, values } = whereAll(conditionsOf(lake, dataset, filter));
      for (let after = 0; ;) {
        const page = await database.read((connection) =>
          connection
            .prepare(`SELECT * FROM sluice_consumption WHERE ${where} AND id > ? ORDER BY id LIMIT ${consumptionPageRows}`)
            .all(...values, after),
        );
        yield* page.map(consumptionOf);
        if (page.length < consumptionPageRows) return;
        after = page.at(-1)?.["id"] as number;
      }
    },
  };
}
