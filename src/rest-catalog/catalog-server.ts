import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { fastify } from "fastify";
import { parseLosslessJson } from "../adapters/iceberg/lossless-json.ts";
import { SluiceError } from "../core/errors.ts";
import type { CatalogContext } from "./catalog-context.ts";
import { CommitTurns } from "./commit-turns.ts";
import type { CatalogAnswer, Endpoint } from "./endpoint.ts";
import { catalogEndpoints } from "./endpoints.ts";
import type { LineageIntake } from "./lineage-route.ts";
import { serveLineage } from "./lineage-route.ts";
import { checkTableName, parseNamespace } from "./names.ts";
import { badRequest, errorBody, RestError, restErrorOf } from "./rest-error.ts";
import type { TokenGate } from "./token-gate.ts";

export interface CatalogServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly gate: TokenGate;
  readonly context: Omit<CatalogContext, "turns">;
  /** Null: events of OpenLineage are not taken. */
  readonly lineage: LineageIntake | null;
}

/** A running catalog server. */
export interface CatalogServer {
  readonly url: string;
  close(): Promise<void>;
}

const bodyBytesMax = 32 * 1024 * 1024;
/** Names of namespaces and tables in paths, percent-encoded. */
const parameterBytesMax = 4096;
const headerTextMax = 255;
const formBytesMax = 64 * 1024;
const requestMsMax = 120_000;

const configPath = "/v1/config";
const tokenPath = "/v1/oauth/tokens";

type Params = Readonly<Record<string, string | undefined>>;

function header(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  const text = Array.isArray(value) ? value.join(", ") : value;
  return text === undefined || text === "" ? null : text;
}

function queryOf(request: FastifyRequest): URLSearchParams {
  return new URL(request.url, "http://catalog").searchParams;
}

async function answer(gate: TokenGate, endpoint: Endpoint, request: FastifyRequest): Promise<CatalogAnswer> {
  const principal = gate.principal(request.headers.authorization);
  const params = request.params as Params;
  const namespace = params["namespace"] === undefined ? null : parseNamespace(params["namespace"]);
  principal.need(endpoint.scope, namespace);
  const name = params["table"] ?? params["view"];
  const short = (name: string): string | null => header(request, name)?.slice(0, headerTextMax) ?? null;
  return endpoint.run({
    reader: {
      principal,
      userAgent: short("user-agent"),
      job: short("x-sluice-job"),
      runId: short("x-sluice-run"),
      wantsKeys: (short("x-iceberg-access-delegation") ?? "").split(",").some((each) => each.trim() === "vended-credentials"),
    },
    namespace: namespace ?? "",
    table: name === undefined ? "" : checkTableName(name),
    query: queryOf(request),
    body: request.body,
    ifNoneMatch: header(request, "if-none-match"),
  });
}

/** Every fault becomes the specification's error; a bug is told to the observer and not to the client. */
function faultAnswer({ observe }: Pick<CatalogContext, "observe">, endpoint: string, fault: unknown): RestError {
  const known = restErrorOf(fault);
  if (known !== null && known.status < 500) return known;
  const status = (fault as { readonly statusCode?: number } | null)?.statusCode;
  const message = fault instanceof Error ? fault.message : String(fault);
  // What Fastify itself refuses: a body that is too large, or no JSON.
  if (known === null && status !== undefined && status >= 400 && status < 500) return new RestError(status, "BadRequestException", message);
  observe({ type: "catalog.failed", endpoint, message: fault instanceof Error ? (fault.stack ?? message) : message });
  return known ?? new RestError(500, "InternalServerError", "Internal server error");
}

async function send(reply: FastifyReply, { status, body, etag }: CatalogAnswer): Promise<void> {
  reply.code(status);
  if (etag !== undefined && etag !== null) reply.header("etag", etag);
  if (body !== null) reply.header("content-type", "application/json");
  await reply.send(body ?? undefined);
}

function serve(server: FastifyInstance, { context, gate }: CatalogServerOptions, endpoint: Endpoint): void {
  const name = `${endpoint.method} ${endpoint.path}`;
  const url = endpoint.path.replace("/{prefix}", "").replaceAll(/\{(\w+)\}/g, ":$1");
  server.route({
    method: endpoint.method,
    url,
    handler: async (request, reply) => {
      const began = performance.now();
      let given: CatalogAnswer;
      try {
        given = await answer(gate, endpoint, request);
      } catch (fault) {
        const error = faultAnswer(context, name, fault);
        given = { status: error.status, body: endpoint.method === "HEAD" ? null : errorBody(error) };
      }
      context.observe({ type: "catalog.answered", endpoint: name, status: given.status, tookMs: performance.now() - began });
      await send(reply, given);
      return reply;
    },
  });
}

/** Configuration and tokens: what clients ask for before anything else. */
function serveEntry(server: FastifyInstance, { gate }: CatalogServerOptions, endpoints: readonly Endpoint[]): void {
  const config = JSON.stringify({
    defaults: {},
    overrides: {},
    endpoints: endpoints.map(({ method, path }) => `${method} ${path}`),
  });
  server.get(configPath, async (_request, reply) => {
    await send(reply, { status: 200, body: config });
    return reply;
  });
  server.post(tokenPath, { bodyLimit: formBytesMax }, async (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const { status, body } = gate.exchange(form, request.headers.authorization);
    reply.header("cache-control", "no-store");
    await send(reply, { status, body: JSON.stringify(body) });
    return reply;
  });
}

function parseBody(text: string): unknown {
  try {
    return text === "" ? {} : parseLosslessJson(text);
  } catch (fault) {
    throw badRequest(`the body is no JSON: ${(fault as Error).message}`);
  }
}

/**
 * Serves the Iceberg REST catalog over a lake's own catalog (specification: apache/iceberg, open-api/rest-catalog-open-api.yaml). Rejects with
 * CONFIG_INVALID where the port is taken.
 */
export async function startCatalogServer(options: CatalogServerOptions): Promise<CatalogServer> {
  const { host, port, context } = options;
  const server = fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    requestTimeout: requestMsMax,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: parameterBytesMax },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, text, done) => {
    done(null, new URLSearchParams(String(text)));
  });
  // Some clients send JSON without saying so.
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, text, done) => {
    try {
      done(null, parseBody(String(text)));
    } catch (fault) {
      done(fault as Error);
    }
  });
  // Who asks is settled before anything that they send is read.
  server.addHook("onRequest", async (request) => {
    if (request.is404) throw new RestError(404, "NoSuchEndpointException", `No route for request: ${request.method} ${request.url}`);
    if (request.routeOptions.url !== tokenPath) options.gate.principal(request.headers.authorization);
  });
  server.setErrorHandler(async (fault, request, reply) => {
    const error = faultAnswer(context, `${request.method} ${request.routeOptions.url ?? ""}`, fault);
    await send(reply, { status: error.status, body: errorBody(error) });
  });
  const endpoints = catalogEndpoints({ ...context, turns: new CommitTurns() });
  serveEntry(server, options, endpoints);
  for (const endpoint of endpoints) serve(server, options, endpoint);
  if (options.lineage !== null) {
    const faultOf = (endpoint: string, fault: unknown): RestError => faultAnswer(context, endpoint, fault);
    serveLineage(server, { gate: options.gate, intake: options.lineage, faultOf });
  }
  try {
    return { url: await server.listen({ host, port }), close: () => server.close() };
  } catch (cause) {
    await server.close();
    throw new SluiceError("CONFIG_INVALID", `the catalog can't listen on ${host}:${port}: ${(cause as Error).message}`, { cause });
  }
}
