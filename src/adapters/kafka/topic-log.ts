import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey } from "../../core/position.ts";
import type { Records } from "../../core/records.ts";
import { unreachable } from "./broker-faults.ts";
import { AnswerTooLarge, fetchOnce } from "./fetch-channel.ts";
import type { Cluster, IsolationLevel } from "./cluster.ts";
import { identityChanged } from "./cluster.ts";
import { FetchMemory } from "./fetch-memory.ts";
import type { FetchedPartition } from "./fetch-response.ts";
import { RunDecoder } from "./run-decoder.ts";

const fetchBytes = 4 << 20;
/** The largest batch that is read; brokers take 1 MiB unless they were told otherwise. */
const batchBytesMax = 256 << 20;
const runBytesMax = 1 << 20;
const waitMs = 500;
const patienceMs = 30_000;
const pauseMs = 200;
/** Kafka's error code of a fetch from before the log's start, or past its end. */
const offsetOutOfRange = 1;

export interface LogRange {
  readonly key: PartitionKey;
  readonly from: bigint;
  /** Reading ends before this offset. */
  readonly to: bigint;
  /** 0: also what transactions wrote that were aborted, or are open. */
  readonly isolation: IsolationLevel;
}

/** One answer for a partition; null where the leader has to be asked for again. */
async function fetchAt(cluster: Cluster, { key, isolation }: LogRange, offset: bigint): Promise<FetchedPartition | null> {
  const topic = cluster.topic(key.topic);
  if (topic !== undefined && topic.id !== key.topicId) throw identityChanged(key.topic, key.topicId, topic.id);
  const address = cluster.broker(cluster.leader(key));
  if (topic === undefined || address === undefined) return null;
  const target = {
    topicId: key.topicId,
    partition: key.partition,
    leaderEpoch: topic.partitions[key.partition]?.leaderEpoch ?? -1,
    offset,
    bytesMax: fetchBytes,
  };
  const { partitions } = await fetchOnce(cluster.connections, address, {
    targets: [target],
    waitMs,
    bytesMax: fetchBytes,
    answerBytesMax: batchBytesMax,
    isolation,
    memory: new FetchMemory(0),
  });
  const answer = partitions[0];
  return answer === undefined || (answer.errorCode !== 0 && answer.errorCode !== offsetOutOfRange) ? null : answer;
}

/**
 * Reads a range of a partition's log outside of any group, in offset order; of the first and last run records outside of the range have to be left out. What retention
 * takes away meanwhile is passed over. Tries again through changes of the leader, then rejects with SOURCE_UNREACHABLE; with SOURCE_CORRUPT, SOURCE_OVERSIZED,
 * SOURCE_UNREADABLE or SOURCE_IDENTITY_CHANGED at what can't be read.
 */
export async function* readLog(cluster: Cluster, range: LogRange): AsyncIterable<Records> {
  const { key, to, isolation } = range;
  let position = range.from;
  let deadline = performance.now() + patienceMs;
  while (position < to) {
    let answer: FetchedPartition | null = null;
    let fault: unknown = new Error("no leader answers for it");
    try {
      answer = await fetchAt(cluster, range, position);
      if (answer?.errorCode === offsetOutOfRange) {
        const [start] = await cluster.offsets([key], { at: "earliest" }, 0);
        if (start !== undefined && start.next > position) position = start.next;
        else answer = null;
      }
    } catch (error) {
      if (error instanceof SluiceError && !error.retryable) throw error;
      if (error instanceof AnswerTooLarge)
        throw new SluiceError("SOURCE_OVERSIZED", `${key.topic}/${key.partition} at offset ${position}: a batch of ${error.bytes} bytes`);
      [answer, fault] = [null, error];
    }
    const before = position;
    if (answer !== null && answer.records !== null) {
      const decoder = new RunDecoder({
        key,
        bytes: answer.records,
        position,
        highWatermark: answer.highWatermark,
        abortedTransactions: isolation === 1 ? answer.abortedTransactions : null,
        batchBytesMax,
        runBytesMax,
      });
      for (let run = decoder.next(); run !== null; run = decoder.next()) {
        if (run.records.count > 0) yield run.records;
        position = run.next;
        if (position >= to) return;
      }
    }
    if (position > before) deadline = performance.now() + patienceMs;
    else if (performance.now() > deadline) throw unreachable(`${key.topic}/${key.partition} can't be read at offset ${position}`, fault);
    else if (answer === null) {
      await sleep(pauseMs);
      await cluster.refresh([key.topic]).catch(() => undefined);
    }
  }
}
