import type { SluiceError } from "../../core/errors.ts";

/** Faults under way, each by its cause: tells of each once, and of the end of the last. */
export class TroubleBoard {
  readonly #faults = new Map<string, SluiceError>();
  readonly #tell: (error: SluiceError | null) => void;

  constructor(tell: (error: SluiceError | null) => void) {
    this.#tell = tell;
  }

  /** The causes under way. */
  causes(): string[] {
    return [...this.#faults.keys()];
  }

  set(cause: string, error: SluiceError): void {
    const known = this.#faults.get(cause);
    this.#faults.set(cause, error);
    if (known?.message !== error.message) this.#tell(error);
  }

  clear(cause: string): void {
    if (this.#faults.delete(cause) && this.#faults.size === 0) this.#tell(null);
  }
}
