import { availableParallelism } from "node:os";
import type { Config } from "../config/config.ts";
import type { CreateEncodeRows, Engine } from "../gate/engine.ts";
import { createInlineEngine } from "../gate/engine.ts";
import { createEnginePool } from "../gate/engine-pool.ts";
import type { EngineThreadOptions } from "../gate/engine-thread.ts";

/** What one thread may hold of records that wait for it. */
const bytesInFlightMax = 8 << 20;
/** A thread that has work and makes no step for so long is stuck: its longest steps take seconds. */
const silenceMsMax = 60_000;

/** How the threads of `sluice run` are run. */
export function engineThreadOptions(heapMib: number): EngineThreadOptions {
  return { entry: new URL("../gate/engine-thread-entry.ts", import.meta.url), bytesInFlightMax, heapMib, silenceMsMax };
}

/** Judges in this thread; with `createEncodeRows`, rows that pass are encoded for Arrow too. */
export function openInlineEngine(createEncodeRows: CreateEncodeRows | null = null): Engine {
  return createInlineEngine(() => performance.now(), createEncodeRows);
}

/** Where windows are judged, as a configuration says. */
export function openEngine({ threads, heapMib }: Config["engine"]): Engine {
  const count = threads ?? Math.max(1, availableParallelism() - 1);
  return count === 0 ? openInlineEngine() : createEnginePool(count, engineThreadOptions(heapMib));
}
