/** Smaller pieces are not kept: memory for a trickle of records would be mostly empty. */
const pieceBytesMin = 1 << 18;
/** Larger ones are for single large batches: keeping one would keep its memory. */
const pieceBytesMax = 2 << 20;
const stepBytes = 1 << 17;

/**
 * Memory that fetched record batches stand in, used again once all who hold it have let go: buffers that come and go beside V8's heap have it collected again
 * and again, which cost more than all else that fetching does. What is never let go of is the collector's, as any memory.
 */
export class FetchMemory {
  readonly #keptBytesMax: number;
  readonly #free: ArrayBuffer[] = [];
  readonly #holders = new WeakMap<ArrayBufferLike, number>();
  #freeBytes = 0;

  /** `keptBytesMax`: 0 where those who are handed records still look at them when they have given them back. */
  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** Room for so many bytes, with one holder. What it held before is still in it. */
  take(bytes: number): Buffer {
    if (bytes < pieceBytesMin || bytes > pieceBytesMax || this.#keptBytesMax === 0) return Buffer.allocUnsafeSlow(bytes);
    const size = Math.ceil(bytes / stepBytes) * stepBytes;
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= size && byteLength <= size + 2 * stepBytes);
    const [piece = Buffer.allocUnsafeSlow(size).buffer] = at < 0 ? [] : this.#free.splice(at, 1);
    if (at >= 0) this.#freeBytes -= piece.byteLength;
    this.#holders.set(piece, 1);
    return Buffer.from(piece, 0, bytes);
  }

  /** One more looks at the memory that these bytes stand in. */
  hold({ buffer }: Uint8Array): void {
    const holders = this.#holders.get(buffer);
    if (holders !== undefined) this.#holders.set(buffer, holders + 1);
  }

  /** One looks at it no more. */
  release({ buffer }: Uint8Array): void {
    const holders = this.#holders.get(buffer);
    if (holders === undefined) return;
    if (holders > 1) {
      this.#holders.set(buffer, holders - 1);
      return;
    }
    this.#holders.delete(buffer);
    if (this.#freeBytes + buffer.byteLength > this.#keptBytesMax) return;
    this.#free.push(buffer as ArrayBuffer);
    this.#freeBytes += buffer.byteLength;
  }
}
