import type { PartitionKey } from "../../core/position.ts";
import type { RunDecoder } from "./run-decoder.ts";

/** One partition of one assignment. Whatever arrives late for a slot that is no longer in the source's map is dropped: its identity is the fence. */
export interface PartitionSlot {
  readonly topic: string;
  readonly partition: number;
  /** Null until metadata names the topic. */
  key: PartitionKey | null;
  /** `waiting` for the listener's answer, `reading`, `unread` (left out of the answer), `blocked`, or `leaving`. */
  state: "waiting" | "reading" | "unread" | "blocked" | "leaving";
  /** Where the next run begins. */
  position: bigint;
  /** Grows with every seek: answers to older requests are void. */
  version: number;
  paused: boolean;
  /** Whether a fetch is under way. */
  fetching: boolean;
  /** Fetched bytes being handed out; no fetch goes out meanwhile. */
  decoder: RunDecoder | null;
  /** End as last seen; -1n before the first answer. */
  end: bigint;
  /** No fetch before this (performance.now()). */
  retryAt: number;
  /** Times in a row that the batch at `position` was bad: a flip on the wire heals, one on the disk doesn't. */
  badReads: number;
  /** A batch next to be read was larger than this many bytes, all that a request might bring: to be fetched alone. 0: no such thing. */
  alone: number;
  /** The bytes that batch takes, as far as is known: what to have room for before it is fetched alone. */
  aloneBytes: number;
}

/** A slot that knows neither its topic's id nor its position yet. */
export function createSlot(topic: string, partition: number): PartitionSlot {
  return {
    topic,
    partition,
    key: null,
    state: "waiting",
    position: -1n,
    version: 0,
    paused: false,
    fetching: false,
    decoder: null,
    end: -1n,
    retryAt: 0,
    badReads: 0,
    alone: 0,
    aloneBytes: 0,
  };
}
