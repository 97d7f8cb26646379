import { randomUUID } from "node:crypto";
import { openCatalog } from "../adapters/catalog/open-catalog.ts";
import { ForeignChanges } from "../adapters/lake/foreign-changes.ts";
import { openStorage } from "../adapters/storage/open-storage.ts";
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
import { openLake } from "./session.ts";

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
  const random = (): number => Math.random();
  const clock = { now: () => Date.now() };
  const files = await openStorage(config.lake, { random, patienceMs });
  const { storage } = files;
  const opened = await openCatalog(config.lake, { storage, clock, uuid: randomUUID, random, probe: ports.probe, patienceMs }).catch(
    (fault: unknown) => {
      files.close();
      throw fault;
    },
  );
  const lake = await openLake(config, ports.probe).catch(async (fault: unknown) => {
    await opened.close();
    files.close();
    throw fault;
  });
  const close = async (): Promise<void> => {
    await lake.close();
    await opened.close();
    files.close();
  };
  const { catalog, rows, directory, stores } = opened;
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
        directory,
        storage,
        consumption: stores.consumption,
        guard: new ForeignChanges({ namespace: config.lake.namespace, storage }),
        clock,
        uuid: randomUUID,
        random,
        patienceMs,
        clientProperties: clientProperties(config.lake),
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
