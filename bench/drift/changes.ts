import type { BinnedColumn } from "./binned-column.ts";
import type { Counted } from "./counted-measures.ts";
import { countedOf } from "./counted-measures.ts";
import { drawCounts, normalColumn } from "./normal-bins.ts";
import type { Random } from "./random.ts";

/** What happens to the first column of a stream from the change on. */
export interface Change {
  readonly name: string;
  /** Null: whether values are missing is what is compared. */
  readonly of: "values" | "nulls";
  readonly columns: number;
  /** Standard deviations that its mean moves by, so many windows after the change. */
  readonly shift?: (since: number) => number;
  /** Share of all records that goes from one tenth of the values to another. */
  readonly swap?: number;
  /** Share of all records that misses its value, more than before. */
  readonly nulls?: number;
}

/** The changes that are looked for. */
export const changes: readonly Change[] = [
  { name: ".05 sigma", of: "values", columns: 10, shift: () => 0.05 },
  { name: ".1 sigma", of: "values", columns: 10, shift: () => 0.1 },
  { name: ".25 sigma", of: "values", columns: 10, shift: () => 0.25 },
  { name: "1% swapped", of: "values", columns: 10, swap: 0.01 },
  { name: "2% swapped", of: "values", columns: 10, swap: 0.02 },
  { name: "5% swapped", of: "values", columns: 10, swap: 0.05 },
  { name: "gradual, to .25 sigma in 50 windows", of: "values", columns: 10, shift: (since) => 0.25 * Math.min(1, since / 50) },
  { name: "recurring: .25 sigma in 5 windows of 10", of: "values", columns: 10, shift: (since) => (since % 10 < 5 ? 0.25 : 0) },
  { name: "nulls from 2% to 3%", of: "nulls", columns: 10, nulls: 0.01 },
  { name: ".1 sigma in one of 200 columns", of: "values", columns: 200, shift: () => 0.1 },
  { name: ".25 sigma in one of 200 columns", of: "values", columns: 200, shift: () => 0.25 },
];

/** How much windows differ where nothing changes: the means of values in standard deviations, the shares of nulls by their logarithm. */
export interface Variation {
  readonly name: string;
  readonly ofMeans: number;
  readonly ofNulls: number;
}

const nullColumn: BinnedColumn = { name: "null", coarseOf: Uint16Array.of(0, 1), coarseBins: 2, widths: null };
const nullShare = 0.02;

/** One window of a stream, so many windows after the change; null: before it. */
export function drawWindow(
  random: Random,
  rows: number,
  stream: Pick<Change, "of" | "columns" | "shift" | "swap" | "nulls">,
  at: { readonly variation: Variation; readonly since: number | null },
): readonly Counted[] {
  const { variation, since } = at;
  return Array.from({ length: stream.columns }, (_, column) => {
    const isChanged = column === 0 && since !== null;
    if (stream.of === "nulls") {
      const share = nullShare * Math.exp(variation.ofNulls * random.normal()) + (isChanged ? (stream.nulls ?? 0) : 0);
      const nulls = random.binomial(rows, share);
      return countedOf(nullColumn, Float64Array.of(nulls, rows - nulls));
    }
    const counts = drawCounts(random, rows, variation.ofMeans * random.normal() + (isChanged ? (stream.shift?.(since) ?? 0) : 0));
    if (isChanged && stream.swap !== undefined) moveTenth(random, counts, 10 * stream.swap);
    return countedOf(normalColumn, counts);
  });
}

/** From the first tenth to the last: each of the tenth's fine bins by the same share. */
function moveTenth(random: Random, counts: Float64Array, share: number): void {
  const last = counts.length - 1;
  for (let i = 0; i < counts.length / 10; i++) {
    const moved = random.binomial(counts[i] as number, Math.min(1, share));
    counts[i] = (counts[i] as number) - moved;
    counts[last - i] = (counts[last - i] as number) + moved;
  }
}
