import { createAlertmanagerSink } from "../adapters/alerts/alertmanager-sink.ts";
import { createPagerDutySink } from "../adapters/alerts/pagerduty-sink.ts";
import { createSlackSink } from "../adapters/alerts/slack-sink.ts";
import { createWebhookSink } from "../adapters/alerts/webhook-sink.ts";
import type { AlertReceiverConfig } from "../config/alerts-config.ts";
import type { Config } from "../config/config.ts";
import type { AlertSink } from "../core/alert-sink.ts";

/** The receivers of alerts that a configuration names. */
export function alertSinks({ alerts }: Pick<Config, "alerts">): readonly AlertSink[] {
  return alerts.receivers.map(alertSink);
}

function alertSink(receiver: AlertReceiverConfig): AlertSink {
  const now = (): number => Date.now();
  switch (receiver.kind) {
    case "webhook":
      return createWebhookSink({ ...receiver, headers: bearer(receiver.token), now });
    case "slack":
      return createSlackSink(receiver);
    case "pagerduty":
      return createPagerDutySink(receiver);
    case "alertmanager":
      return createAlertmanagerSink({ ...receiver, headers: bearer(receiver.token), now });
  }
}

function bearer(token: string | null): Readonly<Record<string, string>> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}
