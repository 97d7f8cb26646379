const keptMax = 8;
const bytesMin = 1 << 18;
/** Larger buffers are for single large records: keeping one would keep its memory. */
const keptBytesMax = 8 << 20;

/** Buffers for records on their way, used again: fresh ones cost a page fault every 4 KiB, and a collection every few. */
export class SlabPool<B extends ArrayBufferLike> {
  readonly #free: B[] = [];
  readonly #make: (bytes: number) => B;

  constructor(make: (bytes: number) => B) {
    this.#make = make;
  }

  /** A buffer of at least `bytes`. */
  take(bytes: number): B {
    const at = this.#free.findIndex((each) => each.byteLength >= bytes);
    if (at >= 0) return this.#free.splice(at, 1)[0] as B;
    return this.#make(bytes > keptBytesMax ? bytes : Math.max(bytesMin, 2 ** Math.ceil(Math.log2(bytes))));
  }

  /** Gives a buffer back that nothing looks at any more. */
  give(buffer: B): void {
    if (buffer.byteLength > keptBytesMax) return;
    this.#free.push(buffer);
    if (this.#free.length > keptMax) this.#free.shift();
  }
}
