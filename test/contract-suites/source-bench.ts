import { afterAll, beforeAll, expect } from "vitest";
import type { KafkaConnection } from "../../src/adapters/kafka/connection.ts";
import type { Source } from "../../src/core/ports.ts";
import type { Codec } from "../live/harness/produce.ts";
import { sharedBroker } from "../live/harness/shared-broker.ts";
import { uniqueTopic } from "../live/harness/topics.ts";
import { Recorder, type RecorderOptions, until } from "./source-recorder.ts";

/** What a test asks of the source under test; the rest is the implementation's own default. */
export interface SourceUnderTest {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly isolation?: "read_committed" | "read_uncommitted";
  readonly bytesInFlightMax?: number;
  readonly recordBytesMax?: number;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly heartbeatIntervalMs?: number;
  readonly fetchWaitMs?: number;
  readonly metadataRefreshMs?: number;
}

/** What an implementation can't do by its nature is false here, and documented where users choose a client; everything else it must. */
export interface SourceCapabilities {
  readonly codecs: readonly Codec[];
  /** Leaves out aborted records in every case. */
  readonly readCommitted: boolean;
  /** Notices by its id a topic that was deleted and created again. */
  readonly topicIdentity: boolean;
  /** Checks CRC-32C. */
  readonly checksums: boolean;
  /** Bounds what is in flight, and hands a larger record out alone. */
  readonly bounded: boolean;
  /** Reads some partitions while others wait for a person. */
  readonly partialBlocks: boolean;
  /** Keeps what does not move in a rebalance, and awaits `revoked` before another member is given the rest. */
  readonly handOver: boolean;
  /** A module that runs `runWorker` with this source. */
  readonly workerModule: URL;
}

export type MakeSource = (options: SourceUnderTest) => Source;

/** Times that make tests quick; sessions are long enough for a process that gets a tenth of a processor. */
const quick = {
  sessionTimeoutMs: 20_000,
  rebalanceTimeoutMs: 30_000,
  heartbeatIntervalMs: 200,
  fetchWaitMs: 100,
  metadataRefreshMs: 500,
} as const;

export interface OpenSource {
  readonly source: Source;
  readonly recorder: Recorder;
  /** Waits for a state of the recorder; a failure tells what was seen. */
  readonly until: (done: (recorder: Recorder) => boolean, timeoutMs?: number) => Promise<void>;
}

/** What the tests of one suite share: the broker, and the sources they opened, closed at the end. */
export interface SourceBench {
  readonly bootstrap: () => string;
  readonly open: (topics: readonly string[], options?: Partial<SourceUnderTest>, recording?: RecorderOptions) => Promise<OpenSource>;
  /** Reads this many records of one topic and closes; nothing may be blocked or out of order. */
  readonly readAll: (topic: string, count: number, options?: Partial<SourceUnderTest>) => Promise<Recorder>;
}

/** Call inside a `describe`; `where` replaces the shared broker. */
export function sourceBench(make: MakeSource, where?: () => KafkaConnection): SourceBench {
  let bootstrap = "";
  const sources: Source[] = [];
  beforeAll(async () => {
    if (where === undefined) bootstrap = (await sharedBroker()).bootstrap;
  });
  afterAll(async () => {
    await Promise.all(sources.map((source) => source.close()));
  });
  const open: SourceBench["open"] = async (topics, options = {}, recording = {}) => {
    const connection = where?.() ?? { brokers: bootstrap.split(","), clientId: "source-contract" };
    const recorder = new Recorder(recording);
    const source = make({ ...quick, connection, groupId: uniqueTopic("group"), topics, ...options });
    recorder.source = source;
    sources.push(source);
    await source.start(recorder);
    return {
      source,
      recorder,
      until: (done, timeoutMs) =>
        until(
          () => done(recorder),
          () => recorder.story(),
          timeoutMs,
        ),
    };
  };
  const readAll: SourceBench["readAll"] = async (topic, count, options) => {
    const { source, recorder, until } = await open([topic], options);
    await until(() => recorder.count >= count || recorder.blocks.length > 0);
    await source.close();
    expect(recorder.violations).toEqual([]);
    expect(recorder.blocks).toEqual([]);
    expect(recorder.count).toBe(count);
    return recorder;
  };
  return { bootstrap: () => bootstrap, open, readAll };
}
