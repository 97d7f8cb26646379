import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { TlsOptions } from "../../core/tls.ts";
import { parseLosslessJson } from "../iceberg/lossless-json.ts";

export interface RestRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What a server answered: ids in its JSON are not rounded; undefined where the body was no JSON. */
export interface RestReply {
  readonly status: number;
  readonly etag: string | null;
  readonly retryAfterMs: number | null;
  readonly body: unknown;
}

/** No whole answer came; `reached` says whether the server may have seen the request. */
export class NoReply extends Error {
  readonly reached: boolean;

  constructor(message: string, reached: boolean, cause: unknown) {
    super(message, { cause });
    this.reached = reached;
  }
}

/** Metadata of a table with many snapshots is megabytes; beyond this it is a mistake. */
const replyBytesMax = 256 * 1024 * 1024;
const connectionsMax = 8;
/** Faults before any byte was sent. */
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** Connections to one server, kept open. */
export class RestHttp {
  readonly #plain = new HttpAgent({ keepAlive: true, maxSockets: connectionsMax });
  readonly #secure: HttpsAgent;
  readonly #timeoutMs: number;

  constructor(options: { readonly tls: TlsOptions | null; readonly timeoutMs: number }) {
    const { tls, timeoutMs } = options;
    const { serverName, ...pem } = tls ?? {};
    this.#secure = new HttpsAgent({
      keepAlive: true,
      maxSockets: connectionsMax,
      ...pem,
      ...(serverName !== undefined && { servername: serverName }),
    });
    this.#timeoutMs = timeoutMs;
  }

  /** Rejects with NoReply where no whole answer came within the time. */
  async send(request: RestRequest): Promise<RestReply> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const response = await this.#open(request, signal);
      const text = await readText(response);
      const retryAfter = Number(response.headers["retry-after"]);
      return {
        status: response.statusCode ?? 0,
        etag: response.headers.etag ?? null,
        retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1000 : null,
        body: parse(text),
      };
    } catch (cause) {
      const code = (cause as { readonly code?: string }).code ?? "";
      const why = signal.aborted ? `no answer within ${this.#timeoutMs} ms` : (cause as Error).message || code;
      throw new NoReply(why, !neverSent.has(code), cause);
    }
  }

  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #open({ method, url, headers, body }: RestRequest, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent: ClientRequest =
        url.protocol === "https:"
          ? httpsRequest(url, { method, headers, signal, agent: this.#secure }, resolve)
          : httpRequest(url, { method, headers, signal, agent: this.#plain }, resolve);
      sent.on("error", reject);
      sent.end(body ?? undefined);
    });
  }
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
  // A connection that ends inside of an answer.
  if (!response.complete) throw new Error("its answer was cut off");
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return parseLosslessJson(text);
  } catch {
    return undefined;
  }
}
