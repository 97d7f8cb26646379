import type { Counted } from "./counted-measures.ts";
import { countedOf } from "./counted-measures.ts";
import { drawCounts, normalColumn } from "./normal-bins.ts";
import type { Random } from "./random.ts";

/** A stream in which nothing drifts. */
export interface QuietStream {
  readonly name: string;
  readonly isExchangeable: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly isSeasonal?: boolean;
  /** One run of it: draws window after window. */
  readonly open: (random: Random) => (window: number) => readonly Counted[];
}

type Shift = (window: number) => number;

/** How a column's mean moves from window to window where nothing drifts, in standard deviations. */
export const variations: Readonly<Record<"alike" | "mild" | "heavy" | "autocorrelated" | "weekly", (random: Random) => Shift>> = {
  alike: () => () => 0,
  mild: (random) => () => 0.05 * random.normal(),
  // Student's t of 2 degrees.
  heavy: (random) => () => (0.03 * random.normal()) / Math.sqrt(-Math.log(1 - random.uniform())),
  autocorrelated: (random) => {
    const phi = 0.8;
    let level = 0;
    return () => (level = phi * level + 0.05 * Math.sqrt(1 - phi * phi) * random.normal());
  },
  weekly: (random) => (window) =>
    0.2 * Math.sin((2 * Math.PI * window) / 24) + (Math.floor(window / 24) % 7 >= 5 ? 0.1 : 0) + 0.02 * random.normal(),
};

/** A stream of independent normal columns whose means vary. */
export function normalStream(
  name: string,
  variation: keyof typeof variations,
  size: { readonly columns: number; readonly rows: number },
): QuietStream {
  const { columns, rows } = size;
  return {
    name,
    isExchangeable: variation !== "autocorrelated" && variation !== "weekly",
    columns,
    rows,
    isSeasonal: variation === "weekly",
    open: (random) => {
      const shifts = Array.from({ length: columns }, () => variations[variation](random));
      return (window) => shifts.map((shift) => countedOf(normalColumn, drawCounts(random, rows, shift(window))));
    },
  };
}

/** The streams of normal columns. */
export const normalStreams: readonly QuietStream[] = [
  normalStream("alike", "alike", { columns: 10, rows: 1000 }),
  normalStream("alike", "alike", { columns: 10, rows: 10_000 }),
  normalStream("alike", "alike", { columns: 10, rows: 100_000 }),
  normalStream("alike", "alike", { columns: 50, rows: 10_000 }),
  normalStream("alike", "alike", { columns: 200, rows: 10_000 }),
  normalStream("mild variation", "mild", { columns: 10, rows: 10_000 }),
  normalStream("mild variation", "mild", { columns: 10, rows: 100_000 }),
  normalStream("heavy-tailed variation", "heavy", { columns: 10, rows: 10_000 }),
  normalStream("autocorrelated .8", "autocorrelated", { columns: 10, rows: 10_000 }),
  normalStream("hours and weekdays", "weekly", { columns: 10, rows: 10_000 }),
];
