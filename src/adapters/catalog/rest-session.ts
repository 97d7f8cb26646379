import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import type { TlsOptions } from "../../core/tls.ts";
import { writeLosslessJson } from "../iceberg/lossless-json.ts";
import { NoReply } from "../http-client/http-connections.ts";
import { RestHttp } from "./rest-http.ts";
import type { RestReply } from "./rest-http.ts";

/** How a REST catalog lets us in. */
export type RestAuth =
  | { readonly kind: "bearer"; readonly token: string }
  /** OAuth2's client credentials (RFC 6749, 4.4); `tokenUri` null: the catalog's own endpoint. */
  | { readonly kind: "client"; readonly id: string; readonly secret: string; readonly scope: string; readonly tokenUri: string | null };

export interface RestOptions {
  /** What stands before `/v1` in the specification's paths. */
  readonly uri: string;
  /** Which of the server's warehouses; null where it has one. */
  readonly warehouse: string | null;
  readonly auth: RestAuth | null;
  readonly tls: TlsOptions | null;
  /** The whole answer must have come by then. */
  readonly timeoutMs: number;
  /** A number in [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** How long a request is repeated that fails for the moment. */
  readonly patienceMs: number;
}

export interface Ask {
  readonly method: "GET" | "HEAD" | "POST";
  /** Below `/v1/`, percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Whether asking twice does no more than asking once. */
  readonly repeatable: boolean;
}

const pauseMsMax = 5000;
/** A token is renewed this long before it ends, or at half its life. */
const renewBeforeMs = 60_000;

interface Token {
  readonly text: string;
  /** By the monotonic clock; Infinity where the server does not say. */
  readonly renewAtMs: number;
}

/** Requests to one REST catalog: with a token that is kept fresh, repeated while that may help. */
export class RestSession {
  readonly #options: RestOptions;
  readonly #http: RestHttp;
  readonly #base: string;
  #token: Promise<Token> | null = null;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#http = new RestHttp(options);
    this.#base = `${options.uri.replace(/\/+$/, "").replace(/\/v1$/, "")}/v1/`;
  }

  /** For messages: the address without anything secret. */
  get name(): string {
    return this.#base.replace(/\/v1\/$/, "");
  }

  close(): void {
    this.#http.close();
  }

  /**
   * Sends a request until there is an answer that counts: what is throttled is repeated, and so is what failed or was not answered, if that does no
   * harm. Answers any status from 200 to 499 but 401, 403, 419 and 429. Rejects with CATALOG_REFUSED; with CATALOG_FAILED where the server was away
   * or failed; with COMMIT_UNKNOWN where an unrepeatable request may have been carried out.
   */
  async ask(request: Ask): Promise<RestReply> {
    const until = performance.now() + this.#options.patienceMs;
    let renewed = false;
    for (let attempt = 0; ; attempt++) {
      let reply: RestReply | null = null;
      let fault: SluiceError;
      try {
        reply = await this.#send(request);
        if ((reply.status === 401 || reply.status === 419) && !renewed && this.#options.auth?.kind === "client") {
          renewed = true;
          this.#token = null;
          continue;
        }
        if (reply.status < 500 && ![401, 403, 419, 429].includes(reply.status)) return reply;
        if (reply.status < 429) throw this.refused(reply, request);
        fault = this.#failed(reply, request);
      } catch (cause) {
        if (!(cause instanceof NoReply)) throw cause;
        fault = this.#unanswered(cause, request);
      }
      if (fault.code === "COMMIT_UNKNOWN" || performance.now() >= until) throw fault;
      const pause = this.#options.random() * Math.min(50 * 2 ** attempt, pauseMsMax);
      await sleep(Math.max(pause, Math.min(reply?.retryAfterMs ?? 0, until - performance.now())));
    }
  }

  /** The typed error of an answer that says no. */
  refused(reply: RestReply, request: Ask): SluiceError {
    const message = `catalog ${this.name}: ${request.method} ${request.path}: HTTP ${reply.status} ${messageOf(reply)}`;
    return new SluiceError("CATALOG_REFUSED", message, { details: { status: reply.status } });
  }

  #failed(reply: RestReply, request: Ask): SluiceError {
    const message = `catalog ${this.name}: ${request.method} ${request.path}: HTTP ${reply.status} ${messageOf(reply)}`;
    const failed = new SluiceError("CATALOG_FAILED", message, { details: { status: reply.status } });
    // A server that fails may have done the work before.
    return request.repeatable || reply.status === 429 ? failed : new SluiceError("COMMIT_UNKNOWN", message, { cause: failed });
  }

  #unanswered(cause: NoReply, request: Ask): SluiceError {
    const message = `catalog ${this.name}: ${request.method} ${request.path}: ${cause.message}`;
    const failed = new SluiceError("CATALOG_FAILED", message, { cause });
    return request.repeatable || !cause.reached ? failed : new SluiceError("COMMIT_UNKNOWN", message, { cause: failed });
  }

  async #send({ method, path, query = {}, headers = {}, body }: Ask): Promise<RestReply> {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const token = await this.#authorization();
    const text = body === undefined ? null : writeLosslessJson(body);
    return this.#http.send({
      method,
      url,
      body: text,
      headers: {
        accept: "application/json",
        "user-agent": "sluice",
        ...(text !== null && { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }),
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
  }

  async #authorization(): Promise<string | null> {
    const { auth } = this.#options;
    if (auth === null) return null;
    if (auth.kind === "bearer") return auth.token;
    const known = await this.#token?.catch(() => null);
    if (known !== null && known !== undefined && performance.now() < known.renewAtMs) return known.text;
    if (known !== undefined || this.#token === null) this.#token = this.#login(auth);
    return (await this.#token).text;
  }

  async #login(auth: Extract<RestAuth, { kind: "client" }>): Promise<Token> {
    const form = { grant_type: "client_credentials", client_id: auth.id, client_secret: auth.secret, scope: auth.scope };
    const body = new URLSearchParams(form).toString();
    const url = new URL(auth.tokenUri ?? `${this.#base}oauth/tokens`);
    const headers = {
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
      "content-length": String(body.length),
    };
    let reply: RestReply;
    try {
      reply = await this.#http.send({ method: "POST", url, headers, body });
    } catch (cause) {
      // Whatever became of it, nothing but a token was asked for.
      throw cause instanceof NoReply ? new NoReply(`${url.origin}${url.pathname}: ${cause.message}`, false, cause) : cause;
    }
    const { access_token: text, expires_in: seconds } = (reply.body ?? {}) as {
      readonly access_token?: unknown;
      readonly expires_in?: unknown;
    };
    if (reply.status >= 500) throw new NoReply(`${url.origin}${url.pathname}: HTTP ${reply.status}`, false, null);
    if (reply.status !== 200 || typeof text !== "string") {
      const message = `catalog ${this.name}: ${url.origin}${url.pathname} gave no token: HTTP ${reply.status} ${messageOf(reply)}`;
      throw new SluiceError("CATALOG_REFUSED", message, { details: { status: reply.status } });
    }
    const lifeMs = typeof seconds === "number" ? seconds * 1000 : Infinity;
    return { text, renewAtMs: performance.now() + Math.max(lifeMs - renewBeforeMs, lifeMs / 2) };
  }
}

/** What the server says is wrong (specification, `ErrorModel`; RFC 6749 for tokens), cut short. */
export function messageOf(reply: RestReply): string {
  const { error, error_description: description } = (reply.body ?? {}) as {
    readonly error?: unknown;
    readonly error_description?: unknown;
  };
  if (typeof error === "object" && error !== null) {
    const { type, message } = error as { readonly type?: unknown; readonly message?: unknown };
    return `${textOf(type)}: ${textOf(message)}`.slice(0, 500);
  }
  return `${textOf(error)} ${textOf(description)}`.trim().slice(0, 500);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
