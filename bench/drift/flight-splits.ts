import { flightTexts } from "../flights.ts";
import type { BinnedColumn } from "./binned-column.ts";
import { countedOf } from "./counted-measures.ts";
import type { QuietStream } from "./quiet-streams.ts";

const flightsOfYear = 336_776;
const fineMost = 40;
const tenths = 10;
/** Values of a category column that are counted by themselves, at most, and their least share; the others are one. */
const categoriesMost = 50;
const shareLeast = 0.005;
const missing = 0xffff;

const numeric = ["sched_dep_hhmm", "dep_delay_min", "arr_delay_min", "air_time_min", "distance_mi"] as const;
const categorical = ["carrier", "origin", "dest"] as const;
/** The columns, in the order that windows have them. */
export const flightColumns: readonly string[] = [...numeric, ...categorical];

/** A column of all flights: the fine bin of each. */
interface BinnedFlights {
  readonly column: BinnedColumn;
  readonly codes: Uint16Array;
}

function binNumbers(name: string, values: Float64Array): BinnedFlights {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const at = (share: number): number => sorted[Math.floor(share * sorted.length)] as number;
  const edges = [...new Set(Array.from({ length: fineMost - 1 }, (_, i) => at((i + 1) / fineMost)))];
  const codeOf = (value: number): number => {
    const bin = edges.findIndex((edge) => value <= edge);
    return bin < 0 ? edges.length : bin;
  };
  const codes = Uint16Array.from(values, (value) => (Number.isNaN(value) ? missing : codeOf(value)));
  const counts = new Float64Array(edges.length + 1);
  for (const code of codes) if (code !== missing) counts[code] = (counts[code] as number) + 1;
  // Fine bins that many equal values fill are tenths of their own.
  const coarseOf = new Uint16Array(counts.length);
  let [below, last, coarseBins] = [0, -1, 0];
  counts.forEach((count, bin) => {
    const tenth = Math.min(tenths - 1, Math.floor((tenths * (below + count / 2)) / sorted.length));
    if (tenth !== last) coarseBins++;
    last = tenth;
    coarseOf[bin] = coarseBins - 1;
    below += count;
  });
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const deviation = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length);
  const widths = Float64Array.from(edges.slice(1), (edge, i) => (edge - (edges[i] as number)) / deviation);
  return { column: { name, coarseOf, coarseBins, widths }, codes };
}

function binCategories(name: string, values: readonly string[]): BinnedFlights {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const chosen = [...counts].filter(([, count]) => count >= shareLeast * values.length).toSorted(([, a], [, b]) => b - a);
  const codeOf = new Map(chosen.slice(0, categoriesMost).map(([value], code) => [value, code]));
  const coarseBins = codeOf.size + (codeOf.size < counts.size ? 1 : 0);
  const codes = Uint16Array.from(values, (value) => codeOf.get(value) ?? codeOf.size);
  return { column: { name, coarseOf: Uint16Array.from({ length: coarseBins }, (_, bin) => bin), coarseBins, widths: null }, codes };
}

/** Windows that are drawn from all flights of 2013, with replacement: whatever their columns have in common, and no drift. */
export async function flightSplits(sizes: readonly number[]): Promise<readonly QuietStream[]> {
  const numbers = numeric.map(() => new Float64Array(flightsOfYear));
  const texts = categorical.map((): string[] => []);
  let row = 0;
  for await (const batch of flightTexts(flightsOfYear)) {
    for (const text of batch) {
      const flight = JSON.parse(text.toString("latin1")) as Record<string, string | number | null>;
      numeric.forEach((name, i) => ((numbers[i] as Float64Array)[row] = typeof flight[name] === "number" ? flight[name] : NaN));
      categorical.forEach((name, i) => texts[i]?.push(String(flight[name])));
      row++;
    }
  }
  const binned = [
    ...numeric.map((name, i) => binNumbers(name, numbers[i] as Float64Array)),
    ...categorical.map((name, i) => binCategories(name, texts[i] as string[])),
  ];
  return sizes.map((rows): QuietStream => ({
    name: "real flights, split at random",
    isExchangeable: true,
    columns: binned.length,
    rows,
    open: (random) => () => {
      const drawn = Uint32Array.from({ length: rows }, () => Math.floor(random.uniform() * flightsOfYear));
      return binned.map(({ column, codes }) => {
        const counts = new Float64Array(column.coarseOf.length);
        for (let i = 0; i < rows; i++) {
          const code = codes[drawn[i] as number] as number;
          if (code !== missing) counts[code] = (counts[code] as number) + 1;
        }
        return countedOf(column, counts);
      });
    },
  }));
}
