/** One comparison: how many times faster (or smaller) ours is than the peer's, over paired repetitions in one run. */
export interface Comparison {
  /** Such as "whole gate / JSON.parse + ajv". */
  readonly name: string;
  readonly ratio: Spread;
  /** Below this it is a regression; null where nothing was promised. */
  readonly floor: number | null;
  readonly aim: number | null;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What was measured of one contestant. */
export interface Measurement {
  readonly name: string;
  /** Records (rows) a second of wall time. */
  readonly rate: Spread;
  /** CPU seconds, user and system, of the whole process, a million records. */
  readonly cpuSecondsPerMillion: Spread | null;
  readonly peakRssMb: Spread | null;
}

export interface BenchResult {
  readonly comparisons: readonly Comparison[];
  readonly measurements: readonly Measurement[];
  /** What was done, in one sentence. */
  readonly setup: string;
  /** Versions of peers that come from elsewhere than npm. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Figures that are no rates. */
  readonly tables?: readonly BenchTable[];
}

export interface BenchTable {
  readonly title: string;
  readonly rows: Record<string, string | number>[];
}

export interface Bench {
  readonly name: string;
  /** Runs only when it is named: it installs what it compares with, or takes very long. */
  readonly onDemand?: boolean;
  run(say: (line: string) => void): Promise<BenchResult>;
}

/** Minimum, median (of an even number: the lower middle) and maximum. Throws on an empty list. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => {
    const value = sorted[index];
    if (value === undefined) throw new RangeError("no values to summarise");
    return value;
  };
  return { min: at(0), median: at(Math.floor((sorted.length - 1) / 2)), max: at(sorted.length - 1) };
}
