import type { BytesColumn } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import { isWideDecimal } from "./counted-numbers.ts";
import type { LeafColumn } from "./leaf-columns.ts";
import { wordsOf } from "./streaming.ts";
import { hashSpan } from "./text-column.ts";
import { countPoints } from "./text-points.ts";
import { hashValue, numberOf } from "./value-words.ts";

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** The low and high word of a number's cell as a profile has it, into `words`. */
function readWords(column: Exclude<LeafColumn, { readonly kind: "bytes" }>, row: number): void {
  if (column.kind === "boolean") {
    words.set([column.values[row] as number, 0]);
    return;
  }
  // Adding 0 makes -0 the same value as 0.
  if (column.kind === "float") {
    double[0] = (column.values[row] as number) + 0;
    return;
  }
  const source = wordsOf(column);
  if (source === null) throw new Error(`bug: a column of kind ${column.kind} has no words`);
  words[0] = source.words[source.stride * row] as number;
  words[1] = source.words[source.stride * row + 1] as number;
}

/** The hash by which a profile tells a cell's value, its low word first, into `out`; the cell holds a value. */
export function hashCell(column: LeafColumn, row: number, out: Uint32Array): void {
  const { type } = column.field;
  if (column.kind === "bytes") hashSpan(type, column.bytes, column.starts[row] as number, column.lengths[row] as number, out);
  else if (column.kind === "decimal" && isWideDecimal(column.field)) {
    const { buffer, byteOffset, byteLength } = column.unscaled;
    hashSpan(type, new Uint8Array(buffer, byteOffset, byteLength), 16 * row, 16, out);
  } else {
    readWords(column, row);
    hashValue(type, words[0] as number, words[1] as number, out);
  }
}

/** A cell as the number that a profile's quantiles are of (times in seconds since the epoch); NaN where it is none. */
export function numberCell(column: LeafColumn, row: number): number {
  if (column.state[row] !== Cell.value || column.kind === "bytes") return Number.NaN;
  if (column.kind === "decimal" && isWideDecimal(column.field)) return column.values[row] as number;
  readWords(column, row);
  return numberOf(column.field.type, words[0] as number, words[1] as number);
}

/** The length of a text in code points, of anything else in bytes, as a profile counts them; the cell holds a value. */
export function lengthCell(column: BytesColumn, row: number): number {
  const length = column.lengths[row] as number;
  return column.field.type.kind === "string" ? countPoints(column.bytes, column.starts[row] as number, length) : length;
}
