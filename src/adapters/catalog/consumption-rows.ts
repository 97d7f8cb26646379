import type { Consumption, ConsumptionKind } from "../../core/consumption.ts";

/** Sluice's own table beside the catalog's: who read which version. Rows are only ever added; `id`: the database's type of what numbers them. */
export function consumptionColumns(id: string): string {
  return `
CREATE TABLE IF NOT EXISTS sluice_consumption (
  id ${id},
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  snapshot_id VARCHAR(20) NOT NULL,
  kind VARCHAR(10) NOT NULL,
  reader VARCHAR(255) NOT NULL,
  job VARCHAR(255),
  run_id VARCHAR(255),
  at_ms BIGINT NOT NULL,
  details TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sluice_consumption_of_snapshot ON sluice_consumption (lake, dataset, snapshot_id);
CREATE INDEX IF NOT EXISTS sluice_consumption_of_job ON sluice_consumption (lake, job);`;
}

/** Rows read at a time: a reader of a long record keeps no transaction open. */
export const consumptionPageRows = 1000;

/** One row of it. PostgreSQL's client gives large numbers as texts. */
export function consumptionOf(row: Readonly<Record<string, unknown>>): Consumption {
  return {
    dataset: row["dataset"] as string,
    snapshotId: row["snapshot_id"] as string,
    kind: row["kind"] as ConsumptionKind,
    reader: row["reader"] as string,
    job: row["job"] as string | null,
    runId: row["run_id"] as string | null,
    atMs: Number(row["at_ms"]),
    details: JSON.parse(row["details"] as string) as Record<string, string>,
  };
}
