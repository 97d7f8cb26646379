import type { CommandSpec } from "../command.ts";
import { configOption } from "../command.ts";

/** `sluice catalog serve` */
export const catalogServe: CommandSpec = {
  name: "catalog serve",
  summary: "Serve the lake's tables as an Iceberg REST catalog, until stopped",
  details:
    "Spark, PyIceberg, DuckDB, Trino and any other Iceberg client can read, and write what they may: http.catalog says who. Every table that is loaded, and every scan that is reported, is recorded. SIGINT or SIGTERM ends it with 0.",
  examples: [
    { command: "sluice catalog serve", says: "with the tokens of http.catalog" },
    { command: "sluice catalog serve --anonymous read --port 8181", says: "anyone on this host may read" },
  ],
  options: [
    configOption,
    { flags: "--host <address>", description: "Address to listen on (default: http.catalog.host)" },
    { flags: "-p, --port <port>", description: "Port to listen on, 0 for any free one (default: http.catalog.port)" },
    {
      flags: "--anonymous <scope>",
      description: "What requests without a token may do (default: http.catalog.anonymous)",
      choices: ["none", "read", "write", "admin"],
    },
    { flags: "--json", description: "Print where it listens as one line of JSON" },
  ],
  json: "one line once it listens: { url: string }",
  run: async (invocation) => (await import("../catalog-serve.ts")).serveUntilStopped(invocation),
};
