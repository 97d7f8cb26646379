/** A transaction that the broker says was aborted within a fetched range. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** What read_committed needs to know of a batch. */
export interface TransactionalBatch {
  readonly lastOffset: bigint;
  readonly producerId: bigint;
  readonly transactional: boolean;
  readonly control: boolean;
  /** Of a control batch: whether its marker aborts. */
  readonly abortMarker: boolean;
}

/**
 * The read_committed filter of one fetch response of one partition, as Java's CompletedFetch does it: batches are asked about in offset order,
 * and a producer stays aborted from an aborted transaction's first offset to its abort marker, so several aborts of one producer in one
 * fetch, and a marker that lies in a later fetch, are both right. Answers whether the batch's records must be left out.
 */
export function createAbortFilter(aborted: readonly AbortedTransaction[]): (batch: TransactionalBatch) => boolean {
  const queue = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0));
  const producers = new Set<bigint>();
  let at = 0;
  return (batch) => {
    if (batch.producerId < 0n) return false;
    while (at < queue.length && (queue[at] as AbortedTransaction).firstOffset <= batch.lastOffset) {
      producers.add((queue[at++] as AbortedTransaction).producerId);
    }
    if (batch.control) {
      if (batch.abortMarker) producers.delete(batch.producerId);
      return false;
    }
    return batch.transactional && producers.has(batch.producerId);
  };
}
