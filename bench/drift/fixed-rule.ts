import { chiSquaredQuantile } from "../../src/drift/chi-squared.ts";
import type { Counted } from "./counted-measures.ts";
import { areaBetween, jensenShannonDistance, largestGap, largestMove, measurePsi, pearsonOf } from "./counted-measures.ts";
import type { CountedRule } from "./counted-rule.ts";
import { Reference, windowsOfReference } from "./counted-rule.ts";
import { kolmogorovTwentieth } from "./peer-rules.ts";

/** How far a column's window is from its reference. */
export interface CountedStatistic {
  readonly name: string;
  readonly of: (before: Counted, now: Counted) => number;
  /** From where on others flag a column. */
  readonly limit: number;
}

const isNumber = ({ column }: Counted): boolean => column.widths !== null;
const twentieths = new Map<number, number>();

function chiSquaredTwentieth(freedom: number): number {
  const known = twentieths.get(freedom) ?? chiSquaredQuantile(0.05, freedom);
  twentieths.set(freedom, known);
  return known;
}

/** Others' statistics, with their thresholds: of numbers, and where there is another one, of categories. */
export const peerStatistics: readonly CountedStatistic[] = [
  {
    name: "KS, chi-squared p < .05",
    // Both as parts of what is exceeded once in 20: one threshold for all columns.
    of: (before, now) =>
      isNumber(now)
        ? largestGap(before, now) / (kolmogorovTwentieth * Math.sqrt(1 / before.total + 1 / now.total))
        : pearsonOf(before, now) / chiSquaredTwentieth(now.coarse.length - 1),
    limit: 1,
  },
  { name: "PSI > .1", of: (before, now) => measurePsi(before, now).statistic, limit: 0.1 },
  {
    name: "Evidently (Wasserstein, JS distance > .1)",
    of: (before, now) => (isNumber(now) ? areaBetween(before, now) : jensenShannonDistance(before, now)),
    limit: 0.1,
  },
  { name: "TFDV (L-infinity > .01)", of: largestMove, limit: 0.01 },
];

/** The statistics of others, of each window against the first windows pooled: measured once for all rules that read them. */
export class PeerStatistics {
  readonly #reference = new Reference(windowsOfReference);
  #last: readonly Counted[] | null = null;
  #values: readonly Float64Array[] | null = null;

  /** By statistic and column; null while the reference is learned. */
  measure(window: readonly Counted[]): readonly Float64Array[] | null {
    if (window === this.#last) return this.#values;
    this.#last = window;
    if (this.#reference.windows.length < windowsOfReference) {
      this.#reference.add(window);
      return null;
    }
    const { sums } = this.#reference;
    this.#values = peerStatistics.map(({ of }) => Float64Array.from(window, (now, column) => of(sums[column] as Counted, now)));
    return this.#values;
  }
}

/** A statistic with a threshold, of each window by itself. */
export class FixedRule implements CountedRule {
  readonly name: string;
  readonly #statistics: PeerStatistics;
  readonly #index: number;
  readonly #limit: number;

  /** `index` is of `peerStatistics`. */
  constructor(statistics: PeerStatistics, index: number, rule: { readonly name: string; readonly limit: number }) {
    this.name = rule.name;
    this.#statistics = statistics;
    this.#index = index;
    this.#limit = rule.limit;
  }

  judge(window: readonly Counted[]): readonly number[] {
    const values = this.#statistics.measure(window)?.[this.#index];
    const flagged: number[] = [];
    values?.forEach((value, column) => value > this.#limit && flagged.push(column));
    return flagged;
  }
}

/** Others' rules with their own thresholds. */
export function peersAsShipped(statistics: PeerStatistics): readonly FixedRule[] {
  return peerStatistics.map(({ name, limit }, index) => new FixedRule(statistics, index, { name, limit }));
}
