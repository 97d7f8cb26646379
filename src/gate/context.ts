import type { Observe } from "../core/events.ts";
import type { Clock, Lake, Probe, Source } from "../core/ports.ts";

/** What every lane of a gate works with. */
export interface GateContext {
  readonly lake: Lake;
  readonly source: Source;
  readonly clock: Clock;
  /** A monotonic clock in milliseconds, for durations. */
  readonly tick: () => number;
  readonly observe: Observe;
  readonly probe: Probe;
  /** Names this process in decisions. */
  readonly worker: string;
  /** Sluice's version, in decisions. */
  readonly producer: string;
  /** A window closes at this many bytes even if its contract allows more, so that windows fit the bytes in flight. */
  readonly windowBytesMax: number;
  /** A bug: the process must end. */
  readonly fatal: (error: unknown) => void;
}
