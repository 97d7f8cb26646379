import { SluiceError } from "../../core/errors.ts";
import type { OutgoingRecord } from "../../core/ports.ts";

/** One record on its way out; the promise of its `send` resolves when all of that call's records are acknowledged. */
export interface Outgoing {
  readonly record: OutgoingRecord;
  readonly timestampMs: bigint;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** Chosen at the first attempt unless the record says it, kept over retries. */
  partition: number | null;
  /** An attempt's outcome is unknown: it may be in the topic already. */
  doubtful: boolean;
  /** Neither acknowledged nor given up. */
  isWaiting(): boolean;
  acknowledge(): void;
  /** Fails its whole `send`; the call's other records that still wait are given up too. */
  fail(error: SluiceError): void;
}

/** Bytes of one chunk: a batch of it stays under the 1 MiB that brokers take by default, whatever its compression. */
const chunkBytesMax = 900 * 1024;
const chunkRecordsMax = 10_000;

/** Records in the order they were sent, handed out in chunks; bounded by bytes. */
export class OutgoingQueue {
  readonly #bytesMax: number;
  #items: Outgoing[] = [];
  #taken = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Queues one `send`. Rejects with SINK_UNAVAILABLE (retryable) where the queue is full; an empty queue takes a call of any size. */
  add(records: readonly OutgoingRecord[], nowMs: number, deadlineMs: number): Promise<void> {
    const sizes = records.map(sizeOf);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (this.#bytes > 0 && this.#bytes + total > this.#bytesMax) {
      return Promise.reject(
        new SluiceError("SINK_UNAVAILABLE", `${this.#bytes} bytes wait for the brokers already; the limit is ${this.#bytesMax}`),
      );
    }
    this.#bytes += total;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let left = records.length;
    let failed = false;
    records.forEach((record, index) => {
      let waiting = true;
      const bytes = sizes[index] as number;
      const settle = (): boolean => {
        const first = waiting;
        waiting = false;
        if (first) this.#bytes -= bytes;
        return first;
      };
      this.#items.push({
        record,
        bytes,
        deadlineMs,
        timestampMs: record.timestampMs ?? BigInt(nowMs),
        partition: record.partition ?? null,
        doubtful: false,
        isWaiting: () => {
          if (failed) settle();
          return waiting;
        },
        acknowledge: () => {
          if (settle() && --left === 0) resolve();
        },
        fail: (error) => {
          settle();
          failed = true;
          reject(error);
        },
      });
    });
    return promise;
  }

  /** The next records, in order; empty when none wait. */
  take(): Outgoing[] {
    const chunk: Outgoing[] = [];
    let bytes = 0;
    for (let next = this.#items[this.#taken]; next !== undefined; next = this.#items[this.#taken]) {
      if (chunk.length > 0 && (bytes + next.bytes > chunkBytesMax || chunk.length === chunkRecordsMax)) break;
      this.#taken++;
      if (!next.isWaiting()) continue;
      chunk.push(next);
      bytes += next.bytes;
    }
    // Drop what was handed out, but not one array copy a chunk.
    if (this.#taken === this.#items.length || this.#taken > 50_000) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return chunk;
  }
}

/** Bytes on the wire before compression, rounded up. */
function sizeOf(record: OutgoingRecord): number {
  let bytes = 32 + (record.key?.byteLength ?? 0) + (record.value?.byteLength ?? 0);
  // A header name has at most three bytes a UTF-16 unit.
  for (const header of record.headers) bytes += 10 + header.key.length * 3 + (header.value?.byteLength ?? 0);
  return bytes;
}
