import type { IncomingHttpHeaders, RequestListener } from "node:http";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";

/** What a receiver does with one request. */
export type Answer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Takes the request, and resets the connection instead of answering. */
  | "reset"
  /** Takes the request, and never answers. */
  | "silence"
  /** Begins an answer that has no end. */
  | "endless";

export interface Taken {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

export interface AlertReceiver {
  readonly url: string;
  /** Every request that came whole, in order. */
  readonly taken: readonly Taken[];
  /** What the next requests get; after them 200. */
  readonly answers: Answer[];
  close(): Promise<void>;
}

/** A real HTTP server that takes notices, and misbehaves as it is told; by TLS where it is given a certificate. */
export async function alertReceiver(secure: ServerOptions | null = null): Promise<AlertReceiver> {
  const taken: Taken[] = [];
  const answers: Answer[] = [];
  const take: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      taken.push({ path: request.url ?? "", headers: request.headers, body, json: JSON.parse(body) as Record<string, unknown> });
      const answer = answers.shift() ?? { status: 200 };
      if (answer === "silence") return;
      if (answer === "reset") request.socket.resetAndDestroy();
      else if (answer === "endless") {
        response.writeHead(500);
        const more = (): void => void response.write("x".repeat(65_536), () => setImmediate(more));
        response.on("error", () => undefined);
        more();
      } else response.writeHead(answer.status, answer.headers).end(answer.body ?? "");
    });
  };
  const server = secure === null ? createServer(take) : createSecureServer(secure, take);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `${secure === null ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
