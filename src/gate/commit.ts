import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../core/errors.ts";
import type { CommitResult, WindowCommit } from "../core/ports.ts";
import type { GateContext } from "./context.ts";

const backoffMsMax = 5000;

/**
 * Commits a window, again and again while the fault is one that passes (disk full, catalog busy). Null if the window was abandoned meanwhile.
 * Throws what no retry can mend.
 */
export async function commitWithRetry(
  commit: WindowCommit,
  context: Pick<GateContext, "lake" | "observe">,
  lane: { readonly abandoned: () => boolean; readonly trouble: (message: string | null) => void },
): Promise<CommitResult | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await context.lake.commitWindow(commit);
      lane.trouble(null);
      return result;
    } catch (error) {
      if (!(error instanceof SluiceError) || !error.retryable) throw error;
      const retryInMs = Math.min(backoffMsMax, 100 * 2 ** Math.min(attempt, 6));
      lane.trouble(`${error.code}: ${error.message}`);
      context.observe({
        type: "commit.failed",
        dataset: commit.decision.dataset,
        windowId: commit.decision.windowId,
        error,
        attempt,
        retryInMs,
      });
      await sleep(retryInMs);
      if (lane.abandoned()) return null;
    }
  }
}
