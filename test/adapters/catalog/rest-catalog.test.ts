import { afterAll, describe } from "vitest";
import { RestCatalog } from "../../../src/adapters/catalog/rest-catalog.ts";
import { describeCatalog } from "../../contract-suites/catalog.ts";
import { testRestCatalog } from "../../live/harness/test-rest-catalog.ts";

const server = await testRestCatalog();
afterAll(() => server?.close());

describe.skipIf(server === null)("Iceberg's own REST catalog", () => {
  describeCatalog({
    name: "Iceberg's own REST catalog",
    // It checks a transaction's requirements and then commits its tables one by one: of two at once, one may be accepted and dropped.
    lacks: { jointCommitsUnderRaces: true, names: ["per%cent"] },
    start: async () => ({
      location: (name) => `file://${server!.warehouse}/${name}`,
      open: async () => {
        const catalog = await RestCatalog.open({
          uri: server!.uri,
          warehouse: null,
          auth: null,
          tls: null,
          timeoutMs: 10_000,
          random: Math.random,
          patienceMs: 5000,
          probe: () => {},
        });
        await catalog.createNamespace("db");
        return { catalog, close: async () => catalog.close() };
      },
    }),
    stop: async () => {},
  });
});
