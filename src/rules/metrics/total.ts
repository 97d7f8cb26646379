import { BrokenInvariant } from "../../core/broken-invariant.ts";
import type { DecimalColumn } from "../../core/column.ts";
import { unscaledAt } from "../cell-text.ts";
import { doubleUnitBits, ExactSum } from "./exact-sum.ts";
import { doubleMeasure, fractionMeasure, fractionToNumber, type Measure } from "./measure.ts";
import type { NumberCells, NumberColumn } from "./number-cells.ts";

/** The exact sum of cells, as a whole number of a unit: 1, the decimal's last digit, or 2^-1074 for floating point. */
export interface Total {
  readonly count: number;
  readonly sum: bigint;
}

/** What one unit of a column's total is a fraction of: 1 / this. */
function unitOf(source: NumberColumn): bigint {
  const { type } = source.path.field;
  if (source.of === "length") return 1n;
  if (type.kind === "decimal") return 10n ** BigInt(type.scale);
  return isFloating(source) ? 1n << BigInt(doubleUnitBits) : 1n;
}

function isFloating(source: NumberColumn): boolean {
  const { kind } = source.path.field.type;
  return source.of === "value" && (kind === "float" || kind === "double");
}

/** Adds up cells. */
export class TotalSum {
  #count = 0;
  #sum = 0n;
  /** Whole numbers below 2^53, not yet in `#sum`. */
  #small = 0;
  readonly #floats = new ExactSum();

  add({ column, rows, values, count }: NumberCells): void {
    this.#count += count;
    if (column.kind === "float") for (let i = 0; i < count; i++) this.#floats.add(values[i] as number);
    else if (column.kind === "decimal") for (let i = 0; i < count; i++) this.#decimal(column, rows[i] as number);
    else if (column.kind === "integer")
      for (let i = 0; i < count; i++) {
        const value = values[i] as number;
        if (Number.isSafeInteger(value)) this.#whole(value);
        else this.#sum += column.exact[rows[i] as number] as bigint;
      }
    else if (column.kind === "bytes") for (let i = 0; i < count; i++) this.#whole(values[i] as number);
    else throw new BrokenInvariant("a total of a column without numbers");
  }

  #whole(value: number): void {
    const next = this.#small + value;
    if (Number.isSafeInteger(next)) this.#small = next;
    else {
      this.#sum += BigInt(this.#small) + BigInt(value);
      this.#small = 0;
    }
  }

  #decimal(column: DecimalColumn, row: number): void {
    const { unscaled } = column;
    const at = row * 4;
    const second = (unscaled[at + 1] as number) | 0;
    const sign = second >> 31;
    // Where the upper words only repeat the sign, and 53 bits hold the rest, no bigint is needed.
    if (
      (unscaled[at + 2] as number) === sign >>> 0 &&
      (unscaled[at + 3] as number) === sign >>> 0 &&
      second < 0x200000 &&
      second >= -0x200000
    )
      this.#whole(second * 4294967296 + (unscaled[at] as number));
    else this.#sum += unscaledAt(column, row);
  }

  total(): Total {
    return { count: this.#count, sum: this.#sum + BigInt(this.#small) + this.#floats.total() };
  }
}

/** The total of both together. */
export function mergeTotals(a: Total, b: Total): Total {
  return { count: a.count + b.count, sum: a.sum + b.sum };
}

/** A total as a number: exact, or of floating point the nearest double. */
export function sumMeasure(source: NumberColumn, { sum }: Total): Measure {
  if (isFloating(source)) return doubleMeasure(fractionToNumber(sum, unitOf(source)));
  return fractionMeasure(sum, unitOf(source));
}

/** The mean: exact, or of floating point the nearest double's quotient. The total must not be empty. */
export function meanMeasure(source: NumberColumn, { sum, count }: Total): Measure {
  if (isFloating(source)) return doubleMeasure(fractionToNumber(sum, unitOf(source) * BigInt(count)));
  return fractionMeasure(sum, unitOf(source) * BigInt(count));
}
