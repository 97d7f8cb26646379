import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";

/**
 * Below the ports that systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere): a broker that is down for a while must find its
 * port free again, and a client that tries it meanwhile could otherwise be given that very port and answer itself.
 */
const lowestPort = 15_000;
const highestPort = 32_000;

/** Distinct ports of 127.0.0.1 that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  try {
    while (servers.length < count) {
      const server = await listen(randomInt(lowestPort, highestPort));
      if (server !== null) servers.push(server);
    }
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** Null where the port is taken. */
function listen(port: number): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

/** Whether something on this port of 127.0.0.1 answers bytes within 2 s: to an ApiVersions request (version 0), or, where TLS is spoken, to its refusal. */
export function answersApiVersions(port: number): Promise<boolean> {
  // Length 10, api key 18, version 0, correlation id 1, client id null.
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(2_000, () => finish(false));
    socket.once("data", () => finish(true));
    socket.once("error", () => finish(false));
    socket.once("close", () => finish(false));
  });
}
