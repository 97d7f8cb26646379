import type { TelemetryOptions } from "../adapters/telemetry/telemetry.ts";
import type { Config } from "../config/config.ts";
import { version } from "./version.ts";

/** Where a process's telemetry goes, as its configuration says it. */
export function telemetryOptions({ worker, telemetry, http }: Config): Omit<TelemetryOptions, "watched"> {
  const { otlpEndpoint = null, prometheusPort } = telemetry;
  return { worker, version, otlpEndpoint, prometheus: prometheusPort === undefined ? null : { host: http.host, port: prometheusPort } };
}
