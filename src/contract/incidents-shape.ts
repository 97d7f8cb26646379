import { incidentPlanDefault } from "../core/incident.ts";
import type { Key, Shape } from "./shape.ts";

const key = (shape: Shape, doc: string, byDefault?: string): Key => ({
  shape,
  use: "enforced",
  doc,
  ...(byDefault === undefined ? {} : { byDefault }),
});

/** What holds of the quarantined share where a contract gives only a percentage. */
export const quarantineRecordsDefault = 1000;

/** The settings of a dataset's incidents. */
export const incidentsKey = key(
  {
    type: "object",
    keys: {
      quarantinePercent: key({ type: "number", min: 0 }, "More than this percentage of records quarantined is an incident.", "no share is"),
      quarantineRecords: key(
        { type: "integer", min: 1 },
        "The share is judged once windows hold so many records.",
        quarantineRecordsDefault.toLocaleString("en-US"),
      ),
      recoverWindows: key(
        { type: "integer", min: 1 },
        "An incident is over after so many judged windows (ticks, where it is drift) in a row that are well.",
        String(incidentPlanDefault.recoverWindows),
      ),
      togetherSeconds: key(
        { type: "integer", min: 0 },
        "What begins within this time after an open incident's newest sign belongs to it.",
        String(incidentPlanDefault.togetherSeconds),
      ),
    },
  },
  "What is an incident beside drift, held windows and stops, and when it is over.",
);
