interface Waiter {
  readonly least: number;
  readonly most: number;
  readonly grant: (bytes: number) => void;
}

/** Bytes that may be in flight at once: asked for ahead of a fetch, in turn, and given back. Use may run over where one batch alone is larger. */
export class ByteBudget {
  readonly max: number;
  #used = 0;
  readonly #waiting: Waiter[] = [];

  constructor(max: number) {
    this.max = max;
  }

  get used(): number {
    return this.#used;
  }

  /** Between `least` and `most` bytes (cut to the whole budget), as soon as there is room and it is our turn. */
  take(least: number, most: number): Promise<number> {
    return new Promise((grant) => {
      this.#waiting.push({ least: Math.min(least, this.max), most, grant });
      this.#serve();
    });
  }

  /** Counts bytes that came without asking. */
  add(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    this.#serve();
  }

  #serve(): void {
    for (;;) {
      const first = this.#waiting[0];
      const free = this.max - this.#used;
      if (first === undefined || free < first.least) return;
      this.#waiting.shift();
      const bytes = Math.min(free, first.most);
      this.#used += bytes;
      first.grant(bytes);
    }
  }
}
