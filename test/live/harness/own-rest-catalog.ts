import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCatalog } from "../../../src/adapters/catalog/open-catalog.ts";
import { ForeignChanges } from "../../../src/adapters/lake/foreign-changes.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { startCatalogServer } from "../../../src/rest-catalog/catalog-server.ts";
import { TokenGate } from "../../../src/rest-catalog/token-gate.ts";

/** The OAuth2 client that may do everything. */
export const restClient = { kind: "client", id: "worker", secret: "hush-hush-hush-hush", scope: "catalog", tokenUri: null } as const;

/** Sluice's own REST catalog over a warehouse in a folder, as another program would use it. */
export async function ownRestCatalog(): Promise<{ readonly uri: string; readonly warehouse: string; readonly close: () => Promise<void> }> {
  const warehouse = mkdtempSync(join(tmpdir(), "sluice-own-rest-"));
  const storage = createLocalStorage(warehouse);
  const clock = { now: () => Date.now() };
  const ports = { storage, clock, uuid: randomUUID, random: Math.random, probe: () => {}, patienceMs: 5000 };
  const opened = await openCatalog({ catalog: join(warehouse, "served.db"), namespace: "served" }, ports);
  const server = await startCatalogServer({
    lineage: null,
    host: "127.0.0.1",
    port: 0,
    gate: new TokenGate({
      tokens: [{ name: restClient.id, token: restClient.secret, scope: "admin", namespaces: null }],
      anonymous: null,
      clock,
    }),
    context: {
      ...ports,
      catalog: opened.catalog,
      rows: opened.rows,
      views: opened.views,
      directory: opened.directory,
      consumption: opened.stores.consumption,
      guard: new ForeignChanges({ namespace: "served", storage }),
      clientProperties: {},
      observe: () => {},
    },
  });
  return {
    uri: server.url,
    warehouse,
    close: async () => {
      await server.close();
      await opened.close();
      rmSync(warehouse, { recursive: true, force: true });
    },
  };
}
