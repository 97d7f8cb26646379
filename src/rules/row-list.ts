/** A growing list of row numbers. */
export class RowList {
  #rows = new Uint32Array(16);
  length = 0;

  push(row: number): void {
    if (this.length === this.#rows.length) {
      const rows = new Uint32Array(this.length * 2);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    this.#rows[this.length++] = row;
  }

  at(i: number): number {
    return this.#rows[i] as number;
  }

  /** The rows; a view until the next push. */
  rows(): Uint32Array {
    return this.#rows.subarray(0, this.length);
  }
}
