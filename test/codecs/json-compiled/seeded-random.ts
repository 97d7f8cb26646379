/** A small generator of random numbers that a seed determines (G. Marsaglia, xorshift). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    // Zero is the one state that never leaves itself.
    this.#state = Math.imul(seed + 1, 0x9e37_79b1) | 1;
  }

  /** 0 to below `count`. */
  below(count: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor(((x >>> 0) / 4_294_967_296) * count);
  }

  chance(share: number): boolean {
    return this.below(1 << 20) < share * (1 << 20);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const out = items.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}
