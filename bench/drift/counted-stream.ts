import { plainLimit, spreadLimit } from "../../src/drift/drift-limit.ts";
import type { DriftMeasure } from "../../src/drift/drift-test.ts";
import { psi, psiOf } from "../../src/drift/measures/psi.ts";
import { judgeSequence } from "../../src/drift/sequential/judge-sequence.ts";
import type { Sequential, SequenceState } from "../../src/drift/sequential/sequence-state.ts";
import { emptySequence, foldSequence, streamOf } from "../../src/drift/sequential/sequence-state.ts";
import { tailScore } from "../../src/drift/sequential/tail-score.ts";
import { coarse, coarseBins, edges, fineBins } from "./normal-bins.ts";
import { kolmogorovTwentieth } from "./peer-rules.ts";

/** A column's fine counts in one window. */
export type Counts = Float64Array;

function total(counts: Counts): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function sumOf(windows: readonly Counts[]): Counts {
  const sum = new Float64Array(fineBins);
  for (const window of windows) for (let i = 0; i < fineBins; i++) sum[i] = (sum[i] as number) + (window[i] as number);
  return sum;
}

function sharesOf(counts: Counts, smoothing: number): number[] {
  const all = total(counts) + smoothing * counts.length;
  return Array.from(counts, (count) => (count + smoothing) / all);
}

/** PSI as the project measures it, from counts. */
function measurePsi(before: Counts, now: Counts): DriftMeasure {
  const statistic = psiOf(sharesOf(coarse(before), 0.5), sharesOf(coarse(now), 0.5));
  const freedom = coarseBins - 1;
  return { statistic, energy: statistic, expected: freedom * (1 / total(before) + 1 / total(now)), freedom, explain: () => "" };
}

/** What a rule says of a window: whether it alarms, by column or at all. */
export interface CountedRule {
  readonly name: string;
  /** Windows come one by one; answers the columns that it flags. Empty: no alarm. */
  judge(window: readonly Counts[], season: string): readonly number[];
}

const windowsOfReference = 20;

/** The newest windows of a stream, and their sums. */
class Reference {
  readonly sums: readonly Counts[];
  readonly #windows: (readonly Counts[])[] = [];
  readonly #depth: number;

  constructor(columns: number, depth: number) {
    this.sums = Array.from({ length: columns }, () => new Float64Array(fineBins));
    this.#depth = depth;
  }

  get length(): number {
    return this.#windows.length;
  }

  add(window: readonly Counts[]): void {
    this.#windows.push(window);
    this.#take(window, 1);
    if (this.#windows.length > this.#depth) this.#take(this.#windows.shift() as readonly Counts[], -1);
  }

  /** Each window of a column against the others. */
  others(column: number): readonly DriftMeasure[] {
    return this.#windows.map((window) => {
      const own = window[column] as Counts;
      return measurePsi(
        (this.sums[column] as Counts).map((sum, bin) => sum - (own[bin] as number)),
        own,
      );
    });
  }

  #take(window: readonly Counts[], sign: number): void {
    window.forEach((counts, column) => {
      const sum = this.sums[column] as Counts;
      counts.forEach((count, bin) => (sum[bin] = (sum[bin] as number) + sign * count));
    });
  }
}

/** The project's: rolling or seasonal references, evidence over time, and the gate. The limit of 0 is evidence alone, without a gate. */
export class SluiceRule implements CountedRule {
  readonly name: string;
  readonly #plan: Sequential;
  readonly #limit: number;
  readonly #depth: number;
  readonly #references = new Map<string, Reference>();
  #state: SequenceState = emptySequence;

  constructor(name: string, ticks: number, options: { readonly limit: number; readonly depth?: number }) {
    this.name = name;
    this.#plan = { mode: "sequential", detector: "shiryaev-roberts", between: { unit: "ticks", mean: ticks } };
    this.#limit = options.limit;
    this.#depth = options.depth ?? windowsOfReference;
  }

  judge(window: readonly Counts[], season: string): readonly number[] {
    const reference = this.#references.get(season) ?? new Reference(window.length, this.#depth);
    this.#references.set(season, reference);
    if (reference.length < Math.min(4, this.#depth)) {
      reference.add(window);
      return [];
    }
    const measures = window.map((counts, column) => measurePsi(reference.sums[column] as Counts, counts));
    const streams = window.map((_, column) => streamOf(`c${column}`, "psi"));
    const scores = new Map(measures.map((measure, column) => [streams[column] as string, measure.energy / measure.expected]));
    const { sequence, evidence } = judgeSequence(this.#plan, this.#state, { openedAtMs: 0, closedAtMs: 0, streams, scores });
    const share = Math.min(0.001, 1 / sequence.threshold) / (2 * window.length);
    const flagged = [...measures.keys()].filter((column) => {
      const measure = measures[column] as DriftMeasure;
      if (this.#limit > 0 && measure.statistic > plainLimit(psi, measure, 2.5 * this.#limit, share)) {
        const spread = spreadLimit(psi, measure, reference.others(column), share) ?? 0;
        const usual = tailScore(this.#state.streams.get(streams[column] as string)?.scores ?? [], share) ?? 0;
        if (measure.statistic > Math.max(spread, psi.statisticOf(usual * measure.expected))) return true;
      }
      const value = evidence.get(streams[column] as string)?.value ?? 0;
      return sequence.isExceeded && value >= sequence.threshold && measure.statistic > this.#limit;
    });
    const results = streams.map((_, column) => ({
      column: `c${column}`,
      test: "psi",
      statistic: null,
      limit: null,
      status: "pass" as const,
      policy: "warn" as const,
      explanation: null,
      ...(evidence.has(streams[column] as string) && { evidence: evidence.get(streams[column] as string) }),
    }));
    const outcome = { status: "pass", tick: null, baseline: null, needs: 0, results, sequence } as const;
    const isUsual = flagged.length === 0;
    this.#state = foldSequence(this.#plan, this.#state, { outcome: outcome as never, closedAtMs: 0, isUsual, watched: new Set(streams) });
    if (isUsual) reference.add(window);
    return flagged;
  }
}

/** How far a column's window is from its reference. */
export interface CountedStatistic {
  readonly name: string;
  readonly of: (before: Counts, now: Counts) => number;
  /** Others' threshold. */
  readonly limit: (before: Counts, now: Counts) => number;
}

/** A statistic with a threshold, of each window by itself against the first windows, pooled. */
export class FixedRule implements CountedRule {
  readonly name: string;
  readonly #statistic: CountedStatistic;
  readonly #limit: CountedStatistic["limit"];
  readonly #first: (readonly Counts[])[] = [];
  #reference: readonly Counts[] = [];

  constructor(statistic: CountedStatistic, limit: { readonly name: string; readonly value: number } | null = null) {
    this.name = limit?.name ?? statistic.name;
    this.#statistic = statistic;
    this.#limit = limit === null ? statistic.limit : () => limit.value;
  }

  /** The statistics of a window's columns; none while the reference is learned. */
  measure(window: readonly Counts[]): readonly { readonly value: number; readonly limit: number }[] {
    if (this.#first.length < windowsOfReference) {
      this.#first.push(window);
      this.#reference = window.map((_, column) => sumOf(this.#first.map((each) => each[column] as Counts)));
      return [];
    }
    return window.map((now, column) => {
      const before = this.#reference[column] as Counts;
      return { value: this.#statistic.of(before, now), limit: this.#limit(before, now) };
    });
  }

  judge(window: readonly Counts[]): readonly number[] {
    return this.measure(window).flatMap(({ value, limit }, column) => (value > limit ? [column] : []));
  }
}

function gaps(before: Counts, now: Counts): number[] {
  const [p, q] = [sharesOf(before, 0), sharesOf(now, 0)];
  let gap = 0;
  return p.map((share, i) => (gap += (q[i] as number) - share));
}

function areaOf(before: Counts, now: Counts): number {
  return gaps(before, now).reduce((sum, gap, i) => {
    const [low, high] = [edges[i], edges[i + 1]];
    return low === undefined || high === undefined ? sum : sum + Math.abs(gap) * (high - low);
  }, 0);
}

function largestMove(before: Counts, now: Counts): number {
  const [p, q] = [sharesOf(coarse(before), 0), sharesOf(coarse(now), 0)];
  return Math.max(...p.map((share, i) => Math.abs(share - (q[i] as number))));
}

/** Others' statistics of numeric columns, with their thresholds. */
export const peerStatistics: readonly CountedStatistic[] = [
  {
    name: "KS p < .05",
    of: (before, now) => Math.max(...gaps(before, now).map(Math.abs)),
    limit: (before, now) => kolmogorovTwentieth * Math.sqrt(1 / total(before) + 1 / total(now)),
  },
  { name: "PSI > .1", of: (before, now) => measurePsi(before, now).statistic, limit: () => 0.1 },
  { name: "Evidently (Wasserstein > .1)", of: areaOf, limit: () => 0.1 },
  { name: "TFDV (L-infinity > .01)", of: largestMove, limit: () => 0.01 },
];
