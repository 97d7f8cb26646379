import { serializeTableMetadata } from "../adapters/iceberg/table-metadata.ts";
import type { CatalogContext } from "./catalog-context.ts";
import { commitTables } from "./commits.ts";
import type { CatalogAnswer, Endpoint } from "./endpoint.ts";
import { isHeld, namespacePath, namespacesPath, nothing, ok } from "./endpoint.ts";
import { answerEtag, KeyDesk } from "./file-access.ts";
import { JsonObject } from "./json-object.ts";
import { createNamespace, dropNamespace, listNamespaces, loadNamespace, needNamespace, updateNamespace } from "./namespaces.ts";
import { listNames, rename } from "./named-things.ts";
import { parseIdentifier } from "./names.ts";
import { parseChanges } from "./parse-changes.ts";
import { ReadRecorder } from "./reads.ts";
import type { TableAnswer } from "./tables.ts";
import { createTable, dropTable, needTable, registerTable, snapshotMode, tableAnswer } from "./tables.ts";
import { viewEndpoints } from "./view-endpoints.ts";

function okTable({ body, etag }: TableAnswer): CatalogAnswer {
  return { status: 200, body, etag };
}

const tablesPath = `${namespacePath}/tables`;
const tablePath = `${tablesPath}/{table}`;

function namespaceEndpoints(context: CatalogContext): Endpoint[] {
  return [
    {
      method: "GET",
      path: namespacesPath,
      scope: "read",
      summary: "Namespaces, the top ones or those below `parent`; paged",
      run: async ({ reader, query }) => ok(await listNamespaces(context, reader.principal, query)),
    },
    {
      method: "POST",
      path: namespacesPath,
      scope: "write",
      summary: "Make a namespace",
      run: async ({ reader, body }) => ok(await createNamespace(context, reader.principal, new JsonObject(body))),
    },
    {
      method: "GET",
      path: namespacePath,
      scope: "read",
      summary: "A namespace's properties",
      run: async ({ namespace }) => ok(await loadNamespace(context, namespace)),
    },
    {
      method: "HEAD",
      path: namespacePath,
      scope: "read",
      summary: "Whether a namespace exists",
      run: async ({ namespace }) => {
        await needNamespace(context, namespace);
        return nothing;
      },
    },
    {
      method: "DELETE",
      path: namespacePath,
      scope: "write",
      summary: "Remove an empty namespace",
      run: async ({ reader, namespace }) => {
        await dropNamespace(context, reader.principal, namespace);
        return nothing;
      },
    },
    {
      method: "POST",
      path: `${namespacePath}/properties`,
      scope: "write",
      summary: "Set and remove properties",
      run: async ({ reader, namespace, body }) => ok(await updateNamespace(context, reader.principal, namespace, new JsonObject(body))),
    },
  ];
}

/** Tables as names: lists, new ones, other names. */
function namingEndpoints(context: CatalogContext, desk: KeyDesk): Endpoint[] {
  return [
    {
      method: "GET",
      path: tablesPath,
      scope: "read",
      summary: "Names of tables; paged",
      run: async ({ namespace, query }) => ok(await listNames(context, "Table", namespace, query)),
    },
    {
      method: "POST",
      path: tablesPath,
      scope: "write",
      summary: "Make a table, or stage one",
      run: async ({ reader, namespace, body }) => okTable(await createTable(context, desk, reader, namespace, new JsonObject(body))),
    },
    {
      method: "POST",
      path: `${namespacePath}/register`,
      scope: "write",
      summary: "Put an existing metadata file under a name",
      run: async ({ reader, namespace, body }) => okTable(await registerTable(context, desk, reader, namespace, new JsonObject(body))),
    },
    {
      method: "POST",
      path: "/v1/{prefix}/tables/rename",
      scope: "write",
      summary: "Give a table another name",
      run: async ({ reader, body }) => {
        await rename(context, reader.principal, "Table", new JsonObject(body));
        return nothing;
      },
    },
  ];
}

/** Tables as what they hold. */
function tableEndpoints(context: CatalogContext, desk: KeyDesk, reads: ReadRecorder): Endpoint[] {
  return [
    {
      method: "GET",
      path: tablePath,
      scope: "read",
      summary: "A table, with `snapshots=all` or `refs`; `If-None-Match`",
      run: async ({ reader, namespace, table: name, query, ifNoneMatch }) => {
        const mode = snapshotMode(query);
        const table = await needTable(context, { namespace, name });
        await reads.load(table.table, table.metadata, reader);
        const access = await desk.accessTo({ table: table.table, location: table.metadata.location }, reader);
        const etag = answerEtag(access, table.metadataLocation, mode);
        return isHeld(ifNoneMatch, etag) ? { status: 304, body: null, etag } : okTable(tableAnswer(access, table, mode));
      },
    },
    {
      method: "HEAD",
      path: tablePath,
      scope: "read",
      summary: "Whether a table exists",
      run: async ({ namespace, table: name }) => {
        await needTable(context, { namespace, name });
        return nothing;
      },
    },
    {
      method: "POST",
      path: tablePath,
      scope: "write",
      summary: "Commit changes of a table",
      run: async ({ reader, namespace, table: name, body }) => {
        const wanted = { table: { namespace, name }, ...parseChanges(new JsonObject(body)) };
        const [committed] = await commitTables(context, reader.principal, [wanted]);
        if (committed === undefined) throw new Error("a commit answers its table");
        const text = `{"metadata-location":${JSON.stringify(committed.metadataLocation)},"metadata":${serializeTableMetadata(committed.metadata)}}`;
        if (desk.givesSessions(reader)) return { status: 200, body: text };
        const access = await desk.accessTo({ table: wanted.table, location: committed.metadata.location }, reader);
        return { status: 200, body: text, etag: answerEtag(access, committed.metadataLocation, "all") };
      },
    },
    {
      method: "DELETE",
      path: tablePath,
      scope: "write",
      summary: "Drop a table, with `purgeRequested` its files too",
      run: async ({ reader, namespace, table: name, query }) => {
        await dropTable(context, reader.principal, { namespace, name }, query);
        return nothing;
      },
    },
    {
      method: "GET",
      path: `${tablePath}/credentials`,
      scope: "read",
      summary: "Fresh keys of a table's files",
      run: async ({ reader, namespace, table: name }) => {
        const { table, metadata } = await needTable(context, { namespace, name });
        const asking = { ...reader, wantsKeys: true };
        return ok({ "storage-credentials": (await desk.accessTo({ table, location: metadata.location }, asking)).credentials });
      },
    },
    {
      method: "POST",
      path: `${tablePath}/metrics`,
      scope: "read",
      summary: "Report what a scan or a commit took",
      run: async ({ reader, namespace, table: name, body }) => {
        await reads.report({ namespace, name }, new JsonObject(body), reader);
        return nothing;
      },
    },
    {
      method: "POST",
      path: "/v1/{prefix}/transactions/commit",
      scope: "write",
      summary: "Commit changes of several tables, all or none",
      run: async ({ reader, body }) => {
        const wanted = new JsonObject(body).objects("table-changes").map((change) => {
          const table = parseIdentifier(change.object("identifier"));
          reader.principal.need("write", table.namespace);
          return { table, ...parseChanges(change) };
        });
        await commitTables(context, reader.principal, wanted);
        return nothing;
      },
    },
  ];
}

/** Every endpoint that is served, besides configuration and tokens. */
export function catalogEndpoints(context: CatalogContext): readonly Endpoint[] {
  const desk = new KeyDesk(context);
  return [
    ...namespaceEndpoints(context),
    ...namingEndpoints(context, desk),
    ...tableEndpoints(context, desk, new ReadRecorder(context)),
    ...viewEndpoints(context),
  ];
}
