import { availableParallelism } from "node:os";
import type { Config } from "../config/config.ts";
import type { CreateEncodeRows, Engine } from "../gate/engine.ts";
import { createInlineEngine } from "../gate/engine.ts";
import { createEnginePool } from "../gate/engine-pool.ts";
import { engineThreadOptions } from "./engine-thread-options.ts";

/** Judges in this thread; with `createEncodeRows`, rows that pass are encoded for Arrow too. */
export function openInlineEngine(createEncodeRows: CreateEncodeRows | null = null): Engine {
  return createInlineEngine(() => performance.now(), createEncodeRows);
}

/** How many threads a configuration wants windows to be judged in; 0: the main thread. */
export function countEngineThreads({ threads }: Config["engine"]): number {
  return threads ?? Math.max(1, availableParallelism() - 1);
}

/** Where windows are judged, as a configuration says. */
export function openEngine(settings: Config["engine"]): Engine {
  const count = countEngineThreads(settings);
  return count === 0 ? openInlineEngine() : createEnginePool(count, engineThreadOptions(settings.heapMib), true);
}
