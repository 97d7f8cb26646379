import type { AlertMessage, AlertSink } from "../../core/alert-sink.ts";
import type { IncidentSeverity } from "../../core/incident.ts";
import { tellSamples } from "../../core/record-sample.ts";
import type { JsonPostOptions } from "./json-post.ts";
import { jsonPost } from "./json-post.ts";

/** An Alertmanager keeps alerts in memory: they are told again so often, and it forgets them so long after the last time. */
const repeatEveryMs = 60_000;
const forgottenAfterMs = 24 * 3600_000;

/** One alert of Alertmanager's API v2. Its labels are what it is known by. */
export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** The alerts of a message: one for the incident, and where its severity changed the end of the one by which it was known. */
function postedAlerts({ notice, downstream, steps }: AlertMessage, nowMs: number): readonly PostedAlert[] {
  const { incident, severityBefore } = notice;
  const time = (ms: number): string => new Date(ms).toISOString();
  const alert = (severity: IncidentSeverity, endMs: number): PostedAlert => ({
    labels: { alertname: "SluiceIncident", service: "sluice", dataset: incident.dataset, incident: incident.id, severity },
    annotations: {
      summary: incident.title,
      description: incident.signals.map((one) => tellSamples(one.effect, one.samples)).join("\n"),
      downstream,
      next: steps.map(({ command, says }) => `${command}  # ${says}`).join("\n"),
    },
    startsAt: time(incident.openedAtMs),
    endsAt: time(endMs),
  });
  // One that ended before it began would be refused.
  const overMs = Math.max(incident.openedAtMs + 1, incident.closedAtMs ?? notice.atMs);
  const before = severityBefore === null ? [] : [alert(severityBefore, overMs)];
  return [...before, alert(incident.severity, incident.status === "open" ? nowMs + forgottenAfterMs : overMs)];
}

/** Posts notices to an Alertmanager's API v2, and what is open again and again, as it wants it. `url` is its base. */
export function createAlertmanagerSink(options: JsonPostOptions & { readonly now: () => number }): AlertSink {
  const { url, now } = options;
  const receiver = jsonPost({ ...options, url: `${url.replace(/\/+$/, "")}/api/v2/alerts` });
  const post = (messages: readonly AlertMessage[]): Promise<void> =>
    receiver.post(JSON.stringify(messages.flatMap((message) => postedAlerts(message, now()))));
  return {
    name: options.name,
    tracksSeverity: true,
    tell: (message) => post([message]),
    repeat: { everyMs: repeatEveryMs, tell: post },
    close: async () => receiver.close(),
  };
}
