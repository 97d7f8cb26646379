import type { EngineThreadOptions } from "../gate/engine-thread.ts";

/** What one thread may hold of records that wait for it. */
const bytesInFlightMax = 8 << 20;
/** A thread that has work and makes no step for so long is stuck: its longest steps take seconds. */
const silenceMsMax = 60_000;

/** How engine threads are run. */
export function engineThreadOptions(heapMib: number): EngineThreadOptions {
  return { entry: new URL("../gate/engine-thread-entry.ts", import.meta.url), bytesInFlightMax, heapMib, silenceMsMax };
}
