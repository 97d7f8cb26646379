import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAlertmanagerSink } from "../../../src/adapters/alerts/alertmanager-sink.ts";
import { issueCertificate, makeAuthority } from "../../../src/adapters/broker/certificates.ts";
import { alertSinks } from "../../../src/cli/alert-sinks.ts";
import type { AlertReceiverConfig } from "../../../src/config/alerts-config.ts";
import type { TlsOptions } from "../../../src/core/tls.ts";
import { retryAfterMs } from "../../../src/adapters/alerts/json-post.ts";
import { createPagerDutySink } from "../../../src/adapters/alerts/pagerduty-sink.ts";
import { createSlackSink } from "../../../src/adapters/alerts/slack-sink.ts";
import { createWebhookSink } from "../../../src/adapters/alerts/webhook-sink.ts";
import type { AlertMessage, AlertSink } from "../../../src/core/alert-sink.ts";
import type { Incident, IncidentNotice } from "../../../src/core/incident.ts";
import { incidentPlanDefault } from "../../../src/core/incident.ts";
import { emptyIncidentState, foldNote, foldWindow, tellDownstream, tellSteps } from "../../../src/incidents/index.ts";
import { drifting, makeWindow, said, startMs } from "../../incidents/make-window.ts";
import type { AlertReceiver } from "./alert-receiver.ts";
import { alertReceiver } from "./alert-receiver.ts";

let receiver: AlertReceiver;
beforeEach(async () => {
  receiver = await alertReceiver();
});
afterEach(() => receiver.close());

const messageOf = (notice: IncidentNotice): AlertMessage => ({
  notice,
  downstream: tellDownstream(notice.incident),
  steps: tellSteps(notice.incident).map(({ command, says }) => ({ command: `sluice ${command}`, says })),
});

/** Notices of an incident that opens as a warning, comes to hold, is acknowledged and resolved. */
function notices(): readonly AlertMessage[] {
  const opened = foldWindow(emptyIncidentState("flights"), makeWindow(1, drifting(["<b>&"], "warn")), incidentPlanDefault);
  const raised = foldWindow(opened.state, makeWindow(2, drifting(["<b>&"], "hold")), incidentPlanDefault);
  const { id } = raised.changed[0] as Incident;
  const seen = foldNote(raised.state, said(2, id, { kind: "acknowledge" }), null);
  const resolved = foldNote(seen.state, said(2, id, { kind: "resolve", isFalsePositive: false }), null);
  return [opened, raised, seen, resolved].flatMap((step) => step.notices).map(messageOf);
}

const [opened, raised, seen, resolved] = notices() as [AlertMessage, AlertMessage, AlertMessage, AlertMessage];
const { id } = opened.notice.incident;
const common = { name: "ops", timeoutMs: 60_000 };
const secret = "a secret of enough length";
const webhook = (change: object = {}): ReturnType<typeof createWebhookSink> =>
  createWebhookSink({ ...common, url: receiver.url, secret, now: () => 1_700_000_000_999, ...change });

describe("every receiver", () => {
  it("is told of a record that shows what drifted, and how to look at it", async () => {
    const { url } = receiver;
    const now = (): number => startMs;
    const sinks = [
      webhook(),
      createSlackSink({ ...common, url }),
      createPagerDutySink({ ...common, url, routingKey: "key" }),
      createAlertmanagerSink({ ...common, url, now }),
    ];
    for (const sink of sinks) await sink.tell(opened);
    const bodies = receiver.taken.map(({ body }) => body.toString());
    expect(bodies).toHaveLength(4);
    expect(bodies[0]).toContain('"offset":"9007199254740993"');
    for (const body of bodies.slice(1)) expect(body).toContain("31% of records (record flights:3:9007199254740993)");
    for (const body of bodies) expect(body).toContain("sluice trace record flights:3:9007199254740993 --dataset flights");
  });
});

describe("a webhook", () => {
  it("gets notices that their schema describes, whose signature anyone with the secret can check", async () => {
    const ajv = new Ajv2020({ strict: true, allErrors: true });
    ajvFormats.default(ajv);
    const validate = ajv.compile(
      JSON.parse(readFileSync(new URL("../../../schemas/incident-notice.schema.json", import.meta.url), "utf8")) as object,
    );
    const sink = webhook({ headers: { authorization: "Bearer t" } });
    for (const message of [opened, raised, seen, resolved]) await sink.tell(message);
    for (const { headers, body, json } of receiver.taken) {
      expect(validate(json), JSON.stringify(validate.errors)).toBe(true);
      const [, seconds, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["sluice-signature"])) as unknown as [
        string,
        string,
        string,
      ];
      expect(seconds).toBe("1700000000");
      expect(hex).toBe(createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex"));
      expect([headers["sluice-notice-id"], headers.authorization]).toEqual([json["id"], "Bearer t"]);
    }
    expect(receiver.taken.map(({ json }) => json["kind"])).toEqual(["opened", "raised", "acknowledged", "resolved"]);
    expect(new Set(receiver.taken.map(({ json }) => json["id"])).size).toBe(4);
  });

  it("is not signed without a secret", async () => {
    await webhook({ secret: null }).tell(opened);
    expect(receiver.taken[0]?.headers["sluice-signature"]).toBeUndefined();
  });

  it.each([500, 503, 429, 408, 401, 403, 404, 410, 302])("is told again after an answer of %s", async (status) => {
    receiver.answers.push({ status, headers: { location: `${receiver.url}/elsewhere` }, body: "<html>\n no" });
    await expect(webhook().tell(opened)).rejects.toMatchObject({ code: "SINK_UNAVAILABLE", retryable: true, details: { status } });
    await webhook().tell(opened);
    expect(receiver.taken.map(({ path, json }) => [path, json["id"]])).toEqual([
      ["/", opened.notice.id],
      ["/", opened.notice.id],
    ]);
  });

  it.each([400, 413, 422])("that says %s refuses this notice", async (status) => {
    receiver.answers.push({ status, body: "invalid_payload" });
    await expect(webhook().tell(opened)).rejects.toMatchObject({
      code: "ALERT_REFUSED",
      message: expect.stringContaining("invalid_payload") as string,
    });
  });

  it("says how long to wait, and is believed", async () => {
    receiver.answers.push({ status: 429, headers: { "retry-after": "17" } });
    await expect(webhook().tell(opened)).rejects.toMatchObject({ details: { status: 429, retryAfterMs: 17_000 } });
    expect(retryAfterMs("Fri, 31 Dec 1999 23:59:59 GMT", Date.parse("1999-12-31T23:59:29Z"))).toBe(30_000);
    expect(retryAfterMs("Fri, 31 Dec 1999 23:59:59 GMT", startMs)).toBe(0);
    expect([retryAfterMs(null, 0), retryAfterMs("soon", 0)]).toEqual([null, null]);
  });

  it("may reset the connection, never answer, or answer without an end", async () => {
    receiver.answers.push("reset", "silence", "endless");
    await expect(webhook().tell(opened)).rejects.toMatchObject({ code: "SINK_UNAVAILABLE" });
    await expect(webhook({ timeoutMs: 300 }).tell(opened)).rejects.toMatchObject({ code: "SINK_UNAVAILABLE" });
    await expect(webhook().tell(opened)).rejects.toMatchObject({ code: "SINK_UNAVAILABLE", details: { status: 500 } });
    expect(receiver.taken).toHaveLength(3);
  });

  it("that never answers does not keep a worker from ending", async () => {
    receiver.answers.push("silence");
    const sink = webhook();
    const told = sink.tell(opened);
    await sink.close();
    await expect(told).rejects.toMatchObject({ code: "SINK_UNAVAILABLE" });
  });
});

it("every receiver is told by TLS with a certificate of its own, and none that can't prove who it is", async () => {
  const authority = makeAuthority("test authority");
  const server = issueCertificate(authority, { commonName: "hooks", dnsNames: ["hooks.internal"], addresses: [] });
  const client = issueCertificate(authority, { commonName: "sluice", dnsNames: [], addresses: [] });
  const secure = await alertReceiver({ ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
  try {
    const tls = { ca: authority.cert, ...client, serverName: "hooks.internal", rejectUnauthorized: true };
    const { cert: _cert, key: _key, ...anonymous } = tls;
    const { serverName: _name, ...misnamed } = tls;
    const sinksOf = (of: TlsOptions | null): readonly AlertSink[] =>
      alertSinks({
        alerts: {
          receivers: [
            { kind: "webhook", secret: null, token: null },
            { kind: "slack" },
            { kind: "pagerduty", routingKey: "k" },
            { kind: "alertmanager", token: null },
          ].map((one) => ({ ...common, name: one.kind, url: secure.url, ...one, ...(of !== null && { tls: of }) }) as AlertReceiverConfig),
          routes: [],
        },
      });
    for (const sink of sinksOf(tls)) {
      await sink.tell(opened);
      await sink.close();
    }
    expect(secure.taken).toHaveLength(4);
    for (const [of, why] of [
      [anonymous, /./],
      [misnamed, /altnames|IP/],
      [null, /certificate|self-signed/],
      [{ rejectUnauthorized: true }, /certificate|self-signed/],
    ] as const) {
      for (const sink of sinksOf(of)) {
        await expect(sink.tell(opened)).rejects.toMatchObject({ code: "SINK_UNAVAILABLE", message: expect.stringMatching(why) as string });
        await sink.close();
      }
    }
    expect(secure.taken).toHaveLength(4);
  } finally {
    await secure.close();
  }
});

it("Slack gets text with its control characters escaped, and buttons of none", async () => {
  const sink = createSlackSink({ ...common, url: `${receiver.url}/T0/B0` });
  for (const message of [raised, resolved]) await sink.tell(message);
  const [first, last] = receiver.taken.map(({ json }) => json as { text: string; blocks: { type: string; text?: { text: string } }[] });
  expect(first?.text).toBe("[error] raised: flights: column drifted: &lt;b&gt;&amp;");
  expect(first?.blocks.map((one) => one.type)).toEqual(["header", "section", "section", "context"]);
  expect(first?.blocks[1]?.text?.text).toContain("• &lt;b&gt;&amp;: 12% -&gt; 31% of records (record flights:3:9007199254740993)");
  expect(first?.blocks[2]?.text?.text).toContain("`sluice hold publish w2 --dataset flights");
  expect(last?.blocks[1]?.text?.text).toContain("_ann: because_");
  for (const block of [...(first?.blocks ?? []), ...(last?.blocks ?? [])]) expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3000);
});

it("PagerDuty gets one incident under one key: triggered, acknowledged, resolved", async () => {
  const sink = createPagerDutySink({ ...common, url: `${receiver.url}/v2/enqueue`, routingKey: "R".repeat(32) });
  for (const message of [opened, raised, seen, resolved]) await sink.tell(message);
  expect(receiver.taken.map(({ json }) => [json["event_action"], json["dedup_key"], json["routing_key"]])).toEqual(
    ["trigger", "trigger", "acknowledge", "resolve"].map((action) => [action, id, "R".repeat(32)]),
  );
  expect(receiver.taken[1]?.json["payload"]).toMatchObject({
    severity: "error",
    source: "flights",
    timestamp: "2026-01-31T12:00:00.000Z",
    class: "drift",
  });
});

it("Alertmanager gets one alert at a time: what was a warning ends when it is an error, and what is open is repeated", async () => {
  const nowMs = startMs + 600_000;
  const sink = createAlertmanagerSink({ ...common, url: `${receiver.url}/am/`, now: () => nowMs });
  for (const message of [opened, raised, resolved]) await sink.tell(message);
  await sink.repeat?.tell([raised]);
  interface Posted {
    readonly labels: Record<string, string>;
    readonly startsAt: string;
    readonly endsAt: string;
  }
  const posts = receiver.taken.map(({ json }) => json as unknown as Posted[]);
  expect(receiver.taken.map(({ path }) => path)).toEqual(Array.from({ length: 4 }, () => "/am/api/v2/alerts"));
  const isOver = ({ endsAt }: Posted): boolean => Date.parse(endsAt) <= nowMs;
  expect(posts.slice(0, 3).map((post) => post.map((one) => [one.labels["severity"], isOver(one)]))).toEqual([
    [["warning", false]],
    [
      ["warning", true],
      ["error", false],
    ],
    [["error", true]],
  ]);
  for (const one of posts.flat()) {
    expect(one.labels).toMatchObject({ alertname: "SluiceIncident", dataset: "flights", incident: id });
    expect(Date.parse(one.endsAt)).toBeGreaterThan(Date.parse(one.startsAt));
  }
});
