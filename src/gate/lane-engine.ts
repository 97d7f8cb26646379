import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import type { DatasetState } from "../core/ports.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { FileLayout } from "../core/table-layout.ts";
import { plainLayout } from "../core/table-layout.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { GateContext } from "./context.ts";
import type { EngineWindow } from "./engine.ts";
import type { JudgedRows } from "./judged-rows.ts";
import type { LaneWindow } from "./lane-window.ts";
import type { OpenWindow } from "./window.ts";

/** Threads lost in a row, without a commit between: from here on the reference judges, */
const lossesCompiledMax = 2;
/** and beyond this it is a bug that no retry mends. */
const lossesMax = 6;
const backoffMsMax = 5000;

/** One lane's use of the engine: where its windows are judged, and how it goes on when a thread is lost. */
export class LaneEngine {
  readonly #context: GateContext;
  readonly #stopped = Promise.withResolvers<void>();
  #schema: IcebergSchema | null = null;
  #layout: FileLayout = plainLayout;
  #losses = 0;
  /** The last fallback told, so that each is told once. */
  #fallback: string | null = null;

  constructor(context: GateContext) {
    this.#context = context;
  }

  open(contract: Contract): EngineWindow {
    const { engine, engineKind } = this.#context;
    const kind = this.#losses >= lossesCompiledMax ? "reference" : engineKind;
    return engine.open({ contract, schema: this.#schema, layout: this.#layout, kind });
  }

  /** Waits for room. False where the window is gone meanwhile. */
  async room(window: OpenWindow): Promise<boolean> {
    try {
      await window.room();
      return true;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      return false;
    }
  }

  /** Has records judged, by the registered schemas that they name, and tells of it when they are. */
  judge(open: LaneWindow, runs: readonly Records[], schemas: ResolvedSchemas): void {
    open.window.add(runs, schemas).then(
      (judged) => this.#tell(open, judged),
      (error: unknown) => {
        // A lost thread is told by the window, once; a dropped window asks for nothing.
        if (!(error instanceof SluiceError)) this.#context.fatal(error);
      },
    );
  }

  /** A window was committed: what was lost before is behind us. */
  progressed(): void {
    this.#losses = 0;
  }

  /** A thread was lost with a window of this lane. Resolves when it is time to try again. */
  async lost(fault: SluiceError, dataset: string): Promise<void> {
    const { observe, fatal } = this.#context;
    const attempt = ++this.#losses;
    observe({ type: "engine.lost", dataset, error: fault, attempt });
    if (attempt > lossesMax) {
      fatal(fault);
      return;
    }
    const pause = Promise.withResolvers<void>();
    const timer = setTimeout(() => pause.resolve(), Math.min(backoffMsMax, 50 * 2 ** attempt));
    await Promise.race([pause.promise, this.#stopped.promise]);
    clearTimeout(timer);
  }

  /** Windows to come are encoded for a table as it is now. */
  encodeFor({ schema, layout }: Pick<DatasetState, "schema" | "layout">): void {
    this.#schema = schema;
    this.#layout = layout;
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#stopped.resolve();
  }

  #tell(open: LaneWindow, { rows, faults, rejected, timings, fallback }: JudgedRows): void {
    const { clock, observe } = this.#context;
    const { dataset } = open.window.contract;
    if (fallback !== null && fallback !== this.#fallback) observe({ type: "engine.fallback", dataset, reason: fallback });
    this.#fallback = fallback;
    const { decodeMs, validateMs, profileMs, encodeMs } = timings;
    const startMs = clock.now() - (decodeMs + validateMs + profileMs + encodeMs);
    observe({ type: "batch.judged", dataset, window: open.number, rows, faults, rejected, startMs, ...timings });
  }
}
