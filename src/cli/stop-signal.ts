/** Exit code of a process that a second SIGINT ended, as shells know it. */
const interrupted = 130;

/**
 * Calls `stop` on the first SIGINT or SIGTERM; a second one ends the process at once. The answer takes the handlers away again.
 * `stop`'s own fault is not lost: what it stops rejects with it.
 */
export function onStopSignal(stop: () => Promise<void>): () => void {
  let asked = false;
  const handle = (): void => {
    if (asked) process.exit(interrupted);
    asked = true;
    stop().catch(() => undefined);
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return () => {
    process.off("SIGINT", handle);
    process.off("SIGTERM", handle);
  };
}
