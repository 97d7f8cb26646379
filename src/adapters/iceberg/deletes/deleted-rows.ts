/** Which rows of one data file are deleted, by their numbers from 0: a bit a row, so that it never takes more than the file has rows. */
export class DeletedRows {
  /** Rows that the data file has. */
  readonly rows: number;
  readonly #bits: Uint8Array;
  #count = 0;

  constructor(rows: number) {
    this.rows = rows;
    this.#bits = new Uint8Array(Math.ceil(rows / 8));
  }

  /** How many rows are deleted. */
  get count(): number {
    return this.#count;
  }

  has(row: number): boolean {
    return ((this.#bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
  }

  /** Rows that the file does not have are left out, as every reader leaves them out. */
  add(row: number): void {
    if (row < 0 || row >= this.rows || this.has(row)) return;
    this.#bits[row >> 3] = (this.#bits[row >> 3] as number) | (1 << (row & 7));
    this.#count++;
  }

  /** Deletes the rows from `first` up to `end`, exclusive. */
  addRun(first: number, end: number): void {
    const last = Math.min(end, this.rows);
    for (let row = first; row < last; row++) this.add(row);
  }

  /** Whether the same rows of as many are deleted. */
  equals(other: DeletedRows): boolean {
    return this.rows === other.rows && this.#count === other.#count && this.#bits.every((byte, i) => byte === other.#bits[i]);
  }

  /** A byte a row from `first` on, 1 where it stays; null where all of them do. */
  kept(first: number, count: number): Uint8Array | null {
    if (this.#count === 0) return null;
    let isWhole = true;
    const kept = new Uint8Array(count).fill(1);
    for (let i = 0; i < count; i++) {
      if (!this.has(first + i)) continue;
      kept[i] = 0;
      isWhole = false;
    }
    return isWhole ? null : kept;
  }
}
