import type { Header } from "./records.ts";

/** A record as it stands outside of the lake; views, valid while it is looked at. */
export interface RecordCopy {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

/** What was found where copies stand. */
export interface CopiesFound {
  /** The place, in words: `topic orders.dlq`. */
  readonly where: string;
  readonly read: number;
  readonly found: number;
}

/** What was done to copies. Holds no value. */
export interface CopiesErased {
  readonly where: string;
  readonly erased: number;
  /** Other records that stood between them: written again at the end, for nothing can be taken out of the middle. */
  readonly moved: number;
  /** Proof: the records that a reading of everything afterwards met, and how many of them are still copies. */
  readonly scanned: number;
  readonly remaining: number;
}

/** A place outside of the lake where copies of its records stand, such as a dead letter topic. */
export interface RecordCopies {
  /** Reads everything and changes nothing. Rejects with SOURCE_UNREACHABLE, SOURCE_*. */
  find(isWanted: (copy: RecordCopy) => boolean): Promise<CopiesFound>;
  /** Takes out what is wanted, then reads everything to prove it. Rejects with SOURCE_UNREACHABLE, COPIES_REFUSED, PRODUCE_REFUSED: calling again goes on. */
  erase(isWanted: (copy: RecordCopy) => boolean): Promise<CopiesErased>;
}
