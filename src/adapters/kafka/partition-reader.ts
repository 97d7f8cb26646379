import { SluiceError } from "../../core/errors.ts";
import type { SourceBlocked } from "../../core/ports.ts";
import type { Assignment } from "./assignment.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { Cluster, IsolationLevel } from "./cluster.ts";
import type { FetchMemory } from "./fetch-memory.ts";
import type { FetchedPartition } from "./fetch-response.ts";
import type { PartitionSlot } from "./partition-slot.ts";
import { RunDecoder } from "./run-decoder.ts";
import type { RunPump } from "./run-pump.ts";
import { topicPartitionId } from "./topic-partition.ts";
import type { TroubleBoard } from "./trouble-board.ts";

export interface PartitionReaderOptions {
  readonly cluster: Cluster;
  readonly assignment: Assignment;
  readonly budget: ByteBudget;
  readonly memory: FetchMemory;
  readonly pump: RunPump;
  readonly troubles: TroubleBoard;
  readonly isolation: IsolationLevel;
  readonly recordBytesMax: number;
  readonly refresh: () => Promise<void>;
  readonly blocked: (fault: SourceBlocked) => void;
}

const runBytesMax = 1024 * 1024;
const badReadsMax = 3;
const retryMs = 200;
/** Kafka's error codes that a fetch may answer and that mean more than "try again". */
const offsetOutOfRange = 1;
const corruptMessage = 2;
const unknownTopic = 3;
const unknownTopicId = 100;

/** What becomes of the answers to fetches: records to decode, troubles to wait out, and faults that only a person can answer. */
export class PartitionReader {
  readonly #options: PartitionReaderOptions;

  constructor(options: PartitionReaderOptions) {
    this.#options = options;
  }

  fetched(slot: PartitionSlot, answer: FetchedPartition): void {
    const { troubles, isolation, pump } = this.#options;
    const { records, errorCode } = answer;
    if (errorCode !== 0) {
      if (records !== null) this.#giveBack(records);
      this.#refused(slot, errorCode);
      return;
    }
    troubles.clear(topicPartitionId(slot));
    slot.end = isolation === 1 ? answer.lastStableOffset : answer.highWatermark;
    if (records === null) return;
    const decoder = this.#decoder(slot, answer, records);
    if (decoder.cutAtStart === null) return pump.add(slot, decoder);
    this.#giveBack(records);
    if (decoder.cutAtStart > this.#options.recordBytesMax) this.oversized(slot, decoder.cutAtStart);
    else {
      slot.alone = 1;
      slot.aloneBytes = decoder.cutAtStart;
    }
  }

  #giveBack(records: Buffer): void {
    this.#options.budget.give(records.length);
    this.#options.memory.release(records);
  }

  #decoder(slot: PartitionSlot, { highWatermark, abortedTransactions }: FetchedPartition, bytes: Buffer): RunDecoder {
    const { isolation, recordBytesMax, budget, memory } = this.#options;
    const { topic, partition, position, key } = slot;
    return new RunDecoder({
      key: key ?? { topic, topicId: "", partition },
      bytes,
      position,
      highWatermark,
      abortedTransactions: isolation === 1 ? abortedTransactions : null,
      batchBytesMax: recordBytesMax,
      memory,
      runBytesMax: Math.min(runBytesMax, Math.max(1, budget.max / 4)),
    });
  }

  #refused(slot: PartitionSlot, code: number): void {
    slot.retryAt = performance.now() + retryMs;
    if (code === offsetOutOfRange) return void this.#checkRange(slot);
    if (code === corruptMessage) return this.bad(slot, new SluiceError("SOURCE_CORRUPT", "the broker finds the record batch corrupt"));
    const missing = code === unknownTopic || code === unknownTopicId;
    const message = missing ? "the broker does not know the topic" : `the broker refuses to be fetched from (Kafka error ${code})`;
    this.#options.troubles.set(topicPartitionId(slot), new SluiceError("SOURCE_UNREACHABLE", `${topicPartitionId(slot)}: ${message}`));
    void this.#options.refresh();
  }

  /** A leader that is behind may refuse a good offset; only what the log's ends say counts. */
  async #checkRange(slot: PartitionSlot): Promise<void> {
    const { cluster, assignment, refresh } = this.#options;
    const { key, version, position } = slot;
    if (key === null) return;
    slot.retryAt = Number.POSITIVE_INFINITY;
    let first: bigint | undefined;
    let end: bigint | undefined;
    try {
      first = (await cluster.offsets([key], { at: "earliest" }, 0))[0]?.next;
      end = (await cluster.offsets([key], { at: "latest" }, 0))[0]?.next;
    } catch {
      void refresh();
    }
    if (!assignment.holds(slot) || slot.version !== version) return;
    slot.retryAt = performance.now() + retryMs;
    if (first === undefined || end === undefined || (position >= first && position <= end)) return;
    const message = `${topicPartitionId(slot)}: offset ${position} does not exist; the log holds [${first}, ${end})`;
    const details = { position: String(position), earliest: String(first), latest: String(end) };
    this.#block(slot, new SluiceError("SOURCE_OFFSET_OUT_OF_RANGE", message, { details }));
  }

  /** A batch that can't be read; where its checksum fails, it is fetched again first: a flip on the wire heals. */
  bad(slot: PartitionSlot, error: unknown): void {
    if (!(error instanceof SluiceError)) throw error;
    slot.retryAt = performance.now() + retryMs;
    if (error.code === "SOURCE_CORRUPT" && ++slot.badReads < badReadsMax) return;
    const message = `${topicPartitionId(slot)} at offset ${slot.position}: ${error.message}`;
    this.#block(slot, new SluiceError(error.code, message, { details: { position: String(slot.position) }, cause: error }));
  }

  /** A batch that takes more than one may: never fetched whole, never passed over. */
  oversized(slot: PartitionSlot, bytes: number): void {
    const limit = this.#options.recordBytesMax;
    const message = `${topicPartitionId(slot)}: the record batch at offset ${slot.position} takes ${bytes} bytes, more than the ${limit} allowed`;
    this.#block(slot, new SluiceError("SOURCE_OVERSIZED", message, { details: { position: String(slot.position), bytes, limit } }));
  }

  #block(slot: PartitionSlot, error: SluiceError): void {
    const { assignment, blocked } = this.#options;
    if (!assignment.holds(slot) || slot.state !== "reading") return;
    assignment.halt(slot, "blocked");
    blocked({ topic: slot.topic, partition: slot.partition, error });
  }

  /** Ends the reading of a whole topic, and says so once. */
  blockTopic(topic: string, error: SluiceError): void {
    const { assignment, blocked } = this.#options;
    const slots = [...assignment.slots()].filter((slot) => slot.topic === topic && slot.state !== "blocked" && slot.state !== "leaving");
    for (const slot of slots) assignment.halt(slot, "blocked");
    if (slots.length > 0) blocked({ topic, partition: null, error });
  }
}
