import type { FileTotals, TableUsage } from "../core/lake-usage.ts";
import type { Lake } from "../core/ports.ts";

/** When a table was last read, and by which job, or by whom. */
export interface LastReading {
  readonly atMs: number;
  readonly by: string;
}

/** What a dataset occupies, and whether anyone has a use for it. */
export interface DatasetUsage {
  readonly dataset: string;
  readonly tables: readonly TableUsage[];
  /** All data files of both tables. */
  readonly bytes: bigint;
  readonly lastCommitMs: number | null;
  readonly lastRead: LastReading | null;
  /** When what was rejected was last read; it does not make a dataset any less idle. */
  readonly lastQuarantineRead: LastReading | null;
  /** Readings since the time asked about. */
  readonly readings: number;
  /** Neither written nor read since then. */
  readonly isIdle: boolean;
}

/** Looks at a dataset's files and at who read it since a time. Rejects with NOT_FOUND where there is no such dataset. */
export async function datasetUsage(lake: Lake, dataset: string, sinceMs: number): Promise<DatasetUsage> {
  const tables = await lake.traces.usage(dataset);
  const { lastRead, readings } = await readingsOf(lake, dataset, sinceMs);
  const quarantine = tables.find((each) => each.table === "quarantine");
  const lastQuarantineRead = quarantine === undefined ? null : (await readingsOf(lake, quarantine.name, sinceMs)).lastRead;
  const bytes = tables.flatMap(({ main, named, older }) => [main, named, older]).reduce((sum, each: FileTotals) => sum + each.bytes, 0n);
  const commits = tables.flatMap((each) => (each.lastCommitMs === null ? [] : [each.lastCommitMs]));
  const lastCommitMs = commits.length === 0 ? null : Math.max(...commits);
  const isIdle = (lastCommitMs ?? 0) < sinceMs && (lastRead?.atMs ?? 0) < sinceMs;
  return { dataset, tables, bytes, lastCommitMs, lastRead, lastQuarantineRead, readings, isIdle };
}

async function readingsOf(lake: Lake, table: string, sinceMs: number): Promise<{ lastRead: LastReading | null; readings: number }> {
  let lastRead: LastReading | null = null;
  let readings = 0;
  for await (const { atMs, job, reader } of lake.consumption.of(table)) {
    if (atMs >= sinceMs) readings++;
    if (lastRead === null || atMs >= lastRead.atMs) lastRead = { atMs, by: job ?? reader };
  }
  return { lastRead, readings };
}
