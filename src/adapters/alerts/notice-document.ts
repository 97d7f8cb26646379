import type { AlertMessage } from "../../core/alert-sink.ts";
import type { Incident, NoticeKind } from "../../core/incident.ts";

/** A notice as programs get it; `schemas/incident-notice.schema.json` describes it. */
export interface NoticeDocument {
  readonly format: "sluice.incident-notice/1";
  readonly id: string;
  readonly kind: NoticeKind;
  readonly at: string;
  readonly incident: Incident;
  readonly downstream: string;
  readonly steps: AlertMessage["steps"];
}

/** The document of a message. */
export function noticeDocument({ notice, downstream, steps }: AlertMessage): NoticeDocument {
  const { id, kind, atMs, incident } = notice;
  return { format: "sluice.incident-notice/1", id, kind, at: new Date(atMs).toISOString(), incident, downstream, steps };
}
