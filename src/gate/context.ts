import type { Observe } from "../core/events.ts";
import type { Clock, Lake, Probe, SchemaRegistry, Source } from "../core/ports.ts";
import type { SqlEngine } from "../core/sql-queries.ts";
import type { EngineKind } from "./compiled.ts";
import type { Engine } from "./engine.ts";

/** What every lane of a gate works with. */
export interface GateContext {
  readonly lake: Lake;
  readonly source: Source;
  /** Runs SQL rules; absent: contracts with such rules are refused. */
  readonly sql?: SqlEngine;
  /** Where framed records' schemas come from; absent: contracts whose records are framed are refused. */
  readonly registry?: SchemaRegistry;
  readonly engine: Engine;
  readonly engineKind: EngineKind;
  readonly clock: Clock;
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
