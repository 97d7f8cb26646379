import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";

/**
 * What happens to the next COMMIT on its way: it is lost with its connection; it is carried out and its reply is lost with the connection; the
 * client's connection ends and the server hears of it later; or the reply is lost and the server can't be reached any more.
 */
export type CommitFault = "lost-request" | "lost-reply" | "late-request" | "lost-server";

export interface PostgresProxy {
  readonly port: number;
  readonly fail: (fault: CommitFault) => void;
  /** From now on connections stand, and the client hears nothing on them. */
  readonly silence: () => void;
  /** Lets connections through again. */
  readonly heal: () => void;
  readonly close: () => Promise<void>;
}

/** A TCP proxy in front of PostgreSQL that strikes at a COMMIT. */
export async function postgresProxy(target: number): Promise<PostgresProxy> {
  let armed: CommitFault | null = null;
  let away = false;
  let mute = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    }
    if (away) client.destroy();
    let silent = false;
    upstream.on("data", (bytes) => {
      if (silent) client.destroy();
      else if (!mute) client.write(bytes);
    });
    upstream.on("close", () => client.destroy());
    client.on("close", () => {
      if (!silent) upstream.end();
    });
    client.on("data", (bytes) => {
      const fault = bytes.includes("COMMIT\0") ? armed : null;
      if (fault === null) {
        upstream.write(bytes);
        return;
      }
      armed = null;
      if (fault === "lost-request") {
        upstream.destroy();
        client.destroy();
        return;
      }
      silent = true;
      away = fault === "lost-server";
      if (fault === "late-request") {
        client.destroy();
        setTimeout(() => upstream.write(bytes, () => upstream.end()), 400);
      } else upstream.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    fail: (fault) => (armed = fault),
    silence: () => (mute = true),
    heal: () => (away = mute = false),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
