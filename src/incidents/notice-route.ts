import type { AlertRoute } from "../core/alert-sink.ts";
import type { Incident, IncidentNotice, IncidentSeverity } from "../core/incident.ts";
import { incidentSeverities, isAtLeast } from "../core/incident.ts";

/** The least severity of a dataset's incidents that a receiver is told; null: none. Without routes every receiver is told all. */
function leastSeverity(routes: readonly AlertRoute[], receiver: string, dataset: string): IncidentSeverity | null {
  if (routes.length === 0) return incidentSeverities[0];
  const own = routes.filter((one) => one.receivers.includes(receiver) && (one.datasets === null || one.datasets.includes(dataset)));
  return incidentSeverities.find((severity) => own.some((one) => one.severityMin === severity)) ?? null;
}

/** Tests whether a receiver is told of an incident as it now is. */
export function concerns(routes: readonly AlertRoute[], receiver: string, incident: Incident): boolean {
  const least = leastSeverity(routes, receiver, incident.dataset);
  return least !== null && isAtLeast(incident.severity, least);
}

/**
 * Tests whether a receiver is told a notice. That an incident came to be worse is news for those only who were not told of it before, and for those who
 * show its severity.
 */
export function isTold(
  routes: readonly AlertRoute[],
  receiver: { readonly name: string; readonly tracksSeverity: boolean },
  notice: IncidentNotice,
): boolean {
  const { incident, severityBefore } = notice;
  if (!concerns(routes, receiver.name, incident)) return false;
  if (severityBefore === null || receiver.tracksSeverity) return true;
  return !concerns(routes, receiver.name, { ...incident, severity: severityBefore });
}
