import { Connection } from "@platformatic/kafka";
import { connectionOptions, type KafkaConnection } from "./connection.ts";

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** Connections to brokers, one per broker and purpose: a broker answers one request a connection at a time, so a long poll must not hold up a heartbeat. */
export class BrokerConnections {
  readonly #connection: KafkaConnection;
  readonly #open = new Map<string, Promise<Connection>>();
  #closed = false;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
  }

  /** A connected one, opened if need be. Rejects if the broker can't be reached or refuses us. */
  get(address: BrokerAddress, purpose: string, requestTimeoutMs = 15_000): Promise<Connection> {
    if (this.#closed) return Promise.reject(new Error("the source is closed"));
    const id = `${purpose} ${address.host}:${address.port}`;
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const opening = this.#connect(address, requestTimeoutMs, () => {
      if (this.#open.get(id) === opening) this.#open.delete(id);
    });
    this.#open.set(id, opening);
    return opening;
  }

  async #connect(address: BrokerAddress, requestTimeout: number, gone: () => void): Promise<Connection> {
    const { clientId, bootstrapBrokers: _, ...transport } = connectionOptions(this.#connection);
    const connection = new Connection(clientId, { ...transport, requestTimeout, connectTimeout: 5000 });
    connection.on("error", gone);
    connection.on("close", gone);
    connection.on("closing", gone);
    try {
      await connection.connect(address.host, address.port);
    } catch (error) {
      gone();
      void connection.close().catch(() => undefined);
      throw error;
    }
    if (this.#closed) void connection.close().catch(() => undefined);
    return connection;
  }

  /** A connection to whichever broker answers first: the given ones, then the configured ones. Rejects with the last fault. */
  async any(known: Iterable<BrokerAddress>): Promise<Connection> {
    let fault: unknown = new Error("no brokers are configured");
    for (const address of [...known, ...this.#connection.brokers.map(parseAddress)]) {
      try {
        return await this.get(address, "control");
      } catch (error) {
        fault = error;
      }
    }
    throw fault;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map((opening) => opening.then(destroy, () => undefined)));
  }
}

/** Ends a connection at once, requests under way and all. */
export async function destroy(connection: Connection): Promise<void> {
  connection.socket.destroy();
  await connection.close().catch(() => undefined);
}

function parseAddress(text: string): BrokerAddress {
  const at = text.lastIndexOf(":");
  if (at < 0) return { host: text, port: 9092 };
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(text.slice(at + 1)) };
}
