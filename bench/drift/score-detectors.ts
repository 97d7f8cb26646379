import { chiSquaredQuantile } from "../../src/drift/chi-squared.ts";
import { advanceDetector } from "../../src/drift/sequential/judge-sequence.ts";
import { eValueOf } from "../../src/drift/sequential/e-value.ts";
import { randomOf } from "./random.ts";

/** Scores of the streams of a dataset at one tick. */
export type TickScores = ReadonlyMap<string, number>;

/** A way to add up what scores say over time; answers the streams that it alarms for, and begins anew once it has. */
export interface ScoreDetector {
  readonly name: string;
  readonly add: (scores: TickScores) => readonly string[];
}

const scoresMost = 500;

/** The value that a standard normal variable exceeds with a chance. */
function normalAbove(chance: number): number {
  return chance <= 0.5 ? Math.sqrt(chiSquaredQuantile(2 * chance, 1)) : -normalAbove(1 - chance);
}

/** The earlier scores of each stream, and what a new one is among them. */
class Ranks {
  readonly #scores = new Map<string, number[]>();

  /** The e-value of a score, and the normal quantile of its rank. */
  add(stream: string, score: number): { readonly e: number; readonly z: number } {
    const earlier = this.#scores.get(stream) ?? [];
    const higher = earlier.filter((each) => each > score).length;
    const equal = earlier.filter((each) => each === score).length;
    const e = eValueOf(earlier, score);
    this.#scores.set(stream, [...earlier, score].slice(-scoresMost));
    return { e, z: normalAbove((higher + (equal + 1) / 2) / (earlier.length + 1)) };
  }
}

/** The project's detectors: the mean over the streams against the threshold, and of each what alone reaches it. */
export function meanDetectors(threshold: number): readonly ScoreDetector[] {
  return (["shiryaev-roberts", "cusum"] as const).map((name) => {
    const ranks = new Ranks();
    let values = new Map<string, number>();
    const add = (scores: TickScores): readonly string[] => {
      for (const [stream, score] of scores)
        values.set(stream, advanceDetector(name, values.get(stream) ?? 0, 1, ranks.add(stream, score).e));
      const sum = [...scores.keys()].reduce((total, stream) => total + (values.get(stream) ?? 0), 0);
      if (scores.size === 0 || sum / scores.size < threshold) return [];
      const suspects = [...scores.keys()].filter((stream) => (values.get(stream) ?? 0) >= threshold);
      values = new Map();
      return suspects;
    };
    return { name, add };
  });
}

type Step = (value: number, z: number) => number;

const steps: Readonly<Record<string, Step>> = {
  "EWMA, lambda .2": (value, z) => 0.8 * value + 0.2 * z,
  "EWMA, lambda .05": (value, z) => 0.95 * value + 0.05 * z,
  // With a rank's quantile for the value the mean is known, and Page and Hinkley's test is Page's.
  "Page-Hinkley, delta .5": (value, z) => Math.max(0, value + z - 0.5),
};

/** Independent standard normal values, the same for every limit. */
function drawNormals(): Float64Array {
  const random = randomOf(7);
  return Float64Array.from({ length: 1_500_000 }, () => random.normal());
}

/** The limit that a statistic of independent normal values first meets after so many ticks on average. */
function limitOf(step: Step, ticks: number, normals: Float64Array): number {
  let [low, high] = [0, 40];
  for (let round = 0; round < 18; round++) {
    const limit = (low + high) / 2;
    let [value, alarms] = [0, 0];
    for (const normal of normals) {
      value = step(value, normal);
      if (value < limit) continue;
      value = 0;
      alarms++;
    }
    if (normals.length > alarms * ticks) high = limit;
    else low = limit;
  }
  return high;
}

/** Detectors of single streams: the dataset alarms where any does, so that each stream's false alarms are as many times as seldom as there are streams. */
export function streamDetectors(ticks: number, streams: number): readonly ScoreDetector[] {
  const normals = drawNormals();
  return Object.entries(steps).map(([name, step]) => {
    const limit = limitOf(step, ticks * streams, normals);
    const ranks = new Ranks();
    let values = new Map<string, number>();
    const add = (scores: TickScores): readonly string[] => {
      for (const [stream, score] of scores) values.set(stream, step(values.get(stream) ?? 0, ranks.add(stream, score).z));
      const suspects = [...scores.keys()].filter((stream) => (values.get(stream) ?? 0) >= limit);
      if (suspects.length > 0) values = new Map();
      return suspects;
    };
    return { name, add };
  });
}
