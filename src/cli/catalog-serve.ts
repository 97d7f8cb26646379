import { createLog } from "../adapters/telemetry/log.ts";
import { startTelemetry } from "../adapters/telemetry/telemetry.ts";
import type { CatalogServerConfig } from "../config/http-config.ts";
import type { AccessScope } from "../core/access-scope.ts";
import type { Invocation } from "./command.ts";
import { serveCatalog } from "./catalog.ts";
import { createCrashProbe } from "./crash-probe.ts";
import { ExitCode } from "./exit-code.ts";
import { UsageError } from "./failure.ts";
import { readConfig } from "./session.ts";
import { onStopSignal } from "./stop-signal.ts";
import { telemetryOptions } from "./telemetry-options.ts";
import { version } from "./version.ts";

const portMax = 65_535;

function serverOf(invocation: Invocation, configured: CatalogServerConfig): CatalogServerConfig {
  const anonymous = invocation.text("anonymous");
  const port = invocation.count("port") ?? configured.port;
  if (port > portMax) throw new UsageError(`--port takes a port up to ${portMax}, not ${port}`);
  const server = {
    ...configured,
    host: invocation.text("host") ?? configured.host,
    port,
    ...(anonymous !== null && { anonymous: anonymous === "none" ? null : (anonymous as AccessScope) }),
  };
  if (server.anonymous !== null || server.tokens.length > 0) return server;
  throw new UsageError("nobody could use the catalog: give http.catalog.tokens in the configuration, or --anonymous read");
}

/** `sluice catalog serve` */
export async function serveUntilStopped(invocation: Invocation): Promise<ExitCode> {
  const { terminal } = invocation;
  const config = readConfig(invocation);
  const server = serverOf(invocation, config.http.catalog);
  const telemetry = await startTelemetry({
    ...telemetryOptions(config),
    watched: null,
  });
  const text = config.log.format === "text" || (config.log.format === "auto" && terminal.isWatched);
  const log = createLog({
    level: config.log.level,
    worker: config.worker,
    version,
    destination: process.stderr,
    text,
    otel: telemetry.logger,
  });
  try {
    const running = await serveCatalog(config, server, {
      probe: createCrashProbe(invocation.environment["SLUICE_CRASH_AT"]),
      observe: telemetry.observeCatalog,
      log,
    });
    const stopped = Promise.withResolvers<void>();
    const release = onStopSignal(async () => stopped.resolve());
    if (invocation.json) terminal.jsonLine({ url: running.url });
    else terminal.out(`catalog at ${running.url}`);
    try {
      await stopped.promise;
    } finally {
      await running.close();
      release();
    }
  } finally {
    await telemetry.shutdown();
  }
  return ExitCode.clean;
}
