import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCatalog } from "../../src/adapters/catalog/open-catalog.ts";
import { ForeignChanges } from "../../src/adapters/lake/foreign-changes.ts";
import { createLake } from "../../src/adapters/lake/lake.ts";
import { createLocalStorage } from "../../src/adapters/storage/local-storage.ts";
import type { AccessScope } from "../../src/core/access-scope.ts";
import type { CatalogEvent } from "../../src/core/catalog-events.ts";
import type { Consumption, ConsumptionLog } from "../../src/core/consumption.ts";
import type { Lake } from "../../src/core/ports.ts";
import type { CatalogContext } from "../../src/rest-catalog/catalog-context.ts";
import { startCatalogServer } from "../../src/rest-catalog/catalog-server.ts";
import type { AccessToken } from "../../src/rest-catalog/token-gate.ts";
import { TokenGate } from "../../src/rest-catalog/token-gate.ts";
import { recordLineage } from "../../src/trace/lineage-readings.ts";

/** A catalog server over a lake of its own. */
export interface CatalogFixture {
  readonly url: string;
  readonly folder: string;
  /** The lake that it serves, opened a second time, as a worker would. */
  readonly lake: Lake;
  readonly context: Omit<CatalogContext, "turns">;
  readonly events: readonly CatalogEvent[];
  readonly consumption: () => Promise<Consumption[]>;
  /** A request with JSON in and out; a 204 and 304 answer null. */
  readonly ask: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>;
  close(): Promise<void>;
}

export interface Answered {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly headers: Headers;
}

/** Starts one on a free port. The lake's namespace is `db`. */
export async function catalogFixture(
  options: {
    readonly anonymous?: AccessScope | null;
    readonly tokens?: readonly AccessToken[];
    readonly now?: () => number;
    readonly consumption?: (log: ConsumptionLog) => ConsumptionLog;
  } = {},
): Promise<CatalogFixture> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-rest-catalog-"));
  const clock = { now: options.now ?? (() => Date.now()) };
  const storage = createLocalStorage(folder);
  const place = { folder, catalog: join(folder, "catalog.db"), namespace: "db" };
  const lake = await createLake({ ...place, clock });
  const ports = { storage, clock, uuid: randomUUID, random: Math.random, probe: () => {}, patienceMs: 5000 };
  const opened = await openCatalog(place, ports);
  const events: CatalogEvent[] = [];
  const context: Omit<CatalogContext, "turns"> = {
    ...ports,
    catalog: opened.catalog,
    rows: opened.rows,
    views: opened.views,
    directory: opened.directory,
    consumption: options.consumption?.(opened.stores.consumption) ?? opened.stores.consumption,
    guard: new ForeignChanges({ namespace: "db", storage }),
    clientProperties: {},
    observe: (event) => events.push(event),
  };
  const { anonymous = "admin", tokens = [] } = options;
  const server = await startCatalogServer({
    host: "127.0.0.1",
    port: 0,
    context,
    gate: new TokenGate({ tokens, anonymous, clock }),
    lineage: { namespace: "db", record: (event) => recordLineage(lake, { tableNamespace: "db" }, event, clock.now()) },
  });
  return {
    url: server.url,
    folder,
    lake,
    context,
    events,
    consumption: () => Array.fromAsync(lake.consumption.of(null)),
    ask: async (method, path, body, headers = {}) => {
      const init = { method, headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers } };
      const response = await fetch(`${server.url}${path}`, { ...init, ...(body !== undefined && { body: JSON.stringify(body) }) });
      const text = await response.text();
      return { status: response.status, body: text === "" ? null : JSON.parse(text), headers: response.headers };
    },
    close: async () => {
      await server.close();
      await opened.close();
      await lake.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
