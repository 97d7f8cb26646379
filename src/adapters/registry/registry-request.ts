import { SluiceError } from "../../core/errors.ts";
import type { TlsOptions } from "../../core/tls.ts";
import { HttpConnections, NoReply } from "../http-client/http-connections.ts";

/** Where a schema registry is, and how to be let in. */
export interface RegistryAddress {
  /** Base URL, such as `https://registry:8081` or `http://host:8080/apis/ccompat/v7`. */
  readonly url: string;
  readonly auth:
    | { readonly kind: "basic"; readonly username: string; readonly password: string }
    | { readonly kind: "bearer"; readonly token: string }
    | null;
  readonly tls: TlsOptions | null;
  /** The whole answer must have come by then. */
  readonly timeoutMs: number;
}

/** What a registry answered: a status, and its JSON (undefined where it was none). */
export interface RegistryReply {
  readonly status: number;
  readonly body: unknown;
}

/** Answers are schemas: one that is larger is none. */
const replyBytesMax = 16 << 20;
const connectionsMax = 4;

/** GETs of one registry over connections that are kept. */
export class RegistryRequests {
  readonly #address: RegistryAddress;
  readonly #base: URL;
  readonly #connections: HttpConnections;

  constructor(address: RegistryAddress) {
    this.#address = address;
    this.#base = new URL(address.url.endsWith("/") ? address.url : `${address.url}/`);
    this.#connections = new HttpConnections({ tls: address.tls, timeoutMs: address.timeoutMs, connectionsMax, replyBytesMax });
  }

  /** For messages: the address without credentials. */
  get name(): string {
    return this.#base.origin + this.#base.pathname.replace(/\/$/, "");
  }

  /** Rejects with REGISTRY_UNAVAILABLE where no whole answer came. */
  async get(path: string): Promise<RegistryReply> {
    const { auth } = this.#address;
    const headers = {
      accept: "application/vnd.schemaregistry.v1+json, application/json",
      ...(auth !== null && { authorization: authorization(auth) }),
    };
    try {
      const { status, text } = await this.#connections.send({ method: "GET", url: new URL(path, this.#base), headers, body: null });
      return { status, body: parse(text) };
    } catch (cause) {
      if (!(cause instanceof NoReply)) throw cause;
      throw new SluiceError("REGISTRY_UNAVAILABLE", `the schema registry at ${this.name} can't be asked: ${cause.message}`, { cause });
    }
  }

  close(): void {
    this.#connections.close();
  }
}

function authorization(auth: NonNullable<RegistryAddress["auth"]>): string {
  return auth.kind === "bearer" ? `Bearer ${auth.token}` : `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
