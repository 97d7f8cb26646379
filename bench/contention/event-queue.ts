/** Things that happen at a time, earliest first; what happens at the same time does so in the order in which it was added. */
export class EventQueue {
  readonly #heap: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];
  #added = 0;

  add(atMs: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ atMs, order: this.#added++, run });
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!this.#isBefore(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** Plays what happens before `endMs`, and what follows from it; answers how many events there were. */
  play(endMs: number): number {
    const heap = this.#heap;
    let played = 0;
    for (let first = heap[0]; first !== undefined && first.atMs < endMs; first = heap[0]) {
      this.#swap(0, heap.length - 1);
      heap.pop();
      this.#sink();
      first.run();
      played++;
    }
    return played;
  }

  #sink(): void {
    const heap = this.#heap;
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && this.#isBefore(child, least)) least = child;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a], this.#heap[b]] as [{ atMs: number; order: number }, { atMs: number; order: number }];
    return x.atMs === y.atMs ? x.order < y.order : x.atMs < y.atMs;
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const kept = heap[a] as (typeof heap)[number];
    heap[a] = heap[b] as (typeof heap)[number];
    heap[b] = kept;
  }
}
