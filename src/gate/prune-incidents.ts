import type { PrunedIncidents } from "../core/incident-store.ts";
import type { Lake } from "../core/ports.ts";
import { readIncidentState } from "../incidents/index.ts";

/**
 * Removes a dataset's incidents that were over before a time, ms since the epoch. What the fold still has in hand (a resolved one whose signals go on) stays.
 * Rejects with CATALOG_*.
 */
export async function pruneIncidents(
  { incidents }: Pick<Lake, "incidents">,
  dataset: string,
  closedBeforeMs: number,
  dryRun: boolean,
): Promise<PrunedIncidents> {
  const kept = await incidents.load(dataset);
  const state = kept === null ? null : readIncidentState(kept.state);
  return incidents.prune(dataset, { closedBeforeMs, except: (state?.live ?? []).map(({ id }) => id) }, dryRun);
}
