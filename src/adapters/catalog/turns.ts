/** One's place in front. */
export interface Turn {
  /** False: it was not one's turn yet, but waiting any longer would have been worse than going without. */
  readonly isMine: boolean;
  /** Lets the next one go. Never rejects. */
  readonly release: () => Promise<void>;
}

/**
 * Who changes a dataset next, among the processes that share a database: first come, first served. It only saves work that would be lost to each other;
 * what is right rests on compare-and-swap alone, so that turns may be missed, broken, or held by the dead for a moment.
 */
export interface Turns {
  /**
   * Resolves at one's turn at every one of the datasets, and never rejects: where turns can't be had, or take too long, everyone goes when they like. Whoever
   * takes several names them in one order (`inTurn`).
   */
  take(...datasets: readonly string[]): Promise<Turn>;
}

/** How turns are timed. */
export interface TurnLimits {
  /** How long one waits for a turn before going without. */
  readonly waitMsMax: number;
  /** How long one may have it: the others wait for nobody who hangs. */
  readonly heldMsMax: number;
}

export const turnLimits: TurnLimits = { waitMsMax: 30_000, heldMsMax: 10_000 };

/** What going without a turn comes to. */
export const noTurn: Turn = { isMine: false, release: async () => {} };

/** Runs work when it is its turn at every one of the datasets. */
export async function inTurn<T>(turns: Turns, datasets: readonly string[], work: () => Promise<T>): Promise<T> {
  // One order for all: two that share datasets never wait for each other in a circle.
  const ordered = [...new Set(datasets)].toSorted();
  if (ordered.length === 0) return work();
  const { release } = await turns.take(...ordered);
  try {
    return await work();
  } finally {
    await release();
  }
}
