import type { Logger as OtelLogger } from "@opentelemetry/api";
import { logs, metrics, trace } from "@opentelemetry/api";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchLogRecordProcessor } from "@opentelemetry/sdk-logs";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { startNodeSdk } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { SluiceError } from "../../core/errors.ts";
import type { CatalogEvent } from "../../core/catalog-events.ts";
import type { Observe } from "../../core/events.ts";
import { createCatalogMeters } from "./catalog-meters.ts";
import type { Watched } from "./gauges.ts";
import { createGauges } from "./gauges.ts";
import { createMeters } from "./meters.ts";
import { createSpans } from "./spans.ts";

export interface TelemetryOptions {
  readonly worker: string;
  readonly version: string;
  /** Base URL of an OTLP/HTTP receiver; null: nothing is sent. */
  readonly otlpEndpoint: string | null;
  readonly prometheus: { readonly host: string; readonly port: number } | null;
  /** Null: the process judges nothing. */
  readonly watched: Watched | null;
}

export interface Telemetry {
  /** Takes gate events; never throws, never waits. */
  readonly observe: Observe;
  /** Takes events of the REST catalog in the same way. */
  readonly observeCatalog: (event: CatalogEvent) => void;
  /** For the log's bridge; null where nothing is sent. */
  readonly logger: OtelLogger | null;
  /** Flushes for at most some seconds, then ends. */
  shutdown(): Promise<void>;
}

const exportTimeoutMs = 5000;

async function startPrometheus(address: { readonly host: string; readonly port: number }): Promise<PrometheusExporter> {
  return await new Promise((resolve, reject) => {
    const exporter: PrometheusExporter = new PrometheusExporter({ ...address, withoutScopeInfo: true }, (error) => {
      if (error === undefined || error === null) resolve(exporter);
      else
        reject(
          new SluiceError("CONFIG_INVALID", `the Prometheus endpoint ${address.host}:${address.port} can't be opened: ${error.message}`),
        );
    });
  });
}

/**
 * Starts OpenTelemetry: OTLP over HTTP and a Prometheus endpoint, each if asked for. Queues are bounded and exports time out, so that a receiver
 * that is down costs its own signals and nothing else.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { otlpEndpoint, prometheus } = options;
  if (otlpEndpoint === null && prometheus === null) {
    return { observe: () => undefined, observeCatalog: () => undefined, logger: null, shutdown: async () => {} };
  }
  const to = (signal: string) => ({ url: `${otlpEndpoint?.replace(/\/+$/, "") ?? ""}/v1/${signal}`, timeoutMillis: exportTimeoutMs });
  const readers: IMetricReader[] = [];
  if (prometheus !== null) readers.push(await startPrometheus(prometheus));
  if (otlpEndpoint !== null) {
    readers.push(
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter(to("metrics")),
        exportIntervalMillis: 10_000,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    );
  }
  const queue = { maxQueueSize: 2048, maxExportBatchSize: 512, scheduledDelayMillis: 1000, exportTimeoutMillis: exportTimeoutMs };
  const sdk = startNodeSdk({
    logLevel: "none",
    resourceDetectors: [],
    resourceAttributes: { "service.name": "sluice", "service.version": options.version, "service.instance.id": options.worker },
    metricReaders: readers,
    spanProcessors: otlpEndpoint === null ? [] : [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(to("traces")), ...queue })],
    logRecordProcessors:
      otlpEndpoint === null ? [] : [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(to("logs")), ...queue })],
  });
  const meter = metrics.getMeter("sluice", options.version);
  const measure = createMeters(meter);
  if (options.watched !== null) createGauges(meter, options.watched);
  const span = otlpEndpoint === null ? () => undefined : createSpans(trace.getTracer("sluice", options.version));
  return {
    observe: (event) => {
      measure(event);
      span(event);
    },
    observeCatalog: createCatalogMeters(meter),
    logger: otlpEndpoint === null ? null : logs.getLogger("sluice", options.version),
    shutdown: async () => {
      const limit = Promise.withResolvers<void>();
      const timer = setTimeout(() => limit.resolve(), exportTimeoutMs);
      await Promise.race([sdk.shutdown().catch(() => undefined), limit.promise]);
      clearTimeout(timer);
    },
  };
}
