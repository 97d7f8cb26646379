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
  /** Resolves at one's turn, and never rejects: where turns can't be had, or take too long, everyone goes when they like. */
  take(dataset: string): Promise<Turn>;
}

/** How turns are timed. */
export interface TurnLimits {
  /** How long one waits for a turn before going without. */
  readonly waitMsMax: number;
  /** How long one may have it: the others wait for nobody who hangs. */
  readonly heldMsMax: number;
}

export const turnLimits: TurnLimits = { waitMsMax: 10_000, heldMsMax: 10_000 };

/** What going without a turn comes to. */
export const noTurn: Turn = { isMine: false, release: async () => {} };

/** Runs work when it is its turn at every one of the datasets. */
export async function inTurn<T>(turns: Turns, datasets: readonly string[], work: () => Promise<T>): Promise<T> {
  // One order for all: two that share datasets never wait for each other in a circle.
  const [first, ...others] = [...new Set(datasets)].toSorted();
  if (first === undefined) return work();
  const { release } = await turns.take(first);
  try {
    return await inTurn(turns, others, work);
  } finally {
    await release();
  }
}
