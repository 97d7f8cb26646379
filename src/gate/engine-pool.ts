import type { Engine, EngineWindow, WindowPlan } from "./engine.ts";
import type { EngineThreadOptions } from "./engine-thread.ts";
import { EngineThread } from "./engine-thread.ts";

/**
 * Judges windows in threads of its own: each window in one, a new window in the one with the fewest. A thread that is lost is replaced when it is next needed.
 * With `early`, the first one starts at once: its modules load while the caller prepares.
 */
export function createEnginePool(threads: number, options: EngineThreadOptions, early = false): Engine {
  const pool = early ? [new EngineThread(options)] : [];
  return {
    open(plan: WindowPlan): EngineWindow {
      const alive = pool.filter((each) => each.alive);
      pool.splice(0, pool.length, ...alive);
      let chosen = alive.toSorted((a, b) => a.load - b.load)[0];
      if (chosen === undefined || (chosen.load > 0 && pool.length < threads)) {
        chosen = new EngineThread(options);
        pool.push(chosen);
      }
      return chosen.open(plan);
    },
    close: async () => {
      await Promise.all(pool.splice(0).map((each) => each.close()));
    },
  };
}
