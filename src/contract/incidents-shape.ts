import { incidentPlanDefault } from "../core/incident.ts";
import { count, countText, key, positive } from "./rule-keys.ts";

/** What holds of the quarantined share where a contract gives only a percentage. */
export const quarantineRecordsDefault = 1000;

/** The settings of a dataset's incidents. */
export const incidentsKey = key(
  {
    type: "object",
    keys: {
      quarantinePercent: key({ type: "number", min: 0 }, "More than this percentage of records quarantined is an incident.", "no share is"),
      quarantineRecords: key(positive, "The share is judged once windows hold so many records.", countText(quarantineRecordsDefault)),
      recoverWindows: key(
        positive,
        "An incident is over after so many judged windows (ticks, where it is drift) in a row that are well.",
        String(incidentPlanDefault.recoverWindows),
      ),
      togetherSeconds: key(
        count,
        "What begins within this time after an open incident's newest sign belongs to it.",
        String(incidentPlanDefault.togetherSeconds),
      ),
    },
  },
  "What is an incident beside drift, held windows and stops, and when it is over.",
);
