import { textAt } from "./node.ts";
import { customProperties, stableId } from "./odcs-element.ts";
import { roles } from "./odcs-people.ts";
import { listOf, oneOf, string } from "./shape.ts";
import type { Key, Keys, Shape } from "./shape.ts";

const port: Shape = { type: "byVersion", "3.1": { type: "integer" }, "3.2": { type: "either", of: [{ type: "integer" }, string] } };

/** What each kind of server has; `!` marks keys that it needs. Versions differ only as `serverKey` says. */
const serverKeys: Readonly<Record<string, string>> = {
  api: "location!",
  athena: "stagingDir schema! catalog regionName workgroup",
  azure: "location! format! encoding delimiter",
  bigquery: "project! dataset!",
  btrieve: "host! port database!",
  clickhouse: "host! port! database!",
  databricks: "host catalog! schema!",
  denodo: "host! port! database",
  dremio: "host! port! schema",
  duckdb: "database! schema",
  exasol: "host! port schema",
  fastobjects: "database! host port",
  glue: "account! database! location format encoding",
  hana: "host! port database schema",
  cloudsql: "host! port! database! schema!",
  db2: "host! port! database! schema",
  hive: "host! port database!",
  iceberg: "catalog! catalogUrl! namespace warehouse",
  impala: "host! port database!",
  informix: "host! port database!",
  ingres: "database! host! port",
  kafka: "host! format encoding",
  kinesis: "region format encoding",
  local: "path! format! encoding",
  mysql: "host! port! database!",
  oracle: "host! port! serviceName!",
  poet: "database! host port",
  postgresql: "host! port! database! schema!",
  postgres: "host! port! database! schema!",
  presto: "host! catalog schema",
  pubsub: "project!",
  redshift: "host database! schema! region account",
  s3: "location! endpointUrl format encoding delimiter",
  sftp: "location! format encoding delimiter",
  snowflake: "host port account! database! schema! warehouse",
  sqlserver: "host! port database! schema!",
  synapse: "host! port! database!",
  teradata: "host! port database",
  trino: "host! port! catalog! schema!",
  vectorwise: "database! host! port",
  versant: "database! host port",
  vertica: "host! port! database! schema!",
  zen: "host! port database!",
  custom:
    "account catalog database dataset delimiter endpointUrl format encoding host location path port project region regionName schema " +
    "serviceName stagingDir warehouse stream",
};

const since32 = ["btrieve", "exasol", "fastobjects", "hana", "iceberg", "ingres", "poet", "teradata", "vectorwise", "versant"];
const serverTypes = Object.keys(serverKeys);

function serverKey(type: string, name: string, required: boolean): Key {
  const base: Key = { shape: name === "port" ? port : string, required, use: "ignored", doc: `The server's ${name}.` };
  if (type === "kafka" && name === "format") {
    return { ...base, use: "enforced", doc: "The format of record values, where a dataset's settings name none." };
  }
  if (name === "encoding" || name === "workgroup") return { ...base, since: "3.2" };
  if (type === "athena" && name === "stagingDir") return { ...base, required: "before3.2" };
  if (type === "sftp" && name === "location") {
    return { ...base, shape: { type: "string", pattern: { regex: /^sftp:\/\/.*/u, words: "an address that starts with sftp://" } } };
  }
  return base;
}

const keysOfType = new Map<string, Keys>(
  serverTypes.map((type) => [
    type,
    Object.fromEntries(
      (serverKeys[type] as string).split(" ").map((word) => {
        const name = word.replace("!", "");
        return [name, serverKey(type, name, word.endsWith("!"))];
      }),
    ),
  ]),
);

/** The servers where a dataset resides. Sluice takes brokers and catalogs from its configuration; these entries describe. */
export const servers: Shape = listOf({
  type: "object",
  keys: {
    id: { shape: stableId, use: "ignored", doc: "Name for references." },
    server: { shape: string, required: true, use: "ignored", doc: "The server's name." },
    type: {
      shape: { type: "byVersion", "3.1": oneOf(serverTypes.filter((type) => !since32.includes(type))), "3.2": oneOf(serverTypes) },
      required: true,
      use: "ignored",
      doc: "The kind of server; it decides which further keys there are.",
    },
    description: { shape: string, use: "ignored", doc: "What the server is for." },
    environment: { shape: string, use: "ignored", doc: "Production, test and so on." },
    roles: { shape: roles, use: "ignored", doc: "Who may use it." },
    customProperties: { shape: customProperties, use: "ignored", doc: "Properties of other tools." },
  },
  more: (node) => ({ keys: keysOfType.get(textAt(node, "type") ?? "") ?? {} }),
});
