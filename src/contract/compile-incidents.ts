import type { IncidentPlan } from "../core/incident.ts";
import { incidentPlanDefault } from "../core/incident.ts";
import { quarantineRecordsDefault } from "./incidents-shape.ts";
import { child, numberAt } from "./node.ts";
import type { Node } from "./node.ts";

/** The plan of a dataset's incidents, defaults filled in. */
export function compileIncidents(settings: Node | null): IncidentPlan {
  const node = child(settings, "incidents");
  const percent = numberAt(node, "quarantinePercent");
  return {
    quarantine: percent === null ? null : { percent, records: numberAt(node, "quarantineRecords") ?? quarantineRecordsDefault },
    recoverWindows: numberAt(node, "recoverWindows") ?? incidentPlanDefault.recoverWindows,
    togetherSeconds: numberAt(node, "togetherSeconds") ?? incidentPlanDefault.togetherSeconds,
  };
}
