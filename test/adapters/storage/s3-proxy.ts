import { createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to one request on its way to the service. */
export type Toxic =
  | { readonly kind: "status"; readonly status: number; readonly code: string }
  /** The service does its work, and nobody hears of it. */
  | { readonly kind: "lost-reply" }
  /** The service does its work, and a proxy says that it is down. */
  | { readonly kind: "bad-gateway-after" }
  /** The connection ends inside the request's body. */
  | { readonly kind: "truncated-request" }
  /** The connection ends inside the answer's body. */
  | { readonly kind: "truncated-reply" }
  /** The service does not understand conditions. */
  | { readonly kind: "unconditional" }
  /** No answer ever comes. */
  | { readonly kind: "silence" };

export interface S3Proxy {
  readonly endpoint: string;
  /** Requests of a method whose URL matches meet these, one after another; the rest pass. */
  readonly poison: (method: string, url: RegExp, toxics: readonly Toxic[]) => void;
  /** Requests that came, as `METHOD path?query`. */
  readonly seen: string[];
  readonly close: () => Promise<void>;
}

/** An HTTP proxy in front of an S3 service, which does to requests what networks and overloaded services do. */
export async function s3Proxy(target: string): Promise<S3Proxy> {
  let rules: { readonly method: string; readonly url: RegExp; readonly toxics: Toxic[] }[] = [];
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    const rule = rules.find((each) => each.method === incoming.method && each.url.test(incoming.url ?? "") && each.toxics.length > 0);
    const toxic = rule?.toxics.shift() ?? null;
    void pass(new URL(target), incoming, outgoing, toxic);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    poison: (method, url, toxics) => {
      rules = [...rules.filter((each) => each.toxics.length > 0), { method, url, toxics: [...toxics] }];
    },
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function pass(target: URL, incoming: IncomingMessage, outgoing: ServerResponse, toxic: Toxic | null): Promise<void> {
  if (toxic?.kind === "truncated-request") {
    incoming.once("data", () => incoming.socket.destroy());
    return;
  }
  const body = await bodyOf(incoming);
  if (toxic?.kind === "status") {
    outgoing.writeHead(toxic.status, { "content-type": "application/xml" });
    outgoing.end(`<?xml version="1.0"?><Error><Code>${toxic.code}</Code><Message>poisoned</Message></Error>`);
    return;
  }
  if (toxic?.kind === "silence") return;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method, url, headers } = incoming;
    if (toxic?.kind === "unconditional") delete headers["if-none-match"];
    request({ host: target.hostname, port: target.port, method, path: url, headers }, resolve).on("error", reject).end(body);
  });
  const answered = await bodyOf(answer);
  if (toxic?.kind === "lost-reply") outgoing.socket?.destroy();
  else if (toxic?.kind === "bad-gateway-after") outgoing.writeHead(502).end("<html>Bad gateway</html>");
  else if (toxic?.kind === "truncated-reply") {
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    outgoing.write(answered.subarray(0, answered.length >> 1), () => outgoing.socket?.destroy());
  } else outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(answered);
}
