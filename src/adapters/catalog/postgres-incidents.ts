import type { Incident, IncidentNote, IncidentNotice } from "../../core/incident.ts";
import type { IncidentStore } from "../../core/incident-store.ts";
import { incidentsListedMax } from "./incident-schema.ts";
import type { PostgresDatabase } from "./postgres-database.ts";

const replaceFold = "UPDATE sluice_incident_folds SET version = version + 1, state = $3 WHERE lake = $1 AND dataset = $2 AND version = $4";
const firstFold = "INSERT INTO sluice_incident_folds VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING";

const oldIncidents = `lake = $1 AND dataset = $2 AND status <> 'open' AND NOT is_false_positive
  AND (incident::json ->> 'closedAtMs')::bigint < $3 AND json_array_length(incident::json -> 'heldWindows') = 0 AND NOT (id = ANY($4))`;
const oldNotices = `lake = $1 AND dataset = $2 AND incident IN (SELECT id FROM sluice_incidents WHERE ${oldIncidents})`;

/** Incidents, notices and notes of one lake in the catalog's database. */
export function postgresIncidents(database: PostgresDatabase, lake: string): IncidentStore {
  return {
    load: async (dataset) => {
      const sql = "SELECT version, state FROM sluice_incident_folds WHERE lake = $1 AND dataset = $2";
      const [row] = await database.query(sql, [lake, dataset]);
      return row === undefined ? null : { version: Number(row["version"]), state: row["state"] as string };
    },
    keep: (dataset, version, { state, notes, notices, incidents }) =>
      database.transaction(async (transaction) => {
        const { rowCount } =
          version === 0
            ? await transaction.query(firstFold, [lake, dataset, state])
            : await transaction.query(replaceFold, [lake, dataset, state, version]);
        if (rowCount !== 1) return false;
        for (const { number, note } of notes) {
          const values = [lake, dataset, number, JSON.stringify(note)];
          await transaction.query("INSERT INTO sluice_incident_notes VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", values);
        }
        // A fold that is made again gives the same notices under the same numbers.
        for (const { number, notice } of notices) {
          const values = [lake, dataset, number, notice.incident.id, JSON.stringify(notice)];
          await transaction.query("INSERT INTO sluice_incident_notices VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", values);
        }
        for (const one of incidents) {
          const isFalsePositive = one.resolution?.isFalsePositive === true;
          await transaction.query(
            `INSERT INTO sluice_incidents VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (lake, dataset, id) DO UPDATE
             SET opened_at_ms = excluded.opened_at_ms, status = excluded.status, is_false_positive = excluded.is_false_positive, incident = excluded.incident`,
            [lake, dataset, one.id, one.openedAtMs, one.status, isFalsePositive, JSON.stringify(one)],
          );
        }
        return true;
      }),
    notes: async (dataset) => {
      const sql = "SELECT note FROM sluice_incident_notes WHERE lake = $1 AND dataset = $2 ORDER BY number";
      return (await database.query(sql, [lake, dataset])).map((row) => JSON.parse(row["note"] as string) as IncidentNote);
    },
    notices: async (dataset, after, limit) => {
      const sql =
        "SELECT number, notice FROM sluice_incident_notices WHERE lake = $1 AND dataset = $2 AND number > $3 ORDER BY number LIMIT $4";
      return (await database.query(sql, [lake, dataset, after, limit])).map((row) => ({
        number: BigInt(row["number"] as string),
        notice: JSON.parse(row["notice"] as string) as IncidentNotice,
      }));
    },
    incidents: async (dataset, { status, ids, isFalsePositive, limit = incidentsListedMax } = {}) => {
      const sql = `SELECT incident FROM sluice_incidents WHERE lake = $1 AND ($2::text IS NULL OR dataset = $2) AND ($3::text IS NULL OR status = $3)
        AND ($4::text[] IS NULL OR id = ANY($4)) AND ($5::boolean IS NULL OR is_false_positive = $5)
        ORDER BY opened_at_ms DESC, id COLLATE "C" LIMIT $6`;
      const values = [lake, dataset, status ?? null, ids ?? null, isFalsePositive ?? null, limit];
      return (await database.query(sql, values)).map((row) => JSON.parse(row["incident"] as string) as Incident);
    },
    begin: async (dataset) => {
      const sql = `SELECT COALESCE(
        (SELECT MIN(n.number) - 1 FROM sluice_incident_notices n JOIN sluice_incidents i
           ON i.lake = n.lake AND i.dataset = n.dataset AND i.id = n.incident AND i.status = 'open' WHERE n.lake = $1 AND n.dataset = $2),
        (SELECT MAX(number) FROM sluice_incident_notices WHERE lake = $1 AND dataset = $2), 1) AS begin`;
      const [row] = await database.query(sql, [lake, dataset]);
      return BigInt(row?.["begin"] as string);
    },
    prune: (dataset, { closedBeforeMs, except }, dryRun) =>
      database.transaction(async (transaction) => {
        const values = [lake, dataset, closedBeforeMs, except];
        if (dryRun) {
          const sql = `SELECT (SELECT COUNT(*) FROM sluice_incidents WHERE ${oldIncidents}) AS incidents,
            (SELECT COUNT(*) FROM sluice_incident_notices WHERE ${oldNotices}) AS notices`;
          const [row] = (await transaction.query(sql, values)).rows as readonly Readonly<Record<string, unknown>>[];
          return { incidents: Number(row?.["incidents"]), notices: Number(row?.["notices"]) };
        }
        const notices = await transaction.query(`DELETE FROM sluice_incident_notices WHERE ${oldNotices}`, values);
        const incidents = await transaction.query(`DELETE FROM sluice_incidents WHERE ${oldIncidents}`, values);
        return { incidents: incidents.rowCount ?? 0, notices: notices.rowCount ?? 0 };
      }),
  };
}
