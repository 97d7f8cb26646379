import { Admin } from "@platformatic/kafka";
import { SluiceError } from "../../core/errors.ts";
import type { OutgoingRecord } from "../../core/ports.ts";
import type { Position } from "../../core/position.ts";
import type { CopiesErased, CopiesFound, RecordCopies, RecordCopy } from "../../core/record-copies.ts";
import { headersOf } from "../../core/headers.ts";
import type { Records } from "../../core/records.ts";
import { span } from "../../core/records.ts";
import { describeFault, protocolErrors, unreachable } from "./broker-faults.ts";
import { Cluster } from "./cluster.ts";
import type { KafkaConnection } from "./connection.ts";
import { connectionOptions } from "./connection.ts";
import { KafkaProducer } from "./producer.ts";
import { readLog } from "./topic-log.ts";

/** Copies may be on their way to the topic while it is being cleaned: it is looked again, so often. */
const roundsMax = 5;
/** What is handed to the producer at once. */
const chunkRecords = 1000;
const chunkBytes = 4 << 20;
/** What the brokers mean by: this will not do, however often you ask. */
const refusals = ["POLICY_VIOLATION", "TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED"];

type IsWanted = (copy: RecordCopy) => boolean;

/** What one reading of a whole topic met. */
interface Reading {
  readonly read: number;
  readonly found: number;
  /** By partition: behind its last wanted record. */
  readonly ends: ReadonlyMap<number, bigint>;
}

function copyAt(records: Records, row: number): RecordCopy {
  return { key: span(records, "key", row), value: span(records, "value", row), headers: headersOf(records, row) };
}

/**
 * Records on one topic as copies. Kafka takes nothing out of the middle of a log: the other records up to the last copy of a partition are written again at its end, as they
 * are, and then everything up to there is deleted. So nothing is lost whenever it ends, and readers may meet those others twice.
 */
export class TopicCopies implements RecordCopies {
  readonly #cluster: Cluster;
  readonly #connection: KafkaConnection;
  readonly #topic: string;

  private constructor(cluster: Cluster, connection: KafkaConnection, topic: string) {
    this.#cluster = cluster;
    this.#connection = connection;
    this.#topic = topic;
  }

  /** Null where there is no such topic. Rejects with SOURCE_UNREACHABLE. */
  static async open(connection: KafkaConnection, topic: string): Promise<TopicCopies | null> {
    const cluster = new Cluster(connection);
    try {
      await cluster.refresh([topic]);
      if (cluster.topic(topic) !== undefined) return new TopicCopies(cluster, connection, topic);
    } catch (fault) {
      await cluster.close();
      throw fault;
    }
    await cluster.close();
    return null;
  }

  get #where(): string {
    return `topic ${this.#topic}`;
  }

  async find(isWanted: IsWanted): Promise<CopiesFound> {
    const { read, found } = await this.#read(isWanted);
    return { where: this.#where, read, found };
  }

  /** Rejects with COPIES_REFUSED where the brokers would not let records be deleted; asks for nothing to be. */
  async assertErasable(): Promise<void> {
    await this.#deleteBefore(await this.#offsets("earliest"));
  }

  async erase(isWanted: IsWanted): Promise<CopiesErased> {
    let [erased, moved] = [0, 0];
    let reading = await this.#read(isWanted);
    for (let round = 0; round < roundsMax && reading.found > 0; round++) {
      moved += await this.#moveOthers(isWanted, reading.ends);
      await this.#deleteBefore(await this.#ahead(reading.ends));
      erased += reading.found;
      reading = await this.#read(isWanted);
    }
    return { where: this.#where, erased, moved, scanned: reading.read, remaining: reading.found };
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  /** Reads all that there is; of transactions that were aborted too, for their bytes are in the log all the same. */
  async #read(isWanted: IsWanted): Promise<Reading> {
    const [starts, stops] = [await this.#offsets("earliest"), await this.#offsets("latest")];
    const ends = new Map<number, bigint>();
    let [read, found] = [0, 0];
    for (const [i, { next: from, ...key }] of starts.entries()) {
      const to = (stops[i] as Position).next;
      for await (const records of readLog(this.#cluster, { key, from, to, isolation: 0 })) {
        for (let row = 0; row < records.count; row++) {
          const offset = records.offsets[row] as bigint;
          if (offset < from || offset >= to) continue;
          read++;
          if (!isWanted(copyAt(records, row))) continue;
          found++;
          ends.set(key.partition, offset + 1n);
        }
      }
    }
    return { read, found, ends };
  }

  /** Writes the records that are not wanted, up to where each partition is to be deleted, at its end; those of aborted transactions are none. */
  async #moveOthers(isWanted: IsWanted, ends: ReadonlyMap<number, bigint>): Promise<number> {
    const starts = await this.#offsets("earliest");
    const stable = await this.#offsets("latest", 1);
    const producer = new KafkaProducer({ connection: this.#connection });
    let moved = 0;
    try {
      for (const [i, { next: from, ...key }] of starts.entries()) {
        const to = ends.get(key.partition);
        if (to === undefined) continue;
        if (to > (stable[i] as Position).next)
          throw new SluiceError(
            "COPIES_REFUSED",
            `${this.#where}/${key.partition} has an open transaction before offset ${to}: try again once it is over`,
          );
        for await (const chunk of this.#others(isWanted, { key, from, to })) {
          await producer.send(chunk);
          moved += chunk.length;
        }
      }
    } finally {
      await producer.close();
    }
    return moved;
  }

  async *#others(
    isWanted: IsWanted,
    { key, from, to }: { readonly key: Omit<Position, "next">; readonly from: bigint; readonly to: bigint },
  ): AsyncIterable<OutgoingRecord[]> {
    let chunk: OutgoingRecord[] = [];
    let bytes = 0;
    for await (const records of readLog(this.#cluster, { key, from, to, isolation: 1 })) {
      for (let row = 0; row < records.count; row++) {
        const offset = records.offsets[row] as bigint;
        const copy = copyAt(records, row);
        if (offset < from || offset >= to || isWanted(copy)) continue;
        const timestampMs = records.timestamps[row] as bigint;
        chunk.push({ topic: key.topic, partition: key.partition, ...copy, timestampMs: timestampMs < 0n ? null : timestampMs });
        bytes += (copy.key?.length ?? 0) + (copy.value?.length ?? 0) + (records.headersLength[row] as number);
        if (chunk.length < chunkRecords && bytes < chunkBytes) continue;
        yield chunk;
        [chunk, bytes] = [[], 0];
      }
    }
    if (chunk.length > 0) yield chunk;
  }

  /** Ends that lie ahead of where their partitions begin: what retention has taken meanwhile can't be deleted again. */
  async #ahead(ends: ReadonlyMap<number, bigint>): Promise<Position[]> {
    const starts = await this.#offsets("earliest");
    return starts.flatMap((start) => {
      const next = ends.get(start.partition);
      return next === undefined || next <= start.next ? [] : [{ ...start, next }];
    });
  }

  async #offsets(at: "earliest" | "latest", isolation: 0 | 1 = 0): Promise<Position[]> {
    const topic = this.#cluster.topic(this.#topic);
    if (topic === undefined) throw new SluiceError("SOURCE_TOPIC_MISSING", `${this.#where} does not exist`);
    const keys = topic.partitions.map((_, partition) => ({ topic: this.#topic, topicId: topic.id, partition }));
    return this.#cluster.offsets(keys, { at }, isolation);
  }

  async #deleteBefore(positions: readonly Position[]): Promise<void> {
    if (positions.length === 0) return;
    const admin = new Admin({ ...connectionOptions(this.#connection), retries: 5, retryDelay: 200 });
    try {
      const partitions = positions.map(({ partition, next }) => ({ partition, offset: next }));
      await admin.deleteRecords({ topics: [{ name: this.#topic, partitions }] });
    } catch (fault) {
      if (!protocolErrors(fault).some((name) => refusals.includes(name)))
        throw unreachable(`records of ${this.#where} can't be deleted`, fault);
      const why = protocolErrors(fault).includes("POLICY_VIOLATION")
        ? "it is compacted, and not deleted from (cleanup.policy)"
        : describeFault(fault);
      throw new SluiceError("COPIES_REFUSED", `the brokers delete no records of ${this.#where}: ${why}`, { cause: fault });
    } finally {
      await admin.close();
    }
  }
}
