import type { Consumption } from "../core/consumption.ts";
import type { Lake } from "../core/ports.ts";
import type { VersionTree } from "./version-tree.ts";

/** Who read a version, or a later one that came from it. */
export interface VersionReader {
  /** The job; null where a reader gave none. */
  readonly job: string | null;
  readonly runId: string | null;
  readonly reader: string;
  /** The version that was read. */
  readonly snapshotId: string;
  /** Whether it was this very version. */
  readonly isExact: boolean;
  readonly kinds: readonly string[];
  readonly times: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** Readers of everything that has a snapshot in its line, or one in whose place it was put: who is concerned if it is bad. In the order of their first reading. */
export async function readersOf(lake: Lake, dataset: string, tree: VersionTree, snapshotId: string): Promise<readonly VersionReader[]> {
  const readers = new Map<string, VersionReader>();
  const concerned = new Map<string, boolean>();
  const wanted = new Set([snapshotId, ...tree.standsFor(snapshotId)]);
  const isConcerned = (read: string): boolean => {
    const known = concerned.get(read) ?? tree.lineOf(read).some((each) => wanted.has(each.snapshotId));
    concerned.set(read, known);
    return known;
  };
  for await (const reading of lake.consumption.of(dataset)) {
    if (!wanted.has(reading.snapshotId) && !isConcerned(reading.snapshotId)) continue;
    const id = JSON.stringify([reading.job, reading.runId, reading.reader, reading.snapshotId]);
    readers.set(id, joined(readers.get(id), reading, snapshotId));
  }
  return [...readers.values()];
}

function joined(known: VersionReader | undefined, reading: Consumption, snapshotId: string): VersionReader {
  const { job, runId, reader, atMs, kind } = reading;
  if (known === undefined) {
    const isExact = reading.snapshotId === snapshotId;
    return { job, runId, reader, snapshotId: reading.snapshotId, isExact, kinds: [kind], times: 1, firstAtMs: atMs, lastAtMs: atMs };
  }
  return { ...known, kinds: [...new Set([...known.kinds, kind])], times: known.times + 1, lastAtMs: Math.max(known.lastAtMs, atMs) };
}
