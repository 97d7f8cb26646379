import type { PeerSample } from "./peer-sample.ts";
import { divergenceOf } from "./peer-statistics.ts";

/** Counts between edges: one edge more than counts. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

const buckets = 10;

/** The histogram of numbers in ten buckets of one width. TFDV's own comes from a sketch of a hundredth's error. */
export function histogramOf({ numbers, count, range }: PeerSample): Histogram | null {
  if (numbers === null) return null;
  const [least, most] = range;
  const edges = Array.from({ length: buckets + 1 }, (_, i) => least + ((most - least) * i) / buckets);
  const counts = Array.from({ length: buckets }, () => 0);
  numbers.values.forEach((value, i) => {
    const place = most === least ? 0 : Math.floor(((value - least) / (most - least)) * buckets);
    const bucket = Math.min(buckets - 1, Math.max(0, place));
    counts[bucket] = (counts[bucket] as number) + ((numbers.shares[i] as number) - (numbers.shares[i - 1] ?? 0)) * count;
  });
  return { edges, counts };
}

/** What of a histogram lies between each two of the edges, spread evenly over each of its buckets. */
function respread({ edges, counts }: Histogram, cuts: readonly number[]): number[] {
  return cuts.slice(0, -1).map((low, i) => {
    const high = cuts[i + 1] as number;
    return counts.reduce((sum, count, bucket) => {
      const [from, to] = [edges[bucket] as number, edges[bucket + 1] as number];
      const overlap = Math.min(high, to) - Math.max(low, from);
      return overlap <= 0 ? sum : sum + (count * overlap) / (to - from);
    }, 0);
  });
}

/** Jensen-Shannon divergence of two histograms, in bits, over the edges of both: TFDV's of numbers. */
export function histogramDivergence(before: Histogram, now: Histogram): number {
  const cuts = [...new Set([...before.edges, ...now.edges])].toSorted((a, b) => a - b);
  return divergenceOf(respread(before, cuts), respread(now, cuts)) / Math.LN2;
}
