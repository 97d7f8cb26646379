import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { TlsOptions } from "../../core/tls.ts";

export interface HttpConnectionsOptions {
  readonly tls: TlsOptions | null;
  /** The whole answer must have come by then. */
  readonly timeoutMs: number;
  readonly connectionsMax: number;
  /** A larger answer is a mistake, and is not read to its end. */
  readonly replyBytesMax: number;
  /** Whether of a larger answer the beginning counts. */
  readonly cutsReplies?: boolean;
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What a server answered, whole. */
export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** No whole answer came; `reached` says whether the server may have seen the request. */
export class NoReply extends Error {
  readonly reached: boolean;

  constructor(message: string, reached: boolean, cause: unknown) {
    super(message, { cause });
    this.reached = reached;
  }
}

/** Faults before any byte was sent. */
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** Connections to one server, kept open; with the authorities and the client certificate of TLS settings, which `fetch` does not take. */
export class HttpConnections {
  readonly #options: HttpConnectionsOptions;
  readonly #plain: HttpAgent;
  readonly #secure: HttpsAgent;
  readonly #underWay = new Set<ClientRequest>();

  constructor(options: HttpConnectionsOptions) {
    const { tls, connectionsMax: maxSockets } = options;
    const { serverName, ...pem } = tls ?? {};
    this.#options = options;
    this.#plain = new HttpAgent({ keepAlive: true, maxSockets });
    this.#secure = new HttpsAgent({ keepAlive: true, maxSockets, ...pem, ...(serverName !== undefined && { servername: serverName }) });
  }

  /** Rejects with NoReply where no whole answer came within the time, or before the connections were closed. */
  async send(request: HttpRequest): Promise<HttpReply> {
    const { timeoutMs, replyBytesMax, cutsReplies = false } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await this.#open(request, signal);
      const text = await readText(response, replyBytesMax, cutsReplies);
      return { status: response.statusCode ?? 0, headers: response.headers, text };
    } catch (cause) {
      const { code, reason } = describe(cause);
      throw new NoReply(signal.aborted ? `no answer within ${timeoutMs} ms` : reason, !neverSent.has(code), cause);
    }
  }

  /** Ends what is under way. */
  close(): void {
    for (const sent of this.#underWay) sent.destroy(new Error("the connections were closed"));
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #open({ method, url, headers, body }: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent: ClientRequest =
        url.protocol === "https:"
          ? httpsRequest(url, { method, headers, signal, agent: this.#secure }, resolve)
          : httpRequest(url, { method, headers, signal, agent: this.#plain }, resolve);
      this.#underWay.add(sent);
      sent.on("error", reject);
      sent.on("close", () => this.#underWay.delete(sent));
      sent.end(body ?? undefined);
    });
  }
}

/** Of a failed connection to several addresses, the first's reason. */
function describe(cause: unknown): { readonly code: string; readonly reason: string } {
  const first = (cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause) as {
    readonly code?: string;
    readonly message?: string;
  };
  const code = (cause as { readonly code?: string }).code ?? first.code ?? "";
  return { code, reason: first.message === undefined || first.message === "" ? code : first.message };
}

async function readText(response: IncomingMessage, bytesMax: number, isCut: boolean): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bytesMax) {
      response.destroy();
      if (isCut)
        return Buffer.concat([...chunks, chunk])
          .subarray(0, bytesMax)
          .toString("utf8");
      throw new Error(`its answer is larger than ${bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  // A connection that ends inside of an answer.
  if (!response.complete) throw new Error("its answer was cut off");
  return Buffer.concat(chunks).toString("utf8");
}
