/** Sluice's own table beside the catalog's: where each sink stands. The same statement for SQLite and PostgreSQL. */
export const cursorSchema = `
CREATE TABLE IF NOT EXISTS sluice_cursors (
  lake VARCHAR(255) NOT NULL,
  sink VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  sequence BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  holder VARCHAR(255) NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  PRIMARY KEY (lake, sink, dataset)
);`;
