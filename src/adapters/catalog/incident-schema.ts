/**
 * Sluice's own tables beside the catalog's: the fold's state, recorded notes, notices and the incidents themselves, each as JSON. The same statements for SQLite
 * and PostgreSQL.
 */
export const incidentSchema = `
CREATE TABLE IF NOT EXISTS sluice_incident_folds (
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (lake, dataset)
);
CREATE TABLE IF NOT EXISTS sluice_incident_notes (
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  number BIGINT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (lake, dataset, number)
);
CREATE TABLE IF NOT EXISTS sluice_incident_notices (
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  number BIGINT NOT NULL,
  incident VARCHAR(255) NOT NULL,
  notice TEXT NOT NULL,
  PRIMARY KEY (lake, dataset, number)
);
CREATE TABLE IF NOT EXISTS sluice_incidents (
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  id VARCHAR(255) NOT NULL,
  opened_at_ms BIGINT NOT NULL,
  status VARCHAR(20) NOT NULL,
  is_false_positive BOOLEAN NOT NULL,
  incident TEXT NOT NULL,
  PRIMARY KEY (lake, dataset, id)
);`;

/** Incidents answered where nobody says how many. */
export const incidentsListedMax = 1000;
