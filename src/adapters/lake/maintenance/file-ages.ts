import type { ConsumptionLog } from "../../../core/consumption.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { isStandIn } from "../refs/list-refs.ts";
import { everySnapshot } from "./ledger.ts";

interface Moment {
  readonly sequence: bigint;
  readonly atMs: number;
}

/** What is known of when the data of a table came, by data sequence numbers: they stay with rows when files are written anew. */
export class FileAges {
  readonly #moments: readonly Moment[];
  readonly #sequences: ReadonlyMap<string, bigint>;

  private constructor(moments: readonly Moment[], sequences: ReadonlyMap<string, bigint>) {
    this.#moments = moments;
    this.#sequences = sequences;
  }

  /** Reads the snapshots that a table has, and those that it had from its ledger. */
  static async of(context: LakeContext, metadata: TableMetadata): Promise<FileAges> {
    const moments: Moment[] = [];
    const sequences = new Map<string, bigint>();
    const ids = new Map<bigint, bigint>();
    for await (const snapshot of everySnapshot(context.content, metadata, -1n)) {
      moments.push({ sequence: snapshot["sequence-number"], atMs: snapshot["timestamp-ms"] });
      // What an erasure or an archiving makes of a version, of a tag's too, has no data that the version before had not.
      const before = isStandIn(snapshot) ? ids.get(snapshot["parent-snapshot-id"] ?? -1n) : undefined;
      const newest = before ?? snapshot["sequence-number"];
      ids.set(snapshot["snapshot-id"], newest);
      sequences.set(snapshot["snapshot-id"].toString(), newest);
    }
    return new FileAges(
      moments.toSorted((a, b) => (a.sequence < b.sequence ? -1 : 1)),
      sequences,
    );
  }

  /** When data of a sequence number came, ms since the epoch; where another program's expiry left no word of it, when the next came that is known. Null: not known at all. */
  promotedMs(sequence: bigint): number | null {
    let [low, high] = [0, this.#moments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#moments[middle] as Moment).sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return this.#moments[low]?.atMs ?? null;
  }

  /**
   * The newest sequence number whose data a reading since a time may have seen: a reading sees every file up to its version's. Null: nothing was read. A reading
   * of a version that is not known any more counts as one of all.
   */
  async newestRead(log: ConsumptionLog, dataset: string, sinceMs: number): Promise<bigint | null> {
    let newest: bigint | null = null;
    const last = this.#moments.at(-1)?.sequence ?? 0n;
    for await (const { snapshotId } of log.of(dataset, { sinceMs })) {
      const sequence = this.#sequences.get(snapshotId) ?? last;
      if (newest === null || sequence > newest) newest = sequence;
    }
    return newest;
  }
}
