import type { TelemetryOptions } from "../adapters/telemetry/telemetry.ts";
import type { Watched } from "../adapters/telemetry/gauges.ts";
import type { Config } from "../config/config.ts";
import { countEngineThreads } from "./engine.ts";
import { version } from "./version.ts";

/** Where a process's telemetry goes, as its configuration says it. */
export function telemetryOptions({ worker, telemetry, http }: Config): Omit<TelemetryOptions, "watched"> {
  const { otlpEndpoint = null, prometheusPort } = telemetry;
  return { worker, version, otlpEndpoint, prometheus: prometheusPort === undefined ? null : { host: http.host, port: prometheusPort } };
}

/** The same for a worker, whose state is looked at when metrics are collected. */
export function workerTelemetry(
  config: Config,
  looks: Omit<Watched, "mainBusyMs" | "engineThreads" | "startedMs" | "now">,
): TelemetryOptions {
  const watched = {
    ...looks,
    mainBusyMs: () => performance.eventLoopUtilization().active,
    engineThreads: countEngineThreads(config.engine),
    startedMs: Date.now(),
    now: () => Date.now(),
  };
  return { ...telemetryOptions(config), watched };
}
