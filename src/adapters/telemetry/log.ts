import { Writable } from "node:stream";
import type { Logger as OtelLogger } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api";
import type { Logger } from "pino";
import { multistream, pino } from "pino";
import type { CatalogEvent } from "../../core/catalog-events.ts";
import type { GateEvent } from "../../core/events.ts";
import type { IncidentNotice } from "../../core/incident.ts";
import { tellSamples } from "../../core/record-sample.ts";

export type { Logger };

export interface LogOptions {
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "silent";
  readonly worker: string;
  readonly version: string;
  /** Where lines go: JSON, or text for people. */
  readonly destination: NodeJS.WritableStream;
  readonly text: boolean;
  /** Also to OpenTelemetry's logs, if there are any. */
  readonly otel: OtelLogger | null;
}

const severities: Readonly<Record<number, SeverityNumber>> = {
  10: SeverityNumber.TRACE,
  20: SeverityNumber.DEBUG,
  30: SeverityNumber.INFO,
  40: SeverityNumber.WARN,
  50: SeverityNumber.ERROR,
  60: SeverityNumber.FATAL,
};
const levelNames: Readonly<Record<number, string>> = { 10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal" };

interface Line {
  readonly level: number;
  readonly time: number;
  readonly msg?: string;
  readonly [key: string]: unknown;
}

/** Text as it is, everything else as JSON. */
function plainText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Turns pino's lines into OpenTelemetry log records. */
function otelStream(logger: OtelLogger): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { level, time, msg, ...rest } = JSON.parse(chunk.toString("utf8")) as Line;
      const attributes = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, plainText(value)]));
      logger.emit({
        timestamp: time,
        severityNumber: severities[level] ?? SeverityNumber.INFO,
        severityText: (levelNames[level] ?? "info").toUpperCase(),
        body: msg ?? "",
        attributes,
      });
      done();
    },
  });
}

/** One readable line: time, level, message, then what else is known. */
function textStream(destination: NodeJS.WritableStream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { level, time, msg, worker: _worker, version: _version, ...rest } = JSON.parse(chunk.toString("utf8")) as Line;
      const extra = Object.entries(rest).map(([key, value]) => `${key}=${plainText(value)}`);
      const clock = new Date(time).toISOString().slice(11, 23);
      destination.write(
        `${clock} ${(levelNames[level] ?? "info").toUpperCase().padEnd(5)} ${msg ?? ""}${extra.length > 0 ? `  ${extra.join(" ")}` : ""}\n`,
      );
      done();
    },
  });
}

/** The process's log. Lines carry no values of records. */
export function createLog(options: LogOptions): Logger {
  const streams = [{ stream: options.text ? textStream(options.destination) : options.destination, level: "trace" as const }];
  if (options.otel !== null) streams.push({ stream: otelStream(options.otel), level: "trace" as const });
  return pino({ level: options.level, base: { worker: options.worker, version: options.version } }, multistream(streams));
}

/** A committed window at info, a held one at warn with its causes; drift that was only warned of at warn too. */
function logCommit(log: Logger, event: Extract<GateEvent, { type: "window.committed" }>): void {
  const { decision } = event;
  const { dataset, windowId, counts, verdict } = decision;
  const fields = {
    dataset,
    window: windowId,
    verdict,
    snapshot: event.snapshotId,
    ...counts,
    skipped: counts.skipped.tombstone + counts.skipped.late,
  };
  if (verdict === "hold")
    log.warn({ ...fields, causes: decision.causes.map((cause) => cause.message) }, "window held: publish or drop it with sluice hold");
  else log.info({ ...fields, commitMs: Math.round(event.commitMs), attempts: event.attempts }, "window committed");
  const warned = decision.drift.results.filter((result) => result.status === "drift" && result.explanation !== null);
  if (warned.length > 0)
    log.warn({ dataset, window: windowId, drift: warned.map((result) => tellSamples(result.explanation ?? "", result.samples)) }, "drift");
}

/** Writes gate events as log lines: what an operator acts on at warn and error, what happened at info, batches at debug. */
export function logEvents(log: Logger): (event: GateEvent) => void {
  return (event) => {
    switch (event.type) {
      case "window.committed":
        logCommit(log, event);
        break;
      case "window.lost":
        log.warn(
          { dataset: event.dataset, window: event.windowId, why: event.message },
          "window lost: another worker had committed these records",
        );
        break;
      case "engine.lost":
        log.error({ dataset: event.dataset, code: event.error.code, attempt: event.attempt }, event.error.message);
        break;
      case "engine.fallback":
        log.warn({ dataset: event.dataset, reason: event.reason }, "parts of the contract run uncompiled");
        break;
      case "commit.failed":
        log.error(
          { dataset: event.dataset, code: event.error.code, attempt: event.attempt, retryInMs: event.retryInMs },
          event.error.message,
        );
        break;
      case "source.blocked":
        log.error(
          { dataset: event.dataset, topic: event.topic, partition: event.partition, code: event.error.code, action: event.error.action },
          event.error.message,
        );
        break;
      case "source.unblocked":
        log.info({ dataset: event.dataset, topic: event.topic, partition: event.partition }, "unblocked");
        break;
      case "source.trouble":
        if (event.error === null) log.info("source is well again");
        else log.warn({ code: event.error.code }, event.error.message);
        break;
      case "contract.activated":
        log.info({ dataset: event.dataset, contract: event.version, hash: event.hash }, "contract activated");
        break;
      case "contract.rejected":
        log.error(
          { dataset: event.dataset, code: event.error.code, inForce: event.activeHash },
          `contract refused, the old one stays in force: ${event.error.message}`,
        );
        break;
      case "offsets.failed":
        log.warn({ code: event.error.code }, `group offsets not committed: ${event.error.message}`);
        break;
      case "sink.failed":
        log.warn(
          { sink: event.sink, dataset: event.dataset, code: event.error.code, attempt: event.attempt, retryInMs: event.retryInMs },
          event.error.message,
        );
        break;
      case "alert.refused":
        log.error(
          { sink: event.sink, dataset: event.dataset, notice: event.notice, code: event.error.code },
          `notice passed over: ${event.error.message}`,
        );
        break;
      case "incident.noticed":
        logNotice(log, event.notice);
        break;
      case "maintenance.done": {
        const { type: _, ...done } = event;
        const isIdle = done.snapshots === 0 && done.files === 0 && (done.incidents ?? 0) === 0;
        log[isIdle ? "debug" : "info"](done, `maintenance: ${done.step}`);
        break;
      }
      case "maintenance.failed":
        log.warn(
          { step: event.step, dataset: event.dataset, code: event.error.code },
          `maintenance, tried again later: ${event.error.message}`,
        );
        break;
      case "partitions.assigned":
      case "partitions.revoked":
      case "partitions.lost":
        log.info({ partitions: event.partitions.map((each) => `${each.topic}/${each.partition}`) }, event.type.replace(".", " "));
        break;
      case "batch.judged":
        log.debug({ dataset: event.dataset, rows: event.rows, faults: event.faults, rejected: event.rejected }, "batch judged");
        break;
      case "run.received":
      case "sink.delivered":
        break;
    }
  };
}

/** An incident's notice as an OpenTelemetry event: `event.name` says which. What opens an incident is logged as badly as it is. */
function logNotice(log: Logger, { id, kind, incident }: IncidentNotice): void {
  const levels = { warning: "warn", error: "error", critical: "error" } as const;
  const isNews = kind === "opened" || kind === "raised" || kind === "reopened" || kind === "reminded";
  log[isNews ? levels[incident.severity] : "info"](
    {
      "event.name": `sluice.incident.${kind}`,
      notice: id,
      incident: incident.id,
      dataset: incident.dataset,
      severity: incident.severity,
      status: incident.status,
      since: new Date(incident.sinceMs).toISOString(),
      effects: incident.signals.filter((one) => one.isActive || !isNews).map((one) => tellSamples(one.effect, one.samples)),
      heldWindows: incident.heldWindows.length,
      downstream: incident.downstream.state,
      lastGoodSnapshot: incident.downstream.lastGoodSnapshotId,
    },
    `incident ${kind}: ${incident.title}`,
  );
}

/** Writes events of the REST catalog as log lines: what failed at error, what was refused at warn, requests at debug. */
export function logCatalog(log: Logger): (event: CatalogEvent) => void {
  return (event) => {
    switch (event.type) {
      case "catalog.failed":
        log.error({ endpoint: event.endpoint }, event.message);
        break;
      case "catalog.refused":
        log.warn({ who: event.principal }, `refused: ${event.reason}`);
        break;
      case "catalog.retried":
        log.info({ table: event.table }, "a client's commit met another one and is made again");
        break;
      case "catalog.answered":
        log.debug({ endpoint: event.endpoint, status: event.status, tookMs: Math.round(event.tookMs) }, "answered");
        break;
      case "catalog.read":
        log.debug({ dataset: event.dataset, kind: event.kind }, "read");
        break;
      default:
        event satisfies never;
    }
  };
}
