import type { FileTotals, TableUsage } from "../core/lake-usage.ts";
import type { Lake } from "../core/ports.ts";

/** What a dataset occupies, and whether anyone has a use for it. */
export interface DatasetUsage {
  readonly dataset: string;
  readonly tables: readonly TableUsage[];
  /** All data files of both tables. */
  readonly bytes: bigint;
  readonly lastCommitMs: number | null;
  readonly lastRead: { readonly atMs: number; readonly by: string } | null;
  /** Readings since the time asked about. */
  readonly readings: number;
  /** Neither written nor read since then. */
  readonly isIdle: boolean;
}

/** Looks at a dataset's files and at who read it since a time. Rejects with NOT_FOUND where there is no such dataset. */
export async function datasetUsage(lake: Lake, dataset: string, sinceMs: number): Promise<DatasetUsage> {
  const tables = await lake.traces.usage(dataset);
  let lastRead: DatasetUsage["lastRead"] = null;
  let readings = 0;
  for await (const { atMs, job, reader } of lake.consumption.of(dataset)) {
    if (atMs >= sinceMs) readings++;
    if (lastRead === null || atMs >= lastRead.atMs) lastRead = { atMs, by: job ?? reader };
  }
  const bytes = tables.flatMap(({ main, named, older }) => [main, named, older]).reduce((sum, each: FileTotals) => sum + each.bytes, 0n);
  const commits = tables.flatMap((each) => (each.lastCommitMs === null ? [] : [each.lastCommitMs]));
  const lastCommitMs = commits.length === 0 ? null : Math.max(...commits);
  const isIdle = (lastCommitMs ?? 0) < sinceMs && (lastRead?.atMs ?? 0) < sinceMs;
  return { dataset, tables, bytes, lastCommitMs, lastRead, readings, isIdle };
}
