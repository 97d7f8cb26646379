import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { SluiceError } from "../../core/errors.ts";
import type { TlsOptions } from "../../core/tls.ts";

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
  readonly #agent: HttpAgent;

  constructor(address: RegistryAddress) {
    this.#address = address;
    this.#base = new URL(address.url.endsWith("/") ? address.url : `${address.url}/`);
    const keep = { keepAlive: true, maxSockets: connectionsMax };
    const { tls } = address;
    this.#agent =
      this.#base.protocol !== "https:"
        ? new HttpAgent(keep)
        : new HttpsAgent({
            ...keep,
            ...(tls !== null && {
              ca: tls.ca,
              cert: tls.cert,
              key: tls.key,
              servername: tls.serverName,
              rejectUnauthorized: tls.rejectUnauthorized,
            }),
          });
  }

  /** For messages: the address without credentials. */
  get name(): string {
    return this.#base.origin + this.#base.pathname.replace(/\/$/, "");
  }

  /** Rejects with REGISTRY_UNAVAILABLE where no whole answer came. */
  async get(path: string): Promise<RegistryReply> {
    const signal = AbortSignal.timeout(this.#address.timeoutMs);
    try {
      const response = await this.#send(path, signal);
      const text = await readText(response);
      return { status: response.statusCode ?? 0, body: parse(text) };
    } catch (cause) {
      const why = signal.aborted ? `no answer within ${this.#address.timeoutMs} ms` : reasonOf(cause);
      throw new SluiceError("REGISTRY_UNAVAILABLE", `the schema registry at ${this.name} can't be asked: ${why}`, { cause });
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(path, this.#base);
    const { auth } = this.#address;
    const headers = {
      accept: "application/vnd.schemaregistry.v1+json, application/json",
      ...(auth !== null && { authorization: authorization(auth) }),
    };
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, headers, signal };
      const sent: ClientRequest = url.protocol === "https:" ? httpsRequest(url, options, resolve) : httpRequest(url, options, resolve);
      sent.on("error", reject);
      sent.end();
    });
  }
}

function authorization(auth: NonNullable<RegistryAddress["auth"]>): string {
  return auth.kind === "bearer" ? `Bearer ${auth.token}` : `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > replyBytesMax) {
      response.destroy();
      throw new Error(`its answer is larger than ${replyBytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Of a failed connection to several addresses, the first's reason. */
function reasonOf(cause: unknown): string {
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  return first instanceof Error ? first.message : String(first);
}
