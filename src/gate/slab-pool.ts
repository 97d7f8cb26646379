const keptMax = 8;
const bytesMin = 1 << 18;
/** Larger buffers are for single large records: keeping one would keep its memory. */
const keptBytesMax = 8 << 20;

/** Buffers that records cross to another thread in, used again: fresh ones cost a page fault every 4 KiB. */
export class SlabPool {
  readonly #free: ArrayBuffer[] = [];

  /** A buffer of at least `bytes`. */
  take(bytes: number): ArrayBuffer {
    const at = this.#free.findIndex((each) => each.byteLength >= bytes);
    if (at >= 0) return this.#free.splice(at, 1)[0] as ArrayBuffer;
    return new ArrayBuffer(bytes > keptBytesMax ? bytes : Math.max(bytesMin, 2 ** Math.ceil(Math.log2(bytes))));
  }

  /** Gives a buffer back that nothing looks at any more. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength > keptBytesMax) return;
    this.#free.push(buffer);
    if (this.#free.length > keptMax) this.#free.shift();
  }
}
