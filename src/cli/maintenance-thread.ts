import { Worker } from "node:worker_threads";
import type { Config } from "../config/config.ts";
import { SluiceError } from "../core/errors.ts";
import type { Observe } from "../core/events.ts";
import type { StepOutcome } from "./maintenance-pass.ts";

export interface MaintenanceThreadData {
  readonly config: Config;
  readonly datasets: readonly string[];
  readonly holder: string;
}

/** A large row group's column, decoded, and the encoder's pages beside it. */
const heapMib = 1024;
/** How often it is looked whether a dataset is due: other workers may have been stopped. */
const looksPerInterval = 4;
const firstLookMs = 5000;

function tellOf(observe: Observe): (outcome: StepOutcome) => void {
  return (outcome) => {
    if (outcome.kind === "failed") {
      const { step, dataset, code, message } = outcome;
      observe({ type: "maintenance.failed", step, dataset, error: new SluiceError(code, message) });
      return;
    }
    const { kind: _, step, ...done } = outcome;
    if (step !== null) observe({ type: "maintenance.done", step, ...done });
  };
}

/** One pass in a thread of its own: whatever it takes in memory and time, and however it ends, the gate's thread goes on. */
function passOnce(passData: MaintenanceThreadData, observe: Observe): { readonly ended: Promise<void>; stop(): Promise<void> } {
  const thread = new Worker(new URL("./maintenance-thread-entry.ts", import.meta.url), {
    workerData: passData,
    name: "sluice-maintenance",
    resourceLimits: { maxOldGenerationSizeMb: heapMib },
  });
  const tell = tellOf(observe);
  thread.on("message", tell);
  const ended = new Promise<void>((resolve) => {
    thread.on("error", (cause: unknown) => {
      const known = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : null;
      const message = cause instanceof Error ? cause.message : String(cause);
      const error = new SluiceError("MAINTENANCE_FAILED", known === null ? message : `${known}: ${message}`, { cause });
      observe({ type: "maintenance.failed", step: null, dataset: null, error });
    });
    thread.on("exit", () => resolve());
  });
  return {
    ended,
    // Wherever it stands: every step survives being cut off.
    stop: async () => void (await thread.terminate()),
  };
}

/** Looks after the tables as long as a worker runs; ends at once when it is told to. */
export function startMaintenance(passData: MaintenanceThreadData, observe: Observe): { stop(): Promise<void> } {
  const { enabled, intervalMs } = passData.config.maintenance;
  let current: ReturnType<typeof passOnce> | null = null;
  let timer: NodeJS.Timeout | null = null;
  const look = (): void => {
    current = passOnce(passData, observe);
    void current.ended.then(() => {
      current = null;
      if (timer !== null) timer = setTimeout(look, intervalMs / looksPerInterval).unref();
    });
  };
  if (enabled) timer = setTimeout(look, Math.min(firstLookMs, intervalMs)).unref();
  return {
    stop: async () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await current?.stop();
    },
  };
}
