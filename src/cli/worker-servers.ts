import type { Logger } from "../adapters/telemetry/log.ts";
import type { Config } from "../config/config.ts";
import type { CatalogEvent } from "../core/catalog-events.ts";
import type { IncidentStore } from "../core/incident-store.ts";
import type { Probe } from "../core/ports.ts";
import type { WorkerStatus } from "../http/health.ts";
import { startHealthServer } from "../http/health.ts";
import type { IncidentQueries } from "../http/incidents.ts";
import { tellDownstream, tellSteps } from "../incidents/index.ts";

/** What a worker serves over HTTP beside its work. */
export interface WorkerServers {
  /** Null where health is not served. */
  readonly healthUrl: string | null;
  close(): Promise<void>;
}

/** Starts health and catalog, each where it is enabled. Rejects with CONFIG_INVALID where a port is taken; nothing listens then. */
export async function startServers(
  config: Config,
  ports: {
    readonly status: () => WorkerStatus;
    readonly incidents: IncidentStore;
    readonly probe: Probe;
    readonly observe: (event: CatalogEvent) => void;
    readonly log: Logger | null;
  },
): Promise<WorkerServers> {
  const { enabled, host, port, catalog: served } = config.http;
  const { log, status } = ports;
  const incidents: IncidentQueries = {
    find: (dataset, filter) => ports.incidents.incidents(dataset, filter),
    describe: (incident) => ({
      downstream: tellDownstream(incident),
      steps: tellSteps(incident).map(({ command, says }) => ({ command: `sluice ${command}`, says })),
    }),
  };
  const health = enabled ? await startHealthServer({ host, port, status, incidents }) : null;
  if (health !== null) log?.info({ url: health.url }, "health is served");
  const serve = async (): Promise<{ readonly url: string; close(): Promise<void> }> => {
    try {
      return await (await import("./catalog.ts")).serveCatalog(config, served, ports);
    } catch (fault) {
      await health?.close();
      throw fault;
    }
  };
  const catalog = served.enabled ? await serve() : null;
  if (catalog !== null) log?.info({ url: catalog.url }, "the catalog is served");
  return {
    healthUrl: health?.url ?? null,
    close: async () => {
      await health?.close();
      await catalog?.close();
    },
  };
}
