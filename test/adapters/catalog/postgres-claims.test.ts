import { afterAll, describe } from "vitest";
import { PostgresClaims, postgresClaimSchema } from "../../../src/adapters/catalog/postgres-claims.ts";
import { PostgresDatabase } from "../../../src/adapters/catalog/postgres-database.ts";
import { describeClaims } from "../../contract-suites/claims.ts";
import { postgresHere, testPostgres } from "../../live/harness/test-postgres.ts";

const server = postgresHere ? await testPostgres() : null;
afterAll(() => server?.close());

let url = "";
describe.skipIf(server === null)("PostgreSQL", () => {
  describeClaims({
    name: "PostgreSQL",
    reset: async () => {
      url = await server!.database();
    },
    open: async () => {
      const options = { url, password: null, tls: null, random: Math.random, patienceMs: 5000 };
      const database = await PostgresDatabase.open(options, postgresClaimSchema);
      return {
        claims: new PostgresClaims(database, "sluice.test"),
        count: async () => Number((await database.query("SELECT count(*) AS n FROM sluice_claims", []))[0]?.["n"]),
        close: () => database.close(),
      };
    },
  });
});
