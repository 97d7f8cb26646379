import { randomUUID } from "node:crypto";
import { ForeignChanges } from "../adapters/lake/foreign-changes.ts";
import { openServedLake } from "../adapters/lake/lake.ts";
import { sessionKeys } from "../adapters/storage/session-keys.ts";
import type { Logger } from "../adapters/telemetry/log.ts";
import { logCatalog } from "../adapters/telemetry/log.ts";
import type { Config } from "../config/config.ts";
import type { CatalogServerConfig } from "../config/http-config.ts";
import type { CatalogEvent } from "../core/catalog-events.ts";
import { SluiceError } from "../core/errors.ts";
import type { Probe } from "../core/ports.ts";
import type { CatalogServer } from "../rest-catalog/catalog-server.ts";
import { startCatalogServer } from "../rest-catalog/catalog-server.ts";
import { TokenGate } from "../rest-catalog/token-gate.ts";
import { recordLineage } from "../trace/lineage-readings.ts";

const patienceMs = 30_000;

/** What clients need to reach the files themselves; credentials are theirs to have. */
function clientProperties({ s3 }: Config["lake"]): Record<string, string> {
  if (s3 === null) return {};
  return {
    ...(s3.endpoint !== null && { "s3.endpoint": s3.endpoint }),
    ...(s3.region !== null && { "s3.region": s3.region, "client.region": s3.region }),
    "s3.path-style-access": String(s3.pathStyle),
  };
}

/** What makes keys for clients; null where nothing does. The client of STS connects when it is first asked. */
function keyMaker({ s3 }: Config["lake"], sessions: CatalogServerConfig["sessions"]): ReturnType<typeof sessionKeys> | null {
  if (s3 === null || sessions === null) return null;
  const { endpoint, region, credentials } = s3;
  return sessionKeys({
    roleArn: sessions.roleArn,
    endpoint: sessions.endpoint ?? endpoint,
    region,
    lifeSeconds: sessions.seconds,
    credentials,
  });
}

/** Serves a lake's catalog on a connection of its own, until it is closed. Rejects with CONFIG_INVALID, CATALOG_*, STORAGE_*. */
export async function serveCatalog(
  config: Config,
  server: CatalogServerConfig,
  ports: { readonly probe: Probe; readonly observe: (event: CatalogEvent) => void; readonly log: Logger | null },
): Promise<CatalogServer> {
  if (config.lake.rest !== null) {
    const message = "http.catalog: the lake's catalog is a REST catalog already (lake.rest); other programs connect to that";
    throw new SluiceError("CONFIG_INVALID", message, { location: { file: config.file, line: 1, column: 1 } });
  }
  if (server.sessions !== null && config.lake.s3 === null) {
    const message = "http.catalog.sessions: keys are made for a lake in S3 (lake.s3)";
    throw new SluiceError("CONFIG_INVALID", message, { location: { file: config.file, line: 1, column: 1 } });
  }
  const clock = { now: () => Date.now() };
  const { lake, storage, opened } = await openServedLake({ ...config.lake, clock, probe: ports.probe, patienceMs });
  const { catalog, rows, views, directory, stores } = opened;
  const maker = keyMaker(config.lake, server.sessions);
  const close = async (): Promise<void> => {
    maker?.close();
    await lake.close();
  };
  const tell = ports.log === null ? null : logCatalog(ports.log);
  const { host, port, tokens, anonymous } = server;
  try {
    const running = await startCatalogServer({
      host,
      port,
      gate: new TokenGate({ tokens, anonymous, clock }),
      context: {
        catalog,
        rows,
        views,
        directory,
        storage,
        consumption: stores.consumption,
        guard: new ForeignChanges({ namespace: config.lake.namespace, storage }),
        clock,
        uuid: randomUUID,
        random: Math.random,
        patienceMs,
        clientProperties: clientProperties(config.lake),
        makeKeys: maker === null ? null : (wish) => maker.make(wish),
        observe: (event) => {
          ports.observe(event);
          tell?.(event);
        },
      },
      lineage: {
        namespace: config.lake.namespace,
        record: (event) => recordLineage(lake, { tableNamespace: config.lake.namespace }, event, clock.now()),
      },
    });
    return {
      url: running.url,
      close: async () => {
        await running.close();
        await close();
      },
    };
  } catch (fault) {
    await close();
    throw fault;
  }
}
