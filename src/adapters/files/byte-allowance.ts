/** Bytes that are out and not given back yet. Something larger than the limit goes out alone. */
export class ByteAllowance {
  readonly limitBytes: number;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get takenBytes(): number {
    return this.#taken;
  }

  fits(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.limitBytes;
  }

  /** Takes bytes; the function it answers gives them back, once. */
  take(bytes: number): () => void {
    this.#taken += bytes;
    let isOut = true;
    return () => {
      if (!isOut) return;
      isOut = false;
      this.#taken -= bytes;
      this.wake();
    };
  }

  /** Resolves when something was given back, or `wake` was called. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
