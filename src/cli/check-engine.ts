import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Engine } from "../gate/engine.ts";
import { createEnginePool } from "../gate/engine-pool.ts";
import { engineThreadOptions } from "./engine-thread-options.ts";

const threadHeapMib = 1024;
/** Below this a thread takes longer to start than to judge the files. */
const smallBytes = 4 << 20;

/** Threads that judge what a check reads; the first one starts at once: its modules load while those of the check do. `arrow`: rows that pass are encoded for Arrow too. */
export function openCheckEngine(arrow: boolean): Engine {
  return createEnginePool(availableParallelism(), { ...engineThreadOptions(threadHeapMib), arrow }, true);
}

/** Whether files (or `-`) are worth a thread, as far as can be told at a glance: what is in folders is not counted, and what can't be read neither. */
export function areLarge(paths: readonly string[]): boolean {
  const bytes = paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  return bytes >= smallBytes || paths.includes("-");
}
