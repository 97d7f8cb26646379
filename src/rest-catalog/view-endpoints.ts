import { serializeViewMetadata } from "../adapters/iceberg/view-metadata.ts";
import type { CatalogContext } from "./catalog-context.ts";
import type { CatalogAnswer, Endpoint } from "./endpoint.ts";
import { isHeld, namespacePath, nothing, ok } from "./endpoint.ts";
import { answerEtag } from "./file-access.ts";
import { JsonObject } from "./json-object.ts";
import { listNames, rename } from "./named-things.ts";
import { parseViewChange } from "./parse-view.ts";
import type { LoadedView } from "./views.ts";
import { createView, dropView, needView, registerView, replaceView } from "./views.ts";

const viewsPath = `${namespacePath}/views`;
const viewPath = `${viewsPath}/{view}`;

/** Views: texts that engines run, and the catalog keeps. */
export function viewEndpoints(context: CatalogContext): Endpoint[] {
  const config = context.clientProperties;
  const etagOf = ({ metadataLocation }: LoadedView): string => answerEtag({ config, credentials: [] }, metadataLocation, "view");
  const answer = (view: LoadedView): CatalogAnswer => {
    const place = JSON.stringify(view.metadataLocation);
    const body = `{"metadata-location":${place},"metadata":${serializeViewMetadata(view.metadata)},"config":${JSON.stringify(config)}}`;
    return { status: 200, body, etag: etagOf(view) };
  };
  return [
    {
      method: "GET",
      path: viewsPath,
      scope: "read",
      summary: "Names of views; paged",
      run: async ({ namespace, query }) => ok(await listNames(context, "View", namespace, query)),
    },
    {
      method: "POST",
      path: viewsPath,
      scope: "write",
      summary: "Make a view",
      run: async ({ reader, namespace, body }) => answer(await createView(context, reader.principal, namespace, new JsonObject(body))),
    },
    {
      method: "POST",
      path: `${namespacePath}/register-view`,
      scope: "write",
      summary: "Put a view's existing metadata file under a name",
      run: async ({ reader, namespace, body }) => answer(await registerView(context, reader.principal, namespace, new JsonObject(body))),
    },
    {
      method: "GET",
      path: viewPath,
      scope: "read",
      summary: "A view; `If-None-Match`",
      run: async ({ namespace, table: name, ifNoneMatch }) => {
        const view = await needView(context, { namespace, name });
        const etag = etagOf(view);
        return isHeld(ifNoneMatch, etag) ? { status: 304, body: null, etag } : answer(view);
      },
    },
    {
      method: "HEAD",
      path: viewPath,
      scope: "read",
      summary: "Whether a view exists",
      run: async ({ namespace, table: name }) => {
        await needView(context, { namespace, name });
        return nothing;
      },
    },
    {
      method: "POST",
      path: viewPath,
      scope: "write",
      summary: "Commit changes of a view",
      run: async ({ reader, namespace, table: name, body }) =>
        answer(await replaceView(context, reader.principal, { namespace, name }, parseViewChange(new JsonObject(body)))),
    },
    {
      method: "DELETE",
      path: viewPath,
      scope: "write",
      summary: "Drop a view",
      run: async ({ reader, namespace, table: name }) => {
        await dropView(context, reader.principal, { namespace, name });
        return nothing;
      },
    },
    {
      method: "POST",
      path: "/v1/{prefix}/views/rename",
      scope: "write",
      summary: "Give a view another name",
      run: async ({ reader, body }) => {
        await rename(context, reader.principal, "View", new JsonObject(body));
        return nothing;
      },
    },
  ];
}
