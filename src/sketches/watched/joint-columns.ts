import { Cell } from "../../core/column.ts";
import type { DecimalColumn, FloatColumn, IntegerColumn } from "../../core/column.ts";
import type { JointMoments } from "../../core/profile.ts";
import { unitOf } from "../streaming.ts";

/** Most columns of joint moments: pairs grow with the square. */
export const jointColumnsMax = 12;

/** A column of numbers or times. */
export type CountableColumn = FloatColumn | IntegerColumn | DecimalColumn;

/** Joint moments of no rows. */
function emptyJoint(columns: readonly string[]): JointMoments {
  const size = columns.length;
  return { columns, count: 0, means: Array<number>(size).fill(0), products: Array<number>((size * (size + 1)) / 2).fill(0) };
}

/** Moments of several columns together, of the rows in which all have finite values; times in seconds. */
export class JointColumns {
  readonly #columns: readonly string[];
  #sum: JointMoments;
  #scratch = new Float64Array(0);

  constructor(columns: readonly string[]) {
    this.#columns = columns;
    this.#sum = emptyJoint(columns);
  }

  reset(): void {
    this.#sum = emptyJoint(this.#columns);
  }

  /** `columns` stand in the order of the paths. */
  add(columns: readonly CountableColumn[], rows: Uint32Array): void {
    const size = columns.length;
    if (this.#scratch.length < size * rows.length) this.#scratch = new Float64Array(size * rows.length);
    const values = this.#scratch;
    let count = 0;
    for (const row of rows) {
      const at = count * size;
      let isWhole = true;
      for (let i = 0; i < size && isWhole; i++) {
        const column = columns[i] as CountableColumn;
        const value = column.values[row] as number;
        isWhole = column.state[row] === Cell.value && Number.isFinite(value);
        values[at + i] = value;
      }
      if (isWhole) count++;
    }
    this.#sum = mergeJoint(this.#sum, this.#momentsOf(columns, values, count));
  }

  #momentsOf(columns: readonly CountableColumn[], values: Float64Array, count: number): JointMoments {
    const size = columns.length;
    const means = new Float64Array(size);
    const part = 1 / count;
    for (let at = 0; at < count * size; at += size) {
      for (let i = 0; i < size; i++) means[i] = (means[i] as number) + (values[at + i] as number) * part;
    }
    const products = new Float64Array((size * (size + 1)) / 2);
    const deviations = new Float64Array(size);
    for (let at = 0; at < count * size; at += size) {
      for (let i = 0; i < size; i++) deviations[i] = (values[at + i] as number) - (means[i] as number);
      for (let i = 0, place = 0; i < size; i++) {
        const deviation = deviations[i] as number;
        for (let j = i; j < size; j++, place++) products[place] = (products[place] as number) + deviation * (deviations[j] as number);
      }
    }
    const units = columns.map(({ field }) => unitOf(field)).map(({ factor, divisor }) => factor / divisor);
    return {
      columns: this.#columns,
      count,
      means: Array.from(means, (mean, i) => mean * (units[i] as number)),
      products: Array.from(products, (product, place) => product * scaleAt(units, place)),
    };
  }

  finish(): JointMoments {
    return this.#sum;
  }
}

function scaleAt(units: readonly number[], place: number): number {
  let [row, rest] = [0, place];
  while (rest >= units.length - row) rest -= units.length - row++;
  return (units[row] as number) * (units[row + rest] as number);
}

/** Where a pair of columns stands among the products; `first` is at most `second`. */
export function productPlace(size: number, first: number, second: number): number {
  return first * size - (first * (first - 1)) / 2 + (second - first);
}

/** Joint moments of both (Chan, Golub and LeVeque 1979); of other columns: the second's. */
export function mergeJoint(a: JointMoments, b: JointMoments): JointMoments {
  if (a.columns.length !== b.columns.length || a.columns.some((path, i) => path !== b.columns[i])) return b;
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const size = a.columns.length;
  const moves = a.means.map((mean, i) => (b.means[i] as number) - mean);
  const products = [...a.products];
  for (let i = 0, place = 0; i < size; i++) {
    for (let j = i; j < size; j++, place++) {
      const between = (moves[i] as number) * (moves[j] as number) * ((a.count / count) * b.count);
      products[place] = (a.products[place] as number) + (b.products[place] as number) + between;
    }
  }
  return {
    columns: a.columns,
    count,
    means: a.means.map((mean, i) => (mean / count) * a.count + ((b.means[i] as number) / count) * b.count),
    products,
  };
}
