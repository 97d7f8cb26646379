import type { AlertMessage, AlertSink } from "../../core/alert-sink.ts";
import type { NoticeKind } from "../../core/incident.ts";
import { tellSamples } from "../../core/record-sample.ts";
import type { JsonPostOptions } from "./json-post.ts";
import { jsonPost } from "./json-post.ts";

/** PagerDuty's limit of a summary. */
const summaryCharsMax = 1024;

const actions: Readonly<Record<NoticeKind, "trigger" | "acknowledge" | "resolve">> = {
  opened: "trigger",
  raised: "trigger",
  reopened: "trigger",
  reminded: "trigger",
  acknowledged: "acknowledge",
  recovered: "resolve",
  resolved: "resolve",
};

/** An event of PagerDuty's Events API v2: the incident's id is the key by which PagerDuty knows it again. */
function pagerDutyEvent({ notice, downstream, steps }: AlertMessage, routingKey: string): object {
  const { kind, incident, id } = notice;
  const { title, dataset, severity, sinceMs, signals, heldWindows } = incident;
  return {
    routing_key: routingKey,
    event_action: actions[kind],
    dedup_key: incident.id,
    client: "Sluice",
    payload: {
      summary: title.slice(0, summaryCharsMax),
      source: dataset,
      severity,
      timestamp: new Date(sinceMs).toISOString(),
      component: dataset,
      group: "sluice",
      class: signals[0]?.kind ?? "incident",
      custom_details: {
        notice: id,
        effects: signals.filter((one) => one.isActive).map((one) => tellSamples(one.effect, one.samples)),
        downstream,
        held_windows: heldWindows.slice(0, 20),
        next: steps.map(({ command, says }) => `${command}  # ${says}`),
      },
    },
  };
}

/** Sends notices to PagerDuty, or to what speaks its Events API. */
export function createPagerDutySink(options: JsonPostOptions & { readonly routingKey: string }): AlertSink {
  const receiver = jsonPost(options);
  return {
    name: options.name,
    tracksSeverity: true,
    tell: (message) => receiver.post(JSON.stringify(pagerDutyEvent(message, options.routingKey))),
    close: async () => receiver.close(),
  };
}
