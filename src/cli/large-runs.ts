import type { Observe } from "../core/events.ts";

/** Ordinary runs have 1 MiB at most: a run of this size is one large record batch, read alone. */
const largeRunBytes = 4 << 20;
/** Commits and deliveries after a large run that may still have worked on its bytes. */
const aftermath = 4;

/**
 * Large values leave buffers of their size behind at every step (fetch, decompression, files, dead letters), and V8 is in no hurry to collect what lies
 * outside its heap. Collects when a large run comes and after what follows from it, so that resident memory stays bounded; does nothing without `--expose-gc`.
 */
export function collectAfterLargeRuns(collect: (() => void) | undefined): Observe {
  let owed = 0;
  return (event) => {
    if (collect === undefined) return;
    if (event.type === "run.received" && event.bytes >= largeRunBytes) {
      owed = aftermath;
      collect();
    } else if (owed > 0 && (event.type === "window.committed" || event.type === "sink.delivered")) {
      owed--;
      collect();
    }
  };
}
