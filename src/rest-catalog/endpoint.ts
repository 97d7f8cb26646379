import type { AccessScope } from "../core/access-scope.ts";
import type { Reader } from "./reads.ts";

/** A request, as far as handlers are concerned. */
export interface CatalogRequest {
  readonly reader: Reader;
  /** Dotted; empty where the path has none. */
  readonly namespace: string;
  /** A table's or view's; empty where the path has none. */
  readonly table: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** The ETags that the client has an answer of. */
  readonly ifNoneMatch: string | null;
}

/** An answer: JSON text, or nothing (204, 304). */
export interface CatalogAnswer {
  readonly status: number;
  readonly body: string | null;
  readonly etag?: string | null;
}

/** One endpoint of the specification. */
export interface Endpoint {
  readonly method: "GET" | "POST" | "DELETE" | "HEAD";
  /** As the specification writes it, and as `endpoints` of the configuration names it. */
  readonly path: string;
  /** What a token must be allowed, in the path's namespace. */
  readonly scope: AccessScope;
  readonly summary: string;
  run(request: CatalogRequest): Promise<CatalogAnswer>;
}

/** The answer without a body. */
export const nothing: CatalogAnswer = { status: 204, body: null };

/** An answer as JSON. */
export function ok(value: unknown): CatalogAnswer {
  return { status: 200, body: JSON.stringify(value) };
}

/** Whether a client says that it has an answer already (`If-None-Match`). */
export function isHeld(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  const tags = ifNoneMatch.split(",").map((each) => each.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

/** Paths of namespaces, as the specification writes them. */
export const namespacesPath = "/v1/{prefix}/namespaces";
/** The path of one namespace. */
export const namespacePath = `${namespacesPath}/{namespace}`;
