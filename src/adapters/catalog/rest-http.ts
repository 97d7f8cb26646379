import type { TlsOptions } from "../../core/tls.ts";
import type { HttpRequest } from "../http-client/http-connections.ts";
import { HttpConnections } from "../http-client/http-connections.ts";
import { parseLosslessJson } from "../iceberg/lossless-json.ts";

/** What a server answered: ids in its JSON are not rounded; undefined where the body was no JSON. */
export interface RestReply {
  readonly status: number;
  readonly etag: string | null;
  readonly retryAfterMs: number | null;
  readonly body: unknown;
}

/** Metadata of a table with many snapshots is megabytes; beyond this it is a mistake. */
const replyBytesMax = 256 * 1024 * 1024;
const connectionsMax = 8;

/** Connections to one REST catalog, kept open. */
export class RestHttp {
  readonly #connections: HttpConnections;

  constructor({ tls, timeoutMs }: { readonly tls: TlsOptions | null; readonly timeoutMs: number }) {
    this.#connections = new HttpConnections({ tls, timeoutMs, connectionsMax, replyBytesMax });
  }

  /** Rejects with NoReply where no whole answer came within the time. */
  async send(request: HttpRequest): Promise<RestReply> {
    const { status, headers, text } = await this.#connections.send(request);
    const retryAfter = Number(headers["retry-after"]);
    return {
      status,
      etag: headers.etag ?? null,
      retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1000 : null,
      body: parse(text),
    };
  }

  close(): void {
    this.#connections.close();
  }
}

function parse(text: string): unknown {
  try {
    return parseLosslessJson(text);
  } catch {
    return undefined;
  }
}
