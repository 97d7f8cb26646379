import { SluiceError } from "../core/errors.ts";
import type { Position } from "../core/position.ts";
import type { GateContext } from "./context.ts";

/** Tells the source's own bookkeeping how far the table is: one at a time, in order, never waited for by data, never trusted. */
export class OffsetHints {
  readonly #context: Pick<GateContext, "source" | "probe" | "observe" | "fatal">;
  #last: Promise<void> = Promise.resolve();

  constructor(context: Pick<GateContext, "source" | "probe" | "observe" | "fatal">) {
    this.#context = context;
  }

  tell(positions: readonly Position[]): void {
    this.#last = this.#last.then(() => this.#commit(positions)).catch((error: unknown) => this.#context.fatal(error));
  }

  async idle(): Promise<void> {
    await this.#last;
  }

  async #commit(positions: readonly Position[]): Promise<void> {
    const { source, probe, observe } = this.#context;
    probe("offsets.before-commit");
    try {
      await source.commit(positions);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      observe({ type: "offsets.failed", error });
    }
    probe("offsets.after-commit");
  }
}
