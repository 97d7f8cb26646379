import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../core/errors.ts";

const backoffMsMax = 5000;

export interface Patience {
  /** Told of every fault that is waited out, with the attempts so far and the time to the next; and with null once one was and is over. */
  readonly trouble: (fault: { readonly error: SluiceError; readonly attempt: number; readonly retryInMs: number } | null) => void;
  /** Nobody wants the result any more. */
  readonly abandoned: () => boolean;
}

/**
 * Does something again and again while the fault is one that passes (catalog busy, disk full), with longer and longer waits up to 5 s. Null if it was
 * abandoned meanwhile. Throws what no retry mends.
 */
export async function patiently<T>(operation: () => Promise<T>, patience: Patience): Promise<T | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await operation();
      if (attempt > 1) patience.trouble(null);
      return result;
    } catch (error) {
      if (!(error instanceof SluiceError) || !error.retryable) throw error;
      if (patience.abandoned()) return null;
      const retryInMs = Math.min(backoffMsMax, 100 * 2 ** Math.min(attempt, 6));
      patience.trouble({ error, attempt, retryInMs });
      await sleep(retryInMs);
      if (patience.abandoned()) return null;
    }
  }
}
