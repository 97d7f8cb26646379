import type { Incident, IncidentNote, IncidentNotice } from "../../core/incident.ts";
import type { IncidentFilter, IncidentStore, PrunedIncidents } from "../../core/incident-store.ts";
import { incidentsListedMax } from "./incident-schema.ts";
import { compares, isOneOf, whereAll } from "./sqlite-condition.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

/** Incidents, notices and notes of one lake in the catalog's database. */
export function createIncidentStore(database: SqliteDatabase, lake: string): IncidentStore {
  return {
    load: (dataset) =>
      database.read((connection) => {
        const row = connection
          .prepare("SELECT version, state FROM sluice_incident_folds WHERE lake = ? AND dataset = ?")
          .get(lake, dataset);
        return row === undefined ? null : { version: row["version"] as number, state: row["state"] as string };
      }),
    keep: (dataset, version, { state, notes, notices, incidents }) =>
      database.write((connection) => {
        const { changes } =
          version === 0
            ? connection
                .prepare("INSERT INTO sluice_incident_folds VALUES (?, ?, 1, ?) ON CONFLICT (lake, dataset) DO NOTHING")
                .run(lake, dataset, state)
            : connection
                .prepare("UPDATE sluice_incident_folds SET version = version + 1, state = ? WHERE lake = ? AND dataset = ? AND version = ?")
                .run(state, lake, dataset, version);
        if (changes !== 1) return false;
        const note = connection.prepare("INSERT INTO sluice_incident_notes VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
        for (const each of notes) note.run(lake, dataset, each.number, JSON.stringify(each.note));
        // A fold that is made again gives the same notices under the same numbers.
        const told = connection.prepare("INSERT INTO sluice_incident_notices VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
        for (const { number, notice } of notices) told.run(lake, dataset, number, notice.incident.id, JSON.stringify(notice));
        const put = connection.prepare("INSERT OR REPLACE INTO sluice_incidents VALUES (?, ?, ?, ?, ?, ?, ?)");
        for (const one of incidents) {
          const isFalsePositive = one.resolution?.isFalsePositive === true ? 1 : 0;
          put.run(lake, dataset, one.id, one.openedAtMs, one.status, isFalsePositive, JSON.stringify(one));
        }
        return true;
      }),
    notes: (dataset) =>
      database.read((connection) =>
        connection
          .prepare("SELECT note FROM sluice_incident_notes WHERE lake = ? AND dataset = ? ORDER BY number")
          .all(lake, dataset)
          .map((row) => JSON.parse(row["note"] as string) as IncidentNote),
      ),
    notices: (dataset, after, limit) =>
      database.read((connection) =>
        connection
          .prepare(
            "SELECT number, notice FROM sluice_incident_notices WHERE lake = ? AND dataset = ? AND number > ? ORDER BY number LIMIT ?",
          )
          .all(lake, dataset, after, limit)
          .map((row) => ({ number: BigInt(row["number"] as number), notice: JSON.parse(row["notice"] as string) as IncidentNotice })),
      ),
    incidents: (dataset, filter = {}) => database.read((connection) => select(connection, lake, dataset, filter)),
    begin: (dataset) =>
      database.read((connection) => {
        const sql = `SELECT COALESCE(
          (SELECT MIN(n.number) - 1 FROM sluice_incident_notices n JOIN sluice_incidents i
             ON i.lake = n.lake AND i.dataset = n.dataset AND i.id = n.incident AND i.status = 'open' WHERE n.lake = ?1 AND n.dataset = ?2),
          (SELECT MAX(number) FROM sluice_incident_notices WHERE lake = ?1 AND dataset = ?2), 1) AS begin`;
        return BigInt(connection.prepare(sql).get(lake, dataset)?.["begin"] as number);
      }),
    prune: (dataset, { closedBeforeMs, except }, dryRun) =>
      database.write((connection) => prune(connection, [lake, dataset, closedBeforeMs, JSON.stringify(except)], dryRun)),
  };
}

const oldIncidents = `lake = ? AND dataset = ? AND status <> 'open' AND NOT is_false_positive
  AND json_extract(incident, '$.closedAtMs') < ? AND json_array_length(incident, '$.heldWindows') = 0
  AND id NOT IN (SELECT value FROM json_each(?))`;

function prune(connection: Connection, where: readonly [string, string, number, string], dryRun: boolean): PrunedIncidents {
  const notices = `lake = ? AND dataset = ? AND incident IN (SELECT id FROM sluice_incidents WHERE ${oldIncidents})`;
  const [lake, dataset] = where;
  const count = (sql: string, ...values: (string | number)[]): number => connection.prepare(sql).get(...values)?.["count"] as number;
  const pruned: PrunedIncidents = {
    notices: count(`SELECT COUNT(*) AS count FROM sluice_incident_notices WHERE ${notices}`, lake, dataset, ...where),
    incidents: count(`SELECT COUNT(*) AS count FROM sluice_incidents WHERE ${oldIncidents}`, ...where),
  };
  if (dryRun || pruned.incidents === 0) return pruned;
  connection.prepare(`DELETE FROM sluice_incident_notices WHERE ${notices}`).run(lake, dataset, ...where);
  connection.prepare(`DELETE FROM sluice_incidents WHERE ${oldIncidents}`).run(...where);
  return pruned;
}

type Connection = Parameters<Parameters<SqliteDatabase["read"]>[0]>[0];

function select(connection: Connection, lake: string, dataset: string | null, filter: IncidentFilter): readonly Incident[] {
  const { status, ids, isFalsePositive, limit = incidentsListedMax } = filter;
  const { where, values } = whereAll([
    ...compares("lake =", lake),
    ...compares("dataset =", dataset),
    ...compares("status =", status),
    ...isOneOf("id", ids),
    ...compares("is_false_positive =", isFalsePositive === undefined ? undefined : Number(isFalsePositive)),
  ]);
  return connection
    .prepare(`SELECT incident FROM sluice_incidents WHERE ${where} ORDER BY opened_at_ms DESC, id LIMIT ?`)
    .all(...values, limit)
    .map((row) => JSON.parse(row["incident"] as string) as Incident);
}
