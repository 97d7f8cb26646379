import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/config.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-alerts-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "hook.key"), "a secret of enough length\n");
writeFileSync(join(folder, "short.key"), "short\n");
writeFileSync(join(folder, "slack.url"), "https://hooks.slack.com/services/T0/B0/x\n");

const head = "source: { kind: kafka, brokers: [a:1] }\ndatasets: [{ contract: flights.odcs.yaml }]\n";
const parse = (text: string, environment: Record<string, string> = {}): Config =>
  parseConfig(join(folder, "sluice.yaml"), head + text, environment).config;

it("nobody is told anything by default", () => {
  const { alerts, events } = parse("");
  expect([alerts, events]).toEqual([
    { receivers: [], routes: [] },
    { enabled: false, topic: "sluice.events", source: "/sluice" },
  ]);
});

it("secrets come from files and from the environment", () => {
  const text = `
alerts:
  receivers:
    - { kind: webhook, name: ops, url: "http://ops/hook", secretFile: hook.key, token: "\${TOKEN}", timeoutMs: 500 }
    - { kind: slack, name: channel, urlFile: slack.url }
    - { kind: pagerduty, name: oncall, routingKey: "\${KEY}" }
    - { kind: alertmanager, name: am, url: "http://am:9093" }
  routes:
    - { receivers: [channel, am] }
    - { receivers: [oncall], datasets: [flights], severityMin: error }
`;
  const { alerts } = parse(text, { TOKEN: "t", KEY: "k" });
  expect(alerts).toEqual({
    receivers: [
      { kind: "webhook", name: "ops", url: "http://ops/hook", secret: "a secret of enough length", token: "t", timeoutMs: 500 },
      { kind: "slack", name: "channel", url: "https://hooks.slack.com/services/T0/B0/x", timeoutMs: 10_000 },
      { kind: "pagerduty", name: "oncall", url: "https://events.pagerduty.com/v2/enqueue", routingKey: "k", timeoutMs: 10_000 },
      { kind: "alertmanager", name: "am", url: "http://am:9093", token: null, timeoutMs: 10_000 },
    ],
    routes: [
      { receivers: ["channel", "am"], datasets: null, severityMin: "warning" },
      { receivers: ["oncall"], datasets: ["flights"], severityMin: "error" },
    ],
  });
});

it("a receiver has TLS settings as the source has", () => {
  for (const name of ["ca", "me", "me.key"]) writeFileSync(join(folder, name), `${name}'s PEM`);
  const tls = "tls: { ca: ca, cert: me, key: me.key, serverName: hooks }";
  const text = (more: string): string => `
alerts:
  receivers:
    - { kind: webhook, name: ops, url: "https://ops/hook", ${more} }
    - { kind: slack, name: channel, urlFile: slack.url, ${more} }
    - { kind: pagerduty, name: oncall, routingKey: "\${KEY}", ${more} }
    - { kind: alertmanager, name: am, url: "https://am:9093", ${more} }
`;
  const tlsOf = (more: string): unknown[] => parse(text(more), { KEY: "k" }).alerts.receivers.map((receiver) => receiver.tls);
  const whole = { ca: "ca's PEM", cert: "me's PEM", key: "me.key's PEM", serverName: "hooks", rejectUnauthorized: true };
  expect(tlsOf(tls)).toEqual([whole, whole, whole, whole]);
  expect(tlsOf("tls: { verify: false }")).toEqual(Array.from({ length: 4 }, () => ({ rejectUnauthorized: false })));
});

describe("is refused:", () => {
  const receivers = (...all: readonly string[]): string => `alerts: { receivers: [${all.join(", ")}] }`;
  it.each<[string, string, RegExp]>([
    [
      "TLS of a plain URL",
      receivers('{ kind: webhook, name: a, url: "http://a/x", tls: {} }'),
      /a: tls is given, and the URL does not begin/,
    ],
    ["a certificate without its key", receivers('{ kind: webhook, name: a, url: "https://a/x", tls: { cert: ca } }'), /key/],
    [
      "an authority that is not there",
      receivers('{ kind: webhook, name: a, url: "https://a/x", tls: { ca: no } }'),
      /alerts\.receivers\.a\.tls\.ca/,
    ],
    [
      "a secret in the file",
      receivers('{ kind: slack, name: a, url: "https://hooks.slack.com/x" }'),
      /a secret may not stand in the configuration/,
    ],
    ["a receiver without what it needs", receivers("{ kind: pagerduty, name: a }"), /a: give routingKey or routingKeyFile/],
    ["a short secret", receivers('{ kind: webhook, name: a, url: "http://a", secretFile: short.key }'), /at least 16 characters/],
    ["a file that holds no URL", receivers("{ kind: slack, name: a, urlFile: hook.key }"), /urlFile holds no URL/],
    ["a file that is not there", receivers("{ kind: slack, name: a, urlFile: none }"), /there is no such file/],
    [
      "a secret in two ways",
      receivers('{ kind: webhook, name: a, url: "http://a", secret: "${TOKEN}", secretFile: hook.key }'),
      /a: give one of secret and secretFile/,
    ],
    [
      "two of one name",
      receivers('{ kind: alertmanager, name: a, url: "http://a" }', '{ kind: alertmanager, name: a, url: "http://b" }'),
      /two receivers are called a/,
    ],
    ["a route to nobody", "alerts: { routes: [{ receivers: [ops] }] }", /a route goes to ops, which is no receiver \(there are: none\)/],
    ["an unknown kind", receivers("{ kind: email, name: a }"), /email/],
  ])("%s", (_, text, message) => {
    expect(() => parse(text, { TOKEN: "a secret of enough length" })).toThrow(message);
  });

  it("events without a Kafka source", () => {
    const text = "source: { kind: files, paths: [a.ndjson] }\ndatasets: [{ contract: a.yaml }]\nevents: { enabled: true }\n";
    expect(() => parseConfig(join(folder, "sluice.yaml"), text, {})).toThrow(/events and Kafka lineage need a source of kind kafka/);
  });
});
