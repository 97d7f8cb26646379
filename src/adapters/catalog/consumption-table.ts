import type { SQLInputValue } from "node:sqlite";
import type { Consumption, ConsumptionFilter, ConsumptionKind, ConsumptionLog } from "../../core/consumption.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

/** Sluice's own table beside the catalog's: who read which version. Rows are only ever added. */
export const consumptionSchema = `
CREATE TABLE IF NOT EXISTS sluice_consumption (
  id INTEGER PRIMARY KEY,
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  snapshot_id VARCHAR(20) NOT NULL,
  kind VARCHAR(10) NOT NULL,
  reader VARCHAR(255) NOT NULL,
  job VARCHAR(255),
  run_id VARCHAR(255),
  at_ms INTEGER NOT NULL,
  details TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sluice_consumption_of_snapshot ON sluice_consumption (lake, dataset, snapshot_id);
CREATE INDEX IF NOT EXISTS sluice_consumption_of_job ON sluice_consumption (lake, job);`;

/** Rows read at a time: a reader of a long record keeps no transaction open. */
const pageRows = 1000;

interface ConsumptionRow {
  readonly id: number;
  readonly dataset: string;
  readonly snapshot_id: string;
  readonly kind: ConsumptionKind;
  readonly reader: string;
  readonly job: string | null;
  readonly run_id: string | null;
  readonly at_ms: number;
  readonly details: string;
}

interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

function isOneOf(column: string, values: readonly string[] | undefined): Condition[] {
  return values === undefined ? [] : [{ sql: `${column} IN (${values.map(() => "?").join(", ")})`, values }];
}

function compares(comparison: string, value: SQLInputValue | undefined): Condition[] {
  return value === undefined || value === null ? [] : [{ sql: `${comparison} ?`, values: [value] }];
}

function conditionsOf(lake: string, dataset: string | null, filter: ConsumptionFilter): readonly Condition[] {
  return [
    { sql: "lake = ?", values: [lake] },
    ...compares("dataset =", dataset ?? undefined),
    ...isOneOf("snapshot_id", filter.snapshotIds),
    ...isOneOf("kind", filter.kinds),
    ...compares("reader =", filter.reader),
    ...compares("job =", filter.job),
    ...compares("run_id =", filter.runId),
    ...compares("at_ms >=", filter.sinceMs),
    ...compares("at_ms <", filter.untilMs),
  ];
}

function consumptionOf(row: ConsumptionRow): Consumption {
  return {
    dataset: row.dataset,
    snapshotId: row.snapshot_id,
    kind: row.kind,
    reader: row.reader,
    job: row.job,
    runId: row.run_id,
    atMs: row.at_ms,
    details: JSON.parse(row.details) as Record<string, string>,
  };
}

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
      const conditions = conditionsOf(lake, dataset, filter);
      const where = conditions.map((one) => one.sql).join(" AND ");
      const values = conditions.flatMap((one) => one.values);
      for (let after = 0; ;) {
        const page = await database.read(
          (connection) =>
            connection
              .prepare(`SELECT * FROM sluice_consumption WHERE ${where} AND id > ? ORDER BY id LIMIT ${pageRows}`)
              .all(...values, after) as unknown as readonly ConsumptionRow[],
        );
        yield* page.map(consumptionOf);
        if (page.length < pageRows) return;
        after = page.at(-1)?.id as number;
      }
    },
  };
}
