import { type Connection, fetchV13, type Reader } from "@platformatic/kafka";
import type { BrokerConnections, BrokerAddress } from "./broker-connections.ts";
import type { IsolationLevel } from "./cluster.ts";
import type { FetchMemory } from "./fetch-memory.ts";
import { type FetchResponse, parseFetchResponse } from "./fetch-response.ts";

export interface FetchTarget {
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly offset: bigint;
  readonly bytesMax: number;
}

export interface FetchRequest {
  readonly targets: readonly FetchTarget[];
  readonly waitMs: number;
  /** Brokers keep to it, but for a first batch that is larger. */
  readonly bytesMax: number;
  /** A longer answer is refused before it is read. */
  readonly answerBytesMax: number;
  readonly isolation: IsolationLevel;
  /** Where what is answered stands. */
  readonly memory: FetchMemory;
}

/** A broker wants to send more than was allowed: a first batch larger than the request. */
export class AnswerTooLarge extends Error {
  readonly bytes: number;
  constructor(bytes: number) {
    super(`the broker answers with ${bytes} bytes`);
    this.name = "AnswerTooLarge";
    this.bytes = bytes;
  }
}

/** Watches the length that every answer begins with, ahead of the package's own reader, which would gather any number of bytes. */
interface Gauge {
  limit: number;
  head: number;
  seen: number;
  tooLarge: number | null;
}

const gauges = new WeakMap<Connection, Gauge>();

function gaugeOf(connection: Connection): Gauge {
  let gauge = gauges.get(connection);
  if (gauge === undefined) {
    const made: Gauge = { limit: 0, head: 0, seen: 4, tooLarge: null };
    gauge = made;
    gauges.set(connection, made);
    connection.socket.prependListener("data", (chunk: Buffer) => {
      for (let i = 0; made.seen < 4 && i < chunk.length; i++) {
        made.head = made.head * 256 + (chunk[i] as number);
        if (++made.seen === 4 && made.head > made.limit) {
          made.tooLarge = made.head;
          connection.socket.destroy();
        }
      }
    });
  }
  return gauge;
}

/** One fetch, one at a time a broker. Rejects with AnswerTooLarge, or what the connection says. */
export async function fetchOnce(connections: BrokerConnections, address: BrokerAddress, request: FetchRequest): Promise<FetchResponse> {
  const connection = await connections.get(address, "fetch", request.waitMs + 20_000);
  const gauge = gaugeOf(connection);
  gauge.limit = request.answerBytesMax;
  gauge.head = gauge.seen = 0;
  gauge.tooLarge = null;
  try {
    return await new Promise((resolve, reject) => {
      const done = (error: Error | null, response?: FetchResponse): void =>
        error === null ? resolve(response as FetchResponse) : reject(error);
      const parse = (_correlation: number, _key: number, _version: number, reader: Reader): FetchResponse =>
        parseFetchResponse(reader, request.memory);
      connection.send(fetchV13.api.key, fetchV13.api.version, () => encode(request), parse, true, true, done);
    });
  } catch (error) {
    throw gauge.tooLarge === null ? error : new AnswerTooLarge(gauge.tooLarge);
  }
}

function encode({ targets, waitMs, bytesMax, isolation }: FetchRequest): ReturnType<typeof fetchV13.createRequest> {
  const topics = new Map<string, Parameters<typeof fetchV13.createRequest>[6][number]["partitions"]>();
  for (const { topicId, partition, leaderEpoch, offset, bytesMax: partitionMaxBytes } of targets) {
    const list = topics.get(topicId) ?? [];
    list.push({ partition, currentLeaderEpoch: leaderEpoch, fetchOffset: offset, lastFetchedEpoch: -1, partitionMaxBytes });
    topics.set(topicId, list);
  }
  const request = [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
  return fetchV13.createRequest(waitMs, 1, bytesMax, isolation, 0, -1, request, [], "");
}
