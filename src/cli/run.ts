import type { GateEvent } from "../core/events.ts";
import type { Invocation } from "./command.ts";
import { loadContracts } from "./contracts.ts";
import { createCrashProbe } from "./crash-probe.ts";
import { ExitCode } from "./exit-code.ts";
import { readConfig } from "./session.ts";
import { onStopSignal } from "./stop-signal.ts";
import { startWorker } from "./worker.ts";

/** `sluice run` */
export async function runWorker(invocation: Invocation): Promise<ExitCode> {
  const { terminal } = invocation;
  const config = readConfig(invocation);
  const contracts = await loadContracts(config);
  const observe = (event: GateEvent): void => {
    if (!invocation.json || event.type !== "window.committed") return;
    const { dataset, windowId, verdict, counts, causes } = event.decision;
    terminal.jsonLine({ dataset, windowId, verdict, snapshotId: event.snapshotId, counts, causes });
  };
  const text = config.log.format === "text" || (config.log.format === "auto" && terminal.isWatched);
  const worker = await startWorker({
    config,
    contracts,
    probe: createCrashProbe(invocation.environment["SLUICE_CRASH_AT"]),
    observe,
    log: { destination: process.stderr, text },
  });
  const release = onStopSignal(() => worker.stop());
  try {
    await worker.done;
  } finally {
    release();
  }
  return ExitCode.clean;
}
