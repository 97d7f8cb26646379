import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** A TCP proxy by which a server on this machine answers as much later as `delayMs` says. */
export interface SlowProxy {
  readonly port: number;
  /** Told to what comes from then on, while nothing is under way. */
  delayMs: number;
  readonly close: () => Promise<void>;
}

export async function slowProxy(target: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    }
    upstream.pipe(client);
    client.on("data", (bytes) => {
      if (proxy.delayMs === 0) upstream.write(bytes);
      else setTimeout(() => upstream.write(bytes), proxy.delayMs);
    });
    client.on("close", () => upstream.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: SlowProxy = {
    port: (server.address() as AddressInfo).port,
    delayMs: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return proxy;
}
