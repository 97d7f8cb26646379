import type { AlertRoute } from "../core/alert-sink.ts";
import { SluiceError } from "../core/errors.ts";
import type { ConfigDocument } from "./config-document.generated.ts";
import type { TlsOptions } from "../core/tls.ts";
import { completeTls, readSecret } from "./config-parts.ts";

/** A receiver of alerts, its secrets read. */
export type AlertReceiverConfig = {
  readonly name: string;
  readonly url: string;
  readonly timeoutMs: number;
  /** Absent: the system's authorities. */
  readonly tls?: TlsOptions;
} & (
  | { readonly kind: "webhook"; readonly secret: string | null; readonly token: string | null }
  | { readonly kind: "slack" }
  | { readonly kind: "pagerduty"; readonly routingKey: string }
  | { readonly kind: "alertmanager"; readonly token: string | null }
);

/** The `alerts` section, whole. */
export interface AlertsConfig {
  readonly receivers: readonly AlertReceiverConfig[];
  readonly routes: readonly AlertRoute[];
}

type ReceiverDocument = ConfigDocument["alerts"]["receivers"][number];

/** Completes the `alerts` section. Rejects with CONFIG_INVALID, FILE_NOT_FOUND. */
export function completeAlerts(file: string, alerts: ConfigDocument["alerts"]): AlertsConfig {
  const invalid = (message: string): SluiceError =>
    new SluiceError("CONFIG_INVALID", `alerts: ${message}`, { location: { file, line: 1, column: 1 } });
  const secretOf = (of: string, setting: string, text: string | undefined, path: string | undefined): string | null => {
    if (text !== undefined && path !== undefined) throw invalid(`${of}: give one of ${setting} and ${setting}File`);
    return path === undefined ? (text ?? null) : readSecret(path, `alerts.receivers.${setting}File`);
  };
  const needed = (of: string, setting: string, secret: string | null): string => {
    if (secret === null) throw invalid(`${of}: give ${setting} or ${setting}File`);
    return secret;
  };
  const complete = (one: ReceiverDocument): AlertReceiverConfig => {
    const { name, timeoutMs } = one;
    switch (one.kind) {
      case "webhook": {
        const secret = secretOf(name, "secret", one.secret, one.secretFile);
        if (secret !== null && secret.length < secretCharsMin) throw invalid(`${name}: a secret has at least ${secretCharsMin} characters`);
        return { kind: "webhook", name, timeoutMs, url: one.url, secret, token: secretOf(name, "token", one.token, one.tokenFile) };
      }
      case "slack":
        return { kind: "slack", name, timeoutMs, url: urlOf(needed(name, "url", secretOf(name, "url", one.url, one.urlFile)), name) };
      case "pagerduty": {
        const routingKey = needed(name, "routingKey", secretOf(name, "routingKey", one.routingKey, one.routingKeyFile));
        return { kind: "pagerduty", name, timeoutMs, url: one.url, routingKey };
      }
      case "alertmanager":
        return { kind: "alertmanager", name, timeoutMs, url: one.url, token: secretOf(name, "token", one.token, one.tokenFile) };
    }
  };
  const urlOf = (text: string, of: string): string => {
    if (!/^https?:\/\/[^\s@]+$/.test(text)) throw invalid(`${of}: urlFile holds no URL`);
    return text;
  };
  const receivers = alerts.receivers.map((one): AlertReceiverConfig => {
    const receiver = complete(one);
    if (one.tls === undefined) return receiver;
    if (!receiver.url.startsWith("https:")) throw invalid(`${one.name}: tls is given, and the URL does not begin with https`);
    return { ...receiver, tls: completeTls(one.tls, `alerts.receivers.${one.name}`) };
  });
  const names = receivers.map((one) => one.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`two receivers are called ${twice}`);
  const routes = alerts.routes.map(({ receivers: to, datasets, severityMin }) => {
    const unknown = to.find((name) => !names.includes(name));
    if (unknown !== undefined) throw invalid(`a route goes to ${unknown}, which is no receiver (there are: ${names.join(", ") || "none"})`);
    return { receivers: to, datasets: datasets ?? null, severityMin };
  });
  return { receivers, routes };
}

const secretCharsMin = 16;
