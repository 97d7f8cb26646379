import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";

const transactions = "/transactions/commit";

/** A REST catalog as it would be without transactions. */
export interface OneTableCatalog {
  readonly uri: string;
  /** How many transactions it was asked for. */
  readonly asked: () => number;
  readonly close: () => Promise<void>;
}

/**
 * A REST catalog whose endpoint for transactions is switched off: everything else goes through to the server behind it. `says`: whether its list of
 * endpoints tells, or is left out, as older servers have it.
 */
export async function oneTableAtATime(uri: string, says: "endpoints" | "nothing" = "endpoints"): Promise<OneTableCatalog> {
  let asked = 0;
  const server = createServer((incoming, reply) => {
    const path = incoming.url ?? "/";
    if (path.endsWith(transactions)) {
      asked++;
      const error = { message: "no such endpoint", type: "UnsupportedOperationException", code: 404 };
      incoming.resume().on("end", () => {
        reply.writeHead(404, { "content-type": "application/json" });
        reply.end(JSON.stringify({ error }));
      });
      return;
    }
    const { host: _host, ...headers } = incoming.headers;
    const onward = httpRequest(new URL(path, uri), { method: incoming.method, headers }, (answer) => {
      const isConfig = path.split("?")[0]?.endsWith("/v1/config") === true && answer.statusCode === 200;
      if (!isConfig) {
        reply.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(reply);
        return;
      }
      void answer.toArray().then((chunks: Buffer[]) => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as { endpoints?: string[] };
        const { endpoints = [], ...rest } = body;
        const left = endpoints.filter((each) => !each.endsWith(transactions));
        reply.writeHead(200, { "content-type": "application/json" });
        reply.end(JSON.stringify(says === "nothing" ? rest : { ...rest, endpoints: left }));
      });
    });
    onward.on("error", () => reply.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
